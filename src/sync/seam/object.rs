//! Objects and their books.

use std::panic::Location;
use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::engine::{Object as ObjectState, ObjectId, ObjectKind, Target, TaskId};

/// Whether a channel is filled by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// It is not.
    None,
    /// Once.
    After,
    /// Again and again.
    Tick,
    /// Never, nor by anybody.
    Never,
}

/// Which side of a channel a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Send,
    Recv,
}

/// A channel, lock or condition variable of an execution.
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    /// The execution it belongs to.
    pub(crate) execution: u64,
    pub(crate) kind: ObjectKind,
    timer: Timer,
    /// Whether it is a rendezvous that the engine models: natively it is but where messages are handed over.
    pub(crate) modelled: bool,
    pub(crate) name: OnceLock<String>,
    pub(crate) made: &'static Location<'static>,
    book: Mutex<Book>,
}

/// What has been completed on an object, and by whom.
#[derive(Default)]
struct Book {
    sent: u64,
    received: u64,
    next_handle: u32,
    handles: Vec<(u32, Side, TaskId)>,
    holders: Vec<TaskId>,
    writer: bool,
    /// How many tasks wait for the object, and how many of them to hold it alone.
    waiters: usize,
    waiting_writers: usize,
}

impl Object {
    pub(crate) fn new(
        id: ObjectId,
        execution: u64,
        kind: ObjectKind,
        timer: Timer,
        modelled: bool,
        made: &'static Location<'static>,
    ) -> Object {
        Object { id, execution, kind, timer, modelled, name: OnceLock::new(), made, book: Mutex::default() }
    }

    /// Whether nobody is left on the other side of the channel.
    pub(crate) fn is_disconnected(&self, target: Target) -> bool {
        let other = if matches!(target, Target::Send(_)) { Side::Recv } else { Side::Send };
        !self.book.lock().handles.iter().any(|handle| handle.1 == other)
    }

    /// How many messages were sent that were not received.
    pub(crate) fn messages(&self) -> usize {
        let book = self.book.lock();
        book.sent.saturating_sub(book.received) as usize
    }

    pub(crate) fn is_held_by(&self, task: TaskId) -> bool {
        self.book.lock().holders.contains(&task)
    }

    /// Whether time fills it again and again.
    pub(crate) fn repeats(&self) -> bool {
        self.timer == Timer::Tick
    }

    /// Whether a wait for this side could be served, by the books alone.
    ///
    /// The books lag behind the native channel only by what waiting tasks have completed without having
    /// recorded it yet. Each such completion was made possible by a recorded one, or pairs with another wait
    /// that the books still show, so whenever there is one, some wait looks servable.
    pub(crate) fn could_serve(&self, target: Target, partner_waits: bool) -> bool {
        let book = self.book.lock();
        let length = book.sent as i64 - book.received as i64;
        let alive = |side| book.handles.iter().any(|handle| handle.1 == side);
        match (target, self.kind) {
            (Target::Send(_), ObjectKind::Channel(capacity)) => {
                let room = match capacity {
                    None => true,
                    Some(0) => partner_waits || length < 0,
                    Some(capacity) => length < capacity as i64,
                };
                room || !alive(Side::Recv)
            }
            (Target::Recv(_), ObjectKind::Channel(_)) => {
                length > 0 || partner_waits || (self.timer == Timer::None && !alive(Side::Send))
            }
            (Target::Lock(_), _) => book.holders.is_empty(),
            (Target::Read(_), _) => !book.writer && book.waiting_writers == 0,
            _ => false,
        }
    }

    /// Whether time alone will serve a receive.
    pub(crate) fn is_due(&self) -> bool {
        match self.timer {
            Timer::None | Timer::Never => false,
            Timer::After => self.book.lock().received == 0,
            Timer::Tick => true,
        }
    }

    pub(crate) fn state(&self) -> ObjectState {
        let book = self.book.lock();
        let users = |side| {
            let mut tasks: Vec<TaskId> =
                book.handles.iter().filter(|handle| handle.1 == side).map(|handle| handle.2).collect();
            tasks.sort_unstable();
            tasks.dedup();
            tasks
        };
        ObjectState {
            kind: self.kind,
            name: self.name.get().cloned(),
            made: self.made,
            holders: book.holders.clone(),
            senders: users(Side::Send),
            receivers: users(Side::Recv),
        }
    }

    pub(crate) fn add_waiter(&self, shared: bool) {
        let mut book = self.book.lock();
        book.waiters += 1;
        book.waiting_writers += usize::from(!shared);
    }

    pub(crate) fn remove_waiter(&self, shared: bool) {
        let mut book = self.book.lock();
        book.waiters -= 1;
        book.waiting_writers -= usize::from(!shared);
    }

    pub(crate) fn writer_waits(&self) -> bool {
        self.book.lock().waiting_writers > 0
    }

    /// Records that a task holds the lock.
    pub(crate) fn hold(&self, task: TaskId, shared: bool) {
        let mut book = self.book.lock();
        book.holders.push(task);
        book.writer = !shared;
    }

    /// Records that a task no longer holds the lock; says whether somebody waits for it.
    pub(crate) fn release(&self, task: TaskId) -> bool {
        let mut book = self.book.lock();
        if let Some(index) = book.holders.iter().position(|holder| *holder == task) {
            book.holders.swap_remove(index);
        }
        book.writer &= !book.holders.is_empty();
        book.waiters > 0
    }

    /// Adds a handle of a channel, last used by that task.
    pub(crate) fn add_handle(&self, side: Side, task: TaskId) -> u32 {
        let mut book = self.book.lock();
        let id = book.next_handle;
        book.next_handle += 1;
        book.handles.push((id, side, task));
        id
    }

    pub(crate) fn remove_handle(&self, id: u32) {
        self.book.lock().handles.retain(|handle| handle.0 != id);
    }

    /// Records who used a handle last.
    pub(crate) fn use_handle(&self, id: u32, task: TaskId) {
        let mut book = self.book.lock();
        if let Some(handle) = book.handles.iter_mut().find(|handle| handle.0 == id) {
            handle.2 = task;
        }
    }

    /// Records a message that has passed.
    pub(crate) fn pass(&self, side: Side) {
        let mut book = self.book.lock();
        match side {
            Side::Send => book.sent += 1,
            Side::Recv => book.received += 1,
        }
    }
}
