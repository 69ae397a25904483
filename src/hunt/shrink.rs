//! Shrinking: the smallest script that shows a finding, and on fibers its simplest schedule.

use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::ValueTree;

use super::confirm::{Confirmation, confirm, steer};
use super::engines::{EngineKind, Engines};
use super::execution::{Execution, with_wind_down_as_script};
use super::explore::Extent;
use super::outcome::Found;
use super::rerun::Effort;
use super::trial::Trial;
use crate::oracle::{Finding, Judgement, Signature};
use crate::script::{Script, ScriptTree};

mod claim;
mod joint;
mod sampled;

/// What a finding was shrunk to.
#[derive(Clone)]
pub struct Shrunk {
    /// The smallest script known to show it, clamped.
    pub script: Script,
    /// The finding, as that script shows it.
    pub finding: Finding,
    /// The execution that shows it.
    pub execution: Execution,
    /// Whether what the wind-down did is now done by ops of the script.
    pub rewritten: bool,
    /// How many smaller scripts were tried.
    pub candidates: u64,
    /// Whether each op was removed, and what was left did not show it.
    pub minimal: bool,
    /// How each candidate was tried.
    pub method: Method,
    /// How many executions that took, in all.
    pub executions: u64,
    /// How long that took, in all, without confirming it.
    pub elapsed: Duration,
    /// How often the smallest script showed it on free threads, if it was run there.
    pub confirmation: Option<Confirmation>,
    /// How often OS threads, led through its schedule, showed it, if it has one.
    pub steered: Option<Confirmation>,
}

/// How the candidates of shrinking were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// On fibers, script and schedule together.
    Joint {
        /// How far the scripts with one op less were explored.
        removals: Extent,
        /// How many preemptions the schedule has.
        preemptions: u32,
        /// Whether every schedule with fewer was explored, and does not show it.
        fewest: bool,
    },
    /// Not at all: the script is as it was found, and its schedule alone was made simpler, on fibers.
    Schedule {
        /// How many preemptions it has.
        preemptions: u32,
        /// Whether every schedule with fewer was explored, and does not show the finding.
        fewest: bool,
    },
    /// On free threads, each run again and again.
    Sampled {
        /// How often each of the last ones was run: enough to see what shows as often as the smallest script does, in
        /// 999 of 1,000 cases, unless `capped`.
        reruns: u64,
        /// Whether that would have been more reruns than are done.
        capped: bool,
    },
}

impl Method {
    /// What ran the candidates.
    pub fn engine(self) -> EngineKind {
        match self {
            Method::Joint { .. } | Method::Schedule { .. } => EngineKind::Fibers,
            Method::Sampled { .. } => EngineKind::Threads,
        }
    }
}

/// Shrinks a finding to the smallest script that shows one of the same signature, within the effort.
///
/// What free threads have found is first found again on fibers, if these may be used; what cannot be is shrunk on
/// threads. With threads, the smallest script is then run there as well.
pub fn shrink(trial: &Trial, found: &Found, seed: u64, engines: Engines, effort: Effort<'_>) -> Shrunk {
    let spending = effort.begin();
    let joint = engines.contains(EngineKind::Fibers).then(|| joint::shrink(trial, found, seed, spending));
    let mut shrunk = joint.flatten().unwrap_or_else(|| sampled::shrink(trial, found, seed, spending.left()));
    if engines.contains(EngineKind::Threads) {
        let reruns = match shrunk.method {
            Method::Sampled { reruns, .. } => reruns,
            Method::Joint { .. } | Method::Schedule { .. } => 0,
        };
        let wanted = &shrunk.finding.signature;
        shrunk.confirmation = Some(confirm(trial, &shrunk.script, wanted, seed, reruns, effort));
    }
    shrunk.steered = steer(trial, &shrunk.script, &shrunk.execution, &shrunk.finding.signature);
    shrunk
}

/// Makes the schedule of a finding simpler and leaves its script as it is; `None` if it cannot be found on fibers.
pub fn shrink_schedule(trial: &Trial, found: &Found, seed: u64, effort: Effort<'_>) -> Option<Shrunk> {
    joint::shrink_schedule(trial, found, seed, effort.begin())
}

/// A script that shows the finding.
trait Shows {
    fn script(&self) -> &Arc<Script>;
    fn execution(&self) -> &Execution;
}

/// Tries whether scripts show a finding.
trait Try {
    type Best: Shows;

    fn trial(&self) -> &Trial;
    /// Whether to give up.
    fn is_spent(&self) -> bool;
    fn wanted(&mut self) -> &mut Signature;
    /// Whether a candidate shows it, given the smallest script that does so far.
    fn attempt(&mut self, candidate: &Arc<Script>, best: &Self::Best) -> Option<Self::Best>;
}

/// The same finding without a wind-down, if this one needs it and its ops as ops of the script will do.
fn write_wind_down<T: Try>(tries: &mut T, best: &T::Best) -> Option<T::Best> {
    if !tries.wanted().wind_down {
        return None;
    }
    let rewritten = with_wind_down_as_script(best.script(), &best.execution().history);
    let script = Arc::new(tries.trial().clamp(&rewritten));
    let without = Signature { wind_down: false, ..tries.wanted().clone() };
    let with = std::mem::replace(tries.wanted(), without);
    let written = tries.attempt(&script, best);
    if written.is_none() {
        *tries.wanted() = with;
    }
    written
}

/// Goes down proptest's tree as far as the effort lasts, and says whether no op can be removed; counts the candidates.
fn descend<T: Try>(tries: &mut T, best: &mut T::Best, candidates: &mut u64) -> bool {
    let mut tree = ScriptTree::new(Script::clone(best.script()));
    let mut more = tree.simplify();
    while more {
        let candidate = tries.trial().clamp(&tree.current());
        // What the subject makes the same script of is not simpler.
        let smaller = if candidate == **best.script() {
            None
        } else {
            *candidates += 1;
            tries.attempt(&Arc::new(candidate), best)
        };
        more = match smaller {
            Some(smaller) => {
                *best = smaller;
                tree.simplify()
            }
            // It may have been cut short, and is not ruled out.
            None if tries.is_spent() => return false,
            None => tree.complicate(),
        };
    }
    tree.is_minimal()
}

/// The finding of this signature.
fn matching<'a>(judgement: &'a Judgement, wanted: &Signature) -> Option<&'a Finding> {
    judgement.findings.iter().find(|finding| finding.signature == *wanted)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::lead::Lead;
    use super::super::rerun::Jobs;
    use super::super::testing;
    use super::*;
    use crate::oracle::Verdict;
    use crate::script::Op;

    const BOTH: [(Engines, EngineKind); 2] =
        [(Engines::Fibers, EngineKind::Fibers), (Engines::Threads, EngineKind::Threads)];

    fn shrunk(
        trial: &Trial,
        (engines, engine): (Engines, EngineKind),
        time: Option<Duration>,
        stop: &AtomicBool,
    ) -> (Script, Shrunk) {
        let text = "mux incoming=3 queue=2 when-full=wait\nsetup\n  watch a\n  action\nlane\n  action\n  stop a\n\
                    lane\n  action\n  action\n  watch b\n";
        let script: Script = text.parse().unwrap();
        let execution = Lead::new(engine, 1).execute(trial, &Arc::new(script.clone()), 1);
        let finding = execution.judgement.findings[0].clone();
        let strategy = String::new();
        let found = Found { engine, run: 0, strategy, script: script.clone(), finding, execution };
        (script, shrink(trial, &found, 1, engines, Effort { jobs: Jobs::each(2), time, stop }))
    }

    #[test]
    fn what_is_left_is_what_the_finding_needs() {
        let found_on_threads = (Engines::Both, EngineKind::Threads);
        for on in BOTH.into_iter().chain([found_on_threads]) {
            let (_, shrunk) = shrunk(&testing::trial(), on, None, &AtomicBool::new(false));
            let script = "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n  action\n  action";
            assert_eq!(shrunk.script.to_string(), script);
            assert_eq!(shrunk.finding.signature.verdict, Verdict::Panic);
            let calls = &shrunk.execution.history.calls;
            assert_eq!(calls.iter().filter(|call| call.op == Op::Action).count(), 3);
            assert!(shrunk.minimal);
            match on.0 {
                Engines::Threads => assert_eq!(shrunk.method, Method::Sampled { reruns: 100, capped: false }),
                _ => assert_eq!(
                    shrunk.method,
                    Method::Joint { removals: Extent::All, preemptions: 0, fewest: true }
                ),
            }
            let confirmation = Confirmation { hits: 20, runs: 20 };
            assert_eq!(shrunk.confirmation, (on.0 != Engines::Fibers).then_some(confirmation));
            assert_eq!(shrunk.steered, (on.0 != Engines::Threads).then_some(confirmation));
        }
    }

    #[test]
    fn without_time_nothing_is_claimed() {
        for on in BOTH {
            let time = Some(Duration::ZERO);
            let (script, shrunk) = shrunk(&testing::trial(), on, time, &AtomicBool::new(false));
            assert_eq!((shrunk.script, shrunk.minimal), (script, false));
        }
    }

    #[test]
    fn a_candidate_that_was_cut_short_is_not_ruled_out() {
        for on in BOTH {
            let (trial, stop) = testing::stopping(5, Duration::from_secs(60));
            let (_, shrunk) = shrunk(&trial, on, None, &stop);
            assert!(stop.load(std::sync::atomic::Ordering::Relaxed) && !shrunk.minimal);
            let none = Confirmation { hits: 0, runs: 0 };
            assert_eq!(shrunk.confirmation, (on.0 == Engines::Threads).then_some(none));
        }
    }
}
