//! The watch mux: broadcasts events to watchers, and cannot hang.
//!
//! A [`Mux`] takes events by [`action`](Mux::action) and distributes them to every [`Watcher`] that has joined by
//! [`watch`](Mux::watch). There is one total order, and a [`Delivery`] says its event's place in it.
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
//! 3. **Once.** No event twice; every event is dropped exactly once, as soon as the last watcher has read it; nothing
//!    leaks.
//! 4. **Stop and shutdown are final.** After either has returned, a receive of any form gives what was in the
//!    queue and then [`Closed`], never "empty", and waits for nobody.
//! 5. **Progress.** What may wait, and for what, is said with each method; everything else only ever takes a
//!    lock for a bounded time. Once every watcher has been stopped and the mux closed, everything returns.
//! 6. **Panic safety.** A panic in an event's `Clone` ends the one watcher that the copy was for; one in its
//!    `Drop`, while the event is in the mux's hands, goes no further. (Two panics at once on one thread abort:
//!    that is Rust's rule.)
//!
//! No lock is held while an event is copied or dropped, nor while a task is woken, so the mux may be called again from
//! there. A watcher's copy is made as it receives, by its own thread: several may copy one event at once, which is why it
//! must be `Sync`. (A `Clone` of what needs no drop cannot read on to the end of what its own watcher has taken: there it
//! panics, which ends the watcher.) An idle mux wakes nothing, and has no thread of its own.
//!
//! # Threads and tasks
//!
//! What waits puts its thread to sleep. A task awaits the same, on any executor: [`recv_async`](Watcher::recv_async) and
//! [`poll_recv`](Watcher::poll_recv), and [`action_async`](Mux::action_async), for an `action` on an executor's thread may wait
//! for a watcher whose task only that thread would run. All guarantees hold for tasks as for threads, and both can share a mux.
//! A future that is dropped waits no more, and takes nothing along but the event of an action. [`shutdown`](Mux::shutdown) alone
//! has no future: a task [closes](Mux::close) the mux, and whoever watches sees all that is queued, and then the end.
//!
//! # How it works
//!
//! The Mux of Kubernetes has a dispatcher, a goroutine that takes an event from the incoming queue and sends it to each
//! watcher in turn. Here the dispatcher is a rule instead of a thread. All events are in one log, and each watcher that
//! is waited for has a cursor: how far it has read. The first event for which one of them has no room is the one that a
//! dispatcher would have in hand; what is before it is distributed, what is behind it is in the incoming queue. So
//! nothing is ever moved from one queue to another, and there is nothing that could be stuck in the middle of it: to
//! distribute is to compare two numbers, under the one lock that there is, by whoever changed one of them.
//!
//! - `action` appends to the log. It waits while the first event without room is too far behind it.
//! - `recv` takes what there is, up to a queue full, in one go; each event is then read without the lock, by moving the
//!   cursor. Only who was the slowest, and only if somebody sleeps because of it, takes the lock to let events out and to
//!   wake who can go on.
//! - An event leaves the log with the last watcher that takes it. One that has to be dropped is given itself to the last who
//!   reads it, and all others are given copies; of any other nobody can tell, so they all are, and share it with its
//!   neighbours.
//! - A watcher with another policy than [`WhenFull::Wait`] has a queue of its own, filled as events come out.
//! - Whoever changes something wakes who can go on because of it. Threads sleep on a condition variable; a task leaves its waker
//!   in the watcher's seat, as a selection leaves a bell there, and is woken once the lock is free. Of threads that wait for
//!   room one is woken, which wakes the next; of tasks all are, for one that is woken may never be polled again.
//!
//! # What it costs, and what was tried
//!
//! `cargo run --release --manifest-path tests/peers/Cargo.toml --bin mux` measures it side by side with other crates. A
//! delivery has one atomic read-modify-write, which moves the cursor, and for an event that has to be dropped two more: a
//! share in it taken, and given up. Each takes about 5 ns. Kept, with the processor's time of a delivery before and after:
//!
//! - Events that need no drop are shared in blocks of up to 32, and a watcher takes and gives up a block as a whole: for a
//!   `u64`, where one thread does all of it, with queues of 1,000, 40 to 34 ns with 1 watcher, 29 to 16 with 4, 21 to 10 with
//!   64, and 42 to 18 with 1,000, which no longer fill the caches with what each of them has taken. A channel of crossbeam's
//!   each, behind a dispatcher, takes 37, 21, 18 and 42.
//! - An event that has to be dropped, of one watcher alone, is in the log itself, and not behind an `Arc`: 58 to 39 ns with 1
//!   watcher. It is put there as it is queued; left to the first who takes it, with the lock held: 38 instead of 34 ns with 64
//!   watchers.
//! - To look at the count of shares before giving one up, to take into the queue there is, and to distribute once a take:
//!   36 to 32 ns with 4 watchers, 35 to 31 with 64.
//! - A receive in one piece, with what is rare out of line: 31 to 27 ns with 64 watchers. In two pieces that hand the
//!   delivery on it took 40: to copy what has just been written in parts stalls.
//!
//! What is left has its reasons. To store the cursor plainly saves 4 ns, and loses wake-ups: the store may be seen only after
//! the look at who sleeps. In blocks, events that have to be dropped would be dropped with their block. One count an event,
//! of who has still to read it, would save the share that is taken; but without unsafe code only who holds the last `Arc`, or
//! a lock, can take out of it what others read, and each of these is two read-modify-writes a reader. To copy a whole block
//! ahead would save both shares, and let an action in `Clone` wait for its own reader, who would have made room.
//!
//! Without gain: to leave out the places of events that follow on each other, for smaller queues; to take at most 64 or 256
//! events at once, so that they stay in the nearest cache; to have a copy made in line (34 to 37 ns for an `Arc`). With loss: not
//! to let others go on before a wait sleeps (at a queue of 25, with others at work on the machine, up to 5 times the processor's
//! time), or to spin first as crossbeam does (up to twice).
//!
//! With 1,000 watchers and queues of 25 it is switches between threads that cost: when there first were blocks, three quarters
//! of 420 ns were the system's (610 without blocks; crossbeam's channels behind a dispatcher took 470). What a switch costs
//! varies with what else the machine does: in a later run, whose table of the processors' time is in `tests/peers/README.md`,
//! both took over twice as long, and crossbeam's less than the mux. A million deliveries had 100,000 to 190,000 of them,
//! crossbeam's 94,000. With loss: to let others go on once or three times and not ten times before a wait sleeps (up to 1.25
//! times the processor's time), or not at all where 8, 64 or 300 sleep already (2 to 3 times).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::time::Instant;

mod awaiting;
mod errand;
mod error;
mod held;
mod log;
mod roster;
mod seat;
mod shared;
mod state;
mod stopper;
mod watcher;

pub use awaiting::{ActionFuture, RecvFuture};
pub use error::{
    ActionError, Closed, Reason, RecvTimeoutError, ShutdownTimeoutError, TryActionError, TryRecvError,
    WatchError,
};
pub use stopper::Stopper;
pub use watcher::{Delivery, Iter, Watcher};

use shared::Shared;

/// Capacities, and what to do when a watcher's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Capacity of the incoming queue, in events, besides the one being distributed. With 0, an action waits
    /// until there is room for all before it.
    pub incoming: usize,
    /// Capacity of a watcher's queue, in events. 0 is a rendezvous: full means that no receiver waits.
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

/// Closes the mux with its last handle: watchers keep what they share with it, but not this.
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
    /// A mux that nobody watches yet. It has no thread of its own.
    #[track_caller]
    pub fn new(config: Config) -> Mux<E> {
        let shared = Arc::new(Shared::new(config.incoming));
        Mux(Arc::new(Owner { shared, config }))
    }
}

impl<E> Mux<E> {
    /// Joins: the watcher is owed every event whose action is called from now on. Never waits.
    ///
    /// # Errors
    /// After [`close`](Mux::close).
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
    #[track_caller]
    pub fn watch_with_prefix(&self, prefix: Vec<E>) -> Result<Watcher<E>, WatchError<E>> {
        self.watch_with(WatchOptions { prefix, when_full: None })
    }

    /// As [`watch`](Mux::watch), with options.
    ///
    /// # Errors
    /// After [`close`](Mux::close); with the prefix.
    #[track_caller]
    pub fn watch_with(&self, options: WatchOptions<E>) -> Result<Watcher<E>, WatchError<E>> {
        let Owner { shared, config } = &*self.0;
        let when_full = options.when_full.unwrap_or(config.when_full);
        Watcher::join(shared, when_full, config.queue, options.prefix).map_err(WatchError)
    }

    /// Queues an event, and says its place in the total order. Every watcher then joined is owed it.
    ///
    /// It waits only while the incoming queue is full, because of a watcher that has not stopped, whose queue is full,
    /// that nobody reads, and whose policy is [`WhenFull::Wait`].
    ///
    /// With no watcher at all the event is accepted, and nobody sees it.
    ///
    /// # Errors
    /// After [`close`](Mux::close), also one that comes while this waits; with the event, which nobody sees.
    #[track_caller]
    pub fn action(&self, event: E) -> Result<u64, ActionError<E>> {
        self.0.shared.action(event).map_err(ActionError)
    }

    /// As [`action`](Mux::action), awaited, on any executor.
    ///
    /// Nothing is done before the future is polled. Dropping one that is not ready drops the event with it, and nobody sees
    /// it.
    ///
    /// # Errors
    /// After [`close`](Mux::close), also one that comes while this waits; with the event, which nobody sees.
    pub fn action_async(&self, event: E) -> ActionFuture<'_, E> {
        ActionFuture::new(&self.0.shared, event)
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

    /// [Closes](Mux::close) the mux, and waits until all is distributed.
    ///
    /// It waits only while a watcher that has not stopped and whose policy is [`WhenFull::Wait`] has a full
    /// queue that nobody reads. It can be called any number of times, from any number of threads.
    #[track_caller]
    pub fn shutdown(&self) {
        // Without a limit of time there is no error.
        let _ = self.0.shared.shutdown(None);
    }

    /// As [`shutdown`](Mux::shutdown), waiting up to `timeout`; says how many events were queued, and have been
    /// distributed.
    ///
    /// # Errors
    /// If the time is up first; with how many of the queued events have been distributed, and how many not.
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
