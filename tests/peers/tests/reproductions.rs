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
/// (`Eventador::new`). The third event of a ring of two overwrites the first, and the subscriber panics at what it finds.
#[test]
fn eventador_overwrites_what_was_not_read() {
    let bus = eventador::Eventador::new(2).unwrap();
    let subscriber = bus.subscribe::<u32>();
    (1..=3).for_each(|event| bus.publish(event));
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| *subscriber.recv()));
    assert!(read.is_err(), "event 1 was there to be read");
}
