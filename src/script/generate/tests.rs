use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestRng};

use super::*;
use crate::script::{Op, OpKind, OpSet, Slot, WhenFull};

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
        ("watch after shutdown, and recv", in_order(&[&is(Shutdown, None), &is(Watch, a), &is(Recv, a)]), 2),
        ("shutdown twice", in_order(&[&is(Shutdown, None), &is(Shutdown, None)]), 5),
        ("action after shutdown", in_order(&[&is(Shutdown, None), &is(Action, None)]), 20),
        ("churn", in_order(&[&is(Watch, a), &is(Drop, a), &is(Watch, a)]), 37),
        ("publishing reader", in_order(&[&is(Recv, a), &is(Action, None)]), 50),
        ("try-action when wedged", in_order(&[&is(Watch, a), &is(Action, None), &is(TryAction, None)]), 30),
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
        ("drops the oldest", share(&scripts, |script| script.config.when_full == WhenFull::DropOldest), 80),
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
fn in_some_scripts_the_caller_makes_no_error_beside_what_ends_the_mux() {
    let errors = OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::TryAction, OpKind::Shutdown]);
    let is_spared = |script: &Script| {
        let mut in_lanes = script.lanes.iter().flatten();
        script.lanes.last().is_some_and(|lane| matches!(lane[..], [op] if ends(op)))
            && in_lanes.clone().any(|op| !ends(*op))
            && in_lanes.all(|op| ends(*op) || !errors.contains(op.kind()))
    };
    let spared = |errors| share(&draws(&Profile { errors, ..Profile::default() }, 9, 5_000), is_spared);
    let (knowing, unknowing) = (spared(errors), spared(OpSet::NONE));
    assert!(knowing > 200 && knowing > 4 * unknowing, "{knowing} and {unknowing} of 1000 scripts");
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
        errors: OpSet::NONE,
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
