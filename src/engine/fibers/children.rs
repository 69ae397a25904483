//! Starting tasks, and joining them: what the seam calls.

use std::borrow::Cow;
use std::iter;
use std::num::NonZeroU64;
use std::panic::Location;
use std::thread::Result;

use super::super::{Access, Target, TaskId, Wait};
use super::choices::Turn;
use super::execution::{table, table_of, take};
use super::fiber::{Way, give_way};
use super::operations::Odd;
use super::table::Table;
use super::task::{Doing, Entry, Unwinding};
use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{self, Me, TaskBody, Value};

/// A task that is about to be started.
pub(super) struct New {
    /// The name it was given, if it was given one.
    pub(super) given: Option<Cow<'static, str>>,
    pub(super) body: TaskBody<'static>,
}

/// A sync point of a task, which then starts another.
#[inline(always)]
pub(crate) fn spawn(
    me: TaskId,
    given: Option<Cow<'static, str>>,
    body: TaskBody<'static>,
    location: &'static Location<'static>,
) -> TaskId {
    let mut new = Some(New { given, body });
    match come_to_spawn(me, &mut new, location) {
        Ok(task) => task,
        Err(turn) => {
            if take(turn) {
                seam::begin_unwinding();
            }
            add(&mut new)
        }
    }
}

// What is called by `spawn` and `join` is no part of them, for they are in all code that starts tasks or joins them; only the
// switch has to be.

#[inline(never)]
fn come_to_spawn(
    me: TaskId,
    new: &mut Option<New>,
    location: &'static Location<'static>,
) -> std::result::Result<TaskId, Turn> {
    table(|table| match table.point(me, Access::default(), location) {
        Turn::On => Ok(add_to(table, new)),
        turn => Err(turn),
    })
}

#[inline(never)]
fn add(new: &mut Option<New>) -> TaskId {
    table(|table| add_to(table, new))
}

#[inline(always)]
fn add_to(table: &mut Table, new: &mut Option<New>) -> TaskId {
    table.add(new.take().expect("it is added once"))
}

/// How far a task has come that joins another.
enum Joining {
    /// To the end of that, and has what it left, if it claims it; otherwise an error tells that it panicked.
    Joined(Result<Value>),
    GiveWay(Way),
    Odd(Odd),
}

/// A sync point of a task, which then waits for the end of another. It takes what that has left, if it claims it.
#[inline(always)]
pub(crate) fn join(
    me: Me,
    child: TaskId,
    claims: bool,
    location: &'static Location<'static>,
) -> Result<Value> {
    let mut joining = come_to_join(me.task, child, claims, location);
    loop {
        joining = match joining {
            Joining::Joined(left) => return left,
            Joining::GiveWay(way) => {
                let over = give_way(way);
                go_on_to_join(me.task, child, claims, location, over)
            }
            Joining::Odd(odd) => {
                unwind(me, odd);
                go_on_to_join(me.task, child, claims, location, false)
            }
        };
    }
}

/// Unwinds, unless the task does already.
#[cold]
fn unwind(me: Me, odd: Odd) {
    match odd {
        Odd::Unwind | Odd::Unwinding => seam::begin_unwinding(),
        Odd::Aborted => me.refuse(),
    }
}

#[inline(never)]
fn come_to_join(me: TaskId, child: TaskId, claims: bool, location: &'static Location<'static>) -> Joining {
    footprint::intend(iter::once(Target::Join(child)));
    table(|table| match table.point(me, Access::default(), location) {
        Turn::On => table.join(me, child, claims, location),
        Turn::Of(way) => Joining::GiveWay(way),
        Turn::Over => Joining::Odd(Odd::Unwind),
    })
}

#[inline(never)]
fn go_on_to_join(
    me: TaskId,
    child: TaskId,
    claims: bool,
    location: &'static Location<'static>,
    over: bool,
) -> Joining {
    table(|table| {
        if table.is_waiting(me) {
            match table.wake_to_join(me, child) {
                true => table.joined(child, claims),
                false => Joining::Odd(Odd::Aborted),
            }
        } else if over {
            Joining::Odd(Odd::Unwind)
        } else {
            table.join(me, child, claims, location)
        }
    })
}

impl Table {
    /// Has a task wait for the end of another, unless that has ended.
    #[inline(always)]
    fn join(
        &mut self,
        me: TaskId,
        child: TaskId,
        claims: bool,
        location: &'static Location<'static>,
    ) -> Joining {
        if self.has_ended(child) {
            return self.joined(child, claims);
        }
        let way = self.begin_to_wait(me, iter::once(Wait { target: Target::Join(child), location }), None);
        way.map_or(Joining::Odd(Odd::Aborted), Joining::GiveWay)
    }

    /// Notes that a task goes on that has waited for the end of another; says whether it is not to unwind.
    #[inline(always)]
    fn wake_to_join(&mut self, me: TaskId, child: TaskId) -> bool {
        self.tasks[child.0].joiners.remove(me);
        self.ready.insert(me);
        let Entry { doing, unwinding, .. } = &mut self.tasks[me.0];
        *doing = Doing::Ready;
        if *unwinding == Unwinding::Due {
            *unwinding = Unwinding::Told;
            return false;
        }
        true
    }

    #[inline]
    fn joined(&mut self, child: TaskId, claims: bool) -> Joining {
        debug_assert!(self.has_ended(child));
        footprint::touch(Place::Task(child), What::SeesEnd(true));
        Joining::Joined(match claims {
            true => self.tasks[child.0].outcome.claim().unwrap_or_else(seam::nothing),
            false if self.tasks[child.0].doing == Doing::Panicked => seam::nothing(),
            false => Ok(Box::new(())),
        })
    }
}

/// Whether a task has ended, or its execution is over.
pub(crate) fn has_ended(execution: NonZeroU64, task: TaskId) -> bool {
    table_of(execution, |table| table.has_ended(task)).unwrap_or(true)
}

/// Takes what a task has left, if its execution is not over; what it leaves later nobody wants.
pub(crate) fn claim(execution: NonZeroU64, task: TaskId) -> Option<Result<Value>> {
    table_of(execution, |table| table.tasks[task.0].outcome.claim())?
}
