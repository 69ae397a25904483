//! Objects and their books.

use std::borrow::Cow;
use std::panic::Location;

use super::footprint::{self, What};
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
    /// The engine models it.
    Modelled,
}

/// Which side of a channel a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Send,
    Recv,
}

/// A channel, lock or condition variable of an execution, with what has been completed on it, and by whom.
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    pub(crate) kind: ObjectKind,
    timer: Timer,
    pub(crate) meeting: Meeting,
    /// Empty if it has none.
    name: Cow<'static, str>,
    pub(crate) made: &'static Location<'static>,
    sent: u64,
    received: u64,
    /// Of what was sent: how many messages are not there yet, for the select that sends them is not completed.
    unwritten: u32,
    /// By number: the side, and who used the handle last; `None` once it is gone.
    handles: Vec<Option<(Side, TaskId)>>,
    senders: u32,
    receivers: u32,
    /// Who holds the lock alone, and who shares it.
    writer: Option<TaskId>,
    readers: Vec<TaskId>,
    /// How often it was taken.
    taken: u32,
    /// How many tasks wait for the object, and how many of them to hold it alone.
    waiters: u32,
    waiting_writers: u32,
    notified: Option<Notification>,
}

impl Object {
    pub(crate) fn new(
        id: ObjectId,
        kind: ObjectKind,
        timer: Timer,
        meeting: Meeting,
        made: &'static Location<'static>,
    ) -> Object {
        Object {
            id,
            kind,
            timer,
            meeting,
            name: Cow::Borrowed(""),
            made,
            sent: 0,
            received: 0,
            unwritten: 0,
            handles: Vec::new(),
            senders: 0,
            receivers: 0,
            writer: None,
            readers: Vec::new(),
            taken: 0,
            waiters: 0,
            waiting_writers: 0,
            notified: None,
        }
    }

    /// Makes it another, of the same memory.
    #[inline]
    pub(crate) fn renew(
        &mut self,
        id: ObjectId,
        kind: ObjectKind,
        timer: Timer,
        meeting: Meeting,
        made: &'static Location<'static>,
    ) {
        (self.id, self.kind, self.timer, self.meeting, self.made) = (id, kind, timer, meeting, made);
        if !self.name.is_empty() {
            self.name = Cow::Borrowed("");
        }
        (self.sent, self.received, self.unwritten) = (0, 0, 0);
        self.handles.clear();
        (self.senders, self.receivers) = (0, 0);
        self.writer = None;
        self.readers.clear();
        (self.taken, self.waiters, self.waiting_writers) = (0, 0, 0);
        self.notified = None;
        footprint::touch_object(id, What::Made(kind, timer != Timer::None));
    }

    #[inline]
    fn count(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::Send => &mut self.senders,
            Side::Recv => &mut self.receivers,
        }
    }

    /// How often the lock was taken.
    pub(crate) fn taken(&self) -> u32 {
        self.taken
    }

    /// Gives it its name; the first stays, for an object has one.
    pub(crate) fn set_name(&mut self, name: Cow<'static, str>) {
        if self.name.is_empty() {
            self.name = name;
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        Some(&*self.name).filter(|name| !name.is_empty())
    }

    /// Whether it is a rendezvous that the engine models.
    #[inline]
    pub(crate) fn is_rendezvous(&self) -> bool {
        self.meeting == Meeting::Modelled
    }

    /// Whether nobody is left on the other side of the channel.
    #[inline]
    pub(crate) fn is_disconnected(&self, target: Target) -> bool {
        match target {
            Target::Send(_) => self.receivers == 0,
            _ => self.timer == Timer::None && self.senders == 0,
        }
    }

    /// How many messages have passed on this side.
    #[inline]
    pub(crate) fn passed(&self, side: Side) -> u64 {
        match side {
            Side::Send => self.sent,
            Side::Recv => self.received,
        }
    }

    /// How many messages are in the channel, or have their place there; fewer than none where receivers of a native one were
    /// quicker to tell.
    #[inline]
    fn length(&self) -> i64 {
        self.sent as i64 - self.received as i64
    }

    /// Whether there are messages in the channel.
    #[inline]
    pub(crate) fn has_messages(&self) -> bool {
        self.length() > i64::from(self.unwritten)
    }

    #[inline]
    pub(crate) fn is_held_by(&self, task: TaskId) -> bool {
        self.writer == Some(task) || self.readers.contains(&task)
    }

    fn holders(&self) -> Vec<TaskId> {
        self.writer.iter().chain(&self.readers).copied().collect()
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
    #[inline]
    pub(crate) fn could_serve(&self, target: Target, partner_waits: bool) -> bool {
        match (target, self.kind) {
            (Target::Send(_), ObjectKind::Channel(Some(0))) => {
                partner_waits || self.length() < 0 || self.receivers == 0
            }
            (Target::Send(_), ObjectKind::Channel(_)) => self.has_room() || self.receivers == 0,
            (Target::Recv(_), ObjectKind::Channel(_)) => {
                self.has_messages() || partner_waits || self.is_disconnected(target)
            }
            (Target::Lock(_), _) => self.writer.is_none() && self.readers.is_empty(),
            (Target::Read(_), _) => self.writer.is_none() && self.waiting_writers == 0,
            _ => false,
        }
    }

    #[inline]
    fn has_room(&self) -> bool {
        match self.kind {
            ObjectKind::Channel(Some(capacity)) => self.length() < capacity as i64,
            _ => true,
        }
    }

    /// Records that a message passes, if one can: on the sending side if there is a receiver, and room, or the partner of a
    /// rendezvous; on the other if there is a message.
    #[inline]
    pub(crate) fn try_pass(&mut self, side: Side) -> bool {
        let can = match side {
            Side::Send => self.receivers > 0 && (self.is_rendezvous() || self.has_room()),
            Side::Recv => self.has_messages(),
        };
        if can {
            self.pass(side);
        }
        can
    }

    /// Records that an operation is selected, if it can go ahead: a send has its place from now on, and a receive its message.
    /// At a rendezvous a send has none until it is completed, for whoever waits for it is not handed another.
    pub(crate) fn try_select(&mut self, side: Side) -> bool {
        let has_place = side == Side::Recv || !self.is_rendezvous();
        if has_place && !self.try_pass(side) {
            return false;
        }
        if has_place {
            self.unwritten += u32::from(side == Side::Send);
            footprint::touch_object(self.id, What::Reserves(side));
        }
        true
    }

    /// Records that a selected operation is completed, or cannot be: a send at a rendezvous without a receiver.
    pub(crate) fn complete(&mut self, side: Side) -> bool {
        if side == Side::Send && self.is_rendezvous() {
            return self.try_pass(side);
        }
        self.unwritten -= u32::from(side == Side::Send);
        footprint::complete(self.id, side);
        true
    }

    /// Records that a selected send that has its place will not be completed.
    pub(crate) fn give_place_up(&mut self) {
        (self.sent, self.unwritten) = (self.sent - 1, self.unwritten - 1);
        footprint::touch_object(self.id, What::Withdraws);
    }

    /// Whether time alone will serve a receive.
    pub(crate) fn is_due(&self) -> bool {
        match self.timer {
            Timer::None | Timer::Never => false,
            Timer::After => self.received == 0,
            Timer::Tick => true,
        }
    }

    pub(crate) fn state(&self) -> ObjectState {
        let users = |side| {
            let mut tasks: Vec<TaskId> = self
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
            name: self.name().map(str::to_owned),
            made: self.made,
            holders: self.holders(),
            shared: self.writer.is_none() && !self.readers.is_empty(),
            notified: self.notified,
            senders: users(Side::Send),
            receivers: users(Side::Recv),
        }
    }

    /// What has been completed on it.
    pub(crate) fn books(&self) -> Books {
        let Object { sent, received, senders, receivers, .. } = *self;
        let shared = self.writer.is_none();
        Books { sent, received, senders, receivers, holders: self.holders(), shared }
    }

    #[inline]
    pub(crate) fn add_waiter(&mut self, shared: bool) {
        self.touch_writers(shared);
        self.waiters += 1;
        self.waiting_writers += u32::from(!shared);
    }

    #[inline]
    pub(crate) fn remove_waiter(&mut self, shared: bool) {
        self.touch_writers(shared);
        self.waiters -= 1;
        self.waiting_writers -= u32::from(!shared);
    }

    #[inline]
    fn touch_writers(&self, shared: bool) {
        if self.kind == ObjectKind::RwLock && !shared {
            footprint::touch_object(self.id, What::WriterWaits);
        }
    }

    pub(crate) fn writer_waits(&self) -> bool {
        self.waiting_writers > 0
    }

    /// Records that a task holds the lock.
    #[inline]
    pub(crate) fn hold(&mut self, task: TaskId, shared: bool) {
        self.taken += 1;
        if shared {
            self.readers.push(task);
        } else {
            self.writer = Some(task);
        }
        footprint::touch_object(self.id, What::Acquires { shared });
    }

    /// Records that a task no longer holds the lock; says whether somebody waits for it.
    #[inline]
    pub(crate) fn release(&mut self, task: TaskId) -> bool {
        _ = self.release_alone(task) || self.release_shared(task);
        self.waiters > 0
    }

    /// Records that a task no longer holds the lock alone, if it did.
    #[inline(always)]
    pub(crate) fn release_alone(&mut self, task: TaskId) -> bool {
        let held = self.writer == Some(task);
        if held {
            self.writer = None;
        }
        held
    }

    /// Records that a task no longer shares the lock, if it did.
    pub(crate) fn release_shared(&mut self, task: TaskId) -> bool {
        let held = self.readers.iter().position(|reader| *reader == task);
        held.map(|index| self.readers.swap_remove(index)).is_some()
    }

    /// Adds a handle of a channel, last used by that task; says its number.
    #[inline]
    pub(crate) fn add_handle(&mut self, side: Side, task: TaskId) -> u32 {
        let id = self.handles.len();
        self.handles.push(Some((side, task)));
        *self.count(side) += 1;
        footprint::touch_object(self.id, What::Adds(side));
        id as u32
    }

    /// Adds the first handles of a channel, a sender and a receiver.
    #[inline]
    pub(crate) fn add_both_sides(&mut self, task: TaskId) {
        self.handles.extend([Some((Side::Send, task)), Some((Side::Recv, task))]);
        (self.senders, self.receivers) = (1, 1);
        if footprint::is_on() {
            footprint::touch_object(self.id, What::Adds(Side::Send));
            footprint::touch_object(self.id, What::Adds(Side::Recv));
        }
    }

    /// Removes a handle of this side; says whether it was the last.
    #[inline]
    pub(crate) fn remove_handle(&mut self, side: Side, id: u32) -> bool {
        if self.handles.get_mut(id as usize).and_then(Option::take).is_none() {
            return false;
        }
        let count = self.count(side);
        *count -= 1;
        *count == 0
    }

    /// Records who used a handle last.
    #[inline]
    pub(crate) fn use_handle(&mut self, id: u32, task: TaskId) {
        if let Some(Some(handle)) = self.handles.get_mut(id as usize) {
            handle.1 = task;
        }
    }

    /// Records a notification.
    pub(crate) fn notified(&mut self, notification: Notification) {
        self.notified = Some(notification);
    }

    /// Records a message that has passed.
    #[inline]
    pub(crate) fn pass(&mut self, side: Side) {
        footprint::touch_object(self.id, What::Passes(side));
        match side {
            Side::Send => self.sent += 1,
            Side::Recv => self.received += 1,
        }
    }
}
