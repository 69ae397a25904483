//! Sending, receiving and locking: what the seam calls.
//!
//! Each begins with a sync point, then goes ahead if it can, and waits if it must. What it does to the table is one function
//! until it first gives way, and one for each time that it goes on.

use std::panic::Location;
use std::time::Instant;

use super::super::{ObjectId, Target, TaskId, Wait};
use super::choices::Turn;
use super::execution::table;
use super::fiber::{Way, give_way};
use super::passing::Passage;
use super::table::Table;
use super::task::Woken;
use crate::sync::seam::{self, Handle, footprint};

/// For how long an operation waits until it can go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Not at all.
    Try,
    /// For ever.
    Wait,
    /// Until then.
    Until(Instant),
}

/// How far an operation has come. All of it in one, for it is told in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Onward {
    Passed,
    Refused,
    Disconnected,
    /// Its task gives way to that one, or to nobody.
    GiveWay(Way),
    Unwind,
    Unwinding,
    Aborted,
}

/// What keeps a task from an operation besides others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    /// It has come to a sync point, and is to unwind.
    Unwind,
    /// It has come to a sync point, and unwinds already, for whatever reason.
    Unwinding,
    /// What it waits for will not come, for it is to unwind.
    Aborted,
}

impl From<Passage> for Onward {
    #[inline(always)]
    fn from(passage: Passage) -> Onward {
        match passage {
            Passage::Passed => Onward::Passed,
            Passage::Refused => Onward::Refused,
            Passage::Disconnected => Onward::Disconnected,
        }
    }
}

/// A sync point of a task, before it uses that handle of a channel; then it goes ahead, if it can within the limit. Otherwise
/// says whether it is to unwind. Nothing of [`sync`](crate::sync) may be used meanwhile.
#[inline(always)]
pub(crate) fn pass(
    me: TaskId,
    handle: &Handle,
    limit: Limit,
    location: &'static Location<'static>,
) -> Result<Passage, Odd> {
    let go_on = |over| go_on_to_pass(me, handle, limit, location, over);
    go_through(come_to_pass(me, handle, limit, location), go_on)
}

/// [`pass`] without the sync point.
pub(crate) fn pass_after_point(
    me: TaskId,
    handle: &Handle,
    limit: Limit,
    location: &'static Location<'static>,
) -> Result<Passage, Odd> {
    let onward = table(|table| table.pass_within(me, handle.operation(), limit, location));
    go_through(onward, |over| go_on_to_pass(me, handle, limit, location, over))
}

/// A sync point of a task, before it takes a mutex; then it holds it by the books, which is to say natively as well, if it can
/// within the limit. Otherwise says whether it is to unwind. Nothing of [`sync`](crate::sync) may be used meanwhile.
#[inline(always)]
pub(crate) fn lock(
    me: TaskId,
    mutex: ObjectId,
    limit: Limit,
    location: &'static Location<'static>,
) -> Result<bool, Odd> {
    let go_on = |over| go_on_to_lock(me, mutex, limit, location, over);
    let passage = go_through(come_to_lock(me, mutex, limit, location), go_on)?;
    Ok(passage == Passage::Passed)
}

/// Gives way as often as it takes.
#[inline(always)]
fn go_through(mut onward: Onward, go_on: impl Fn(bool) -> Onward) -> Result<Passage, Odd> {
    loop {
        match onward {
            Onward::Passed => return Ok(Passage::Passed),
            Onward::GiveWay(way) => onward = go_on(give_way(way)),
            onward => return what_came_of(onward),
        }
    }
}

// Apart from what passes, as nearly all does.
#[inline(never)]
fn what_came_of(onward: Onward) -> Result<Passage, Odd> {
    match onward {
        Onward::Passed => Ok(Passage::Passed),
        Onward::Refused => Ok(Passage::Refused),
        Onward::Disconnected => Ok(Passage::Disconnected),
        Onward::Unwind => Err(Odd::Unwind),
        Onward::Unwinding => Err(Odd::Unwinding),
        Onward::Aborted => Err(Odd::Aborted),
        Onward::GiveWay(_) => unreachable!("it goes on after that"),
    }
}

// What `pass` and `lock` call is no part of them, for they are in all code that uses channels and locks; only the switch has to
// be.

#[inline(never)]
fn come_to_pass(me: TaskId, handle: &Handle, limit: Limit, location: &'static Location<'static>) -> Onward {
    table(|table| {
        let operation = handle.operation();
        table.note(operation.channel, |object| object.use_handle(handle.number(), me));
        // Everybody sees who waits at a rendezvous.
        if footprint::is_on() && limit != Limit::Try && !table.object(operation.channel).is_rendezvous() {
            footprint::intend(std::iter::once(operation.target()));
        }
        table
            .come(me, operation.target(), location)
            .unwrap_or_else(|| table.pass_within(me, operation, limit, location))
    })
}

#[inline(never)]
fn go_on_to_pass(
    me: TaskId,
    handle: &Handle,
    limit: Limit,
    location: &'static Location<'static>,
    over: bool,
) -> Onward {
    table(|table| {
        let operation = handle.operation();
        let kept = match table.is_waiting(me) {
            true => table.wake_to_pass(me, operation, limit, location),
            false => odd(over),
        };
        kept.unwrap_or_else(|| table.pass_within(me, operation, limit, location))
    })
}

#[inline(never)]
fn come_to_lock(me: TaskId, mutex: ObjectId, limit: Limit, location: &'static Location<'static>) -> Onward {
    // Nobody sees who waits for a mutex.
    footprint::intend(std::iter::once(Target::Lock(mutex)));
    table(|table| {
        table
            .come(me, Target::Lock(mutex), location)
            .unwrap_or_else(|| table.lock_within(me, mutex, limit, location))
    })
}

#[inline(never)]
fn go_on_to_lock(
    me: TaskId,
    mutex: ObjectId,
    limit: Limit,
    location: &'static Location<'static>,
    over: bool,
) -> Onward {
    table(|table| {
        let kept = if table.is_waiting(me) { table.wake_to_lock(me) } else { odd(over) };
        kept.unwrap_or_else(|| table.lock_within(me, mutex, limit, location))
    })
}

/// What keeps a task from going ahead after its sync point, if something does; it is told whether the execution is over.
#[inline(always)]
fn odd(over: bool) -> Option<Onward> {
    match over {
        true => Some(Onward::Unwind),
        false if seam::unwinding() => Some(Onward::Unwinding),
        false => None,
    }
}

impl Table {
    /// A sync point of a task, before it goes ahead with that; says what keeps it from that, if something does.
    #[inline(always)]
    fn come(&mut self, me: TaskId, target: Target, location: &'static Location<'static>) -> Option<Onward> {
        match self.point(me, target.into(), location) {
            Turn::On if !seam::unwinding() => None,
            Turn::On => Some(Onward::Unwinding),
            Turn::Of(way) => Some(Onward::GiveWay(way)),
            Turn::Over => Some(Onward::Unwind),
        }
    }

    /// Takes a mutex, if it is free within the limit.
    #[inline(always)]
    fn lock_within(
        &mut self,
        me: TaskId,
        mutex: ObjectId,
        limit: Limit,
        location: &'static Location<'static>,
    ) -> Onward {
        let target = Target::Lock(mutex);
        if !self.object(mutex).could_serve(target, false) {
            return self.wait_within(me, target, limit, location);
        }
        self.change(mutex, |object| object.hold(me, false));
        Onward::Passed
    }

    /// Goes on after a wait for a mutex; says what keeps the task from it, if something does.
    #[inline(always)]
    fn wake_to_lock(&mut self, me: TaskId) -> Option<Onward> {
        match self.wake_up(me) {
            Woken::Served | Woken::Met(_) => None,
            Woken::TimedOut => Some(Onward::Refused),
            Woken::Aborted => Some(Onward::Aborted),
        }
    }

    /// Begins to wait for that, if the limit allows it.
    pub(super) fn wait_within(
        &mut self,
        me: TaskId,
        target: Target,
        limit: Limit,
        location: &'static Location<'static>,
    ) -> Onward {
        let until = match limit {
            Limit::Try => return Onward::Refused,
            Limit::Wait => None,
            Limit::Until(until) => Some(until),
        };
        let way = self.begin_to_wait(me, std::iter::once(Wait { target, location }), until);
        way.map_or(Onward::Aborted, Onward::GiveWay)
    }
}
