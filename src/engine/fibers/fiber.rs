//! Fibers: stackful coroutines that are kept from one execution to the next, and switching between them.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::super::{TaskId, stack};

/// What a fiber does until it is idle again. It must not panic.
pub(super) type Job = Box<dyn FnOnce()>;

/// The size of a stack, in bytes. A stack is mapped as it is used, so what is not used costs nothing.
const STACK: usize = 256 * 1024;

/// The most fibers that a thread keeps.
const MOST_KEPT: usize = 256;

/// A coroutine that does one job after the other.
pub(super) struct Fiber {
    coroutine: Coroutine<Ask, Idle, ()>,
    job: Rc<Cell<Option<Job>>>,
    /// The way back, known once it runs.
    yielder: Rc<Cell<*const Yielder<Ask, Idle>>>,
}

/// Whether a fiber that gives way has nothing left to do.
type Idle = bool;

/// What a fiber is resumed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// To go on.
    GoOn,
    /// To have its stack captured, and give way again.
    Stack(TaskId),
}

thread_local! {
    static KEPT: RefCell<Vec<Fiber>> = const { RefCell::new(Vec::new()) };
    /// The way back of the fiber that runs on this thread.
    static RUNNING: Cell<*const Yielder<Ask, Idle>> = const { Cell::new(ptr::null()) };
}

impl Fiber {
    /// A fiber to do the job, once it is resumed.
    pub(super) fn with(job: Job) -> Fiber {
        let fiber = KEPT.with_borrow_mut(Vec::pop).unwrap_or_else(Fiber::new);
        fiber.job.set(Some(job));
        fiber
    }

    fn new() -> Fiber {
        let job: Rc<Cell<Option<Job>>> = Rc::default();
        let yielder = Rc::new(Cell::new(ptr::null()));
        let (jobs, way_back) = (Rc::clone(&job), Rc::clone(&yielder));
        let stack = DefaultStack::new(STACK).expect("the system can map a stack");
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<Ask, Idle>, _| {
            way_back.set(ptr::from_ref(yielder));
            // Before its first job too it comes here by being resumed.
            loop {
                if let Some(job) = jobs.take() {
                    RUNNING.set(ptr::from_ref(yielder));
                    job();
                }
                yielder.suspend(true);
            }
        });
        Fiber { coroutine, job, yielder }
    }

    /// Lets the fiber go on until it gives way; says whether its job is done.
    pub(super) fn resume(&mut self) -> bool {
        self.ask(Ask::GoOn)
    }

    /// Has the stack of a fiber captured that is in the middle of its job, as that task's.
    pub(super) fn capture(&mut self, task: TaskId) {
        self.ask(Ask::Stack(task));
    }

    fn ask(&mut self, ask: Ask) -> bool {
        let before = RUNNING.replace(self.yielder.get());
        let result = self.coroutine.resume(ask);
        RUNNING.set(before);
        match result {
            CoroutineResult::Yield(idle) => idle,
            CoroutineResult::Return(()) => unreachable!("a fiber waits for its next job for ever"),
        }
    }

    /// Keeps a fiber whose job is done for the next.
    pub(super) fn keep(self) {
        KEPT.with_borrow_mut(|kept| {
            if kept.len() < MOST_KEPT {
                kept.push(self);
            }
        });
    }

    /// Gives up a fiber in the middle of its job: nothing on its stack is ever dropped.
    #[expect(unsafe_code, reason = "a stack that will not unwind can only be reset")]
    pub(super) fn forget(mut self) {
        // SAFETY: the fiber is suspended, and nobody will resume it. What is on its stack counts as leaked. Nothing
        // else refers into it: tasks share only what is behind an `Arc`, and a scope, whose threads borrow from the
        // stack of their parent, forgets all of them together (a parent is not forgotten before its children).
        unsafe { self.coroutine.force_reset() };
    }
}

impl Drop for Fiber {
    /// An idle fiber has nothing on its stack but its own loop, which need not be unwound.
    #[expect(unsafe_code, reason = "unwinding an idle fiber at the end of its thread would cost a panic")]
    fn drop(&mut self) {
        if !self.coroutine.done() && self.coroutine.started() {
            // SAFETY: either the job is done, and the loop of `new` holds but two `Rc`, or the fiber was given up; see
            // `forget`.
            unsafe { self.coroutine.force_reset() };
        }
    }
}

/// Gives way: back to who resumed the calling fiber.
///
/// # Panics
/// If the calling thread runs no fiber.
#[expect(unsafe_code, reason = "the way back is on the fiber's own stack, where no reference can reach it")]
pub(super) fn give_way() {
    let yielder = RUNNING.get();
    assert!(!yielder.is_null(), "only a fiber gives way");
    // SAFETY: `RUNNING` is set by `resume` and by the fiber itself to the yielder of the fiber that runs, which lives
    // at the bottom of the stack that this very call is on.
    while let Ask::Stack(task) = unsafe { (*yielder).suspend(false) } {
        stack::capture(task, false);
    }
}
