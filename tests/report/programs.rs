//! Programs that go wrong, one for each way in which they can.

use std::sync::Arc;

use watchmux::explore::{Config, Failure, explore};
use watchmux::sync::channel::{bounded, unbounded};
use watchmux::sync::{Condvar, Mutex, RwLock, thread};

/// The first failure of a program.
#[track_caller]
pub(crate) fn failure(program: impl Fn() + Send + Sync + 'static) -> Failure {
    *explore(Config::default(), program).expect_err("it goes wrong")
}

fn named(name: &str, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(f).unwrap()
}

pub(crate) fn ab_ba() {
    let savings = Arc::new(Mutex::new(100).named("savings"));
    let current = Arc::new(Mutex::new(0).named("current"));
    let (from, to) = (savings.clone(), current.clone());
    let payday = named("payday", move || {
        let from = from.lock();
        *to.lock() += *from;
    });
    let from = current.lock();
    *savings.lock() += *from;
    drop(from);
    payday.join().unwrap();
}

pub(crate) fn double_locking() {
    let account = Mutex::new(100).named("account");
    let total = || *account.lock();
    let balance = account.lock();
    assert_eq!(*balance, total());
}

pub(crate) fn rwr() {
    let rates = Arc::new(RwLock::new(1).named("rates"));
    let ours = rates.clone();
    let reader = named("reader", move || {
        let one = ours.read();
        assert_eq!(*one, *ours.read());
    });
    *rates.write() += 0;
    reader.join().unwrap();
}

pub(crate) fn a_lock_that_is_never_released() {
    let account = Arc::new(Mutex::new(100).named("account"));
    let ours = account.clone();
    named("forgetful", move || std::mem::forget(ours.lock())).join().unwrap();
    assert_eq!(*account.lock(), 100);
}

pub(crate) fn nobody_sends() {
    let (sender, receiver) = unbounded::<u32>();
    let sender = Arc::new(sender);
    let keeps = sender.clone();
    named("worker", move || keeps.send(1).unwrap()).join().unwrap();
    assert_eq!(receiver.iter().count(), 1);
    drop(sender);
}

pub(crate) fn channels_in_a_cycle() {
    let (to_left, left) = bounded(0);
    let (to_right, right) = bounded(0);
    let peer = named("peer", move || {
        to_left.send(1).unwrap();
        let _ = right.recv();
    });
    to_right.send(1).unwrap();
    let _ = left.recv();
    peer.join().unwrap();
}

pub(crate) fn a_channel_and_a_lock() {
    let (sender, receiver) = bounded(0);
    let account = Arc::new(Mutex::new(100).named("account"));
    let ours = account.clone();
    let teller = named("teller", move || {
        let balance = ours.lock();
        sender.send(*balance).unwrap();
    });
    let balance = account.lock();
    let _ = receiver.try_recv().is_ok_and(|other| other == *balance);
    drop(balance);
    let balance = account.lock();
    assert_eq!(receiver.recv().unwrap_or(*balance), *balance);
    drop(balance);
    teller.join().unwrap();
}

pub(crate) fn a_channel_and_a_join() {
    let (sender, receiver) = bounded(0);
    let worker = named("worker", move || sender.send(1).unwrap());
    worker.join().unwrap();
    assert_eq!(receiver.recv().unwrap(), 1);
}

pub(crate) fn a_lock_and_a_join() {
    let account = Arc::new(Mutex::new(100).named("account"));
    let ours = account.clone();
    let balance = account.lock();
    let worker = named("worker", move || *ours.lock() += 1);
    worker.join().unwrap();
    drop(balance);
}

pub(crate) fn a_condition_and_a_lock() {
    let all = Arc::new((
        Mutex::new(()).named("all"),
        Mutex::new(false).named("ready"),
        Condvar::new().named("is ready"),
    ));
    let ours = all.clone();
    let worker = named("worker", move || {
        let _all = ours.0.lock();
        *ours.1.lock() = true;
        ours.2.notify_one();
    });
    let held = all.0.lock();
    let mut ready = all.1.lock();
    all.2.wait_while(&mut ready, |ready| !*ready);
    drop((ready, held));
    worker.join().unwrap();
}

pub(crate) fn a_condition_and_a_join() {
    let door = Arc::new((Mutex::new(false).named("door"), Condvar::new().named("opened")));
    let ours = door.clone();
    let guest = named("guest", move || {
        let mut open = ours.0.lock();
        ours.1.wait_while(&mut open, |open| !*open);
    });
    guest.join().unwrap();
    *door.0.lock() = true;
    door.1.notify_one();
}

pub(crate) fn joins_in_a_circle() {
    let (to_left, left) = bounded::<thread::JoinHandle<()>>(1);
    let (to_right, right) = bounded::<thread::JoinHandle<()>>(1);
    let one = named("left", move || left.recv().unwrap().join().unwrap());
    let other = named("right", move || right.recv().unwrap().join().unwrap());
    to_left.send(other).unwrap();
    to_right.send(one).unwrap();
}

pub(crate) fn a_condition_and_a_channel() {
    let door = Arc::new((Mutex::new(false).named("door"), Condvar::new().named("opened")));
    let (sender, receiver) = bounded(0);
    let ours = door.clone();
    let opener = named("opener", move || {
        ours.1.notify_one();
        sender.send(()).unwrap();
        *ours.0.lock() = true;
        ours.1.notify_one();
    });
    let mut open = door.0.lock();
    door.1.wait_while(&mut open, |open| !*open);
    drop(open);
    receiver.recv().unwrap();
    opener.join().unwrap();
}

pub(crate) fn a_lost_wake_up() {
    let door = Arc::new((Mutex::new(false).named("door"), Condvar::new().named("opened")));
    let opener = door.clone();
    named("opener", move || {
        *opener.0.lock() = true;
        opener.1.notify_one();
    });
    let open = *door.0.lock();
    if !open {
        door.1.wait(&mut door.0.lock());
    }
}

pub(crate) fn nobody_notifies() {
    let door = (Mutex::new(false), Condvar::new().named("opened"));
    door.1.wait(&mut door.0.lock());
}

pub(crate) fn a_send_on_a_closed_channel() {
    let (sender, receiver) = bounded(1);
    let stopper = named("stopper", move || drop(receiver));
    sender.send(1).unwrap();
    stopper.join().unwrap();
}

pub(crate) fn a_panic() {
    let account = Arc::new(Mutex::new(100).named("account"));
    let ours = account.clone();
    let spender = named("spender", move || *ours.lock() -= 80);
    let mut balance = account.lock();
    assert!(*balance >= 50, "overdrawn");
    *balance -= 50;
    drop(balance);
    spender.join().unwrap();
}
