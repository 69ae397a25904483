//! The reader's side.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use super::Reason;
use super::error::{Closed, RecvTimeoutError, TryRecvError};
use super::held::{Held, Item};
use super::link::Link;
use super::shared::Shared;
use crate::sync::channel as native;
use crate::sync::channel::{Receiver, Select, Selectable, SelectedOperation};
use crate::sync::time::Instant;

/// What a watcher receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delivery<E> {
    /// The event's place in the total order, as [`Mux::action`](crate::Mux::action) returned it; `None` for an
    /// event of the prefix.
    pub seq: Option<u64>,
    /// How many events a drop policy left out just before this one.
    pub missed: u64,
    /// The event.
    pub event: E,
}

/// A watcher: receives every event from its [`watch`](crate::Mux::watch) on.
///
/// It has one reader: it can be sent to another thread but not shared. To stop it from another thread, take
/// its [`stopper`](Watcher::stopper). Dropping it stops it.
///
/// In a [`select!`](crate::sync::select) it stands where a receiver can:
///
/// ```
/// use watchmux::sync::{channel, select};
/// use watchmux::{Closed, Mux, Reason};
///
/// let mux = Mux::default();
/// let (nodes, pods) = (mux.watch().unwrap(), mux.watch().unwrap());
/// let (_quit, quitting) = channel::bounded::<()>(0);
/// mux.action("pod-1").unwrap();
/// nodes.stop();
///
/// let mut seen = Vec::new();
/// let mut open = 2;
/// while open > 0 {
///     select! {
///         recv(pods) -> delivery => match delivery {
///             Ok(delivery) => {
///                 seen.push(delivery.event);
///                 mux.close();
///             }
///             Err(Closed { reason, .. }) => {
///                 assert_eq!(reason, Reason::Shutdown);
///                 break;
///             }
///         },
///         recv(quitting) -> _ => open = 0,
///     }
/// }
/// assert_eq!(seen, ["pod-1"]);
/// ```
#[must_use = "a watcher that is dropped has stopped"]
pub struct Watcher<E> {
    seat: Arc<Seat<E>>,
    receiver: Receiver<Item<E>>,
    prefix: RefCell<vec::IntoIter<Held<E>>>,
    /// The place in the total order that is due next.
    due: Cell<u64>,
    /// Set when the end has been given, for what the queue may still get after that is never seen.
    closed: Cell<Option<Closed>>,
}

/// A watcher's place in the mux.
pub(super) struct Seat<E> {
    pub(super) shared: Arc<Shared<E>>,
    pub(super) link: Arc<Link<E>>,
}

impl<E> Watcher<E> {
    pub(super) fn new(seat: Seat<E>, receiver: Receiver<Item<E>>, prefix: Vec<E>) -> Watcher<E> {
        let due = Cell::new(seat.link.joined);
        let prefix: Vec<_> = prefix.into_iter().map(Held::new).collect();
        let prefix = RefCell::new(prefix.into_iter());
        Watcher { seat: Arc::new(seat), receiver, prefix, due, closed: Cell::new(None) }
    }

    /// The next delivery, waiting for it.
    ///
    /// It waits while nothing is owed to this watcher, or while the dispatcher waits for another one whose
    /// queue is full.
    ///
    /// # Errors
    /// At the end of the stream: once what was in the queue is read, and ever after.
    #[track_caller]
    pub fn recv(&self) -> Result<Delivery<E>, Closed> {
        match self.next()? {
            Some(delivery) => Ok(delivery),
            None => self.receiver.recv().map(|item| self.deliver(item)).map_err(|_| self.end()),
        }
    }

    /// The next delivery, if there is one.
    ///
    /// # Errors
    /// If there is none, and whether there can be one later.
    #[track_caller]
    pub fn try_recv(&self) -> Result<Delivery<E>, TryRecvError> {
        self.next()?.ok_or(TryRecvError::Empty)
    }

    /// The next delivery, waiting for it up to `timeout`.
    ///
    /// # Errors
    /// If the time is up, and at the end of the stream.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Delivery<E>, RecvTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.recv_deadline(deadline),
            None => Ok(self.recv()?),
        }
    }

    /// The next delivery, waiting for it until `deadline`, which can be std's `Instant` too.
    ///
    /// # Errors
    /// If the time is up, and at the end of the stream.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: impl Into<Instant>) -> Result<Delivery<E>, RecvTimeoutError> {
        if let Some(delivery) = self.next()? {
            return Ok(delivery);
        }
        match self.receiver.recv_deadline(deadline.into()) {
            Ok(item) => Ok(self.deliver(item)),
            Err(native::RecvTimeoutError::Disconnected) => Err(self.end().into()),
            Err(native::RecvTimeoutError::Timeout) => self.next()?.ok_or(RecvTimeoutError::Timeout),
        }
    }

    /// The deliveries, waiting for each, to the end of the stream.
    pub fn iter(&self) -> Iter<'_, E> {
        Iter { watcher: self }
    }

    /// How many deliveries are there to be received without waiting: those of the prefix and of the queue.
    ///
    /// At capacity 0 no event is ever in the queue.
    #[track_caller]
    pub fn len(&self) -> usize {
        if self.closed.get().is_some() {
            return 0;
        }
        self.prefix.borrow().len() + self.receiver.len()
    }

    /// Whether there is no delivery to be received without waiting.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves the mux.
    ///
    /// What is in the queue stays readable, and then the stream ends. Nothing whose action is called after
    /// this has returned is delivered. An action that waits because this watcher's queue is full goes on.
    /// Any number of calls is as good as one, and none of them waits.
    #[track_caller]
    pub fn stop(&self) {
        self.seat.leave();
    }
}

impl<E: Send + Sync + 'static> Watcher<E> {
    /// What stops this watcher from another thread.
    ///
    /// ```
    /// use watchmux::{Mux, Reason};
    ///
    /// let mux = Mux::<u32>::default();
    /// let watcher = mux.watch().unwrap();
    /// let stopper = watcher.stopper();
    /// let reader = std::thread::spawn(move || watcher.recv());
    /// stopper.stop();
    /// assert_eq!(reader.join().unwrap().unwrap_err().reason, Reason::Stopped);
    /// ```
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.seat) as Arc<dyn Stop>)
    }
}

impl<E> Watcher<E> {
    /// The channel that carries this watcher's queue, in the records of the execution it belongs to.
    #[cfg(feature = "suite")]
    pub fn object(&self) -> Option<crate::engine::ObjectId> {
        self.receiver.object()
    }

    /// The next delivery if there is one, or the end.
    #[track_caller]
    fn next(&self) -> Result<Option<Delivery<E>>, Closed> {
        if let Some(next) = self.aside()? {
            return Ok(Some(next));
        }
        match self.receiver.try_recv() {
            Ok(item) => Ok(Some(self.deliver(item))),
            Err(native::TryRecvError::Disconnected) => Err(self.end()),
            Err(native::TryRecvError::Empty) => match self.seat.link.ended() {
                None => Ok(None),
                // The link may have ended with something sent just before, after the queue was looked at. But
                // the dispatcher may also still hold a sender: the end is not for the channel to tell.
                Some(_) => match self.receiver.try_recv() {
                    Ok(item) => Ok(Some(self.deliver(item))),
                    Err(_) => Err(self.end()),
                },
            },
        }
    }

    /// What is next without looking at the queue.
    fn aside(&self) -> Result<Option<Delivery<E>>, Closed> {
        if let Some(closed) = self.closed.get() {
            return Err(closed);
        }
        let event = self.prefix.borrow_mut().next();
        Ok(event.map(|event| Delivery { seq: None, missed: 0, event: event.into_inner() }))
    }

    fn deliver(&self, item: Item<E>) -> Delivery<E> {
        let missed = item.seq - self.due.replace(item.seq + 1);
        Delivery { seq: Some(item.seq), missed, event: item.event.into_inner() }
    }

    /// The end, from now on.
    fn end(&self) -> Closed {
        let closed = match self.seat.link.ended() {
            Some(ended) => Closed { reason: ended.reason, missed: ended.lost.saturating_sub(self.due.get()) },
            // Only for who unwinds from a hang, and sees every channel disconnected, has it not ended.
            None => Closed { reason: Reason::Stopped, missed: 0 },
        };
        self.closed.set(Some(closed));
        closed
    }
}

impl<E> Drop for Watcher<E> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<E> fmt::Debug for Watcher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Watcher { .. }")
    }
}

impl<E> Selectable for Watcher<E> {
    type Output = Result<Delivery<E>, Closed>;

    fn take(&self) -> Option<Self::Output> {
        match self.aside() {
            Ok(None) if self.seat.link.ended().is_none() => None,
            Ok(None) => self.next().transpose(),
            aside => aside.transpose(),
        }
    }

    fn register<'a>(&'a self, select: &mut Select<'a>) -> usize {
        select.recv(&self.receiver)
    }

    fn complete(&self, selected: SelectedOperation<'_>) -> Self::Output {
        selected.recv(&self.receiver).map(|item| self.deliver(item)).map_err(|_| self.end())
    }
}

impl<'a, E> IntoIterator for &'a Watcher<E> {
    type Item = Delivery<E>;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

/// The deliveries of a watcher. See [`Watcher::iter`].
#[derive(Debug)]
pub struct Iter<'a, E> {
    watcher: &'a Watcher<E>,
}

impl<E> Iterator for Iter<'_, E> {
    type Item = Delivery<E>;

    #[track_caller]
    fn next(&mut self) -> Option<Delivery<E>> {
        self.watcher.recv().ok()
    }
}

impl<E> FusedIterator for Iter<'_, E> {}

/// Stops a watcher, from any thread. See [`Watcher::stopper`].
#[derive(Clone)]
pub struct Stopper(Arc<dyn Stop>);

impl Stopper {
    /// As [`Watcher::stop`].
    #[track_caller]
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Stopper { .. }")
    }
}

/// Stops a watcher, whatever its events are.
trait Stop: Send + Sync {
    fn stop(&self);
}

impl<E: Send + Sync> Stop for Seat<E> {
    fn stop(&self) {
        self.leave();
    }
}

impl<E> Seat<E> {
    fn leave(&self) {
        self.shared.end(&self.link, Reason::Stopped);
    }
}
