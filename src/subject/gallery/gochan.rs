//! Go's channels: those that can be closed while senders live.
//!
//! A send on a closed channel panics, also one that was waiting when the channel was closed; so does a second
//! close. A receive from a closed channel gives what was buffered and then nothing, for ever.
//!
//! A channel here is one of [`sync`](crate::sync) beside a second one that is disconnected to close it, so
//! that whoever waits for the first also waits for the second. In reports a wait is the first alone: see
//! [`is_part`].
//!
//! Closing is atomic. All sends that had begun before it are waited for by the receives that come after it,
//! and they do not take long, for they see that the channel is closed. So none succeeds in a place that
//! became free after it, nor after a receive has said that nothing will come.

use std::convert::Infallible;
use std::sync::Arc;

use crate::engine::{Object, ObjectId};
use crate::sync::channel::{self, Receiver, Sender, TryRecvError, TrySendError};
use crate::sync::{Mutex, select};

/// A channel of Go's. Copies are the same channel.
pub(super) struct Chan<T>(Arc<Ends<T>>);

struct Ends<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
    /// Disconnected once the channel is closed.
    closed: Receiver<Infallible>,
    /// Disconnected once the channel is closed, and no send from before is left.
    settled: Receiver<Infallible>,
    open: Mutex<Option<Open>>,
}

/// Kept for as long as the channel is open.
struct Open {
    _closed: Sender<Infallible>,
    settled: Sender<Infallible>,
}

/// What the names of the parts of a channel end with: of what closes it, and of what waits until it has.
const PART: &str = " (closed)";
const SETTLED: &str = " (settled)";

/// Whether the object is but a part of a channel, and whoever waits for it waits for the channel as well.
pub(crate) fn is_part(object: &Object) -> bool {
    object.name.as_deref().is_some_and(is_name_of_part)
}

/// Whether this is the name of such an object.
pub(crate) fn is_name_of_part(name: &str) -> bool {
    name.ends_with(PART) || name.ends_with(SETTLED)
}

/// Whether this is the name of the part that is disconnected when the channel is closed.
pub(crate) fn is_name_of_closing(name: &str) -> bool {
    name.ends_with(PART)
}

impl<T> Chan<T> {
    /// `make(chan T, capacity)`, with the name that reports call it by.
    #[track_caller]
    pub(super) fn new(name: &'static str, capacity: usize) -> Chan<T> {
        let (sender, receiver) = channel::bounded(capacity);
        let (closing, closed) = channel::bounded(0);
        let (settling, settled) = channel::bounded(0);
        let part = format!("{name}{PART}");
        Chan(Arc::new(Ends {
            sender: sender.named(name),
            receiver,
            closed: closed.named(part.clone()),
            settled: settled.named(format!("{name}{SETTLED}")),
            open: Mutex::new(Some(Open { _closed: closing, settled: settling })).named(part),
        }))
    }

    /// `c <- message`
    ///
    /// # Panics
    /// If the channel is closed, also while waiting.
    #[track_caller]
    pub(super) fn send(&self, message: T) {
        let ends = &*self.0;
        let _unsettled = self.begin_send();
        select! {
            // It fails only where the task is unwound.
            send(ends.sender, message) -> _ => {}
            recv(ends.closed) -> _ => send_on_closed_channel(),
        }
    }

    /// `select { case c <- message: case <-other: }`; `None` if the message was sent, otherwise what was
    /// received.
    ///
    /// Go draws by lot where both can go ahead. Here a channel that is closed from the start panics, which is
    /// one of the two.
    ///
    /// # Panics
    /// If the channel is closed, also while waiting.
    #[track_caller]
    pub(super) fn send_or_recv<U>(&self, message: T, other: &Chan<U>) -> Option<Option<U>> {
        let (ends, other_ends) = (&*self.0, &*other.0);
        let _unsettled = self.begin_send();
        select! {
            send(ends.sender, message) -> _ => None,
            recv(ends.closed) -> _ => send_on_closed_channel(),
            recv(other_ends.receiver) -> received => Some(received.ok()),
            recv(other_ends.closed) -> _ => Some(other.rest().ok()),
        }
    }

    /// `select { case c <- message: default: }`
    ///
    /// # Errors
    /// The message, if that would have to wait.
    ///
    /// # Panics
    /// If the channel is closed.
    #[track_caller]
    pub(super) fn try_send(&self, message: T) -> Result<(), T> {
        let _unsettled = self.begin_send();
        self.0.sender.try_send(message).map_err(TrySendError::into_inner)
    }

    /// `select { case c <- message: case <-other: default: }`; whether the message was sent.
    ///
    /// Go draws by lot where both can go ahead. Here a channel that is closed from the start panics, which is
    /// one of the two.
    ///
    /// # Panics
    /// If the channel is closed.
    #[track_caller]
    pub(super) fn try_send_or_recv<U>(&self, message: T, other: &Chan<U>) -> bool {
        let (ends, other_ends) = (&*self.0, &*other.0);
        let _unsettled = self.begin_send();
        select! {
            send(ends.sender, message) -> _ => true,
            recv(other_ends.receiver) -> _ => false,
            recv(other_ends.closed) -> _ => false,
            default => false,
        }
    }

    /// `<-c`: `None` once the channel is closed and empty.
    #[track_caller]
    pub(super) fn recv(&self) -> Option<T> {
        let ends = &*self.0;
        if self.is_closed() {
            return self.rest().ok();
        }
        select! {
            recv(ends.receiver) -> received => received.ok(),
            recv(ends.closed) -> _ => self.rest().ok(),
        }
    }

    /// `select { case <-c: default: }`
    ///
    /// # Errors
    /// If the channel is empty, and whether it is closed.
    #[track_caller]
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        if self.is_closed() {
            return self.rest();
        }
        self.0.receiver.try_recv()
    }

    /// `close(c)`
    ///
    /// # Panics
    /// If the channel is closed.
    #[track_caller]
    pub(super) fn close(&self) {
        let open = self.0.open.lock().take();
        assert!(open.is_some(), "close of closed channel");
    }

    /// What reports know the channel by.
    pub(super) fn object(&self) -> Option<ObjectId> {
        self.0.receiver.object()
    }

    /// Keeps the channel from settling until the send is over.
    #[track_caller]
    fn begin_send(&self) -> Sender<Infallible> {
        let open = self.0.open.lock();
        let unsettled = open.as_ref().map(|open| open.settled.clone());
        drop(open);
        match unsettled {
            Some(unsettled) => unsettled,
            None => send_on_closed_channel(),
        }
    }

    #[track_caller]
    fn is_closed(&self) -> bool {
        self.0.closed.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// What is left in a closed channel.
    #[track_caller]
    fn rest(&self) -> Result<T, TryRecvError> {
        let _ = self.0.settled.recv();
        self.0.receiver.try_recv().map_err(|_| TryRecvError::Disconnected)
    }
}

#[track_caller]
fn send_on_closed_channel() -> ! {
    panic!("send on closed channel")
}

impl<T> Clone for Chan<T> {
    fn clone(&self) -> Chan<T> {
        Chan(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::threads::{self, Settings};
    use crate::engine::{Body, Job, Next, Quiescence, Status};
    use crate::sync::{catch_unwind, thread};

    fn panic_of<R>(f: impl FnOnce() -> R) -> Option<&'static str> {
        let payload = catch_unwind(f).err()?;
        payload.downcast_ref().copied()
    }

    #[test]
    fn a_buffered_channel_keeps_its_order_and_says_when_it_is_empty() {
        let chan = Chan::new("c", 2);
        assert_eq!(chan.try_recv(), Err(TryRecvError::Empty));
        chan.send(1);
        chan.send(2);
        assert_eq!((chan.recv(), chan.try_recv()), (Some(1), Ok(2)));
        assert_eq!(chan.try_recv(), Err(TryRecvError::Empty));
    }

    #[test]
    fn a_closed_channel_gives_what_was_buffered_and_then_nothing() {
        let chan = Chan::new("c", 2);
        chan.send(1);
        chan.send(2);
        chan.close();
        assert_eq!((chan.recv(), chan.try_recv()), (Some(1), Ok(2)));
        assert_eq!((chan.recv(), chan.recv()), (None, None));
        assert_eq!(chan.try_recv(), Err(TryRecvError::Disconnected));
    }

    #[test]
    fn a_closed_channel_panics_on_a_send_and_a_second_close() {
        for capacity in [0, 1] {
            let chan = Chan::new("c", capacity);
            chan.close();
            assert_eq!(panic_of(|| chan.send(1)), Some("send on closed channel"));
            let other = Chan::<()>::new("o", 0);
            assert_eq!(panic_of(|| chan.send_or_recv(1, &other)), Some("send on closed channel"));
            assert_eq!(panic_of(|| chan.close()), Some("close of closed channel"));
            assert_eq!(chan.recv(), None);
        }
    }

    #[test]
    fn a_rendezvous_hands_over() {
        let chan = Chan::new("c", 0);
        let sender = chan.clone();
        let thread = thread::spawn(move || (0..100).for_each(|number| sender.send(number)));
        assert!((0..100).all(|number| chan.recv() == Some(number)));
        thread.join().unwrap();
    }

    #[test]
    fn a_close_wakes_who_waits() {
        for capacity in [0, 1] {
            let full = Chan::new("c", capacity);
            (0..capacity).for_each(|_| full.send(0));
            let sender = full.clone();
            let sending = thread::spawn(move || panic_of(|| sender.send(1)));
            let empty = Chan::<i32>::new("c", capacity);
            let receiver = empty.clone();
            let receiving = thread::spawn(move || receiver.recv());
            full.close();
            empty.close();
            assert_eq!(sending.join().unwrap(), Some("send on closed channel"));
            assert_eq!(receiving.join().unwrap(), None);
            assert_eq!(full.recv(), (capacity > 0).then_some(0), "what was refused did not get in");
            assert_eq!(full.recv(), None);
        }
    }

    #[test]
    fn a_send_or_receive_does_the_one_that_can_go_ahead() {
        let (chan, other) = (Chan::new("c", 1), Chan::new("o", 1));
        assert_eq!(chan.send_or_recv(1, &other), None);
        other.send("other");
        assert_eq!(chan.send_or_recv(2, &other), Some(Some("other")));
        other.close();
        assert_eq!(chan.send_or_recv(3, &other), Some(None));
        assert_eq!((chan.recv(), chan.try_recv()), (Some(1), Err(TryRecvError::Empty)));
    }

    /// Runs what the closure says once, on free threads with noise.
    struct Racing(fn());

    impl Body for Racing {
        fn first(self: Arc<Self>) -> Job {
            Job::new("main", move || (self.0)())
        }

        fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
            Next::End
        }
    }

    #[test]
    fn sends_that_race_with_a_close_are_received_or_panic() {
        let race = || {
            for capacity in [0, 1, 3] {
                let chan = Chan::new("c", capacity);
                let sending = [0, 1, 2].map(|number| {
                    let chan = chan.clone();
                    thread::spawn(move || panic_of(|| chan.send(number)).is_none())
                });
                let receiver = chan.clone();
                let receiving =
                    thread::spawn(move || std::iter::from_fn(|| receiver.recv()).collect::<Vec<_>>());
                chan.close();
                let mut received = receiving.join().unwrap();
                received.sort_unstable();
                let sent = sending.map(|thread| thread.join().unwrap());
                let sent: Vec<usize> = (0..3).filter(|number| sent[*number]).collect();
                assert_eq!(received, sent);
                assert_eq!(chan.recv(), None, "nothing comes after nothing");
            }
        };
        for seed in 0..1000 {
            let settings = Settings { seed, deadline: Duration::from_secs(60) };
            let run = threads::run(Arc::new(Racing(race)), settings);
            assert!(run.state.tasks.iter().all(|task| matches!(task.status, Status::Ended)), "{run:?}");
        }
    }
}
