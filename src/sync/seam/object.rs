//! Objects and their books.

use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::engine::trace::Books;
use crate::engine::{Notification, Object as ObjectState, ObjectId, ObjectKind, Target, TaskId};

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

/// How the partners of a rendezvous meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// Natively, as they come.
    Free,
    /// Natively, when the engine lets them.
    Steered,
    /// The engine models it: natively the channel is but where messages are handed over.
    Modelled,
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
    pub(crate) meeting: Meeting,
    pub(crate) name: OnceLock<String>,
    pub(crate) made: &'static Location<'static>,
    book: Mutex<Book>,
    /// How often the book was changed in a way that could serve a wait.
    version: AtomicU32,
}

/// What has been completed on an object, and by whom.
#[derive(Default)]
struct Book {
    sent: u64,
    received: u64,
    /// By number: the side, and who used the handle last; `None` once it is gone.
    handles: Vec<Option<(Side, TaskId)>>,
    senders: u32,
    receivers: u32,
    holders: Vec<TaskId>,
    writer: bool,
    /// How many tasks wait for the object, and how many of them to hold it alone.
    waiters: usize,
    waiting_writers: usize,
    notified: Option<Notification>,
}

impl Book {
    fn count(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::Send => &mut self.senders,
            Side::Recv => &mut self.receivers,
        }
    }
}

impl Object {
    pub(crate) fn new(
        id: ObjectId,
        execution: u64,
        kind: ObjectKind,
        timer: Timer,
        meeting: Meeting,
        made: &'static Location<'static>,
    ) -> Object {
        let (name, book, version) = (OnceLock::new(), Mutex::default(), AtomicU32::new(0));
        Object { id, execution, kind, timer, meeting, name, made, book, version }
    }

    fn write(&self) -> MutexGuard<'_, Book> {
        let book = self.book.lock();
        self.version.fetch_add(1, Ordering::Relaxed);
        book
    }

    /// Changes whenever a wait that could not be served may have become one that can.
    pub(crate) fn version(&self) -> u32 {
        self.version.load(Ordering::Relaxed)
    }

    /// Whether it is a rendezvous that the engine models.
    pub(crate) fn is_modelled(&self) -> bool {
        self.meeting == Meeting::Modelled
    }

    /// Whether nobody is left on the other side of the channel.
    pub(crate) fn is_disconnected(&self, target: Target) -> bool {
        let book = self.book.lock();
        let others = if matches!(target, Target::Send(_)) { book.receivers } else { book.senders };
        others == 0
    }

    /// How many messages have passed on this side.
    pub(crate) fn passed(&self, side: Side) -> u64 {
        let book = self.book.lock();
        match side {
            Side::Send => book.sent,
            Side::Recv => book.received,
        }
    }

    pub(crate) fn is_held_by(&self, task: TaskId) -> bool {
        self.book.lock().holders.contains(&task)
    }

    /// Whether time fills it.
    pub(crate) fn is_timed(&self) -> bool {
        self.timer != Timer::None
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
        match (target, self.kind) {
            (Target::Send(_), ObjectKind::Channel(capacity)) => {
                let room = match capacity {
                    None => true,
                    Some(0) => partner_waits || length < 0,
                    Some(capacity) => length < capacity as i64,
                };
                room || book.receivers == 0
            }
            (Target::Recv(_), ObjectKind::Channel(_)) => {
                length > 0 || partner_waits || (self.timer == Timer::None && book.senders == 0)
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
            let mut tasks: Vec<TaskId> = book
                .handles
                .iter()
                .flatten()
                .filter(|handle| handle.0 == side)
                .map(|handle| handle.1)
                .collect();
            tasks.sort_unstable();
            tasks.dedup();
            tasks
        };
        ObjectState {
            kind: self.kind,
            name: self.name.get().cloned(),
            made: self.made,
            holders: book.holders.clone(),
            shared: !book.holders.is_empty() && !book.writer,
            notified: book.notified,
            senders: users(Side::Send),
            receivers: users(Side::Recv),
        }
    }

    /// What has been completed on it.
    pub(crate) fn books(&self) -> Books {
        let book = self.book.lock();
        let (sent, received) = (book.sent, book.received);
        let (senders, receivers) = (book.senders, book.receivers);
        Books { sent, received, senders, receivers, holders: book.holders.clone(), shared: !book.writer }
    }

    pub(crate) fn add_waiter(&self, shared: bool) {
        let mut book = self.write();
        book.waiters += 1;
        book.waiting_writers += usize::from(!shared);
    }

    pub(crate) fn remove_waiter(&self, shared: bool) {
        let mut book = self.write();
        book.waiters -= 1;
        book.waiting_writers -= usize::from(!shared);
    }

    pub(crate) fn writer_waits(&self) -> bool {
        self.book.lock().waiting_writers > 0
    }

    /// Records that a task holds the lock.
    pub(crate) fn hold(&self, task: TaskId, shared: bool) {
        let mut book = self.write();
        book.holders.push(task);
        book.writer = !shared;
    }

    /// Records that a task no longer holds the lock; says whether somebody waits for it.
    pub(crate) fn release(&self, task: TaskId) -> bool {
        let mut book = self.write();
        if let Some(index) = book.holders.iter().position(|holder| *holder == task) {
            book.holders.swap_remove(index);
        }
        book.writer &= !book.holders.is_empty();
        book.waiters > 0
    }

    /// Adds a handle of a channel, last used by that task.
    pub(crate) fn add_handle(&self, side: Side, task: TaskId) -> u32 {
        let mut book = self.write();
        *book.count(side) += 1;
        book.handles.push(Some((side, task)));
        book.handles.len() as u32 - 1
    }

    pub(crate) fn remove_handle(&self, id: u32) {
        let mut book = self.write();
        if let Some((side, _)) = book.handles[id as usize].take() {
            *book.count(side) -= 1;
        }
    }

    /// Records who used a handle last.
    pub(crate) fn use_handle(&self, id: u32, task: TaskId) {
        if let Some(handle) = &mut self.book.lock().handles[id as usize] {
            handle.1 = task;
        }
    }

    /// Records a notification.
    pub(crate) fn notified(&self, notification: Notification) {
        self.book.lock().notified = Some(notification);
    }

    /// Records a message that has passed.
    pub(crate) fn pass(&self, side: Side) {
        let mut book = self.write();
        match side {
            Side::Send => book.sent += 1,
            Side::Recv => book.received += 1,
        }
    }
}
