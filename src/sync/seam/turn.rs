//! What the calling thread is in the middle of: the current task, and how far it has been unwound.

use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroU64;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::here::HERE;
use super::{Execution, OnThreads};
use crate::engine::fibers::Fibers;
use crate::engine::{Target, TaskId};

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
/// middle of several.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    me: Option<Me>,
    unwound: Unwound,
}

/// How far a task has been unwound: 0 unless it unwinds; then 1, and the operations refused meanwhile: see
/// [`Me::refuse`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Unwound(u64);

impl Unwound {
    /// How far the current task has been.
    #[inline(always)]
    pub(crate) fn current() -> Unwound {
        Unwound(HERE.with(|here| here.unwound.get()))
    }

    /// Makes it so for the current task.
    #[inline(always)]
    pub(crate) fn begin(self) {
        HERE.with(|here| here.unwound.set(self.0));
    }
}

/// How often a destructor may ask again for what an unwinding task cannot get.
const MOST_REFUSALS: u64 = 1000;

thread_local! {
    /// The execution of the current task, if that is on threads.
    static ON_THREADS: RefCell<Option<Arc<dyn OnThreads>>> = const { RefCell::new(None) };
}

impl Me {
    /// Makes the calling thread that task, which is on fibers: how far it has been unwound it keeps by itself.
    #[inline(always)]
    pub(crate) fn begin(self) {
        HERE.with(|here| here.me.set(Some(self)));
    }

    /// Asks the engine.
    #[inline(always)]
    pub(crate) fn engine<R>(self, f: impl FnOnce(&dyn Execution) -> R) -> R {
        match self.on_threads() {
            None => f(&Fibers),
            Some(execution) => f(&*execution),
        }
    }

    /// Its execution, if that is on threads.
    #[inline(always)]
    pub(super) fn on_threads(self) -> Option<Arc<dyn OnThreads>> {
        match self.execution.get() & ON_FIBERS {
            0 => current_on_threads(),
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
        let Unwound(refusals) = Unwound::current();
        Unwound(refusals + 1).begin();
        if refusals > MOST_REFUSALS {
            self.engine(|engine| engine.forget(self.task));
        }
    }

    /// Whether the task unwinds because it was told to, so that nothing it waits for will come.
    #[inline]
    pub(super) fn gives_up(self) -> bool {
        unwinding() && self.engine(|engine| engine.aborting(self.task))
    }
}

#[cold]
fn current_on_threads() -> Option<Arc<dyn OnThreads>> {
    ON_THREADS.with_borrow(Clone::clone)
}

/// Unwinds, unless it does already.
#[cold]
pub(crate) fn begin_unwinding() {
    if !unwinding() {
        Unwound(1).begin();
        resume_unwind(Box::new(Abort));
    }
}

/// Whether the current task unwinds.
#[inline]
pub(crate) fn unwinding() -> bool {
    Unwound::current().0 > 0
}

/// Notes that the current task, if the calling thread is one, begins to unwind; says which one it is, and whether it was
/// told to unwind before, and did.
pub(crate) fn panicking() -> Option<(Me, bool)> {
    me().map(|me| {
        let gave_up = me.gives_up();
        note_unwinding();
        (me, gave_up)
    })
}

/// Runs the closure; when it ends by a panic, the task unwinds no more than it did before.
#[inline]
pub(crate) fn catching<R>(f: impl FnOnce() -> std::thread::Result<R>) -> std::thread::Result<R> {
    let before = Unwound::current();
    let result = f();
    if let Err(payload) = &result
        && !payload.is::<Abort>()
    {
        before.begin();
    }
    result
}

/// Notes that the current task, if the calling thread is one, begins to unwind, of which no hook will tell.
pub(crate) fn note_unwinding() {
    if is_inside() {
        Unwound(Unwound::current().0.max(1)).begin();
    }
}

/// Goes on unwinding if this is how a hung task is unwound.
pub(crate) fn pass_abort(payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    if payload.is::<Abort>() {
        resume_unwind(payload)
    }
    payload
}

impl Turn {
    /// A number for a new execution on fibers, which no other has.
    pub(crate) fn next_execution() -> NonZeroU64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NonZeroU64::MIN | (ON_FIBERS | NEXT.fetch_add(2, Ordering::Relaxed))
    }

    /// Puts the calling thread in the middle of this.
    #[inline(always)]
    pub(crate) fn begin(self) {
        HERE.with(|here| here.me.set(self.me));
        self.unwound.begin();
    }

    /// What the calling thread is in the middle of.
    pub(crate) fn current() -> Turn {
        Turn { me: me(), unwound: Unwound::current() }
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
    let turn = Turn { me: Some(Me { execution: execution.id(), task }), unwound: Unwound::default() };
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
    HERE.with(|here| here.me.get())
}

/// Whether the calling thread is a task.
#[inline(always)]
pub(crate) fn is_inside() -> bool {
    me().is_some()
}
