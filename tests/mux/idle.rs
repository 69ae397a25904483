//! An idle mux wakes nothing, and an op takes the lock again only for somebody who sleeps: read off the traces of executions
//! on fibers, each under the schedule of zeros, in which a task goes on until it waits or ends.

use std::sync::Arc;

use watchmux::engine::fibers;
use watchmux::engine::strategy::{Point, Strategy};
use watchmux::engine::trace::{Effect, Trace};
use watchmux::engine::{Body, Job, Next, Quiescence, TaskId};
use watchmux::sync::{select, thread};

use super::{mux, rest};

struct Only<F>(F);

impl<F: Fn() + Send + Sync + 'static> Body for Only<F> {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.0)())
    }

    fn quiescent(self: Arc<Self>, now: &Quiescence<'_>) -> Next {
        assert!(!now.is_anyone_blocked(), "it hangs");
        Next::End
    }
}

struct Zeros;

impl Strategy for Zeros {
    fn choose(&mut self, _: &Point<'_>) -> usize {
        0
    }
}

const MAIN: TaskId = TaskId(0);

fn trace(program: impl Fn() + Send + Sync + 'static) -> Trace {
    fibers::record(Arc::new(Only(program)), Box::new(Zeros), 10_000).1
}

/// How many effects like this one there were, by this task.
fn count(trace: &Trace, task: TaskId, is_like: impl Fn(&Effect) -> bool) -> usize {
    let steps = trace.steps.iter().filter(|step| step.task == task);
    steps.flat_map(|step| &step.effects).filter(|effect| is_like(effect)).count()
}

/// How often a task took the mux's lock.
fn locks(trace: &Trace, task: TaskId) -> usize {
    let is_mux = |effect: &Effect| matches!(effect, Effect::Acquired(id) if trace.objects[id.0].name.as_deref() == Some("mux"));
    count(trace, task, is_mux)
}

/// Whom a task woke, in this order, and `None` where it woke nobody.
fn woken(trace: &Trace, task: TaskId) -> Vec<Option<TaskId>> {
    let steps = trace.steps.iter().filter(|step| step.task == task);
    let woken = |effect: &Effect| match effect {
        Effect::Notified(task) => Some(Some(*task)),
        Effect::NotifiedNobody(_) => Some(None),
        _ => None,
    };
    steps.flat_map(|step| &step.effects).filter_map(woken).collect()
}

/// Lets the others go on until they wait or end: on fibers time passes only when nobody else can go on.
fn let_others_wait() {
    thread::sleep(std::time::Duration::from_secs(1));
}

#[test]
fn who_waits_for_nobody_is_told_of_nothing() {
    let trace = trace(|| {
        let mux = mux(1, 1);
        let (watcher, other) = (mux.watch().unwrap(), mux.watch().unwrap());
        mux.action(0).unwrap();
        mux.action(1).unwrap();
        assert_eq!((watcher.recv().unwrap().event, other.recv().unwrap().event), (0, 0));
        other.stop();
        drop(other);
        mux.close();
        assert_eq!(rest(&watcher), [1]);
    });
    assert_eq!(woken(&trace, MAIN), []);
}

#[test]
fn who_was_woken_is_forgotten() {
    let trace = trace(|| {
        let mux = mux(0, 1);
        let (read, unread) = (mux.watch().unwrap(), mux.watch().unwrap());
        let reader = thread::spawn(move || {
            assert_eq!((read.recv().unwrap().event, read.recv().unwrap().event), (0, 1))
        });
        let_others_wait();
        mux.action(0).unwrap();
        let_others_wait();
        mux.action(1).unwrap();
        let actor = mux.clone();
        let action = thread::spawn(move || actor.action(2));
        let_others_wait();
        assert_eq!(unread.recv().unwrap().event, 0);
        reader.join().unwrap();
        action.join().unwrap().unwrap();
        let shutdown = {
            let mux = mux.clone();
            thread::spawn(move || mux.shutdown())
        };
        let_others_wait();
        assert_eq!((unread.recv().unwrap().event, unread.recv().unwrap().event), (1, 2));
        shutdown.join().unwrap();
        let later = thread::spawn(move || {
            mux.close();
            unread.stop();
        });
        later.join().unwrap();
    });
    let [reader, action, shutdown, later] = [1, 2, 3, 4].map(TaskId);
    let woken_by_main: Vec<TaskId> = woken(&trace, MAIN).into_iter().flatten().collect();
    assert_eq!(woken_by_main, [reader, reader, action, shutdown]);
    assert_eq!(woken(&trace, later), []);
}

#[test]
fn a_shutdown_is_woken_when_all_is_distributed_and_not_before() {
    let trace = trace(|| {
        let mux = mux(9, 0);
        let (first, second) = (mux.watch().unwrap(), mux.watch().unwrap());
        for event in 0..3 {
            mux.action(event).unwrap();
        }
        let shutdowns = [0, 1].map(|_| {
            let mux = mux.clone();
            thread::spawn(move || mux.shutdown())
        });
        let_others_wait();
        second.stop();
        for event in 0..3 {
            assert_eq!(first.recv().unwrap().event, event);
        }
        for shutdown in shutdowns {
            shutdown.join().unwrap();
        }
    });
    let woken: Vec<TaskId> = woken(&trace, MAIN).into_iter().flatten().collect();
    assert_eq!(woken, [1, 2].map(TaskId));
}

#[test]
fn who_holds_up_nobody_reads_what_it_has_taken_without_the_lock() {
    let taken = trace(|| {
        let mux = mux(0, 3);
        let watcher = mux.watch().unwrap();
        for event in 0..3 {
            mux.action(event).unwrap();
        }
        for event in 0..3 {
            assert_eq!(watcher.recv().unwrap().event, event);
        }
        drop(watcher);
    });
    let ops = ["watch", "action", "action", "action", "first recv", "drop of the watcher", "drop of the mux"];
    assert_eq!(locks(&taken, MAIN), ops.len());
}

/// A watcher whose queue is full reads, while others sleep whom it does not hold up.
struct Sleeping {
    why: &'static str,
    program: fn(),
    /// The ops of the first task, each of which takes the lock once.
    ops: &'static [&'static str],
    /// How often it takes the lock besides, for somebody whom it lets go on.
    lets_go_on: usize,
}

/// One watcher reads the only event, with queues of that length; the other has read it, and sleeps for more.
fn reads_beside_one_that_sleeps(queue: usize) {
    let mux = mux(9, queue);
    let (watcher, other) = (mux.watch().unwrap(), mux.watch().unwrap());
    let reader = thread::spawn(move || rest(&other));
    mux.action(0).unwrap();
    let_others_wait();
    assert_eq!(watcher.recv().unwrap().event, 0);
    drop((watcher, mux));
    assert_eq!(reader.join().unwrap(), [0]);
}

const SLEEPING: [Sleeping; 4] = [
    Sleeping {
        why: "the other watcher has all there is, and sleeps for more",
        program: || reads_beside_one_that_sleeps(1),
        ops: &["watch", "watch", "action", "recv", "drop of the watcher", "drop of the mux"],
        lets_go_on: 0,
    },
    Sleeping {
        why: "nobody sleeps, and there is more to come",
        program: || {
            let mux = mux(9, 0);
            let watcher = mux.watch().unwrap();
            for event in 0..3 {
                mux.action(event).unwrap();
            }
            assert_eq!(watcher.recv().unwrap().event, 0);
            drop((watcher, mux));
        },
        ops: &["watch", "action", "action", "action", "recv", "drop of the watcher", "drop of the mux"],
        lets_go_on: 0,
    },
    Sleeping {
        why: "the other watcher has read what this one holds up, which is all there is",
        program: || reads_beside_one_that_sleeps(0),
        ops: &["watch", "watch", "action", "recv", "drop of the watcher", "drop of the mux"],
        lets_go_on: 0,
    },
    Sleeping {
        why: "who has slept for room has it, and has not woken up",
        program: || {
            let mux = mux(0, 1);
            let watcher = mux.watch().unwrap();
            mux.action(0).unwrap();
            mux.action(1).unwrap();
            let actor = mux.clone();
            let action = thread::spawn(move || actor.action(2));
            let_others_wait();
            assert_eq!((watcher.recv().unwrap().event, watcher.recv().unwrap().event), (0, 1));
            action.join().unwrap().unwrap();
            drop((watcher, mux));
        },
        ops: &["watch", "action", "action", "recv", "recv", "drop of the watcher", "drop of the mux"],
        lets_go_on: 1,
    },
];

#[test]
fn who_is_full_is_not_told_of_who_sleeps_for_something_else() {
    for Sleeping { why, program, ops, lets_go_on } in SLEEPING {
        assert_eq!(locks(&trace(program), MAIN), ops.len() + lets_go_on, "{why}");
    }
}

#[test]
fn who_waits_behind_a_slow_watcher_goes_on_with_each_event_that_is_read() {
    trace(|| {
        let mux = mux(9, 2);
        let (slow, fast) = (mux.watch().unwrap(), mux.watch().unwrap());
        for event in 0..4 {
            mux.action(event).unwrap();
        }
        let reader = thread::spawn(move || {
            for event in 0..4 {
                assert_eq!(fast.recv().unwrap().event, event);
            }
        });
        let_others_wait();
        // Both were taken at once, and there is no room for the rest until both are read.
        assert_eq!((slow.recv().unwrap().event, slow.recv().unwrap().event), (0, 1));
        reader.join().unwrap();
    });
}

#[test]
fn who_leaves_a_selection_takes_nobody_with_it() {
    trace(|| {
        let mux = mux(9, 1);
        let (leaves, stays) = (mux.watch().unwrap(), mux.watch().unwrap());
        let reader = thread::spawn(move || {
            select! {
                recv(stays) -> delivery => assert_eq!(delivery.unwrap().event, 0),
            }
        });
        let_others_wait();
        select! {
            recv(leaves) -> delivery => panic!("{delivery:?}"),
            default(std::time::Duration::from_secs(1)) => {}
        }
        mux.action(0).unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn of_several_actions_that_have_room_one_is_woken_which_wakes_the_next() {
    let trace = trace(|| {
        let mux = mux(0, 1);
        let watcher = mux.watch().unwrap();
        mux.action(0).unwrap();
        mux.action(1).unwrap();
        let actions = [2, 3].map(|event| {
            let mux = mux.clone();
            thread::spawn(move || mux.action(event))
        });
        let_others_wait();
        // There is room for both, before either has woken up.
        assert_eq!((watcher.recv().unwrap().event, watcher.recv().unwrap().event), (0, 1));
        for action in actions {
            action.join().unwrap().unwrap();
        }
    });
    let woken_by = |task| woken(&trace, task).into_iter().flatten().collect::<Vec<_>>();
    let [first, second] = [1, 2].map(TaskId);
    assert_eq!((woken_by(MAIN), woken_by(first)), (vec![first], vec![second]));
}
