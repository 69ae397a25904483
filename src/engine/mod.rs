//! Engines: running one body once.
//!
//! An engine knows nothing of muxes or scripts: it runs a [`Body`] that uses [`sync`](crate::sync), finds
//! the moments at which nothing can go on, and leaves a [`Run`] to be judged.
//!
//! - [`fibers`] runs them on coroutines, one at a time, every sync point a choice of a
//!   [strategy](strategy::Strategy).
//! - [`exhaustive`] says which schedules are to be run on fibers for all of a body's to be explored, up to the order of what
//!   commutes.
//! - [`threads`] runs the body's tasks freely, on pooled OS threads and native primitives.
//! - [`steered`] leads such threads through the schedule of an execution on fibers.
//! - [`coverage`] counts, for a fuzzer, which orders of synchronization executions on fibers have shown.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "engines are what runs the threads, keeps the clock and catches the panics of everybody else"
)]

use std::borrow::Cow;
use std::sync::Arc;

use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{self, TaskBody, Value};

mod access;
pub mod coverage;
mod divergence;
pub mod exhaustive;
mod extent;
pub mod fibers;
mod following;
mod last_words;
mod name;
mod quiescence;
pub mod run;
pub mod schedule;
mod shared;
mod stack;
pub mod steered;
pub mod strategy;
mod task_set;
pub mod threads;
pub mod trace;
pub(crate) mod words;
mod work;

pub use access::Access;
pub use divergence::Divergence;
pub use extent::Extent;
pub use quiescence::Quiescence;
pub use run::{
    End, Notification, Object, ObjectId, ObjectKind, Run, State, Status, Target, Task, TaskId, Wait,
};
pub use schedule::{Schedule, schedule_of};
pub use shared::Shared;
pub use stack::{Frame, Stack, Stacks};
pub use task_set::TaskSet;
pub use work::{Stopwatch, work};

/// What an engine runs.
pub trait Body: Send + Sync + 'static {
    /// The first task.
    fn first(self: Arc<Self>) -> Job;

    /// Called at each quiescence: nothing can go on unless something is added. The last one may be that every
    /// task has ended.
    ///
    /// It is not called on a task: nothing of [`sync`](crate::sync) that belongs to the execution may be
    /// used.
    fn quiescent(self: Arc<Self>, now: &Quiescence<'_>) -> Next;

    /// Whether there is nothing to add or to note once all tasks have ended, so that
    /// [`quiescent`](Body::quiescent) need not be called then.
    fn ends_with_its_tasks(&self) -> bool {
        false
    }

    /// How far it has come, by a clock of its own that only goes forward; it is written down where an execution is
    /// [recorded](fibers::record). Nothing of [`sync`](crate::sync) may be used.
    fn clock(&self) -> u64 {
        0
    }

    /// Called when the execution is to end only because it is still, with tasks in [`opaque`] code: how many times the
    /// deadline it must have been.
    fn deadlines(&self, state: &State) -> u32 {
        let _ = state;
        1
    }

    /// Called once the execution is over, before what is left is unwound: what its tasks still do is no part
    /// of it. Says whether it is to be.
    fn over(&self) -> After {
        After::Unwind
    }

    /// What is known of the execution, in words, before it is unwound although it should not be, or should the process end
    /// meanwhile. It may be a task that panics that asks. What has been said need not be said again. Nothing of
    /// [`sync`](crate::sync) may be used.
    fn last_words(&self) -> Option<String> {
        None
    }

    /// Called, on a task of its own, once all tasks that were left have been unwound: what the body keeps of
    /// the execution is to be dropped here. That task is to unwind as well.
    fn unwound(self: Arc<Self>) {}
}

/// A task that nobody joins, to be started by the engine.
pub struct Job {
    name: Cow<'static, str>,
    body: TaskBody<'static>,
}

impl Job {
    /// Of that name in schedules and reports; what it does may panic.
    pub fn new(name: impl Into<Cow<'static, str>>, run: impl FnOnce() + Send + 'static) -> Job {
        let body = Box::new(move || -> Value {
            run();
            Box::new(())
        });
        Job { name: name.into(), body }
    }
}

/// Starts a task of the current execution. This is a sync point.
///
/// # Panics
/// If the calling thread is not a task of an execution.
#[track_caller]
pub fn start(job: Job) {
    seam::start(Some(job.name), job.body);
}

/// What to do with the tasks that have not ended when an execution is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// They are unwound.
    Unwind,
    /// On fibers they are forgotten where they are, with all that they hold: to unwind them is to run destructors of code that
    /// has gone wrong, which may end the process, or never return. What is pinned on their stacks is gone without having been
    /// dropped, so nothing that lives longer may count on that (a list of the body's own, of what waits there). Free threads are unwound all the same, for their stacks:
    /// the [last words](Body::last_words) are said on stderr first.
    Forget,
}

/// What to do at quiescence.
pub enum Next {
    /// Start these and go on.
    Start(Vec<Job>),
    /// End the execution; what is blocked is unwound.
    End,
}

/// The calling task.
///
/// # Panics
/// If the calling thread is not a task of an execution.
pub fn current_task() -> TaskId {
    seam::me().expect("only tasks of an execution ask who they are").task
}

/// A sync point of its own: others may go on first. Outside executions it does nothing.
#[track_caller]
pub fn point() {
    seam::point();
}

/// What a task does with something that tasks share outside of [`sync`](crate::sync).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It depends on it.
    Reads,
    /// It changes it.
    Writes,
    /// It begins an operation, and whatever ended before is seen to precede it.
    Calls,
    /// It ends one.
    Returns,
}

/// Notes what the running task does with something that tasks share outside of [`sync`](crate::sync), by a number of the
/// body's own: where [all schedules](exhaustive) are explored, what is not noted counts as no difference.
#[inline]
pub(crate) fn uses(number: u32, how: Use) {
    if !footprint::is_on() {
        return;
    }
    let what = match how {
        Use::Reads => What::Reads,
        Use::Writes => What::Writes,
        Use::Calls => What::Calls,
        Use::Returns => What::Returns,
    };
    footprint::touch(Place::Cell(number), what);
}

/// Runs code that uses nothing of [`sync`](crate::sync), on a task: there it may wait natively, and no engine can see for
/// what. Free threads alone can have such code, and only by the time that passes do they tell whether it will go on.
///
/// # Panics
/// If the calling thread is not a task of an execution.
pub fn opaque<R>(f: impl FnOnce() -> R) -> R {
    // What it uses of `sync` all the same is native.
    seam::opaque(f)
}

/// Keeps the panics of tasks off stderr: they are caught and judged. All others are printed as before.
pub(crate) fn quiet_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match seam::panicking() {
            Some((me, gave_up)) => {
                stack::capture(me.task, true);
                if gave_up {
                    last_words::say(me.execution.get(), info);
                }
            }
            None => before(info),
        }));
    });
}

#[cfg(test)]
mod tests;
