//! Programs over `sync`, each of which can hang, or not.

use std::sync::Arc;
use std::time::Duration;

use super::{Seen, named};
use crate::sync::channel::{Receiver, Select, Sender, after, bounded, tick, unbounded};
use crate::sync::{Condvar, Mutex, RwLock, select, thread};

/// kubernetes#1321 in small.
pub(super) fn lock_held_over_a_send(_: &Seen) {
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

pub(super) fn lock_cycle(seen: &Seen) {
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

pub(super) fn lost_notification(_: &Seen) {
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

/// Three wait, and two are notified, one after the other: one of them is always left.
pub(super) fn two_of_three(seen: &Seen) {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let (waits, waiting) = unbounded();
    let waiters: Vec<_> = (0..3)
        .map(|waiter| {
            let (shared, waits, seen) = (Arc::clone(&shared), waits.clone(), seen.clone());
            thread::spawn(move || {
                let mut turn = shared.0.lock();
                waits.send(()).unwrap();
                shared.1.wait(&mut turn);
                seen.note(waiter);
            })
        })
        .collect();
    waiting.iter().take(3).for_each(drop);
    drop(shared.0.lock());
    assert!(shared.1.notify_one() && shared.1.notify_one());
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
}

/// Whoever takes the first message must not be the one who waits for all the others.
pub(super) fn rendezvous_chain(seen: &Seen) {
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

pub(super) fn select_branches(seen: &Seen) {
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

pub(super) fn workers(seen: &Seen) {
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

pub(super) fn read_behind_a_writer(_: &Seen) {
    let lock = Arc::new(RwLock::new(()));
    let first = lock.read();
    let written = Arc::clone(&lock);
    let writer = thread::spawn(move || drop(written.write()));
    thread::yield_now();
    drop(lock.read());
    drop(first);
    writer.join().unwrap();
}

pub(super) fn times(seen: &Seen) {
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

/// Times that never come, and selections of nothing.
pub(super) fn for_ever(seen: &Seen) {
    const EVER: Duration = Duration::MAX;
    for (name, wait) in [("sleeper", (|| thread::sleep(EVER)) as fn()), ("waiter", || _ = after(EVER).recv())]
    {
        named(name, wait);
    }
    seen.note(Select::new().try_select().is_err());
    seen.note(Select::new().select_timeout(Duration::from_secs(100)).is_err());
    let _ = tick(EVER).recv();
}

pub(super) fn scope_and_panic(seen: &Seen) {
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
