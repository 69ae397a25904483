//! Where the primitives meet an execution: the current task, the objects' books, and what an engine offers.
//!
//! The books say what was completed, who holds what and who used which handle last. They are written by
//! running tasks only, so at the moment when no task runs they are still, and an engine can ask of each wait
//! whether the books could serve it.
//!
//! On fibers they are in the table of the execution that the calling thread is in the middle of, and the primitives
//! keep numbers; on threads they are shared.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::channel::{Line, SelectedOperation};
use crate::engine::fibers::Fibers;
use crate::engine::{ObjectId, ObjectKind, Target, TaskId, Wait};

pub(crate) mod footprint;
mod handle;
mod object;
mod queue;
mod tag;
mod task;

pub(crate) use crate::engine::fibers::Passage;
pub(crate) use handle::Handle;
pub(crate) use object::{Meeting, Object, Side, Timer};
pub(crate) use queue::Queue;
pub(crate) use tag::{Common, Inside, Tag};
pub(crate) use task::{Child, Children, Joining, TaskBody, current, panic_message, sleep, spawn, start};

/// What an engine offers the primitives of an execution. All of it is called on a task of the execution.
pub(crate) trait Execution {
    /// Tells this execution from all others of the process.
    fn id(&self) -> NonZeroU64;

    /// Adds an object.
    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Tag;

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

    /// Starts a task.
    fn spawn(&self, name: Option<Cow<'static, str>>, body: TaskBody<'static>) -> TaskId;

    /// Makes a channel that time fills, if it is not the system's time; the first after so long, then the others.
    fn add_timer(&self, object: &Tag, duration: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>>;

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

    /// The task enters code that the engine cannot see into, or leaves it. Only free threads take notice.
    fn opaque(&self, _me: TaskId, _entered: bool) {}
}

/// What an engine of threads offers besides.
pub(crate) trait OnThreads: Execution + Send + Sync {
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
#[derive(Clone, Copy)]
pub(crate) struct Me {
    /// The execution's; those on fibers have the first bit.
    pub(crate) execution: NonZeroU64,
    pub(crate) task: TaskId,
}

/// Which executions are on fibers.
const ON_FIBERS: u64 = 1 << 63;

/// What the calling thread is in the middle of: which task, and how far that has been unwound. A thread can be in the
/// middle of several. It is made of whole words, for each switch copies it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    me: Option<Me>,
    /// 0 unless the task unwinds; then 1, and the operations refused meanwhile: see [`Me::refuse`].
    unwinding: u64,
}

/// How often a destructor may ask again for what an unwinding task cannot get.
const MOST_REFUSALS: u64 = 1000;

thread_local! {
    // Without a destructor: outside executions it is all that a call looks at.
    static ME: Cell<Option<Me>> = const { Cell::new(None) };
    static UNWINDING: Cell<u64> = const { Cell::new(0) };
    /// The execution of the current task, if that is on threads.
    static ON_THREADS: RefCell<Option<Arc<dyn OnThreads>>> = const { RefCell::new(None) };
}

impl Me {
    /// Asks the engine.
    #[inline(always)]
    pub(crate) fn engine<R>(self, f: impl FnOnce(&dyn Execution) -> R) -> R {
        match self.on_threads() {
            None => f(&Fibers),
            Some(execution) => f(&*execution),
        }
    }

    /// Its execution, if that is on threads.
    fn on_threads(self) -> Option<Arc<dyn OnThreads>> {
        match self.execution.get() & ON_FIBERS {
            0 => ON_THREADS.with_borrow(Clone::clone),
            _ => None,
        }
    }

    /// A sync point, at which a task that is to unwind does.
    #[inline(always)]
    pub(crate) fn point(self, access: Option<Target>, location: &'static Location<'static>) {
        if self.engine(|engine| engine.point(self.task, access, location)) {
            begin_unwinding();
        }
    }

    /// Unwinds; but a task that is unwinding already is told no.
    pub(crate) fn refuse(self) {
        begin_unwinding();
        UNWINDING.set(UNWINDING.get() + 1);
        if UNWINDING.get() > 1 + MOST_REFUSALS {
            self.engine(|engine| engine.forget(self.task));
        }
    }

    /// Whether the task unwinds because it was told to, so that nothing it waits for will come.
    #[inline]
    fn gives_up(self) -> bool {
        unwinding() && self.engine(|engine| engine.aborting(self.task))
    }
}

/// Unwinds, unless it does already.
#[cold]
fn begin_unwinding() {
    if !unwinding() {
        UNWINDING.set(1);
        resume_unwind(Box::new(Abort));
    }
}

/// Whether the current task unwinds.
#[inline]
pub(crate) fn unwinding() -> bool {
    UNWINDING.get() > 0
}

/// Notes that the current task, if the calling thread is one, begins to unwind; says which one it is, and whether it was
/// told to unwind before, and did.
pub(crate) fn panicking() -> Option<(Me, bool)> {
    me().map(|me| {
        let gave_up = me.gives_up();
        UNWINDING.set(UNWINDING.get().max(1));
        (me, gave_up)
    })
}

/// Runs the closure; when it ends by a panic, the task unwinds no more than it did before.
pub(crate) fn catching<R>(f: impl FnOnce() -> std::thread::Result<R>) -> std::thread::Result<R> {
    let before = UNWINDING.get();
    let result = f();
    if let Err(payload) = &result
        && !payload.is::<Abort>()
    {
        UNWINDING.set(before);
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

impl Turn {
    /// The turn of a task on fibers.
    pub(crate) fn on_fibers(execution: NonZeroU64, task: TaskId) -> Turn {
        Turn { me: Some(Me { execution, task }), unwinding: 0 }
    }

    /// A number for a new execution on fibers, which no other has.
    pub(crate) fn next_execution() -> NonZeroU64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NonZeroU64::MIN | (ON_FIBERS | NEXT.fetch_add(2, Ordering::Relaxed))
    }

    /// Puts the calling thread in the middle of this.
    #[inline(always)]
    pub(crate) fn begin(self) {
        ME.set(self.me);
        UNWINDING.set(self.unwinding);
    }

    /// What the calling thread is in the middle of.
    pub(crate) fn current() -> Turn {
        Turn { me: ME.get(), unwinding: UNWINDING.get() }
    }

    /// The same, as far as it has come.
    #[inline(always)]
    pub(crate) fn end(&mut self) {
        self.unwinding = UNWINDING.get();
    }
}

/// Makes the calling thread that task, which is on threads, while the closure runs.
pub(crate) fn as_task<R>(execution: Arc<dyn OnThreads>, task: TaskId, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<dyn OnThreads>>, Turn);
    impl Drop for Restore {
        fn drop(&mut self) {
            ON_THREADS.set(self.0.take());
            self.1.begin();
        }
    }
    let turn = Turn { me: Some(Me { execution: execution.id(), task }), unwinding: 0 };
    let _restore = Restore(ON_THREADS.replace(Some(execution)), Turn::current());
    turn.begin();
    f()
}

/// Makes the calling thread no task while the closure runs, in which the engine of its own task cannot see.
///
/// # Panics
/// If the calling thread is not a task.
pub(crate) fn opaque<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Turn, Me);
    impl Drop for Restore {
        fn drop(&mut self) {
            let Restore(turn, me) = *self;
            turn.begin();
            me.engine(|engine| engine.opaque(me.task, false));
        }
    }
    let me = me().expect("only tasks of an execution run code in it");
    me.engine(|engine| engine.opaque(me.task, true));
    let _restore = Restore(Turn::current(), me);
    Turn::default().begin();
    f()
}

/// The current task, if the calling thread is one.
#[inline]
pub(crate) fn me() -> Option<Me> {
    ME.get()
}

/// Whether the calling thread is a task.
#[inline(always)]
pub(crate) fn is_inside() -> bool {
    ME.get().is_some()
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
    me().is_some_and(|me| {
        let gives_up = me.gives_up();
        if gives_up {
            me.refuse();
        }
        gives_up
    })
}

/// Checks that all belong to the current execution, and notes who uses them.
#[track_caller]
pub(crate) fn check(endpoints: &[&dyn Endpoint]) {
    assert!(!endpoints.is_empty(), "no operations have been added to `Select`");
    for endpoint in endpoints {
        if let Some(inside) = endpoint.handle().inside() {
            endpoint.handle().used(&inside);
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
    me().map_or_else(Instant::now, |me| me.engine(|engine| engine.now()))
}
