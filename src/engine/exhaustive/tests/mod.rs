use std::collections::BTreeSet;

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Exhaustive, Seen};
use crate::engine::fibers::Traced;
use crate::engine::strategy::{RandomWalk, Strategy, mix};

mod brute;
mod native;
mod op;
mod program;

use brute::Brute;
use op::Op;
use program::Shown;

/// What all executions of a program show, and how many there were, and of those how many redundant.
struct Explored {
    shown: BTreeSet<Shown>,
    executions: u64,
    redundant: u64,
    /// Whether a bound left anything out.
    left_out: bool,
}

fn explore(tasks: &[Vec<Op>], exhaustive: &Exhaustive, most: u64) -> Option<Explored> {
    explore_by(|strategy| program::run(tasks, strategy), exhaustive, most)
}

fn explore_by(
    run: impl Fn(Box<dyn Strategy>) -> (Shown, Traced),
    exhaustive: &Exhaustive,
    most: u64,
) -> Option<Explored> {
    let mut explored = Explored { shown: BTreeSet::new(), executions: 0, redundant: 0, left_out: false };
    loop {
        let ((shown, _), seen) = exhaustive.execute(&run);
        assert_ne!(seen, Seen::Diverged);
        explored.executions += 1;
        if seen == Seen::Redundant {
            explored.redundant += 1;
        } else {
            explored.shown.insert(shown);
        }
        if !exhaustive.next() {
            explored.left_out = exhaustive.left_out();
            return Some(explored);
        }
        if explored.executions == most {
            return None;
        }
    }
}

fn explore_all(tasks: &[Vec<Op>]) -> Explored {
    explore(tasks, &Exhaustive::new(None), u64::MAX).expect("there are fewer")
}

/// Every schedule with up to so many preemptions, if there are no more than `most`.
fn brute(tasks: &[Vec<Op>], bound: u32, most: u64) -> Option<(BTreeSet<Shown>, u64)> {
    let (mut all, mut executions) = (BTreeSet::new(), 0);
    let brute = Brute::new(bound);
    loop {
        executions += 1;
        all.insert(program::run(tasks, Box::new(brute.clone())).0);
        if !brute.next() {
            return Some((all, executions));
        }
        if executions == most {
            return None;
        }
    }
}

/// Programs drawn from that seed.
fn programs(seed: u8) -> impl Iterator<Item = Vec<Vec<Op>>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = op::program();
    std::iter::repeat_with(move || strategy.new_tree(&mut runner).expect("it rejects nothing").current())
}

/// Fails unless both are the same.
fn compare(tasks: &[Vec<Op>], expected: &BTreeSet<Shown>, shown: &BTreeSet<Shown>, what: &str) {
    let missing: Vec<_> = expected.difference(shown).collect();
    let extra: Vec<_> = shown.difference(expected).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{tasks:?}, {what}\nmissing {missing:#?}\nextra {extra:#?}"
    );
}

#[test]
fn all_that_brute_force_reaches_is_reached_and_nothing_else() {
    let (count, most) = (300, 400);
    let (mut all, mut reduced, mut redundant, mut skipped) = (0, 0, 0, 0);
    for tasks in programs(1).take(count) {
        let Some((expected, executions)) = brute(&tasks, u32::MAX, most) else {
            skipped += 1;
            continue;
        };
        let explored = explore_all(&tasks);
        compare(&tasks, &expected, &explored.shown, "all");
        all += executions;
        reduced += explored.executions - explored.redundant;
        redundant += explored.redundant;
    }
    println!(
        "{count} programs, {skipped} of them too large: {all} schedules, {reduced} executions, and {redundant} redundant"
    );
    assert!(skipped * 2 < count, "too few are left: {skipped} of {count} are too large");
}

/// All programs of three tasks of up to two ops, of two kinds that get in each other's way: few end without somebody blocked,
/// and whoever was first could have been any of them.
#[test]
fn of_small_programs_nothing_is_missed() {
    let pairs = [
        [Op::Send(0), Op::Recv(0)],
        [Op::Send(1), Op::Recv(1)],
        [Op::Send(1), Op::Select(1, 0)],
        [Op::SelectSend(1, 2), Op::Recv(1)],
        [Op::Send(1), Op::DropReceiver(1)],
        [Op::SendTimeout(1), Op::RecvTimeout(1)],
        [Op::LockBoth(0), Op::LockBoth(1)],
        [Op::LockAndSend(0, 1), Op::Recv(1)],
        [Op::Lock(0), Op::TryLock(0)],
        [Op::Wait, Op::NotifyOne],
        [Op::SpawnAndJoin(0), Op::Lock(0)],
        [Op::Write, Op::ReadAndLoad],
    ];
    let mut checked = 0;
    for [one, other] in pairs {
        let tasks =
            [vec![one], vec![other], vec![one, one], vec![one, other], vec![other, one], vec![other, other]];
        for (first, second, third) in (0..6 * 6 * 6).map(|index| (index / 36, index / 6 % 6, index % 6)) {
            // Tasks are the same by any other name.
            if first > second || second > third {
                continue;
            }
            let program = [first, second, third].map(|task: usize| tasks[task].clone());
            let Some((expected, _)) = brute(&program, u32::MAX, 400) else { continue };
            compare(&program, &expected, &explore_all(&program).shown, "all");
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked}");
}

/// Free threads have shown that the first task can take the first message, although it drops its receiver in the same event,
/// which races with the second.
#[test]
fn a_select_that_took_one_message_could_have_taken_another() {
    for other in 0..4 {
        let receives = [Op::Select(2, other), Op::Select(other, 2)];
        for (one, two) in receives.into_iter().flat_map(|one| receives.map(|two| (one, two))) {
            let tasks = [vec![one, Op::DropReceiver(2)], vec![Op::TrySend(2), two, Op::TrySend(2)]];
            let (expected, _) = brute(&tasks, u32::MAX, 400).expect("there are fewer");
            compare(&tasks, &expected, &explore_all(&tasks).shown, "all");
        }
    }
}

/// Of programs that brute force would never come to the end of.
#[test]
fn what_a_random_walk_reaches_is_reached() {
    let (mut all, mut reduced) = (0, 0);
    for (number, tasks) in (0..).zip(programs(2).take(60)) {
        let Some(explored) = explore(&tasks, &Exhaustive::new(None), 2000) else { continue };
        for walk in 0..40 {
            let strategy = RandomWalk::new(mix(number, walk));
            let (shown, _) = program::run(&tasks, Box::new(strategy));
            assert!(explored.shown.contains(&shown), "{tasks:?}\nmissing {shown:#?}");
            all += 1;
        }
        reduced += explored.executions;
    }
    println!("{all} random walks, {reduced} executions");
    assert!(all > 1000, "{all}");
}

#[test]
fn what_commutes_is_executed_once_and_what_does_not_in_each_order() {
    let counts = |tasks: &[Vec<Op>]| {
        let explored = explore_all(tasks);
        (explored.executions - explored.redundant, explored.redundant)
    };
    assert_eq!(counts(&[vec![Op::Yield; 3], vec![Op::Yield; 3], vec![Op::Yield; 3]]), (1, 0));
    assert_eq!(counts(&[vec![Op::Lock(0)], vec![Op::Lock(1)], vec![Op::Load(0)], vec![Op::Load(0)]]), (1, 0));
    let factorials = [1, 2, 6, 24, 120];
    for (tasks, executions) in (1..).zip(factorials) {
        assert_eq!(counts(&vec![vec![Op::Lock(0)]; tasks]), (executions, 0), "{tasks}");
    }
}

/// With no more than so many preemptions just that is reached which brute force reaches with no more; and what is left out
/// is told.
#[test]
fn a_bound_leaves_out_what_needs_more_and_nothing_else() {
    let (mut checked, mut all, mut reduced) = (0, [0; 3], [0; 3]);
    for tasks in programs(7).take(150) {
        let Some((unbounded, _)) = brute(&tasks, u32::MAX, 400) else { continue };
        checked += 1;
        for bound in 0..3 {
            let (expected, executions) =
                brute(&tasks, bound, 400).expect("there are fewer than without a bound");
            let bounded = explore(&tasks, &Exhaustive::new(Some(bound)), u64::MAX).expect("there are fewer");
            compare(&tasks, &expected, &bounded.shown, &format!("up to {bound} preemptions"));
            if !bounded.left_out {
                compare(&tasks, &unbounded, &bounded.shown, "nothing left out");
            }
            all[bound as usize] += executions;
            reduced[bound as usize] += bounded.executions;
        }
    }
    println!("{checked} programs, up to 0, 1, 2 preemptions: {all:?} schedules, {reduced:?} executions");
    assert!(checked > 50, "{checked}");
}
