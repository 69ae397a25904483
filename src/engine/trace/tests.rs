//! What is written down of small programs, each under the schedule of zeros: a task goes on until it waits or ends, and
//! then the one that was started first.

use std::sync::Arc;
use std::time::Duration;

use super::super::strategy::{Point, RandomWalk, Strategy};
use super::super::{Body, Job, Next, Quiescence, fibers};
use super::{Doing, Effect, Handed, Switch, Trace};
use crate::sync::channel::{after, bounded};
use crate::sync::{Condvar, Mutex, RwLock, select, thread};

struct Only<F>(F);

impl<F: Fn() + Send + Sync + 'static> Body for Only<F> {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.0)())
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        Next::End
    }
}

struct Zeros;

impl Strategy for Zeros {
    fn choose(&mut self, _: &Point<'_>) -> usize {
        0
    }
}

fn trace(body: impl Fn() + Send + Sync + 'static) -> Trace {
    fibers::record(Arc::new(Only(body)), Box::new(Zeros), 1000).1
}

fn named(name: &str, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(f).unwrap()
}

/// The steps that did anything: the task, why it went on, and what it did.
fn told(trace: &Trace) -> Vec<String> {
    let name = |id: &super::ObjectId| trace.objects[id.0].name.as_deref().unwrap_or("?").to_owned();
    let effect = |effect: &Effect| match effect {
        Effect::Acquired(id) => format!("+{}", name(id)),
        Effect::Released(id) => format!("-{}", name(id)),
        Effect::Sent(id, number) => format!("{}<-#{number}", name(id)),
        Effect::Received(id, number) => format!("{}->#{number}", name(id)),
        Effect::Filled(id, number) => format!("time fills {} #{number}", name(id)),
        Effect::NoSender(id) => format!("{} has no sender", name(id)),
        Effect::NoReceiver(id) => format!("{} has no receiver", name(id)),
        Effect::Notified(task) => format!("notified {}", trace.name(*task)),
        Effect::NotifiedNobody(id) => format!("notified nobody of {}", name(id)),
        Effect::Started(task) => format!("started {}", trace.name(*task)),
        Effect::Waits => "waits".to_owned(),
        Effect::Ended => "ended".to_owned(),
        Effect::Panicked => "panicked".to_owned(),
    };
    let steps = trace.steps.iter().filter(|step| !step.effects.is_empty());
    steps
        .map(|step| {
            let effects: Vec<String> = step.effects.iter().map(effect).collect();
            format!("{} {:?}: {}", trace.name(step.task), step.switch, effects.join(", "))
        })
        .collect()
}

/// Who handed what to whom.
fn handed(trace: &Trace) -> Vec<String> {
    let handoffs = trace.handoffs();
    let told = handoffs.iter().map(|handoff| {
        let name = |step: usize| trace.name(trace.steps[step].task);
        let what = match handoff.what {
            Handed::Message(_) => "message",
            Handed::Room(_) => "room",
            Handed::Lock(_) => "lock",
            Handed::Disconnection(_) => "disconnection",
            Handed::Notification => "notification",
            Handed::End => "end",
            Handed::Start => "start",
        };
        format!("{} {what} {}", name(handoff.from), name(handoff.to))
    });
    told.collect()
}

#[test]
fn a_rendezvous_hands_over_whoever_came_first() {
    let trace = trace(|| {
        let (tx, rx) = bounded(0);
        let tx = tx.named("c");
        let peer = named("peer", move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
        });
        rx.recv().unwrap();
        rx.recv().unwrap();
        peer.join().unwrap();
    });
    assert_eq!(
        told(&trace),
        [
            "main On: started peer",
            "main On: waits",
            "peer On: c<-#0",
            "peer On: waits",
            "main Blocked: c->#0",
            "main On: waits",
            "peer Blocked: c<-#1, c has no sender, ended",
            "main Ended: c->#1",
            "main On: c has no receiver, ended",
        ]
    );
    assert_eq!(handed(&trace), ["main start peer", "peer message main", "peer message main"]);
    let partners = trace.steps.iter().filter_map(|step| match &step.state.tasks[0] {
        Doing::Waiting(waiting) => waiting.partner,
        _ => None,
    });
    assert_eq!(
        partners.map(|task| trace.name(task)).next(),
        Some("peer"),
        "the sender waited for the second"
    );
}

#[test]
fn a_full_queue_and_a_lock_are_handed_on() {
    let trace = trace(|| {
        let (tx, rx) = bounded(1);
        let tx = tx.named("c");
        let lock = Arc::new(Mutex::new(()).named("l"));
        let held = lock.lock();
        let theirs = Arc::clone(&lock);
        let peer = named("peer", move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
            drop(theirs.lock());
        });
        thread::yield_now();
        assert_eq!((rx.recv(), rx.recv()), (Ok(1), Ok(2)));
        drop(held);
        peer.join().unwrap();
    });
    assert_eq!(
        told(&trace),
        [
            "main On: +l",
            "main On: started peer",
            "main On: waits",
            "peer On: c<-#0",
            "peer On: waits",
            "main Blocked: c->#0",
            "main On: waits",
            "peer Blocked: c<-#1",
            "peer On: waits",
            "main Blocked: c->#1, -l",
            "main On: waits",
            "peer Blocked: +l, -l, c has no sender, ended",
            "main Ended: c has no receiver, ended",
        ]
    );
    assert_eq!(
        handed(&trace),
        [
            "main start peer",
            "peer message main",
            "main room peer",
            "peer message main",
            "main lock peer",
            "peer end main"
        ]
    );
    let lengths: Vec<u64> = trace.steps.iter().map(|step| step.state.objects[0].length()).collect();
    assert_eq!((lengths.iter().max(), lengths.last()), (Some(&1), Some(&0)));
}

#[test]
fn what_never_comes_is_told_by_what_does() {
    let trace = trace(|| {
        let pair = Arc::new((Mutex::new(false).named("l"), Condvar::new().named("v")));
        let theirs = Arc::clone(&pair);
        let (tx, rx) = bounded::<()>(0);
        let peer = named("peer", move || {
            *theirs.0.lock() = true;
            theirs.1.notify_one();
            drop(tx.named("c"));
        });
        let mut ready = pair.0.lock();
        while !*ready {
            pair.1.wait(&mut ready);
        }
        drop(ready);
        let timer = after(Duration::from_secs(1));
        assert!(rx.recv().is_err());
        assert!(timer.recv().is_ok());
        peer.join().unwrap();
    });
    assert_eq!(
        told(&trace),
        [
            "main On: started peer",
            "main On: +l",
            "main On: -l, waits",
            "peer On: +l, -l",
            "peer On: notified main, c has no sender, ended",
            "main On: +l, -l",
            "main On: waits, time fills ? #0",
            "main On: ?->#0",
            "main On: c has no receiver, ? has no receiver, ended",
        ]
    );
    assert_eq!(handed(&trace), ["main start peer", "peer notification main"]);
}

#[test]
fn a_notification_that_nobody_waits_for_is_told() {
    let trace = trace(|| {
        let (lock, told) = (Mutex::new(()), Condvar::new().named("v"));
        told.notify_one();
        told.notify_all();
        assert!(told.wait_for(&mut lock.lock(), Duration::from_secs(1)).timed_out());
    });
    let told = told(&trace);
    assert_eq!(told.iter().filter(|step| step.contains("notified nobody of v")).count(), 2, "{told:?}");
}

#[test]
fn of_several_that_wait_one_is_notified() {
    let trace = trace(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new().named("v")));
        let waiting = ["one", "two"].map(|name| {
            let pair = Arc::clone(&pair);
            named(name, move || pair.1.wait(&mut pair.0.lock()))
        });
        thread::sleep(Duration::from_secs(1));
        pair.1.notify_one();
        pair.1.notify_one();
        waiting.into_iter().for_each(|task| task.join().unwrap());
    });
    let told = told(&trace);
    let notified: Vec<&String> = told.iter().filter(|step| step.contains("notified")).collect();
    assert_eq!(notified, ["main On: notified one", "main On: notified two"]);
}

#[test]
fn a_lock_that_is_waited_for_too_long_was_not_taken() {
    let trace = trace(|| {
        let lock = Arc::new(Mutex::new(()).named("l"));
        let theirs = Arc::clone(&lock);
        let held = lock.lock();
        let peer = named("peer", move || assert!(theirs.try_lock_for(Duration::from_secs(1)).is_none()));
        peer.join().unwrap();
        drop(held);
    });
    assert_eq!(
        told(&trace),
        [
            "main On: +l",
            "main On: started peer",
            "main On: waits",
            "peer On: waits",
            "peer TimedOut: ended",
            "main Ended: -l, ended",
        ]
    );
}

#[test]
fn a_disconnection_and_a_time_out_let_go_on() {
    let trace = trace(|| {
        let (tx, rx) = bounded::<()>(0);
        let (never, nothing) = bounded::<()>(0);
        let lock = Arc::new(RwLock::new(()).named("l"));
        let theirs = Arc::clone(&lock);
        let peer = named("peer", move || {
            let reading = theirs.read();
            assert!(nothing.recv_timeout(Duration::from_secs(1)).is_err());
            drop(reading);
            drop(tx.named("c"));
            panic!("expected");
        });
        select! {
            recv(rx) -> message => assert!(message.is_err()),
            recv(crate::sync::channel::never::<()>()) -> _ => unreachable!(),
        }
        drop(never);
        assert!(peer.join().is_err());
    });
    assert_eq!(
        told(&trace),
        [
            "main On: started peer",
            "main On: waits",
            "peer On: +l",
            "peer On: waits",
            "peer TimedOut: -l, c has no sender, ? has no receiver, panicked",
            "main Ended: ? has no sender, ? has no receiver",
            "main On: c has no receiver, ended",
        ]
    );
    assert_eq!(handed(&trace), ["main start peer", "peer disconnection main"]);
    let panicked = trace.steps.last().map(|step| step.state.tasks[1].clone());
    assert!(matches!(panicked, Some(Doing::Panicked(message)) if message == "expected"));
}

#[test]
fn places_are_those_of_the_code_that_called() {
    let line = line!() + 3;
    let trace = trace(|| {
        let (tx, rx) = bounded(1);
        tx.send(()).unwrap();
        rx.recv().unwrap();
        thread::yield_now();
        drop(Mutex::new(()).lock());
    });
    let lines: Vec<Option<u32>> =
        trace.steps.iter().map(|step| step.location.map(|place| place.line())).collect();
    assert_eq!(lines, [None, Some(line), Some(line + 1), Some(line + 2), Some(line + 3)]);
    assert!(trace.steps[1..].iter().all(|step| step.location.is_some_and(|place| place.file() == file!())));
}

#[test]
fn to_write_it_down_changes_nothing() {
    let body = || {
        let (tx, rx) = bounded(1);
        let lock = Arc::new(Mutex::new(0));
        let tasks = [1, 2, 3].map(|number| {
            let (tx, lock) = (tx.clone(), Arc::clone(&lock));
            thread::spawn(move || {
                *lock.lock() += number;
                tx.send(number).unwrap();
            })
        });
        drop(tx);
        assert_eq!(rx.iter().sum::<i32>(), 6);
        tasks.into_iter().for_each(|task| task.join().unwrap());
    };
    for seed in 0..100 {
        let plain = fibers::run(Arc::new(Only(body)), Box::new(RandomWalk::new(seed)), 1000);
        let (recorded, trace) = fibers::record(Arc::new(Only(body)), Box::new(RandomWalk::new(seed)), 1000);
        assert_eq!(recorded.steps, plain.steps);
        assert_eq!(recorded.run.sync_points, plain.run.sync_points);
        let chosen = |step: &super::Step| (step.task, step.branch);
        let choices: Vec<_> = plain.steps.iter().map(fibers::Step::choice).collect();
        assert_eq!(trace.steps.iter().map(chosen).collect::<Vec<_>>(), choices);
        let preempts = |step: &super::Step| step.switch == Switch::Preempts;
        assert_eq!(
            trace.steps.iter().filter(|step| preempts(step)).count(),
            fibers::preemptions(&plain.steps)
        );
    }
}
