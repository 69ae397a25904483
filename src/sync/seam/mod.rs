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
use crate::engine::{ObjectId, ObjectKind, Target, TaskId, Wait};

mod handle;
mod object;
mod tag;
mod task;

pub(crate) use handle::Handle;
pub(crate) use object::{Meeting, Object, Side, Timer};
pub(crate) use tag::{Inside, Tag};
pub(crate) use task::{Child, Children, Joining, TaskBody, current, panic_message, sleep, spawn};

/// What an engine offers the primitives of an execution. All of it is called on a task of the execution.
pub(crate) trait Execution: Send + Sync {
    /// Tells this execution from all others of the process.
    fn id(&self) -> u64;

    /// Adds an object.
    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Arc<Object>;

    /// A sync point, before an access to that, if it is to an object, at that place in the code: others may go on first.
    /// Says whether the task is to unwind instead.
    #[must_use]
    fn point(&self, me: TaskId, access: Option<Target>, location: &'static Location<'static>) -> bool;

    /// Goes ahead with one of the operations that can, if any can.
    fn try_select<'a>(&self, me: TaskId, endpoints: &[&'a dyn Endpoint]) -> Attempt<'a>;

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
    fn wake(&self, me: TaskId, object: ObjectId, most: usize) -> usize;

    /// Starts a task.
    fn spawn(&self, name: Option<&str>, body: TaskBody<'static>) -> TaskId;

    /// Makes a channel that time fills, if it is not the system's time; the first after so long, then the others.
    fn add_timer(&self, object: &Arc<Object>, duration: Duration) -> Option<cc::Receiver<Instant>>;

    /// Whether a thread of the caller's can be a task.
    fn adopts(&self) -> bool;

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
    /// The one of this number, which goes ahead when it is tried.
    Modelled(usize),
    /// The one of this number, for nobody is left on the other side.
    Disconnected(usize),
    /// None before the time was up.
    TimedOut,
    /// None ever will: the task is to unwind.
    Aborted,
}

/// What came of a selection that does not wait.
pub(crate) enum Attempt<'a> {
    /// It is to be made natively.
    Native,
    /// This one went ahead, to be completed natively.
    Selected(cc::SelectedOperation<'a>),
    /// The one of this number goes ahead when it is tried.
    Modelled(usize),
    /// The one of this number goes ahead, for nobody is left on the other side.
    Disconnected(usize),
    /// None can.
    Refused,
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
    /// The execution's.
    pub(crate) id: u64,
    pub(crate) task: TaskId,
    /// Whether it unwinds. It is a flag of the task: a thread can be in the middle of several.
    unwinding: Cell<bool>,
    /// Operations refused while the task unwinds; see [`Me::refuse`].
    refused: Cell<u32>,
}

/// How often a destructor may ask again for what an unwinding task cannot get.
const MOST_REFUSALS: u32 = 1000;

impl Me {
    pub(crate) fn new(execution: Arc<dyn Execution>, task: TaskId) -> Rc<Me> {
        Rc::new(Me {
            id: execution.id(),
            execution,
            task,
            unwinding: Cell::new(false),
            refused: Cell::new(0),
        })
    }

    /// A sync point, at which a task that is to unwind does.
    pub(crate) fn point(&self, access: Option<Target>, location: &'static Location<'static>) {
        if self.execution.point(self.task, access, location) && !self.unwinding.get() {
            self.abort();
        }
    }

    /// Unwinds; but a task that is unwinding already is told no.
    pub(crate) fn refuse(&self) {
        if !self.unwinding.get() {
            self.abort();
        }
        self.refused.set(self.refused.get() + 1);
        if self.refused.get() > MOST_REFUSALS {
            self.execution.forget(self.task);
        }
    }

    /// Whether the task unwinds because it was told to, so that nothing it waits for will come.
    fn gives_up(&self) -> bool {
        self.unwinding.get() && self.execution.aborting(self.task)
    }

    fn abort(&self) -> ! {
        self.unwinding.set(true);
        resume_unwind(Box::new(Abort))
    }
}

/// Notes that the current task, if the calling thread is one, begins to unwind; says which one it is.
pub(crate) fn panicking() -> Option<TaskId> {
    me().inspect(|me| me.unwinding.set(true)).map(|me| me.task)
}

/// Whether the current task unwinds.
pub(crate) fn unwinding() -> bool {
    me().is_some_and(|me| me.unwinding.get())
}

/// Runs the closure; when it ends by a panic, the task unwinds no more than it did before.
pub(crate) fn catching<R>(f: impl FnOnce() -> std::thread::Result<R>) -> std::thread::Result<R> {
    let before = me().map(|me| (me.unwinding.get(), me));
    let result = f();
    if let (Err(payload), Some((unwinding, me))) = (&result, before)
        && !payload.is::<Abort>()
    {
        me.unwinding.set(unwinding);
    }
    result
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
    let _restore = Restore(ME.replace(Some(Me::new(execution, task))), INSIDE.replace(true));
    f()
}

/// Makes the calling thread that task, or none, and says what it was.
pub(crate) fn become_task(me: Option<Rc<Me>>) -> Option<Rc<Me>> {
    INSIDE.set(me.is_some());
    ME.replace(me)
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
#[track_caller]
pub(crate) fn point() {
    if let Some(me) = me() {
        me.point(None, Location::caller());
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

/// Goes ahead with one of the operations that can, if any can.
pub(crate) fn try_select<'a>(endpoints: &[&'a dyn Endpoint]) -> Attempt<'a> {
    me().map_or(Attempt::Native, |me| me.execution.try_select(me.task, endpoints))
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
        Selected::Modelled(index) => Some(SelectedOperation::modelled(index)),
        Selected::Disconnected(index) => Some(SelectedOperation::disconnected(index)),
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
