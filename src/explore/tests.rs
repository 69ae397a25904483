use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::sync::channel::bounded;
use crate::sync::{Condvar, Mutex, thread};

const SEARCHES: [Search; 5] =
    [Search::Portfolio, Search::RandomWalk, Search::Pct { depth: 2 }, Search::Pct { depth: 3 }, Search::Surw];

/// Two tasks that take two locks, each in its own order unless they are told to agree.
fn two_locks(agreed: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let locks = Arc::new((Mutex::new(()).named("left"), Mutex::new(()).named("right")));
        let other = Arc::clone(&locks);
        let peer = thread::Builder::new().name("peer".to_owned()).spawn(move || {
            let (first, second) = if agreed { (&other.0, &other.1) } else { (&other.1, &other.0) };
            let _first = first.lock();
            let _second = second.lock();
        });
        let left = locks.0.lock();
        drop((locks.1.lock(), left));
        peer.unwrap().join().unwrap();
    }
}

fn first_failure(f: impl Fn() + Send + Sync + 'static) -> Box<Failure> {
    explore(Config::default(), f).expect_err("it goes wrong")
}

#[test]
fn what_is_right_is_explored_to_the_end() {
    let runs = Arc::new(AtomicU64::new(0));
    for search in SEARCHES {
        let (count, right) = (Arc::clone(&runs), two_locks(true));
        let config = Config { search, executions: 100, ..Config::default() };
        let explored = explore(config, move || {
            count.fetch_add(1, Ordering::Relaxed);
            right();
        });
        let explored = explored.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((explored.executions, runs.swap(0, Ordering::Relaxed)), (100, 100));
        assert!(explored.sync_points > 400, "{explored:?}");
    }
}

#[test]
fn every_search_finds_a_deadlock_and_repeats_it() {
    for search in SEARCHES {
        let config = Config { search, seed: 7, ..Config::default() };
        let one = explore(config.clone(), two_locks(false)).expect_err("it deadlocks");
        let other = explore(config, two_locks(false)).expect_err("it deadlocks");
        assert_eq!(one.what, What::Deadlock);
        assert_eq!(one.to_string(), other.to_string());
    }
}

#[test]
fn seeds_differ() {
    let mut schedules: Vec<String> = (0..20)
        .map(|seed| {
            let config = Config { seed, search: Search::RandomWalk, ..Config::default() };
            explore(config, two_locks(false)).expect_err("it deadlocks").schedule.to_string()
        })
        .collect();
    schedules.sort();
    schedules.dedup();
    assert!(schedules.len() > 1, "{schedules:?}");
}

#[test]
fn a_report_names_who_waits_for_what_and_who_holds_it() {
    let failure = first_failure(two_locks(false));
    let report = failure.to_string();
    let Found { index, seed } = failure.found.expect("it was explored");
    let [main, peer] =
        ["main", "peer"].map(|task| report.find(&format!("  {task} [lock]\n")).expect("it is blocked"));
    for (line, task) in [
        ("deadlock: resource deadlock: AB-BA\n", 0),
        ("`main` waits for lock `right`, held by `peer`, which waits for lock `left`, held by `main`\n", 0),
        ("      for Mutex `right`, held by peer\n        ", main),
        ("      for Mutex `left`, held by main\n        ", peer),
        (&format!("Found       by execution {index} of seed {seed}\n"), peer),
        (&format!("Schedule    {}\n", failure.schedule), peer),
    ] {
        assert!(report[task..].contains(line), "{line} is not in {report}");
    }
    assert!(report[main..].matches(&format!(" at {}:", file!())).count() >= 2, "{report}");
}

#[test]
fn a_schedule_replays_its_failure_from_text() {
    let failure = first_failure(two_locks(false));
    let schedule = failure.schedule.to_string().parse().unwrap();
    let again = replay(&schedule, two_locks(false)).expect_err("it deadlocks again");
    assert_eq!((&again.what, &again.schedule), (&failure.what, &failure.schedule));
    assert_eq!(again.found, None);
    assert_eq!(format!("{:?}", again.state), format!("{:?}", failure.state));
}

#[test]
fn a_schedule_that_no_longer_fits_is_a_divergence() {
    let schedule = first_failure(two_locks(false)).schedule;
    let failure = replay(&schedule, || ()).expect_err("it has no such tasks");
    assert!(matches!(failure.what, What::Diverged(_)), "{failure}");
    assert!(failure.to_string().starts_with("diverged from the schedule at sync point "), "{failure}");
    let explored = replay(&Schedule::default(), two_locks(true)).expect("it ends");
    assert_eq!(explored.executions, 1);
}

#[test]
fn a_task_that_nobody_joins_has_to_end_as_well() {
    let failure = first_failure(|| {
        let (tx, rx) = bounded::<()>(0);
        thread::spawn(move || {
            let _keeps_it_connected = tx.clone();
            tx.send(())
        });
        std::mem::forget(rx);
    });
    assert_eq!(failure.what, What::Deadlock);
    assert_eq!(failure.state.blocked().count(), 1);
}

#[test]
fn a_lost_notification_is_a_deadlock() {
    let failure = first_failure(|| {
        let door = Arc::new((Mutex::new(false), Condvar::new().named("opened")));
        let opener = Arc::clone(&door);
        thread::spawn(move || {
            *opener.0.lock() = true;
            opener.1.notify_one();
        });
        let open = *door.0.lock();
        if !open {
            door.1.wait(&mut door.0.lock());
        }
    });
    assert_eq!(failure.what, What::Deadlock);
    assert!(
        failure
            .to_string()
            .contains("  main [cond wait]\n      for Condvar `opened`, notified by thread1 at "),
        "{failure}"
    );
}

#[test]
fn a_panic_comes_before_the_tasks_it_leaves_blocked() {
    let failure = first_failure(|| {
        let (tx, rx) = bounded::<()>(0);
        let kept = tx.clone();
        let failing = thread::spawn(move || {
            let _tx = tx;
            panic!("no\nluck");
        });
        thread::spawn(move || rx.recv());
        let _ = failing.join();
        std::mem::forget(kept);
    });
    assert_eq!(failure.what, What::Panic);
    let report = failure.to_string();
    assert!(
        report.contains("  thread1 [panicked]\n      no\n      luck\n        tests::a_panic_comes_before"),
        "{report}"
    );
}

#[test]
fn what_never_ends_is_a_livelock() {
    let config = Config { most_points: 1000, ..Config::default() };
    let failure = explore(config, || {
        loop {
            thread::yield_now();
        }
    });
    let failure = failure.expect_err("it never ends");
    assert_eq!(failure.what, What::Livelock);
    assert!(failure.to_string().contains("  main [running]\n"), "{failure}");
    let choices: u32 = failure.schedule.steps().iter().map(|run| run.times).sum();
    assert!((1000..=1001).contains(&choices), "{choices}");
}

#[test]
fn a_check_that_finds_something_panics_with_its_report() {
    check(two_locks(true));
    let payload = crate::sync::catch_unwind(|| check(two_locks(false))).expect_err("it deadlocks");
    let report = payload.downcast_ref::<String>().expect("a report");
    assert_eq!(*report, first_failure(two_locks(false)).to_string());
}

#[test]
fn a_panic_of_what_is_unwound_is_none_of_the_program() {
    let failure = first_failure(|| {
        let (to_left, left) = bounded(0);
        let (to_right, right) = bounded(0);
        thread::spawn(move || {
            to_left.send(1).unwrap();
            let _ = right.recv();
        });
        to_right.send(1).unwrap();
        let _ = left.recv();
    });
    assert_eq!(failure.what, What::Deadlock, "{failure}");
}

#[test]
fn an_exhaustive_search_ends_by_itself_and_says_how_far_it_came() {
    let exhaust = |search| {
        let config = Config { search, executions: 1000, ..Config::default() };
        explore(config, two_locks(true)).unwrap_or_else(|failure| panic!("{failure}"))
    };
    let all = exhaust(Search::Exhaustive { preemptions: None });
    // Either task is the first to have both locks.
    assert_eq!((all.executions, all.redundant, all.extent), (2, 0, Extent::All));
    let none = exhaust(Search::Exhaustive { preemptions: Some(0) });
    assert_eq!((none.executions, none.extent), (1, Extent::Preemptions(0)));
    assert_eq!(exhaust(Search::Iterative { preemptions: None }).extent, Extent::All);
    let config = Config { time: Some(Duration::ZERO), ..Config::default() };
    let explored = explore(config, two_locks(false)).expect("there is no time for it");
    assert_eq!((explored.executions, explored.extent), (0, Extent::Schedules(0)));
}

#[test]
fn an_exploration_within_another_is_no_part_of_it() {
    let all = Config { search: Search::Exhaustive { preemptions: None }, ..Config::default() };
    let executions = |within: Option<Config>| {
        let run = move || {
            let locks = Arc::new((Mutex::new(()), Mutex::new(())));
            let other = Arc::clone(&locks);
            let peer = thread::spawn(move || drop((other.0.lock(), other.1.lock())));
            if let Some(within) = within.clone() {
                explore(within, two_locks(true)).expect("nothing goes wrong there");
            }
            drop((locks.0.lock(), locks.1.lock()));
            peer.join().unwrap();
        };
        explore(all.clone(), run).expect("nothing goes wrong").executions
    };
    let alone = executions(None);
    assert!(alone > 1, "the locks are taken in either order");
    for within in [all.clone(), Config { executions: 3, ..Config::default() }] {
        assert_eq!(executions(Some(within)), alone);
    }
}

#[test]
fn an_iterative_search_finds_a_schedule_of_fewest_preemptions_which_replays_from_text() {
    for search in [Search::Exhaustive { preemptions: None }, Search::Iterative { preemptions: None }] {
        let failure =
            explore(Config { search, ..Config::default() }, two_locks(false)).expect_err("it deadlocks");
        assert_eq!(failure.what, What::Deadlock);
        if search == (Search::Iterative { preemptions: None }) {
            assert_eq!(failure.to_string().matches("is preempted").count(), 1, "{failure}");
        }
        let schedule = failure.schedule.to_string().parse().unwrap();
        let again = replay(&schedule, two_locks(false)).expect_err("it deadlocks again");
        assert_eq!((&again.what, &again.schedule), (&failure.what, &failure.schedule));
    }
    let search = Search::Exhaustive { preemptions: Some(0) };
    assert!(explore(Config { search, ..Config::default() }, two_locks(false)).is_ok());
}

#[test]
fn what_does_something_else_each_time_cannot_be_exhausted() {
    let times = AtomicU64::new(0);
    let search = Search::Exhaustive { preemptions: None };
    let failure = explore(Config { search, ..Config::default() }, move || {
        if times.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            thread::yield_now();
            drop(Mutex::new(()).lock());
        }
        two_locks(true)();
    });
    let failure = failure.expect_err("it is not the same twice");
    assert_eq!(failure.what, What::Nondeterministic, "{failure}");
}
