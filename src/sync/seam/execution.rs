//! What engines offer the primitives, and what comes of asking them.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::Arc;
use std::thread::Result;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::channel::Line;
use super::{Common, Endpoint, Tag, TaskBody, Timer, Value};
use crate::engine::{ObjectId, ObjectKind, Target, TaskId, Wait};

/// What an engine offers the primitives of an execution. All of it is called on a task of the execution.
pub(crate) trait Execution {
    /// Tells this execution from all others of the process.
    fn id(&self) -> NonZeroU64;

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

    /// Wakes up to `most` tasks that wait for a notification of the object; says how many.
    fn notify(&self, me: TaskId, object: ObjectId, most: usize) -> usize;

    /// Makes a channel that time fills, if it is not the system's time; the first after so long, then the others.
    fn add_timer(&self, object: &Tag, duration: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>>;

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

    /// The task enters code that the engine cannot see into, or leaves it. Only free threads take notice.
    fn opaque(&self, _me: TaskId, _entered: bool) {}
}

/// What an engine of threads offers besides.
pub(crate) trait OnThreads: Execution + Send + Sync {
    /// Adds an object.
    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Arc<Common>;

    /// Starts a task.
    fn spawn(&self, name: Option<Cow<'static, str>>, body: TaskBody<'static>) -> TaskId;

    /// Whether the task has ended.
    fn has_ended(&self, task: TaskId) -> bool;

    /// Takes what the task has left; what it leaves later nobody wants.
    fn claim(&self, task: TaskId) -> Option<Result<Value>>;

    /// Adds a task that will be [run](OnThreads::run) on a thread of the caller's.
    fn adopt(&self) -> TaskId;

    /// Runs an adopted task on the calling thread.
    fn run(self: Arc<Self>, task: TaskId, body: TaskBody<'_>);

    /// Wakes all tasks that wait for the lock, to see whether it is free.
    fn wake(&self, lock: ObjectId);
}

/// Which operation of a selection went ahead.
pub(crate) enum Selected<'a> {
    /// This one, to be completed natively.
    Native(cc::SelectedOperation<'a>),
    /// The one of this number, to be completed by the books.
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
    /// The one of this number goes ahead, to be completed by the books.
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
