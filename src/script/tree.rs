use std::collections::HashSet;

use proptest::strategy::ValueTree;

use super::Script;
use super::edit::{Edit, PHASES};

/// A script that shrinks: fewest ops first, then fewest lanes (one at least), then the simplest arguments.
///
/// Deterministic, and thrifty: what was rejected once is not proposed again. Every change that is kept makes
/// the script smaller, and starts the search again from the ops, until a whole round changes nothing.
#[derive(Clone, Debug)]
pub struct ScriptTree {
    /// The smallest that is known to fail.
    best: Script,
    /// What is proposed in its place.
    candidate: Option<Script>,
    /// What was proposed and did not fail.
    rejected: HashSet<Script>,
    /// Which of [`PHASES`] is on.
    phase: usize,
    /// What is left to try in this phase, the next one last; `None` before it has begun.
    edits: Option<Vec<Edit>>,
    /// Whether a change was kept since this phase began.
    changed: bool,
    /// Whether the last change has been followed by a try to remove each op that is left.
    minimal: bool,
}

impl ScriptTree {
    /// A tree that shrinks this script, which must be known to fail.
    pub fn new(script: Script) -> ScriptTree {
        ScriptTree {
            best: script,
            candidate: None,
            rejected: HashSet::new(),
            phase: 0,
            edits: None,
            changed: false,
            minimal: false,
        }
    }

    /// Whether no op can be removed: each was, from the smallest script known to fail, and what was left
    /// did not.
    pub fn is_minimal(&self) -> bool {
        self.minimal
    }

    /// Proposes the next candidate; `false` if there is none.
    fn propose(&mut self) -> bool {
        while let Some(phase) = PHASES.get(self.phase) {
            let edits = self.edits.get_or_insert_with(|| {
                let mut edits = phase(&self.best);
                edits.reverse();
                edits
            });
            while let Some(edit) = edits.pop() {
                let candidate = edit.apply(&self.best);
                if let Some(candidate) = candidate.filter(|candidate| !self.rejected.contains(candidate)) {
                    self.candidate = Some(candidate);
                    return true;
                }
            }
            self.edits = None;
            if self.changed {
                self.changed = false;
                self.phase = 0;
            } else {
                // The first phase tries every single op, and nothing was kept since it began.
                self.minimal = true;
                self.phase += 1;
            }
        }
        false
    }
}

impl ValueTree for ScriptTree {
    type Value = Script;

    fn current(&self) -> Script {
        self.candidate.as_ref().unwrap_or(&self.best).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(candidate) = self.candidate.take() {
            self.best = candidate;
            self.changed = true;
            self.minimal = false;
        }
        self.propose()
    }

    /// Goes back to the smallest script known to fail, and on to the next candidate from there. At the end
    /// that script itself is current again.
    fn complicate(&mut self) -> bool {
        let Some(candidate) = self.candidate.take() else {
            return false;
        };
        self.rejected.insert(candidate);
        self.propose();
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::check_strategy_sanity;

    use super::super::generate::{Profile, strategy};
    use super::super::testing::{any_script, cases, lanes};
    use super::super::{Op, OpKind, Slot};
    use super::*;

    /// Shrinks a script while it is like this; the smallest, and how many were tried.
    fn shrink(script: &Script, fails: impl Fn(&Script) -> bool) -> (ScriptTree, usize) {
        assert!(fails(script));
        let mut tree = ScriptTree::new(script.clone());
        let (mut tries, mut rejected) = (0, HashSet::new());
        let mut more = tree.simplify();
        while more {
            tries += 1;
            let current = tree.current();
            more = if fails(&current) {
                tree.simplify()
            } else {
                assert!(rejected.insert(current), "proposed twice");
                tree.complicate()
            };
        }
        (tree, tries)
    }

    /// Whether some slot is watched, then an event comes, then that slot is stopped, each in any place.
    fn watch_action_stop(script: &Script) -> bool {
        let ops: Vec<Op> = script.iter().copied().collect();
        let at = |like: &dyn Fn(&Op) -> bool| ops.iter().position(like);
        (0..Slot::COUNT as u8).map(Slot::new).any(|slot| {
            let watch = at(&|op| op.kind() == OpKind::Watch && op.slot() == Some(slot));
            let action = watch
                .and_then(|watch| ops[watch..].iter().position(|op| *op == Op::Action).map(|at| at + watch));
            action.is_some_and(|action| ops[action..].contains(&Op::Stop(slot)))
        })
    }

    #[test]
    fn a_failing_script_shrinks_to_the_known_minimum() {
        let minimum = lanes("watch a; action; stop a");
        let big = "mux incoming=200 queue=7 when-full=disconnect\n\
                   setup\n watch d prefix=9 when-full=drop-oldest\n action\n watch c\n\
                   lane\n close\n recv c\n action\n try-action\n\
                   lane\nlane\n action\n stop g\n stop d\n shutdown\nlane\n recv d\n";
        let (tree, tries) = shrink(&big.parse().unwrap(), watch_action_stop);
        assert_eq!(tree.current(), minimum);
        assert!(tree.is_minimal());
        assert!(tries < 150, "{tries} tries");
    }

    #[test]
    fn every_drawn_script_shrinks_to_the_known_minimum() {
        let minimum = lanes("watch a; action; stop a");
        let mut found = 0;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let strategy = strategy(&Profile::default());
        for _ in 0..5_000 {
            let script = strategy.new_tree(&mut runner).unwrap().current();
            if watch_action_stop(&script) {
                found += 1;
                assert_eq!(shrink(&script, watch_action_stop).0.current(), minimum, "from {script}");
            }
        }
        assert!(found > 100, "only {found} scripts to shrink");
    }

    #[test]
    fn lanes_that_are_needed_stay() {
        let concurrent =
            |script: &Script| script.lanes.iter().filter(|lane| lane.contains(&Op::Close)).count() >= 2;
        let script = lanes("action; close | recv a | close; close | close");
        assert_eq!(shrink(&script, concurrent).0.current(), lanes("close | close"));
    }

    #[test]
    fn two_lanes_are_interleaved_into_one() {
        let ordered = |script: &Script| {
            let op = |kind: OpKind| script.iter().filter(move |op| op.kind() == kind).count();
            let shapes = [lanes("watch a; stop a | action"), lanes("watch a; action; stop a")];
            op(OpKind::Watch) == 1 && shapes.contains(script)
        };
        let (tree, _) = shrink(&lanes("watch a; stop a | action"), ordered);
        assert_eq!(tree.current(), lanes("watch a; action; stop a"));
    }

    #[test]
    fn the_setup_goes_into_the_only_lane_and_one_lane_is_left() {
        let mut script = lanes("close");
        script.setup = vec![Op::Action];
        let both = |script: &Script| {
            script.iter().any(|op| *op == Op::Close) && script.iter().any(|op| *op == Op::Action)
        };
        assert_eq!(shrink(&script, both).0.current(), lanes("action; close"));
        assert_eq!(shrink(&lanes("close | action | recv a"), |_| true).0.current(), lanes(""));
        script.lanes.clear();
        assert_eq!(shrink(&script, |script| script.ops() > 0).0.current(), lanes("action"));
    }

    #[test]
    fn numbers_are_found_by_binary_search() {
        let mut script = lanes("watch a prefix=255");
        script.config.queue = 255;
        let needs = |script: &Script| {
            let prefix = |op: &Op| matches!(op, Op::Watch { prefix: 77.., .. });
            script.config.queue >= 130 && script.iter().any(prefix)
        };
        let (tree, tries) = shrink(&script, needs);
        let mut minimum = lanes("watch a prefix=77");
        minimum.config.queue = 130;
        assert_eq!(tree.current(), minimum);
        assert!(tries < 120, "{tries} tries");
    }

    #[test]
    fn two_ops_that_need_each_other_go_together() {
        let balanced = |script: &Script| {
            let count = |kind| script.iter().filter(|op| op.kind() == kind).count();
            count(OpKind::Action) == count(OpKind::Recv) && count(OpKind::Close) == 1
        };
        let script = lanes("action; close; recv a");
        assert_eq!(shrink(&script, balanced).0.current(), lanes("close"));
    }

    #[test]
    fn minimality_is_claimed_only_where_every_removal_was_rejected() {
        let mut script = lanes("watch c prefix=3; close | action | stop c; stop a | recv b");
        script.setup = vec![Op::Action];
        let mut tree = ScriptTree::new(script.clone());
        let (mut smallest, mut rejected) = (script, HashSet::new());
        let (mut claims, mut claimed) = (0, false);
        let mut more = tree.simplify();
        while more {
            if tree.is_minimal() != claimed {
                claimed = !claimed;
                claims += usize::from(claimed);
            }
            for removed in (0..smallest.ops()).filter(|_| claimed) {
                let edited = Edit::Remove { first: removed, count: 1 }.apply(&smallest).unwrap();
                assert!(rejected.contains(&edited), "{smallest} is said to be minimal");
            }
            let current = tree.current();
            more = if watch_action_stop(&current) {
                smallest = current;
                tree.simplify()
            } else {
                rejected.insert(current);
                tree.complicate()
            };
        }
        assert!(tree.is_minimal() && claims > 1, "merging lanes has ended the first claim: {claims}");
    }

    proptest! {
        #![proptest_config(cases(64))]

        #[test]
        fn every_removal_from_a_minimal_script_passes(script in any_script(), sum in 1_usize..6) {
            // A rule that removals satisfy and break in odd ways.
            let weight = |script: &Script| script.iter().map(|op| 1 + op.kind() as usize).sum::<usize>();
            let fails = |script: &Script| weight(script) % 7 == sum;
            prop_assume!(fails(&script));
            let (tree, _) = shrink(&script, fails);
            let smallest = tree.current();
            prop_assert!(tree.is_minimal() && fails(&smallest));
            for removed in 0..smallest.ops() {
                let edited = Edit::Remove { first: removed, count: 1 }.apply(&smallest).unwrap();
                prop_assert!(!fails(&edited), "{} and then {}", smallest, edited);
            }
        }
    }

    #[test]
    fn proptest_finds_the_tree_sane() {
        check_strategy_sanity(strategy(&Profile { max_ops: 8, ..Profile::default() }), None);
    }

    #[test]
    fn proptest_itself_shrinks_by_it() {
        let mut runner = proptest::test_runner::TestRunner::new(cases(20_000));
        let result = runner.run(&strategy(&Profile::default()), |script| {
            prop_assert!(!watch_action_stop(&script));
            Ok(())
        });
        let Err(proptest::test_runner::TestError::Fail(_, smallest)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(smallest, lanes("watch a; action; stop a"));
    }
}
