//! One execution on fibers: what the seam calls.

use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::panic::Location;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::{ObjectId, ObjectKind, Target, TaskId, Wait};
use super::choices::Turn;
use super::fiber::{Way, give_way};
use super::passing::Operation;
use super::table::{Table, Tracked};
use super::task::Woken;
use crate::sync::channel::Line;
use crate::sync::seam::HERE;
use crate::sync::seam::footprint::{self, What};
use crate::sync::seam::{self, Attempt, Endpoint, Handle, Object, Owner, Queue, Selected, Tag, Timer, Wake};

/// The table, while it is used; puts it back.
struct Used(Option<ManuallyDrop<Box<Table>>>);

impl Used {
    #[inline(always)]
    fn new() -> Used {
        Used(HERE.with(|here| here.table.take()))
    }
}

impl Drop for Used {
    #[inline(always)]
    fn drop(&mut self) {
        HERE.with(|here| here.table.set(self.0.take()));
    }
}

/// Uses the table of the execution that the calling thread is in the middle of. No task goes on meanwhile.
#[inline(always)]
pub(super) fn table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    f(Used::new().0.as_mut().expect("the thread is in the middle of an execution"))
}

/// Puts the calling thread in the middle of that execution, or of none, and gives back the table of the one before.
#[inline(always)]
pub(super) fn put(table: Option<Box<Table>>) -> Option<Box<Table>> {
    HERE.with(|here| here.table.replace(table.map(ManuallyDrop::new))).map(ManuallyDrop::into_inner)
}

/// Uses the table if it is that of this execution, which may be over.
#[inline(always)]
pub(super) fn table_of<R>(execution: NonZeroU64, f: impl FnOnce(&mut Table) -> R) -> Option<R> {
    match Used::new().0.as_mut() {
        Some(table) if table.id == Some(execution) => Some(f(table)),
        _ => None,
    }
}

/// The messages of a new channel.
#[inline]
pub(crate) fn new_queue<T>(capacity: Option<usize>) -> Queue<T> {
    table(|table| Queue::new(&table.owner, capacity))
}

/// Uses messages of the execution that the calling thread is in the middle of.
#[inline(always)]
pub(crate) fn own<R>(f: impl FnOnce(&mut Owner) -> R) -> R {
    table(|table| f(&mut table.owner))
}

/// Looks at an object, if its execution is not over.
pub(crate) fn look<R>(execution: NonZeroU64, object: ObjectId, f: impl FnOnce(&Object) -> R) -> Option<R> {
    table_of(execution, |table| f(table.object(object)))
}

/// Adds an object to the execution that the calling thread is in the middle of, with what this does to it; says its number.
#[inline]
pub(crate) fn add_object(
    kind: ObjectKind,
    timer: Timer,
    made: &'static Location<'static>,
    f: impl FnOnce(&mut Object),
) -> ObjectId {
    table(|table| {
        let object = table.add_object(kind, timer, made);
        f(object);
        object.id
    })
}

/// Changes an object, if its execution is not over.
#[inline]
pub(crate) fn change<R>(
    execution: NonZeroU64,
    object: ObjectId,
    f: impl FnOnce(&mut Object) -> R,
) -> Option<R> {
    table_of(execution, |table| table.change(object, f))
}

/// Notes something about an object that lets nobody go on, if its execution is not over.
#[inline]
pub(crate) fn note<R>(
    execution: NonZeroU64,
    object: ObjectId,
    f: impl FnOnce(&mut Object) -> R,
) -> Option<R> {
    table_of(execution, |table| table.note(object, f))
}

/// Removes a handle of a channel, if its execution is not over; says whether it was the last of its side, and there are
/// messages.
#[inline]
pub(crate) fn remove_handle(execution: NonZeroU64, handle: &Handle) -> bool {
    let removed = table_of(execution, |table| {
        let Operation { side, channel } = handle.operation();
        let Tracked { object, waiters } = table.objects.entry(channel.0)?;
        let is_last = object.remove_handle(side, handle.number());
        // Others let nobody go on.
        let is_seen = is_last && !waiters.is_empty();
        Some((is_last && object.has_messages(), is_seen || footprint::is_on()))
    });
    match removed {
        Some(Some((are_left, true))) => see_removed(handle, are_left),
        Some(Some((are_left, false))) => are_left,
        Some(None) | None => false,
    }
}

/// Gives up a send that was selected, if its execution is not over.
#[cold]
pub(crate) fn abandon(execution: NonZeroU64, channel: ObjectId) {
    table_of(execution, |table| match table.object(channel).is_rendezvous() {
        true => table.abandon(channel),
        false => table.change(channel, Object::give_place_up),
    });
}

/// Records that a task no longer holds a lock, if its execution is not over.
#[inline]
pub(crate) fn release(execution: NonZeroU64, lock: ObjectId, task: TaskId) {
    let released = table_of(execution, |table| {
        let Tracked { object, waiters } = table.objects.entry(lock.0)?;
        object.release_alone(task).then(|| !waiters.is_empty() || footprint::is_on())
    });
    match released {
        Some(Some(true)) => see_released(lock, false),
        Some(Some(false)) => {}
        Some(None) | None => release_shared(execution, lock, task),
    }
}

#[inline(never)]
fn release_shared(execution: NonZeroU64, lock: ObjectId, task: TaskId) {
    if note(execution, lock, |object| object.release_shared(task)) == Some(true) {
        see_released(lock, true);
    }
}

// Apart from the changes themselves, which then call nothing, and need to keep nothing for afterwards.

#[inline(never)]
fn see_removed(handle: &Handle, are_left: bool) -> bool {
    let Operation { side, channel } = handle.operation();
    footprint::touch_object(channel, What::Drops(side));
    table(|table| table.see_waiters(channel));
    are_left
}

#[inline(never)]
fn see_released(lock: ObjectId, shared: bool) {
    footprint::touch_object(lock, What::Releases { shared });
    table(|table| table.see_waiters(lock));
}

/// Takes the turn that it is; says whether the task is to unwind.
#[inline(always)]
pub(super) fn take(turn: Turn) -> bool {
    match turn {
        Turn::On => false,
        Turn::Of(way) => give_way(way),
        Turn::Over => true,
    }
}

/// Meets a partner at a rendezvous, if one waits, and [takes over](take_over) from it.
#[inline(never)]
fn meet(me: TaskId, target: Target) -> Option<bool> {
    let partner = table(|table| table.meet(me, target))?;
    Some(take_over(me, partner, target))
}

/// Waits until the partner of a rendezvous has handed the message over, if it is for the partner to do so; says whether the
/// partner has not given up instead.
#[inline(always)]
fn take_over(me: TaskId, partner: TaskId, target: Target) -> bool {
    let Target::Recv(rendezvous) = target else { return true };
    let way = table(|table| {
        table.wait_for_handover(me, partner, rendezvous);
        table.go_on()
    });
    if way != Way::to(me) {
        give_way(way);
    }
    has_taken_over(me)
}

#[inline(never)]
fn has_taken_over(me: TaskId) -> bool {
    table(|table| {
        table.wake_up(me);
        !table.tasks[me.0].waiting.notified
    })
}

/// The operation of that number goes ahead, unless nobody is left on the other side.
fn selected<'a>(endpoints: &[&'a dyn Endpoint], index: usize) -> Attempt<'a> {
    match endpoints[index].handle().try_select() {
        true => Attempt::Modelled(index),
        false => Attempt::Disconnected(index),
    }
}

/// Waits, and says why it is over.
#[inline(always)]
fn wait(me: TaskId, waits: impl Iterator<Item = Wait>, until: Option<Instant>) -> Woken {
    match table(|table| table.begin_to_wait(me, waits, until)) {
        None => Woken::Aborted,
        Some(way) => go_on_after(me, way),
    }
}

/// Gives way until the task's wait is over, and says why it is.
#[inline(always)]
fn go_on_after(me: TaskId, way: Way) -> Woken {
    if way != Way::to(me) {
        give_way(way);
    }
    wake_up(me)
}

#[inline(never)]
fn wake_up(me: TaskId) -> Woken {
    table(|table| table.wake_up(me))
}

/// What the seam asks of this engine. It is about the execution that the calling thread is in the middle of.
pub(crate) struct Fibers;

impl seam::Execution for Fibers {
    fn id(&self) -> NonZeroU64 {
        table(|table| table.id).expect("the table is that of an execution")
    }

    fn add_timer(&self, object: &Tag, duration: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>> {
        let queue = new_queue(Some(1));
        let object = object.id().expect("it belongs to the current execution");
        table(|table| table.add_timer(object, duration, queue.clone()));
        Some(Line::Modelled(queue))
    }

    #[inline(always)]
    fn point(&self, me: TaskId, access: Option<Target>, location: &'static Location<'static>) -> bool {
        take(table(|table| table.point(me, access.into(), location)))
    }

    fn try_select<'a>(&self, me: TaskId, endpoints: &[&'a dyn Endpoint]) -> Attempt<'a> {
        loop {
            let Some(index) = table(|table| table.branch(me, endpoints)) else { return Attempt::Refused };
            let target = endpoints[index].handle().target().expect("the seam has checked the objects");
            if !endpoints[index].handle().channel(Object::is_rendezvous) {
                return selected(endpoints, index);
            }
            match meet(me, target) {
                None => return Attempt::Disconnected(index),
                Some(true) => return selected(endpoints, index),
                Some(false) => {}
            }
        }
    }

    fn select<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Selected<'a> {
        loop {
            let targets = endpoints.iter().filter_map(|endpoint| endpoint.handle().target());
            match wait(me, targets.map(|target| Wait { target, location }), until) {
                Woken::Met(index) => match selected(endpoints, index) {
                    Attempt::Modelled(index) => return Selected::Modelled(index),
                    _ => return Selected::Disconnected(index),
                },
                Woken::TimedOut => return Selected::TimedOut,
                Woken::Aborted => return Selected::Aborted,
                Woken::Served => match self.try_select(me, endpoints) {
                    Attempt::Modelled(index) => return Selected::Modelled(index),
                    Attempt::Disconnected(index) => return Selected::Disconnected(index),
                    Attempt::Selected(native) => return Selected::Native(native),
                    Attempt::Native | Attempt::Refused => {}
                },
            }
        }
    }

    fn park(
        &self,
        me: TaskId,
        target: Wait,
        until: Option<Instant>,
        ready: &mut dyn FnMut() -> bool,
    ) -> Wake {
        if ready() {
            return Wake::Ready;
        }
        match wait(me, std::iter::once(target), until) {
            Woken::Served | Woken::Met(_) => Wake::Woken,
            Woken::TimedOut => Wake::TimedOut,
            Woken::Aborted => Wake::Aborted,
        }
    }

    fn notify(&self, me: TaskId, object: ObjectId, most: usize) -> usize {
        table(|table| table.notify(me, object, most))
    }

    fn name(&self, task: TaskId) -> String {
        table(|table| table.name(task).to_owned())
    }

    fn sleep(&self, me: TaskId, duration: Duration) {
        let until = self.now().checked_add(duration);
        wait(me, std::iter::empty(), until);
    }

    fn now(&self) -> Instant {
        table(|table| table.began() + table.clock)
    }

    fn aborting(&self, _: TaskId) -> bool {
        table(|table| table.ending)
    }

    fn forget(&self, me: TaskId) -> ! {
        table(|table| table.forget(me));
        loop {
            give_way(Way::TO_NOBODY);
        }
    }
}
