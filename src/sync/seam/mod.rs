//! Where the primitives meet an execution: the current task, the objects' books, and what an engine offers.
//!
//! The books say what was completed, who holds what and who used which handle last. They are written by
//! running tasks only, so at the moment when no task runs they are still, and an engine can ask of each wait
//! whether the books could serve it.
//!
//! On fibers they are in the table of the execution that the calling thread is in the middle of, and the primitives
//! keep numbers; on threads they are shared.

use std::panic::Location;
use std::time::Instant;

use crossbeam_channel as cc;

use super::channel::SelectedOperation;

mod execution;
pub(crate) mod footprint;
mod handle;
mod here;
mod object;
mod outcome;
mod queue;
mod tag;
mod task;
mod turn;

pub(crate) use crate::engine::fibers::{Limit, Passage};
pub(crate) use execution::{Attempt, Execution, OnThreads, Selected, Wake};
pub(crate) use handle::Handle;
pub(crate) use here::HERE;
pub(crate) use object::{Meeting, Object, Side, Timer};
pub(crate) use outcome::{Outcome, TaskBody, Value, leave, nothing, panic_message, run};
pub(crate) use queue::{Owner, Queue};
pub(crate) use tag::{Common, Inside, Tag};
pub(crate) use task::{Child, Children, Joining, ScopedJoining, current, sleep, spawn, start};
pub(crate) use turn::{
    Abort, Me, Turn, Unwound, as_task, begin_unwinding, catching, is_inside, me, note_unwinding, opaque,
    panicking, pass_abort, unwinding,
};

/// One side of a channel in a selection.
pub(crate) trait Endpoint {
    /// Adds the operation to a native selection.
    fn register<'a>(&'a self, select: &mut cc::Select<'a>) -> usize;

    /// The handle that is used.
    fn handle(&self) -> &Handle;

    /// Gives up the operation, which was selected and is modelled.
    fn abandon(&self);
}

/// A sync point for what is no object: atomics, yields.
#[track_caller]
#[inline(always)]
pub(crate) fn point() {
    if let Some(me) = me() {
        me.point(None, Location::caller());
    }
}

/// A sync point, before an access to the atomic at that address; says whether the calling thread is a task.
#[track_caller]
#[inline(always)]
pub(crate) fn access(address: usize, writes: bool) -> bool {
    let is_inside = is_inside();
    if is_inside {
        access_inside(address, writes);
    }
    is_inside
}

#[track_caller]
#[inline(never)]
fn access_inside(address: usize, writes: bool) {
    point();
    let what = if writes { footprint::What::Writes } else { footprint::What::Reads };
    footprint::touch(footprint::Place::Atomic(address), what);
}

/// Notes what the running task waits for at the next sync point, unless it can be seen to wait.
pub(crate) fn intend(endpoints: &[&dyn Endpoint]) {
    if footprint::is_on() && endpoints.iter().all(|endpoint| !endpoint.handle().is_rendezvous()) {
        footprint::intend(endpoints.iter().filter_map(|endpoint| endpoint.handle().target()));
    }
}

/// Notes that none of the operations could go ahead, and that somebody has seen it: all see who waits at a rendezvous.
pub(crate) fn refused(endpoints: &[&dyn Endpoint], waits: bool) {
    if footprint::is_on() && (!waits || endpoints.iter().any(|endpoint| endpoint.handle().is_rendezvous())) {
        endpoints.iter().for_each(|endpoint| endpoint.handle().saw(false));
    }
}

/// Whether the current task unwinds, and every channel must look disconnected to it.
pub(crate) fn gives_up() -> bool {
    me().is_some_and(is_refused)
}

/// As [`gives_up`], of the current task.
#[inline]
fn is_refused(me: Me) -> bool {
    let gives_up = me.gives_up();
    if gives_up {
        me.refuse();
    }
    gives_up
}

/// Checks that all belong to the current execution, and notes who uses them.
#[track_caller]
pub(crate) fn check(endpoints: &[&dyn Endpoint]) {
    for endpoint in endpoints {
        if let Some(inside) = endpoint.handle().inside() {
            endpoint.handle().used(inside);
        }
    }
}

/// Goes ahead with one of the operations that can, if any can.
pub(crate) fn try_select<'a>(endpoints: &[&'a dyn Endpoint]) -> Attempt<'a> {
    me().map_or(Attempt::Native, |me| me.engine(|engine| engine.try_select(me.task, endpoints)))
}

/// Waits until one of the operations is selected; `None` if the time is up, or the task unwinds.
pub(crate) fn select<'a>(
    endpoints: &[&'a dyn Endpoint],
    until: Option<Instant>,
    location: &'static Location<'static>,
) -> Option<SelectedOperation<'a>> {
    let me = me()?;
    match me.engine(|engine| engine.select(me.task, endpoints, until, location)) {
        Selected::Native(selected) => Some(SelectedOperation::native_of(endpoints, selected)),
        Selected::Modelled(index) => Some(SelectedOperation::modelled(endpoints[index], index)),
        Selected::Disconnected(index) => Some(SelectedOperation::disconnected(endpoints[index], index)),
        Selected::TimedOut => None,
        Selected::Aborted => {
            me.refuse();
            None
        }
    }
}

/// The time.
pub(crate) fn now() -> Instant {
    me().map_or_else(Instant::now, |me| me.engine(|engine| engine.now()))
}
