//! Drawing scripts: a proptest strategy with swarm weights.
//!
//! Each script first draws which ops are off, and then, for each lane, what it does mostly (*swarm* testing:
//! Groce et al., ISSTA 2012). Scripts are small, queues smaller, and most ops name a slot that is in use, for
//! that is where the bugs are: a queue that nobody reads must fill within a few ops.

use std::ops::RangeInclusive;

use proptest::prelude::Rng;
use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::TestRunner;

use super::draw::Draw;
use super::{Config, MAX_LANES, Op, OpKind, OpSet, Script, ScriptTree, Slot, WhenFull};

/// Which scripts are drawn: those that a subject can run.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The ops there may be.
    pub ops: OpSet,
    /// The capacities of the incoming queue.
    pub incoming: RangeInclusive<u8>,
    /// Whether the incoming queue can also have the capacity of a watcher's.
    pub incoming_as_queue: bool,
    /// The capacities of a watcher's queue.
    pub queue: RangeInclusive<u8>,
    /// The policies for a full queue. Not empty.
    pub when_full: &'static [WhenFull],
    /// Whether a `watch` can have a policy of its own.
    pub when_full_per_watcher: bool,
    /// Whether a `watch` can have a prefix.
    pub prefix: bool,
    /// The most ops, setup and lanes together.
    pub max_ops: usize,
    /// The most lanes; at least 1, and at most [`MAX_LANES`].
    pub max_lanes: usize,
}

/// All there is, in scripts of up to 16 ops and 4 lanes.
impl Default for Profile {
    fn default() -> Profile {
        Profile {
            ops: OpSet::ALL,
            incoming: 0..=u8::MAX,
            incoming_as_queue: false,
            queue: 0..=u8::MAX,
            when_full: &WhenFull::ALL,
            when_full_per_watcher: true,
            prefix: true,
            max_ops: 16,
            max_lanes: 4,
        }
    }
}

/// A strategy for the scripts of a profile, drawn from the runner's generator alone: the same seed gives the
/// same scripts.
pub fn strategy(profile: &Profile) -> impl Strategy<Tree = ScriptTree, Value = Script> + use<> {
    Scripts(profile.clone())
}

#[derive(Debug)]
struct Scripts(Profile);

impl Strategy for Scripts {
    type Tree = ScriptTree;
    type Value = Script;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(ScriptTree::new(script(&self.0, runner.rng())))
    }
}

/// Draws a script of this profile.
pub fn script(profile: &Profile, rng: &mut impl Rng) -> Script {
    let mut draw = Draw(rng);
    let (incoming, queue) = (draw.capacity(&profile.incoming), draw.capacity(&profile.queue));
    let config = Config {
        incoming: if profile.incoming_as_queue && draw.one_in(2) { queue } else { incoming },
        queue,
        when_full: policy(profile, &mut draw),
    };
    let mut author = Author::new(profile, draw);
    let setup = author.setup();
    let lanes = author.lanes(profile.max_ops.saturating_sub(setup.len()));
    Script { config, setup, lanes }
}

/// Waiting as a rule, for what waits can hang.
fn policy(profile: &Profile, draw: &mut Draw<'_, impl Rng>) -> WhenFull {
    let waits = profile.when_full.contains(&WhenFull::Wait) && draw.one_in(2);
    if waits { WhenFull::Wait } else { draw.pick(profile.when_full) }
}

/// How often an op of each kind is drawn, against the others; by [`OpKind`]. What ends a mux is rare, or
/// little would come after it.
pub(super) const WEIGHTS: [u32; OpKind::ALL.len()] = [6, 12, 4, 8, 4, 7, 4, 3, 3];

/// What a lane does mostly, against its other ops. Most lanes have one or two such ops: publishers, readers.
const EMPHASIS: [u32; 6] = [1, 1, 1, 1, 4, 12];

/// One in so many ops goes astray: to a slot that is empty, or to a `watch` on one in use.
const ASTRAY: u32 = 24;

/// In one of so many scripts a lane of its own ends the mux, if the script has what does: so that it happens at any time,
/// with all else still to come.
const ENDED: u32 = 4;

/// After one of so many stops the watcher is read on: only that tells whether the stop is final.
const READ_ON: u32 = 3;

type Weights = [u32; OpKind::ALL.len()];

/// Writes one script.
struct Author<'a, R> {
    profile: &'a Profile,
    draw: Draw<'a, R>,
    /// The ops that this script has.
    on: OpSet,
    /// How many slots this script uses.
    slots: u32,
    /// The slots in use, as if the lanes ran one after the other.
    watched: u8,
}

impl<'a, R: Rng> Author<'a, R> {
    fn new(profile: &'a Profile, mut draw: Draw<'a, R>) -> Author<'a, R> {
        let mut on = profile.ops;
        for kind in profile.ops.iter() {
            let off = match kind {
                // Nothing happens without watchers and events.
                OpKind::Watch | OpKind::Action => draw.one_in(16),
                OpKind::Close | OpKind::Shutdown => draw.one_in(2),
                _ => draw.one_in(4),
            };
            if off {
                on = on.without(&[kind]);
            }
        }
        let slots = draw.pick(&[1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4]);
        Author { profile, draw, on, slots, watched: 0 }
    }

    /// A `watch` or two as a rule, and now and then something else.
    fn setup(&mut self) -> Vec<Op> {
        let watches = self.draw.pick(&[0, 1, 1, 1, 2, 2, 3]).min(self.slots);
        let others = self.draw.pick(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
        let mut ops = Vec::new();
        if self.profile.ops.contains(OpKind::Watch) {
            ops.extend((0..watches).filter_map(|_| self.op(OpKind::Watch, None)));
        }
        let weights = self.weights();
        ops.extend((0..others).filter_map(|_| self.any_op(&weights, None)));
        ops.truncate(self.profile.max_ops.min(4));
        ops
    }

    fn lanes(&mut self, room: usize) -> Vec<Vec<Op>> {
        let most = self.profile.max_lanes.clamp(1, MAX_LANES);
        let count = self.draw.pick(&[1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 8]).min(most);
        // Half of all scripts are short: there, what there is matters.
        let usual = if self.draw.one_in(2) { 6 } else { self.profile.max_ops.max(1) as u32 };
        let mut left = room.min(1 + self.draw.below(usual) as usize);
        let mut lanes = Vec::with_capacity(count);
        for rest in (0..count).rev() {
            // The last lane takes what is left, so that no length is out of reach.
            let length = match rest {
                0 => left,
                _ => left.min(1 + self.draw.below(2 * left as u32 / (rest as u32 + 1) + 1) as usize),
            };
            left -= length;
            let weights = self.weights();
            let focus = if self.draw.one_in(2) { Some(self.draw.below(self.slots) as u8) } else { None };
            let lane = self.lane(length, &weights, focus);
            if !lane.is_empty() || lanes.is_empty() {
                lanes.push(lane);
            }
        }
        let ops: usize = lanes.iter().map(Vec::len).sum();
        if ops < room && lanes.len() < most && self.draw.one_in(ENDED) {
            lanes.extend(self.end().map(|end| vec![end]));
        }
        lanes
    }

    fn lane(&mut self, length: usize, weights: &Weights, focus: Option<u8>) -> Vec<Op> {
        let mut lane = Vec::with_capacity(length);
        while lane.len() < length {
            let Some(op) = self.any_op(weights, focus) else { break };
            lane.push(op);
            if let Op::Stop(slot) = op
                && lane.len() < length
                && self.draw.one_in(READ_ON)
            {
                lane.extend(
                    [Op::TryRecv(slot), Op::Recv(slot)].into_iter().find(|op| self.on.contains(op.kind())),
                );
            }
        }
        lane
    }

    /// What ends the mux, if this script has something that does.
    fn end(&mut self) -> Option<Op> {
        let ends = [Op::Close, Op::Shutdown].map(|end| Some(end).filter(|end| self.on.contains(end.kind())));
        let ends: Vec<Op> = ends.into_iter().flatten().collect();
        if ends.is_empty() { None } else { Some(self.draw.pick(&ends)) }
    }

    fn weights(&mut self) -> Weights {
        let mut weights = [0; OpKind::ALL.len()];
        for kind in self.on.iter() {
            let emphasis = match kind {
                OpKind::Close | OpKind::Shutdown => 1,
                _ => self.draw.pick(&EMPHASIS),
            };
            weights[kind as usize] = emphasis * WEIGHTS[kind as usize];
        }
        weights
    }

    /// An op by weight; `None` if every kind is off.
    fn any_op(&mut self, weights: &Weights, focus: Option<u8>) -> Option<Op> {
        if weights.iter().all(|weight| *weight == 0) {
            return None;
        }
        let kind = OpKind::ALL[self.draw.weighted(weights)];
        self.op(kind, focus)
    }

    fn op(&mut self, kind: OpKind, focus: Option<u8>) -> Option<Op> {
        Some(match kind {
            OpKind::Watch => {
                let slot = self.slot(!self.watched, focus);
                self.watched |= 1 << slot.index();
                Op::Watch { slot, prefix: self.prefix(), when_full: self.own_policy() }
            }
            OpKind::Action => Op::Action,
            OpKind::TryAction => Op::TryAction,
            OpKind::Recv => Op::Recv(self.slot(self.watched, focus)),
            OpKind::TryRecv => Op::TryRecv(self.slot(self.watched, focus)),
            OpKind::Stop => Op::Stop(self.slot(self.watched, focus)),
            OpKind::Drop => {
                let slot = self.slot(self.watched, focus);
                self.watched &= !(1 << slot.index());
                Op::Drop(slot)
            }
            OpKind::Close => Op::Close,
            OpKind::Shutdown => Op::Shutdown,
        })
    }

    /// A slot of this script, among these (a bit each) where possible, and the lane's own as a rule.
    fn slot(&mut self, among: u8, focus: Option<u8>) -> Slot {
        if self.draw.one_in(ASTRAY) {
            return Slot::new(self.draw.below(Slot::COUNT as u32) as u8);
        }
        let is_among = |slot: &u8| among & (1 << slot) != 0;
        if let Some(focus) = focus.filter(is_among)
            && !self.draw.one_in(4)
        {
            return Slot::new(focus);
        }
        let slots = self.slots;
        let first = self.draw.below(slots);
        let mut turned = (0..slots).map(|next| ((first + next) % slots) as u8);
        Slot::new(turned.find(is_among).unwrap_or(first as u8))
    }

    fn prefix(&mut self) -> u8 {
        if self.profile.prefix { self.draw.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 2, 3]) } else { 0 }
    }

    fn own_policy(&mut self) -> Option<WhenFull> {
        (self.profile.when_full_per_watcher && self.draw.one_in(4))
            .then(|| policy(self.profile, &mut self.draw))
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestRng};

    use super::*;

    fn draws(profile: &Profile, seed: u8, count: usize) -> Vec<Script> {
        let rng = TestRng::from_seed(RngAlgorithm::XorShift, &[seed; 16]);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
        let strategy = strategy(profile);
        (0..count).map(|_| strategy.new_tree(&mut runner).expect("a script").current()).collect()
    }

    /// Whether ops like these are in the sequence, in this order, with others between them or not.
    fn has(ops: &[Op], like: &[&dyn Fn(Op) -> bool]) -> bool {
        let mut ops = ops.iter();
        like.iter().all(|like| ops.any(|op| like(*op)))
    }

    fn is(kind: OpKind, slot: Option<Slot>) -> impl Fn(Op) -> bool {
        move |op| op.kind() == kind && (slot.is_none() || op.slot() == slot)
    }

    /// One of several sequences: the setup and then a lane.
    fn sequences(script: &Script) -> Vec<Vec<Op>> {
        script.lanes.iter().map(|lane| [script.setup.as_slice(), lane].concat()).collect()
    }

    /// How many of the scripts are like this, in thousandths.
    fn share(scripts: &[Script], like: impl Fn(&Script) -> bool) -> usize {
        scripts.iter().filter(|script| like(script)).count() * 1000 / scripts.len()
    }

    #[test]
    fn what_finds_bugs_is_drawn_often() {
        use OpKind::{Action, Close, Drop, Recv, Shutdown, Stop, TryAction, TryRecv, Watch};
        let scripts = draws(&Profile::default(), 1, 20_000);
        let [a, b] = [Slot::new(0), Slot::new(1)].map(Some);
        let in_order = |like: &[&dyn Fn(Op) -> bool]| {
            share(&scripts, |script| sequences(script).iter().any(|ops| has(ops, like)))
        };
        let unread = |script: &Script, slot| {
            script.iter().any(|op| is(Watch, slot)(*op))
                && !script.iter().any(|op| is(Recv, slot)(*op) || is(TryRecv, slot)(*op))
        };
        let users = |script: &Script, slot| {
            script.lanes.iter().filter(|lane| lane.iter().any(|op| op.slot() == slot)).count()
        };
        let shares = [
            ("watch, action, stop", in_order(&[&is(Watch, a), &is(Action, None), &is(Stop, a)]), 60),
            ("watch after close", in_order(&[&is(Close, None), &is(Watch, None)]), 10),
            (
                "watch after shutdown, and recv",
                in_order(&[&is(Shutdown, None), &is(Watch, a), &is(Recv, a)]),
                2,
            ),
            ("shutdown twice", in_order(&[&is(Shutdown, None), &is(Shutdown, None)]), 5),
            ("action after shutdown", in_order(&[&is(Shutdown, None), &is(Action, None)]), 20),
            ("churn", in_order(&[&is(Watch, a), &is(Drop, a), &is(Watch, a)]), 37),
            ("publishing reader", in_order(&[&is(Recv, a), &is(Action, None)]), 50),
            (
                "try-action when wedged",
                in_order(&[&is(Watch, a), &is(Action, None), &is(TryAction, None)]),
                30,
            ),
            ("watch behind an action", in_order(&[&is(Watch, a), &is(Action, None), &is(Watch, b)]), 30),
            ("unread watcher", share(&scripts, |script| unread(script, a)), 200),
            (
                "two watchers, one unread",
                share(&scripts, |script| unread(script, a) && script.iter().any(|op| is(Recv, b)(*op))),
                20,
            ),
            (
                "stop of an unread watcher, and an action",
                share(&scripts, |script| {
                    unread(script, a)
                        && sequences(script).iter().any(|ops| has(ops, &[&is(Stop, a), &is(Action, None)]))
                }),
                20,
            ),
            ("queue of 0", share(&scripts, |script| script.config.queue == 0), 300),
            ("queue of 1", share(&scripts, |script| script.config.queue == 1), 200),
            ("incoming of 1", share(&scripts, |script| script.config.incoming == 1), 200),
            ("waits", share(&scripts, |script| script.config.when_full == WhenFull::Wait), 400),
            (
                "drops the oldest",
                share(&scripts, |script| script.config.when_full == WhenFull::DropOldest),
                80,
            ),
            ("several lanes on one slot", share(&scripts, |script| users(script, a) > 1), 150),
            ("one lane", share(&scripts, |script| script.lanes.len() == 1), 150),
            ("three lanes", share(&scripts, |script| script.lanes.len() == 3), 80),
            ("at most 4 ops", share(&scripts, |script| script.ops() <= 4), 100),
            ("12 ops and more", share(&scripts, |script| script.ops() >= 12), 80),
            ("never ended", share(&scripts, |script| !has(&sequence(script), &[&ends])), 500),
        ];
        let rare: Vec<_> = shares.iter().filter(|(_, share, least)| share < least).collect();
        assert!(rare.is_empty(), "of 1000 scripts, less than the last number: {rare:?}");
    }

    fn sequence(script: &Script) -> Vec<Op> {
        script.iter().copied().collect()
    }

    fn ends(op: Op) -> bool {
        matches!(op, Op::Close | Op::Shutdown)
    }

    #[test]
    fn most_ops_name_a_watched_slot() {
        let scripts = draws(&Profile::default(), 2, 5_000);
        let (mut named, mut watched) = (0, 0);
        for script in &scripts {
            let slots: Vec<_> =
                script.iter().filter(|op| op.kind() == OpKind::Watch).map(|op| op.slot()).collect();
            for op in script.iter().filter(|op| op.kind() != OpKind::Watch && op.slot().is_some()) {
                named += 1;
                watched += usize::from(slots.contains(&op.slot()));
            }
        }
        assert!(watched * 10 > named * 8, "{watched} of {named}");
    }

    #[test]
    fn lanes_have_a_trade() {
        let scripts = draws(&Profile::default(), 8, 5_000);
        let lanes: Vec<_> =
            scripts.iter().flat_map(|script| &script.lanes).filter(|lane| lane.len() >= 5).collect();
        let trade = |lane: &&&Vec<Op>| {
            let most = OpKind::ALL.map(|kind| lane.iter().filter(|op| op.kind() == kind).count());
            most.into_iter().any(|count| count * 10 >= lane.len() * 7)
        };
        let share = lanes.iter().filter(trade).count() * 100 / lanes.len();
        assert!(share > 15, "{share} of 100 lanes");
    }

    #[test]
    fn each_script_leaves_some_ops_out() {
        let scripts = draws(&Profile { max_ops: 200, ..Profile::default() }, 3, 2_000);
        let long: Vec<_> = scripts.into_iter().filter(|script| script.ops() > 100).collect();
        for kind in OpKind::ALL {
            let without = share(&long, |script| !script.iter().any(|op| op.kind() == kind));
            assert!((5..800).contains(&without), "{kind} is off in {without} of 1000 scripts");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_scripts() {
        let profile = Profile::default();
        assert_eq!(draws(&profile, 4, 100), draws(&profile, 4, 100));
        assert_ne!(draws(&profile, 4, 100), draws(&profile, 5, 100));
    }

    #[test]
    fn a_profile_is_kept_to() {
        let ops = [OpKind::Watch, OpKind::Recv, OpKind::Stop];
        let profile = Profile {
            ops: OpSet::of(&ops),
            incoming: 25..=25,
            incoming_as_queue: true,
            queue: 1..=3,
            when_full: &[WhenFull::DropNewest],
            when_full_per_watcher: false,
            prefix: false,
            max_ops: 5,
            max_lanes: 2,
        };
        for script in draws(&profile, 6, 2_000) {
            let Config { incoming, queue, when_full } = script.config;
            assert!((incoming == 25 || incoming == queue) && when_full == WhenFull::DropNewest, "{script}");
            assert!((1..=3).contains(&script.config.queue));
            assert!((1..=2).contains(&script.lanes.len()) && script.ops() <= 5, "{script}");
            for op in script.iter() {
                assert!(profile.ops.contains(op.kind()), "{script}");
                assert!(!matches!(op, Op::Watch { prefix: 1.., .. } | Op::Watch { when_full: Some(_), .. }));
            }
        }
    }

    #[test]
    fn a_profile_with_nothing_gives_scripts_of_nothing() {
        let nothing = Profile { ops: OpSet::NONE, ..Profile::default() };
        assert!(draws(&nothing, 7, 100).iter().all(|script| script.ops() == 0));
        let none = Profile { max_ops: 0, max_lanes: 0, ..Profile::default() };
        assert!(draws(&none, 7, 100).iter().all(|script| script.ops() == 0 && script.lanes.len() == 1));
    }
}
