//! The watch mux: broadcasts events to watchers, and cannot hang.
//!
//! A [`Mux`] takes events by [`action`](Mux::action) and distributes them, on a thread of its own, to every
//! [`Watcher`] that has joined by [`watch`](Mux::watch). One dispatcher distributes, so there is one total
//! order, and a [`Delivery`] says its event's place in it.
//!
//! ```
//! use watchmux::{Event, EventKind, Mux, Reason};
//!
//! let pods = Mux::default();
//! let watcher = pods.watch().unwrap();
//! pods.action(Event { kind: EventKind::Added, object: "nginx-1" }).unwrap();
//! pods.action(Event { kind: EventKind::Deleted, object: "nginx-1" }).unwrap();
//! pods.shutdown();
//!
//! let mut kinds = Vec::new();
//! while let Ok(delivery) = watcher.recv() {
//!     kinds.push(delivery.event.kind);
//! }
//! assert_eq!(kinds, [EventKind::Added, EventKind::Deleted]);
//! assert_eq!(watcher.recv().unwrap_err().reason, Reason::Shutdown);
//! ```
//!
//! # Guarantees
//!
//! 1. **Order.** All watchers see events in one total order, which respects real time: if one action returned
//!    before another was called, nobody sees them the other way round.
//! 2. **Exact suffix.** A watcher sees every event whose action was called after its watch returned, and none
//!    whose action returned before its watch was called, up to its stop. Where a policy drops events, it sees
//!    the rest in order, and [`missed`](Delivery::missed) adds up.
//! 3. **Once.** No event twice; every event is dropped exactly once; nothing leaks; after
//!    [`shutdown`](Mux::shutdown) no thread is left.
//! 4. **Stop and shutdown are final.** After either has returned, a receive of any form gives what was in the
//!    queue and then [`Closed`], never "empty", and waits for nobody.
//! 5. **Progress.** What may wait, and for what, is said with each method; everything else only ever takes a
//!    lock for a bounded time. Once every watcher has been stopped and the mux closed, everything returns.
//! 6. **Panic safety.** A panic in an event's `Clone` ends the one watcher that the copy was for; one in its
//!    `Drop`, while the event is in the mux's hands, goes no further. (Two panics at once on one thread abort:
//!    that is Rust's rule.)
//!
//! No lock is held while an event is copied or dropped, so the mux may be called again from there. An idle mux
//! wakes nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::thread;
use crate::sync::time::Instant;

mod error;
mod held;
mod link;
mod shared;
mod watcher;

pub use error::{
    ActionError, Closed, Reason, RecvTimeoutError, ShutdownTimeoutError, TryActionError, TryRecvError,
    WatchError,
};
pub use watcher::{Delivery, Iter, Stopper, Watcher};

use link::Unlinked;
use shared::Shared;
use watcher::Seat;

/// Capacities, and what to do when a watcher's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Capacity of the incoming queue, in events, besides the one being distributed. With 0, an action waits
    /// until all before it is distributed.
    pub incoming: usize,
    /// Capacity of a watcher's queue, in events; its memory is taken at the watch. 0 is a rendezvous: full
    /// means that no receiver waits.
    pub queue: usize,
    /// What to do when a watcher's queue is full, unless its watch says otherwise.
    pub when_full: WhenFull,
}

impl Default for Config {
    /// 25 events each, and to wait.
    fn default() -> Config {
        Config { incoming: 25, queue: 25, when_full: WhenFull::Wait }
    }
}

/// What to do with an event for a watcher whose queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// Wait until there is room, and let everyone wait with it.
    Wait,
    /// Leave the new event out.
    DropNewest,
    /// Make room by leaving the oldest event out. At capacity 0 this is [`DropNewest`](WhenFull::DropNewest).
    DropOldest,
    /// End the watcher, with [`Reason::TooSlow`].
    Disconnect,
}

/// What can be said of a [`watch`](Mux::watch_with).
#[derive(Clone, Debug)]
pub struct WatchOptions<E> {
    /// Events that this watcher is given first. They are outside of its capacity and never dropped.
    pub prefix: Vec<E>,
    /// What to do when this watcher's queue is full; as the [`Config`] says where it is `None`.
    pub when_full: Option<WhenFull>,
}

impl<E> Default for WatchOptions<E> {
    /// No prefix, and as the [`Config`] says.
    fn default() -> WatchOptions<E> {
        WatchOptions { prefix: Vec::new(), when_full: None }
    }
}

/// Broadcasts events to watchers.
///
/// Cheap to clone; all clones are one mux, and it closes when the last is dropped. Large events are best in
/// an [`Arc`], for every watcher but the last is given a copy.
///
/// ```
/// use watchmux::{Config, Mux, WatchOptions, WhenFull};
///
/// let mux = Mux::new(Config { queue: 1, ..Config::default() });
/// let when_full = Some(WhenFull::DropOldest);
/// let latest = mux.watch_with(WatchOptions { when_full, ..WatchOptions::default() }).unwrap();
/// for temperature in [20, 21, 22] {
///     mux.action(temperature).unwrap();
/// }
/// mux.shutdown();
///
/// let delivery = latest.recv().unwrap();
/// assert_eq!((delivery.event, delivery.seq, delivery.missed), (22, Some(2), 2));
/// ```
pub struct Mux<E>(Arc<Owner<E>>);

/// Closes the mux with its last handle: watchers and the dispatcher keep what they share, but not this.
struct Owner<E> {
    shared: Arc<Shared<E>>,
    config: Config,
}

impl<E> Drop for Owner<E> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<E: Clone + Send + Sync + 'static> Mux<E> {
    /// Starts a mux, with a thread named `dispatcher`.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn new(config: Config) -> Mux<E> {
        let shared = Arc::new(Shared::new(config.incoming));
        let dispatcher = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("dispatcher".to_owned())
            .spawn(move || dispatcher.run())
            .expect("the system can start a thread");
        shared.started(thread);
        Mux(Arc::new(Owner { shared, config }))
    }
}

impl<E> Mux<E> {
    /// Joins: the watcher is owed every event whose action is called from now on. Never waits.
    ///
    /// # Errors
    /// After [`close`](Mux::close).
    ///
    /// # Panics
    /// If there is no memory for the watcher's queue.
    #[track_caller]
    pub fn watch(&self) -> Result<Watcher<E>, WatchError<E>> {
        self.watch_with(WatchOptions::default())
    }

    /// As [`watch`](Mux::watch), for a watcher that is given the prefix first: the state so far, say.
    ///
    /// The prefix is outside of the watcher's capacity, however long, and never dropped.
    ///
    /// # Errors
    /// After [`close`](Mux::close); with the prefix.
    ///
    /// # Panics
    /// As [`watch`](Mux::watch).
    #[track_caller]
    pub fn watch_with_prefix(&self, prefix: Vec<E>) -> Result<Watcher<E>, WatchError<E>> {
        self.watch_with(WatchOptions { prefix, when_full: None })
    }

    /// As [`watch`](Mux::watch), with options.
    ///
    /// # Errors
    /// After [`close`](Mux::close); with the prefix.
    ///
    /// # Panics
    /// As [`watch`](Mux::watch).
    #[track_caller]
    pub fn watch_with(&self, options: WatchOptions<E>) -> Result<Watcher<E>, WatchError<E>> {
        let Owner { shared, config } = &*self.0;
        let WatchOptions { prefix, when_full } = options;
        let (unlinked, receiver) = Unlinked::new(config.queue, when_full.unwrap_or(config.when_full));
        match shared.join(unlinked) {
            Some(link) => Ok(Watcher::new(Seat { shared: Arc::clone(shared), link }, receiver, prefix)),
            None => Err(WatchError(prefix)),
        }
    }

    /// Queues an event, and says its place in the total order. Every watcher then joined is owed it.
    ///
    /// It waits only while the incoming queue is full and the dispatcher waits for a watcher that has not
    /// stopped, whose queue is full, that nobody reads, and whose policy is [`WhenFull::Wait`]. On the
    /// dispatcher's own thread, in an event's `Clone` or `Drop`, it never waits: there the event is queued
    /// beyond the capacity.
    ///
    /// With no watcher at all the event is accepted, and nobody sees it.
    ///
    /// # Errors
    /// After [`close`](Mux::close), also one that comes while this waits; with the event, which nobody sees.
    #[track_caller]
    pub fn action(&self, event: E) -> Result<u64, ActionError<E>> {
        self.0.shared.action(event).map_err(ActionError)
    }

    /// As [`action`](Mux::action), but gives the event back where that would wait.
    ///
    /// # Errors
    /// If there is no room, or after [`close`](Mux::close); with the event, which nobody sees.
    #[track_caller]
    pub fn try_action(&self, event: E) -> Result<u64, TryActionError<E>> {
        self.0.shared.try_action(event)
    }

    /// Lets no more events and watchers in. What is queued is still distributed, and then every watcher's stream
    /// ends. Never waits; dropping the last `Mux` does the same.
    #[track_caller]
    pub fn close(&self) {
        self.0.shared.close();
    }

    /// [Closes](Mux::close) the mux, and waits until all is distributed and the dispatcher's thread has ended.
    ///
    /// It waits only while a watcher that has not stopped and whose policy is [`WhenFull::Wait`] has a full
    /// queue that nobody reads. It can be called any number of times, from any number of threads. On the
    /// dispatcher's own thread, in an event's `Clone` or `Drop`, it closes the mux and returns.
    #[track_caller]
    pub fn shutdown(&self) {
        // Only on the dispatcher's own thread is there an error without a limit of time.
        let _ = self.0.shared.shutdown(None);
    }

    /// As [`shutdown`](Mux::shutdown), waiting up to `timeout`; says how many events were queued, and have been
    /// distributed.
    ///
    /// # Errors
    /// If the time is up first, or at once on the dispatcher's own thread; with how many of the queued events have been distributed, and how many
    /// not.
    #[track_caller]
    pub fn shutdown_timeout(&self, timeout: Duration) -> Result<usize, ShutdownTimeoutError> {
        self.0.shared.shutdown(Instant::now().checked_add(timeout))
    }

    /// Whether the mux is closed.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.0.shared.is_closed()
    }

    /// How many events are queued, with the one being distributed.
    #[track_caller]
    pub fn queued(&self) -> usize {
        self.0.shared.queued()
    }

    /// How many watchers have joined, and not ended.
    #[track_caller]
    pub fn watchers(&self) -> usize {
        self.0.shared.watchers()
    }
}

impl<E> Clone for Mux<E> {
    fn clone(&self) -> Mux<E> {
        Mux(Arc::clone(&self.0))
    }
}

impl<E: Clone + Send + Sync + 'static> Default for Mux<E> {
    /// A mux with the default [`Config`].
    fn default() -> Mux<E> {
        Mux::new(Config::default())
    }
}

impl<E> fmt::Debug for Mux<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Mux { .. }")
    }
}
