//! One execution on fibers: what the seam calls.

use std::borrow::Cow;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;
use std::panic::Location;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::{ObjectId, ObjectKind, Target, TaskId, Wait};
use super::fiber::give_way;
use super::table::{Passage, Table, Turn};
use super::task::Woken;
use crate::sync::channel::Line;
use crate::sync::seam::{self, Attempt, Endpoint, Object, Queue, Selected, Side, Tag, TaskBody, Timer, Wake};

thread_local! {
    /// The table of the execution that this thread is in the middle of. Without a destructor, which each access would
    /// have to ask for: the engine takes it away again.
    static TABLE: RefCell<ManuallyDrop<Option<Box<Table>>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Uses the table of the execution that the calling thread is in the middle of. No task goes on meanwhile.
#[inline]
pub(super) fn table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    TABLE.with_borrow_mut(|table| f(table.as_mut().expect("the thread is in the middle of an execution")))
}

/// Puts the calling thread in the middle of that execution, or of none, and gives back the table of the one before.
pub(super) fn put(table: Option<Box<Table>>) -> Option<Box<Table>> {
    ManuallyDrop::into_inner(TABLE.replace(ManuallyDrop::new(table)))
}

/// Uses the table if it is that of this execution, which may be over.
#[inline]
fn table_of<R>(execution: NonZeroU64, f: impl FnOnce(&mut Table) -> R) -> Option<R> {
    TABLE.with_borrow_mut(|table| match table.as_mut() {
        Some(table) if table.id == Some(execution) => Some(f(table)),
        _ => None,
    })
}

/// Looks at an object, if its execution is not over.
pub(crate) fn look<R>(execution: NonZeroU64, object: ObjectId, f: impl FnOnce(&Object) -> R) -> Option<R> {
    table_of(execution, |table| f(table.object(object)))
}

/// Changes an object, if its execution is not over.
pub(crate) fn change<R>(
    execution: NonZeroU64,
    object: ObjectId,
    f: impl FnOnce(&mut Object) -> R,
) -> Option<R> {
    table_of(execution, |table| table.change(object, f))
}

/// A sync point of a task, before it uses the handle of this number for that; says whether it is to unwind instead.
#[inline(always)]
pub(crate) fn point_by(
    me: TaskId,
    handle: u32,
    target: Target,
    location: &'static Location<'static>,
) -> bool {
    let turn = table(|table| {
        if let Some(object) = target.object() {
            table.use_handle(object, handle, me);
        }
        table.point(me, Some(target), location)
    });
    take(turn)
}

/// Takes the turn that it is; says whether the task is to unwind.
#[inline(always)]
fn take(turn: Turn) -> bool {
    match turn {
        Turn::On => false,
        Turn::Of(next) => give_way(next),
        Turn::Over => true,
    }
}

/// Goes ahead with an operation on a channel, if it can, and records it.
pub(crate) fn try_pass(me: TaskId, target: Target, side: Side) -> Passage {
    let object = target.object().expect("it is a channel");
    let met = table(|table| {
        if table.object(object).is_modelled() {
            match table.meet(me, target) {
                Some(partner) if side == Side::Recv => return Ok(partner),
                Some(_) => {}
                // Without a partner there is nothing to take: what is there is for those who have met theirs.
                None if table.object(object).is_disconnected(target) => return Err(Passage::Disconnected),
                None => return Err(Passage::Refused),
            }
        }
        Err(table.try_pass(object, target, side))
    });
    match met {
        Err(passage) => passage,
        Ok(partner) => {
            take_over(me, partner, target);
            table(|table| table.try_pass(object, target, side))
        }
    }
}

/// Waits until the partner of a rendezvous has handed the message over, if it is for the partner to do so.
#[inline(always)]
fn take_over(me: TaskId, partner: TaskId, target: Target) {
    if let Target::Recv(rendezvous) = target {
        let next = table(|table| {
            table.wait_for_handover(me, partner, rendezvous);
            table.go_on()
        });
        let _ = go_on_after(me, next);
    }
}

/// Waits, and says why it is over.
#[inline(always)]
fn wait(me: TaskId, waits: impl Iterator<Item = Wait>, until: Option<Instant>) -> Woken {
    let next = table(|table| {
        if table.ending && !seam::unwinding() {
            return Err(Woken::Aborted);
        }
        let until = until.map(|until| until.saturating_duration_since(table.began()));
        table.wait(me, waits, until);
        Ok(table.go_on())
    });
    match next {
        Err(woken) => woken,
        Ok(next) => go_on_after(me, next),
    }
}

/// Gives way until the task's wait is over, and says why it is.
#[inline(always)]
fn go_on_after(me: TaskId, next: Option<TaskId>) -> Woken {
    if next != Some(me) {
        give_way(next);
    }
    table(|table| table.wake_up(me))
}

/// What the seam asks of this engine. It is about the execution that the calling thread is in the middle of.
pub(crate) struct Fibers;

impl seam::Execution for Fibers {
    fn id(&self) -> NonZeroU64 {
        table(|table| table.id).expect("the table is that of an execution")
    }

    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Tag {
        table(|table| Tag::OnFibers {
            execution: table.id.expect("the table is that of an execution"),
            id: table.add_object(kind, timer, made),
            made,
        })
    }

    fn add_timer(&self, object: &Tag, duration: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>> {
        let queue = Queue::new(Some(1));
        let object = object.id().expect("it belongs to the current execution");
        table(|table| table.add_timer(object, duration, queue.clone()));
        Some(Line::Modelled(queue))
    }

    #[inline(always)]
    fn point(&self, me: TaskId, access: Option<Target>, location: &'static Location<'static>) -> bool {
        take(table(|table| table.point(me, access, location)))
    }

    fn try_select<'a>(&self, me: TaskId, endpoints: &[&'a dyn Endpoint]) -> Attempt<'a> {
        let Some(index) = table(|table| table.branch(me, endpoints)) else { return Attempt::Refused };
        let target = endpoints[index].handle().target().expect("the seam has checked the objects");
        if !endpoints[index].handle().channel(Object::is_modelled) {
            return Attempt::Modelled(index);
        }
        let Some(partner) = table(|table| table.meet(me, target)) else {
            return Attempt::Disconnected(index);
        };
        take_over(me, partner, target);
        Attempt::Modelled(index)
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
                Woken::Met(index) => return Selected::Modelled(index),
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

    fn spawn(&self, name: Option<Cow<'static, str>>, body: TaskBody<'static>) -> TaskId {
        table(|table| table.add(name, body))
    }

    fn ended(&self, task: TaskId) -> bool {
        table(|table| table.has_ended(task))
    }

    fn name(&self, task: TaskId) -> String {
        table(|table| table.name(task).to_owned())
    }

    fn sleep(&self, me: TaskId, duration: Duration) {
        let until = self.now() + duration;
        wait(me, std::iter::empty(), Some(until));
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
            give_way(None);
        }
    }
}
