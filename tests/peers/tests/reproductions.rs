//! What the suite found in newest releases, in a few lines and without the suite. Each test passes as long as the crate does it.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// barrage 0.2.3: "this will block until the queue is no longer full" (`Sender::send`). The queue of the receiver that is left
/// is empty; the one that was full has gone, and what it had not read is counted for ever.
#[test]
fn barrage_waits_for_a_receiver_that_was_dropped() {
    let (sender, left) = barrage::bounded(1);
    let dropped = left.clone();
    sender.send(1).unwrap();
    assert_eq!(left.recv(), Ok(1));
    drop(dropped);
    let (done, sent) = channel();
    thread::spawn(move || done.send(sender.send(2)));
    assert_eq!(sent.recv_timeout(Duration::from_secs(2)), Err(RecvTimeoutError::Timeout));
    drop(left);
}

/// eventador 0.0.18: it "will ensure a publisher can't overwrite an event in the ring until all subscribers have read it"
/// (`Eventador::new`). Those who subscribe at the same place of the ring are one to it, so it waits for the first alone: event 3
/// overwrites event 1, and the second panics at what it finds.
#[test]
fn eventador_waits_for_one_of_two_subscribers() {
    let bus = eventador::Eventador::new(2).unwrap();
    let (first, second) = (bus.subscribe::<u32>(), bus.subscribe::<u32>());
    (1u32..=2).for_each(|event| bus.publish(event));
    assert_eq!(*first.recv(), 1);
    bus.publish(3u32);
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| *second.recv()));
    assert!(read.is_err(), "event 1 was there to be read");
}
