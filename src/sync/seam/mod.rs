//! Where the primitives meet an execution: the current task, the objects' books, and what an engine offers.
//!
//! The books say what was completed, who holds what and who used which handle last. They are written by
//! running tasks only, so at the moment when no task runs they are still, and an engine can ask of each wait
//! whether the books could serve it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{Location, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::channel::SelectedOperation;
use crate::engine::{ObjectId, ObjectKind, TaskId, Wait};

mod handle;
mod object;
mod tag;
mod task;

pub(crate) use handle::Handle;
pub(crate) use object::{Object, Side, Timer};
pub(crate) use tag::{Inside, Tag};
pub(crate) use task::{Child, Children, Joining, TaskBody, current, panic_message, sleep, spawn};

/// What an engine offers the primitives of an execution. All of it is called on a task of the execution.
pub(crate) trait Execution: Send + Sync {
    /// Tells this execution from all others of the process.
    fn id(&self) -> u64;

    /// Adds an object.
    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Arc<Object>;

    /// A sync point: others may go on first.
    fn point(&self, me: TaskId);

    /// Waits until one of the operations is selected.
    fn select<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Selected<'a>;

    /// Waits until woken for the target. `ready` is asked once the wait can be seen by those who wake.
    fn park(&self, me: TaskId, wait: Wait, until: Option<Instant>, ready: &mut dyn FnMut() -> bool) -> Wake;

    /// Wakes up to `most` tasks that wait for the object; says how many.
    fn wake(&self, object: ObjectId, most: usize) -> usize;

    /// Starts a task.
    fn spawn(&self, name: Option<&str>, body: TaskBody<'static>) -> TaskId;

    /// Adds a task that will be [`run`](Execution::run) on a thread of the caller's.
    fn adopt(&self) -> TaskId;

    /// Runs an adopted task on the calling thread.
    fn run(self: Arc<Self>, task: TaskId, body: TaskBody<'_>);

    /// Whether the task has ended.
    fn ended(&self, task: TaskId) -> bool;

    /// The name of a task.
    fn name(&self, task: TaskId) -> String;

    /// Lets time pass.
    fn sleep(&self, me: TaskId, duration: Duration);

    /// The time.
    fn now(&self) -> Instant;

    /// Whether the task is to unwind, and anything it starts to wait for will not come.
    fn aborting(&self, me: TaskId) -> bool;

    /// Leaves the calling task behind: it keeps waiting while it unwinds.
    fn forget(&self, me: TaskId) -> !;
}

/// Which operation of a selection went ahead.
pub(crate) enum Selected<'a> {
    /// This one, to be completed natively.
    Native(cc::SelectedOperation<'a>),
    /// None before the time was up.
    TimedOut,
    /// None ever will: the task is to unwind.
    Aborted,
}

/// Why a parked task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It was woken.
    Woken,
    /// It was ready before it slept.
    Ready,
    /// The time was up.
    TimedOut,
    /// It is to unwind.
    Aborted,
}

/// One side of a channel in a selection.
pub(crate) trait Endpoint {
    /// Adds the operation to a native selection.
    fn register<'a>(&'a self, select: &mut cc::Select<'a>) -> usize;

    /// The handle that is used.
    fn handle(&self) -> &Handle;
}

/// The payload with which a hung task is unwound.
pub(crate) struct Abort;

/// The current task.
pub(crate) struct Me {
    pub(crate) execution: Arc<dyn Execution>,
    pub(crate) task: TaskId,
    /// Operations refused while the task unwinds; see [`Me::refuse`].
    refused: Cell<u32>,
}

/// How often a destructor may ask again for what an unwinding task cannot get.
const MOST_REFUSALS: u32 = 1000;

impl Me {
    /// A sync point, at which a task that is to unwind does.
    pub(crate) fn point(&self) {
        self.execution.point(self.task);
        if self.execution.aborting(self.task) && !std::thread::panicking() {
            abort();
        }
    }

    /// Unwinds; but a task that is unwinding already is told no.
    pub(crate) fn refuse(&self) {
        if !std::thread::panicking() {
            abort();
        }
        self.refused.set(self.refused.get() + 1);
        if self.refused.get() > MOST_REFUSALS {
            self.execution.forget(self.task);
        }
    }

    /// Whether the task unwinds because it was told to, so that nothing it waits for will come.
    fn gives_up(&self) -> bool {
        std::thread::panicking() && self.execution.aborting(self.task)
    }
}

fn abort() -> ! {
    resume_unwind(Box::new(Abort))
}

/// Goes on unwinding if this is how a hung task is unwound.
pub(crate) fn pass_abort(payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    if payload.is::<Abort>() {
        resume_unwind(payload)
    }
    payload
}

thread_local! {
    // Apart from ME, for it has no destructor: outside executions it is all that a call looks at.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static ME: RefCell<Option<Rc<Me>>> = const { RefCell::new(None) };
}

/// Makes the calling thread that task while the closure runs.
pub(crate) fn as_task<R>(execution: Arc<dyn Execution>, task: TaskId, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Rc<Me>>, bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ME.set(self.0.take());
            INSIDE.set(self.1);
        }
    }
    let me = Rc::new(Me { execution, task, refused: Cell::new(0) });
    let _restore = Restore(ME.replace(Some(me)), INSIDE.replace(true));
    f()
}

/// The current task, if the calling thread is one.
pub(crate) fn me() -> Option<Rc<Me>> {
    if !INSIDE.get() {
        return None;
    }
    ME.with_borrow(Clone::clone)
}

/// Whether the calling thread is a task.
pub(crate) fn is_inside() -> bool {
    INSIDE.get()
}

/// A sync point for what is no object: atomics, yields.
pub(crate) fn point() {
    if let Some(me) = me() {
        me.point();
    }
}

/// Whether the current task unwinds, and every channel must look disconnected to it.
pub(crate) fn gives_up() -> bool {
    me().is_some_and(|me| {
        let gives_up = me.gives_up();
        if gives_up {
            me.refuse();
        }
        gives_up
    })
}

/// Checks that all belong to the current execution.
#[track_caller]
pub(crate) fn check(endpoints: &[&dyn Endpoint]) {
    assert!(!endpoints.is_empty(), "no operations have been added to `Select`");
    for endpoint in endpoints {
        endpoint.handle().inside();
    }
}

/// Waits until one of the operations is selected; `None` if the time is up, or the task unwinds.
pub(crate) fn select<'a>(
    endpoints: &[&'a dyn Endpoint],
    until: Option<Instant>,
    location: &'static Location<'static>,
) -> Option<SelectedOperation<'a>> {
    let me = me()?;
    match me.execution.select(me.task, endpoints, until, location) {
        Selected::Native(selected) => Some(SelectedOperation::native(selected)),
        Selected::TimedOut => None,
        Selected::Aborted => {
            me.refuse();
            None
        }
    }
}

/// The time.
pub(crate) fn now() -> Instant {
    me().map_or_else(Instant::now, |me| me.execution.now())
}
