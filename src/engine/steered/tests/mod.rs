//! What fibers did is done again on threads.

use std::sync::Arc;
use std::time::Duration;

use super::super::fibers::{self, Step, Traced};
use super::super::strategy::RandomWalk;
use super::super::{Body, End, Job, Next, Run, Shared, State, Status, Target, TaskId, Wait, threads};
use super::Divergence;
use crate::sync::channel::{Receiver, Sender, after, bounded, tick, unbounded};
use crate::sync::{Condvar, Mutex, RwLock, select, thread};

/// A body of one first task, which says what it saw. It is not used again: each execution has its own.
struct Only {
    f: fn(&Seen),
    seen: Seen,
}

/// What tasks saw, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Shared<Vec<String>>>);

impl Seen {
    fn note(&self, what: impl ToString) {
        self.0.with(|seen| seen.push(what.to_string()));
    }
}

impl Body for Only {
    fn first(self: Arc<Self>) -> Job {
        Job { name: "main".to_owned(), run: Box::new(move || (self.f)(&self.seen)) }
    }

    fn quiescent(self: Arc<Self>, _: &State) -> Next {
        Next::End
    }
}

/// What an execution did, as far as it must be the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Did {
    end: End,
    tasks: Vec<(String, String)>,
    blocked: Vec<(TaskId, Vec<Target>)>,
    holders: Vec<Vec<TaskId>>,
    sync_points: u64,
    forgotten: usize,
    seen: Vec<String>,
}

fn did(run: &Run, seen: &Seen) -> Did {
    let targets = |waits: &[Wait]| waits.iter().map(|wait| wait.target).collect();
    let status = |status: &Status| match status {
        Status::Running => "running".to_owned(),
        Status::Blocked(_) => "blocked".to_owned(),
        Status::Ended => "ended".to_owned(),
        Status::Panicked(message) => message.clone(),
    };
    Did {
        end: run.end,
        tasks: run.state.tasks.iter().map(|task| (task.name.clone(), status(&task.status))).collect(),
        blocked: run.state.blocked().map(|(task, waits)| (task, targets(waits))).collect(),
        holders: run.state.objects.iter().map(|object| object.holders.clone()).collect(),
        sync_points: run.sync_points,
        forgotten: run.forgotten,
        seen: seen.0.with(|seen| seen.clone()),
    }
}

fn on_fibers(f: fn(&Seen), seed: u64) -> (Did, Vec<Step>) {
    let seen = Seen::default();
    let body = Arc::new(Only { f, seen: seen.clone() });
    let Traced { run, steps } = fibers::run(body, Box::new(RandomWalk::new(seed)), 10_000);
    (did(&run, &seen), steps)
}

fn steer(f: fn(&Seen), steps: &[Step]) -> Result<Did, Divergence> {
    let seen = Seen::default();
    let settings = threads::Settings { deadline: Duration::from_secs(60), ..threads::Settings::default() };
    let run = super::run(Arc::new(Only { f, seen: seen.clone() }), steps, settings)?;
    Ok(did(&run, &seen))
}

/// Steers what seeds give on fibers, each so often; says how many of them hang.
#[track_caller]
fn same_on_threads(f: fn(&Seen), seeds: u64, times: usize) -> usize {
    let mut hangs = 0;
    for seed in 0..seeds {
        let (expected, steps) = on_fibers(f, seed);
        hangs += usize::from(expected.end == End::Quiescent);
        for _ in 0..times {
            match steer(f, &steps) {
                Ok(did) => assert_eq!(did, expected, "seed {seed}"),
                Err(divergence) => panic!("seed {seed}: {divergence}"),
            }
        }
    }
    hangs
}

/// Steers the first hang that fibers find 50 times, and the first execution without one 100 times.
#[track_caller]
fn hang_and_pass(f: fn(&Seen)) {
    for (end, times) in [(End::Quiescent, 50), (End::Finished, 100)] {
        let found = (0..1000).map(|seed| on_fibers(f, seed)).find(|(did, _)| did.end == end);
        let (expected, steps) = found.unwrap_or_else(|| panic!("no execution ends so: {end:?}"));
        for _ in 0..times {
            assert_eq!(steer(f, &steps).unwrap(), expected);
        }
    }
}

fn named(name: &str, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(f).unwrap()
}

/// kubernetes#1321 in small.
fn lock_held_over_a_send(_: &Seen) {
    let lock = Arc::new(Mutex::new(()).named("mux"));
    let (tx, rx) = bounded(0);
    let held = Arc::clone(&lock);
    let dispatcher = named("dispatcher", move || {
        let _held = held.lock();
        let _ = tx.send(1);
    });
    let stopper = named("stopper", move || {
        let _held = lock.lock();
        drop(rx);
    });
    dispatcher.join().unwrap();
    stopper.join().unwrap();
}

fn lock_cycle(seen: &Seen) {
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    let other = Arc::clone(&locks);
    let peer = named("peer", move || {
        let mut right = other.1.lock();
        *right += 1;
        *other.0.lock() += *right;
    });
    let mut left = locks.0.lock();
    *left += 1;
    *locks.1.lock() += *left;
    drop(left);
    peer.join().unwrap();
    seen.note(*locks.0.lock());
    seen.note(*locks.1.lock());
}

fn lost_notification(_: &Seen) {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let (waiting, waiter) = (Arc::clone(&shared), "waiter");
    let waiter = named(waiter, move || {
        let mut ready = waiting.0.lock();
        if !*ready {
            drop(ready);
            ready = waiting.0.lock();
            waiting.1.wait(&mut ready);
        }
    });
    *shared.0.lock() = true;
    shared.1.notify_one();
    waiter.join().unwrap();
}

/// Whoever takes the first message must not be the one who waits for all the others.
fn rendezvous_chain(seen: &Seen) {
    let (first, stage) = bounded::<i32>(0);
    let (second, end) = bounded::<i32>(0);
    let (back, returned) = bounded::<i32>(0);
    let middle = named("middle", move || {
        for number in stage.iter() {
            second.send(number + 1).unwrap();
        }
    });
    let last = named("last", move || {
        for number in end.iter() {
            back.send(number * 10).unwrap();
        }
    });
    let impatient = thread::spawn({
        let returned = returned.clone();
        move || returned.try_recv().is_ok()
    });
    for number in 0..3 {
        first.send(number).unwrap();
    }
    drop(first);
    returned.iter().for_each(|number| seen.note(number));
    seen.note(impatient.join().unwrap());
    middle.join().unwrap();
    last.join().unwrap();
}

fn select_branches(seen: &Seen) {
    let (a, from_a) = bounded(1);
    let (b, from_b) = bounded(0);
    let (c, to_c) = bounded(0);
    let senders = [("a", a), ("b", b)].map(|(name, tx): (_, Sender<usize>)| {
        named(name, move || {
            for number in 0..2 {
                tx.send(number).unwrap();
            }
        })
    });
    let taker = thread::spawn(move || to_c.recv().unwrap());
    let mut sent = false;
    for _ in 0..5 {
        if sent {
            select! {
                recv(from_a) -> number => seen.note(format!("a{number:?}")),
                recv(from_b) -> number => seen.note(format!("b{number:?}")),
            }
        } else {
            select! {
                recv(from_a) -> number => seen.note(format!("a{number:?}")),
                recv(from_b) -> number => seen.note(format!("b{number:?}")),
                send(c, 7) -> result => { seen.note(format!("c{result:?}")); sent = true; }
            }
        }
    }
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    taker.join().unwrap();
}

fn workers(seen: &Seen) {
    let (tx, rx) = bounded(0);
    let readers: Vec<_> = (0..3)
        .map(|reader| {
            let (rx, seen): (Receiver<i32>, _) = (rx.clone(), seen.clone());
            thread::spawn(move || rx.iter().for_each(|number| seen.note(format!("{reader}:{number}"))))
        })
        .collect();
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let tx = tx.clone();
            thread::spawn(move || (0..3).for_each(|number| tx.send(writer * 10 + number).unwrap()))
        })
        .collect();
    drop(tx);
    readers.into_iter().chain(writers).for_each(|task| task.join().unwrap());
}

fn read_behind_a_writer(_: &Seen) {
    let lock = Arc::new(RwLock::new(()));
    let first = lock.read();
    let written = Arc::clone(&lock);
    let writer = thread::spawn(move || drop(written.write()));
    thread::yield_now();
    drop(lock.read());
    drop(first);
    writer.join().unwrap();
}

fn times(seen: &Seen) {
    let (tx, rx) = bounded(0);
    let began = crate::sync::time::Instant::now();
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_secs(100));
        tx.send_timeout(1, Duration::from_secs(100)).is_ok()
    });
    seen.note(rx.recv_timeout(Duration::from_secs(100)).is_ok());
    let fired = after(Duration::from_secs(100));
    let again = tick(Duration::from_secs(60));
    for _ in 0..3 {
        select! {
            recv(fired) -> _ => seen.note("fired"),
            recv(again) -> _ => seen.note("again"),
            recv(rx) -> got => seen.note(format!("{got:?}")),
        }
    }
    seen.note(sender.join().unwrap());
    seen.note(began.elapsed().as_secs());
}

fn scope_and_panic(seen: &Seen) {
    let total = Mutex::new(0);
    let result = thread::scope(|scope| {
        let left = scope.spawn(|| *total.lock() += 1);
        let right = scope.spawn(|| {
            *total.lock() += 2;
            panic!("bad luck");
        });
        left.join().unwrap();
        right.join().is_err()
    });
    seen.note(result);
    let (_tx, rx) = unbounded::<()>();
    thread::scope(|scope| {
        scope.spawn(|| rx.recv());
    });
}

#[test]
fn hangs_and_passes_are_the_same_on_threads() {
    hang_and_pass(lock_held_over_a_send);
    hang_and_pass(lock_cycle);
    hang_and_pass(lost_notification);
    hang_and_pass(rendezvous_chain);
    hang_and_pass(read_behind_a_writer);
    hang_and_pass(select_branches);
}

#[test]
fn whatever_fibers_do_is_the_same_on_threads() {
    for f in [lock_held_over_a_send, lock_cycle, lost_notification, read_behind_a_writer] {
        let hangs = same_on_threads(f, 100, 1);
        assert!((1..100).contains(&hangs), "{hangs}");
    }
    for f in [rendezvous_chain, select_branches, times] {
        same_on_threads(f, 200, 1);
    }
    assert_eq!(same_on_threads(workers, 100, 1), 0);
    assert_eq!(same_on_threads(scope_and_panic, 50, 1), 50);
}
