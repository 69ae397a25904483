//! The reader's side.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use super::awaiting::RecvFuture;
use super::error::{Closed, RecvTimeoutError, TryRecvError};
use super::held::{Batch, Held};
use super::roster::Cursor;
use super::seat::SeatId;
use super::shared::{Patience, Shared};
use super::state::{End, Taken};
use super::stopper::Stopper;
use super::{Reason, WhenFull};
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
    shared: Arc<Shared<E>>,
    id: SeatId,
    /// If this watcher is waited for when its queue is full.
    cursor: Option<Arc<Cursor>>,
    prefix: RefCell<vec::IntoIter<Held<E>>>,
    /// Taken and not read: they still count as being in the queue.
    taken: RefCell<VecDeque<Batch<E>>>,
    /// The place in the total order that is due next.
    due: Cell<u64>,
    /// Set when the end has been given.
    closed: Cell<Option<Closed>>,
    /// Rings in a selection.
    ringing: OnceCell<Receiver<()>>,
}

/// What is due to a watcher that has nothing left of what it took before.
enum Due<E> {
    Events,
    Prefix(Held<E>),
    Nothing,
}

impl<E> Watcher<E> {
    /// A watcher that is given the prefix first; the prefix back after the mux was closed.
    #[track_caller]
    pub(super) fn join(
        shared: &Arc<Shared<E>>,
        when_full: WhenFull,
        queue: usize,
        prefix: Vec<E>,
    ) -> Result<Watcher<E>, Vec<E>> {
        let Some((id, joined, cursor)) = shared.join(when_full, queue) else { return Err(prefix) };
        let prefix: Vec<_> = prefix.into_iter().map(Held::new).collect();
        Ok(Watcher {
            shared: Arc::clone(shared),
            id,
            cursor,
            prefix: RefCell::new(prefix.into_iter()),
            taken: RefCell::default(),
            due: Cell::new(joined),
            closed: Cell::new(None),
            ringing: OnceCell::new(),
        })
    }

    /// How many deliveries are there to be received without waiting: those of the prefix and of the queue.
    ///
    /// At capacity 0 no event is ever in the queue.
    #[track_caller]
    pub fn len(&self) -> usize {
        if self.closed.get().is_some() {
            return 0;
        }
        let taken: usize = self.taken.borrow().iter().map(Batch::len).sum();
        self.prefix.borrow().len() + taken + self.shared.waiting_for(self.id)
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
        self.shared.end(self.id, Reason::Stopped);
    }

    /// No task waits for this watcher any more.
    #[track_caller]
    pub(super) fn stop_waiting(&self) {
        self.shared.stop_listening(self.id);
    }

    /// The end, from now on.
    fn end(&self, end: End) -> Closed {
        let missed = end.lost.saturating_sub(self.due.get());
        let closed = Closed { reason: end.reason, missed };
        self.closed.set(Some(closed));
        closed
    }
}

impl<E: Clone> Watcher<E> {
    /// The next delivery, waiting for it.
    ///
    /// It waits while nothing is owed to this watcher, or while the mux waits for another one whose
    /// queue is full.
    ///
    /// # Errors
    /// At the end of the stream: once what was in the queue is read, and ever after.
    #[track_caller]
    pub fn recv(&self) -> Result<Delivery<E>, Closed> {
        let delivery = self.receive(Patience::Endless)?;
        Ok(delivery.expect("who has endless patience is given something"))
    }

    /// The next delivery, if there is one.
    ///
    /// # Errors
    /// If there is none, and whether there can be one later.
    #[track_caller]
    pub fn try_recv(&self) -> Result<Delivery<E>, TryRecvError> {
        self.receive(Patience::None)?.ok_or(TryRecvError::Empty)
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
        self.receive(Patience::Until(deadline.into()))?.ok_or(RecvTimeoutError::Timeout)
    }

    /// The next delivery, awaited: as [`recv`](Watcher::recv), on any executor.
    ///
    /// While it waits the task is a receiver that waits, as a thread in `recv` is. Dropping the future ends that, and loses
    /// nothing: what would have been delivered is there for the next receive. To await an event for a limited time is to
    /// drop the future when the time is up.
    ///
    /// It has the watcher for itself, so that a task with this future can go from one thread to another.
    ///
    /// ```
    /// use watchmux::{Mux, Watcher};
    ///
    /// async fn sum(mut watcher: Watcher<u32>) -> u32 {
    ///     let mut sum = 0;
    ///     while let Ok(delivery) = watcher.recv_async().await {
    ///         sum += delivery.event;
    ///     }
    ///     sum
    /// }
    ///
    /// let mux = Mux::default();
    /// let sum = sum(mux.watch().unwrap());
    /// for event in [1, 2, 3] {
    ///     mux.action(event).unwrap();
    /// }
    /// mux.close();
    /// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// # assert_eq!(std::pin::pin!(sum).poll(&mut context), std::task::Poll::Ready(6));
    /// ```
    ///
    /// # Errors
    /// At the end of the stream: once what was in the queue is read, and ever after.
    pub fn recv_async(&mut self) -> RecvFuture<'_, E> {
        RecvFuture::new(self)
    }

    /// The next delivery, if there is one; where there is none, the task is woken once there is one, or the end.
    ///
    /// The task that polled last is the one that is woken. It is a receiver that waits until the next receive of any form.
    /// `futures::stream::poll_fn(|context| watcher.poll_recv(context).map(Result::ok))` is a stream of the deliveries.
    ///
    /// # Errors
    /// At the end of the stream: once what was in the queue is read, and ever after.
    #[track_caller]
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<Delivery<E>, Closed>> {
        loop {
            if let Some(received) = self.receive(Patience::Elsewhere).transpose() {
                return Poll::Ready(received);
            }
            if self.shared.listen(self.id, context.waker().clone()) {
                return Poll::Pending;
            }
        }
    }

    /// The deliveries, waiting for each, to the end of the stream.
    pub fn iter(&self) -> Iter<'_, E> {
        Iter { watcher: self }
    }

    /// The next delivery if there is one in time, or the end.
    #[track_caller]
    #[inline]
    fn receive(&self, patience: Patience) -> Result<Option<Delivery<E>>, Closed> {
        if self.taken.borrow().is_empty() {
            match self.take(patience)? {
                Due::Events => {}
                Due::Prefix(event) => {
                    return Ok(Some(Delivery { seq: None, missed: 0, event: event.into_inner() }));
                }
                Due::Nothing => return Ok(None),
            }
        }
        self.deliver().map(Some)
    }

    /// What is due when nothing is left of what was taken.
    ///
    /// What is dropped on the way may receive on this watcher, and then gets what comes first.
    #[track_caller]
    #[inline(never)]
    fn take(&self, patience: Patience) -> Result<Due<E>, Closed> {
        loop {
            if let Some(closed) = self.closed.get() {
                return Err(closed);
            }
            if let Some(event) = self.prefix.borrow_mut().next() {
                return Ok(Due::Prefix(event));
            }
            let mut events = self.taken.take();
            let (taken, bin) = self.shared.take(self.id, patience, &mut events);
            self.taken.replace(events);
            let has_dropped = !bin.is_empty();
            drop(bin);
            if !self.taken.borrow().is_empty() {
                return Ok(Due::Events);
            }
            match taken {
                Taken::Nothing if !has_dropped => return Ok(Due::Nothing),
                Taken::Nothing | Taken::Events => {}
                Taken::End(end) => return Err(self.closed.get().unwrap_or_else(|| self.end(end))),
            }
        }
    }

    /// The next of the events that are taken.
    #[track_caller]
    #[inline]
    fn deliver(&self) -> Result<Delivery<E>, Closed> {
        let taken = self.taken.borrow();
        let batch = taken.front().expect("something is taken");
        let seq = batch.next();
        // First of all: what is dropped or copied now may receive on this watcher, and gets what comes after this.
        let missed = seq - self.due.replace(seq + 1);
        let event = if batch.len() > 1 {
            batch.step();
            self.has_read(seq);
            // The batch is lent meanwhile: a `Clone` that receives here itself gets no further than its end, where it panics.
            let copy = batch.events.copy(seq);
            drop(taken);
            copy
        } else {
            drop(taken);
            let last = self.taken.borrow_mut().pop_front();
            self.has_read(seq);
            last.and_then(|batch| batch.events.give(seq))
        };
        match event {
            Some(event) => Ok(Delivery { seq: Some(seq), missed, event }),
            None => Err(self.fail(missed)),
        }
    }

    /// Notes that the event at this place is read.
    #[track_caller]
    #[inline]
    fn has_read(&self, seq: u64) {
        if let Some(cursor) = &self.cursor {
            self.shared.read(cursor, seq);
        }
    }

    /// The end, for an event could not be copied before which so many were missed.
    #[track_caller]
    #[cold]
    fn fail(&self, missed: u64) -> Closed {
        let closed = Closed { reason: Reason::EventPanicked, missed };
        self.closed.set(Some(closed));
        self.shared.fail(self.id);
        self.taken.take();
        closed
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
        Stopper::new(Arc::clone(&self.shared), self.id)
    }
}

impl<E> Drop for Watcher<E> {
    fn drop(&mut self) {
        self.shared.remove(self.id);
    }
}

impl<E> fmt::Debug for Watcher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Watcher { .. }")
    }
}

impl<E: Clone> Selectable for Watcher<E> {
    type Output = Result<Delivery<E>, Closed>;

    fn take(&self) -> Option<Self::Output> {
        self.receive(Patience::None).transpose()
    }

    fn register<'a>(&'a self, select: &mut Select<'a>) -> usize {
        let ringing = self.ringing.get_or_init(|| self.shared.install_bell(self.id));
        self.shared.begin_selection(self.id, ringing);
        select.recv(ringing)
    }

    fn complete(&self, selected: SelectedOperation<'_>) -> Self::Output {
        let ringing = self.ringing.get().expect("it was registered");
        match selected.recv(ringing) {
            // It is rung only when there is something, and nobody else takes that.
            Ok(()) => self.recv(),
            // Only for who unwinds from a hang, and sees every channel disconnected.
            Err(_) => Err(Closed { reason: Reason::Stopped, missed: 0 }),
        }
    }

    fn withdraw(&self) {
        self.shared.end_selection(self.id);
    }
}

impl<'a, E: Clone> IntoIterator for &'a Watcher<E> {
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

impl<E: Clone> Iterator for Iter<'_, E> {
    type Item = Delivery<E>;

    #[track_caller]
    fn next(&mut self) -> Option<Delivery<E>> {
        self.watcher.recv().ok()
    }
}

impl<E: Clone> FusedIterator for Iter<'_, E> {}
