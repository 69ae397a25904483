use std::collections::BTreeSet;

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Exhaustive, Seen};

mod brute;
mod program;

use brute::Brute;
use program::{Op, Shown};

/// What all executions of a program show, and how many there were, and of those how many redundant.
struct Explored {
    shown: BTreeSet<Shown>,
    executions: u64,
    redundant: u64,
}

fn explore(tasks: &[Vec<Op>], preemptions: Option<u32>) -> Explored {
    let mut explored = Explored { shown: BTreeSet::new(), executions: 0, redundant: 0 };
    let exhaustive = Exhaustive::new(preemptions);
    loop {
        let ((shown, _), seen) = exhaustive.execute(|strategy| program::run(tasks, strategy));
        assert_ne!(seen, Seen::Diverged, "{tasks:?}");
        explored.executions += 1;
        if seen == Seen::Redundant {
            explored.redundant += 1;
        } else {
            explored.shown.insert(shown);
        }
        if !exhaustive.next() {
            return explored;
        }
    }
}

/// Every schedule, if there are no more than so many.
fn brute(tasks: &[Vec<Op>], most: u64) -> Option<(BTreeSet<Shown>, u64)> {
    let (mut all, mut executions) = (BTreeSet::new(), 0);
    let brute = Brute::default();
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
    let strategy = program::program();
    std::iter::repeat_with(move || strategy.new_tree(&mut runner).expect("it rejects nothing").current())
}

#[test]
fn all_that_brute_force_reaches_is_reached_and_nothing_else() {
    let (count, most) = (300, 200);
    let (mut all, mut reduced, mut redundant, mut skipped) = (0, 0, 0, 0);
    for tasks in programs(1).take(count) {
        let Some((expected, executions)) = brute(&tasks, most) else {
            skipped += 1;
            continue;
        };
        let explored = explore(&tasks, None);
        let missing: Vec<_> = expected.difference(&explored.shown).collect();
        let extra: Vec<_> = explored.shown.difference(&expected).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{tasks:?}\nmissing {missing:#?}\nextra {extra:#?}\n{} of {executions} {}",
            explored.executions,
            explored.redundant
        );
        all += executions;
        reduced += explored.executions;
        redundant += explored.redundant;
    }
    println!(
        "{count} programs, {skipped} too large: {all} schedules, {reduced} executions, {redundant} of them redundant"
    );
}

#[test]
fn what_commutes_is_executed_once_and_what_does_not_in_each_order() {
    let counts = |tasks: &[Vec<Op>]| {
        let explored = explore(tasks, None);
        (explored.executions - explored.redundant, explored.redundant)
    };
    assert_eq!(counts(&[vec![Op::Yield; 3], vec![Op::Yield; 3], vec![Op::Yield; 3]]), (1, 0));
    assert_eq!(counts(&[vec![Op::Lock(0)], vec![Op::Lock(1)], vec![Op::Load(0)], vec![Op::Load(0)]]), (1, 0));
    let factorials = [1, 2, 6, 24, 120];
    for (tasks, executions) in (1..).zip(factorials) {
        assert_eq!(counts(&vec![vec![Op::Lock(0)]; tasks]), (executions, 0), "{tasks}");
    }
}

/// With no more than so many preemptions nothing else is reached than without; and with as many as there can be, all.
#[test]
fn a_bound_leaves_out_and_adds_nothing() {
    for tasks in programs(7).take(40) {
        let all = explore(&tasks, None);
        let mut before = 0;
        for bound in [0, 1, 2, 100] {
            let bounded = explore(&tasks, Some(bound));
            assert!(bounded.shown.is_subset(&all.shown), "{tasks:?}");
            assert!(bounded.shown.len() >= before, "{tasks:?}");
            before = bounded.shown.len();
        }
        assert_eq!(before, all.shown.len(), "{tasks:?}");
    }
}
