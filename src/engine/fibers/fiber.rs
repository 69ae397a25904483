//! Fibers: stackful coroutines that are kept from one execution to the next, and switching between them.

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::super::{TaskId, stack};

/// The size of a stack, in bytes. A stack is mapped as it is used, so what is not used costs nothing.
const STACK: usize = 256 * 1024;

/// A coroutine that does one job after the other.
pub(super) struct Fiber {
    coroutine: Coroutine<Ask, Way, ()>,
    /// The way back, known once it runs.
    yielder: Rc<Cell<*const Yielder<Ask, Way>>>,
}

/// What a fiber is resumed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// To go on, told whether its execution is over.
    GoOn(bool),
    /// To have its stack captured, and give way again.
    Stack(TaskId),
}

/// How a fiber gives way.
pub(super) struct Way {
    /// Who is to go on.
    pub(super) next: Option<TaskId>,
    /// Whether it has done its job.
    pub(super) done: bool,
}

thread_local! {
    /// The way back of the fiber that runs on this thread.
    static RUNNING: Cell<*const Yielder<Ask, Way>> = const { Cell::new(ptr::null()) };
}

/// The calling thread runs one fiber after the other until this is dropped; then it goes on with the one it is in, if it is in
/// one.
pub(super) struct Running(*const Yielder<Ask, Way>);

impl Running {
    pub(super) fn begin() -> Running {
        Running(RUNNING.get())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(self.0);
    }
}

impl Fiber {
    /// A fiber that does the job whenever it is resumed, and then says who is to go on. The job must not panic.
    pub(super) fn new(job: fn() -> Option<TaskId>) -> Fiber {
        let yielder = Rc::new(Cell::new(ptr::null()));
        let way_back = Rc::clone(&yielder);
        let stack = DefaultStack::new(STACK).expect("the system can map a stack");
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<Ask, Way>, _| {
            way_back.set(ptr::from_ref(yielder));
            // The stack is reset some day, which drops nothing.
            drop(way_back);
            RUNNING.set(ptr::from_ref(yielder));
            loop {
                let next = job();
                yielder.suspend(Way { next, done: true });
            }
        });
        Fiber { coroutine, yielder }
    }

    /// Lets the fiber go on, told whether its execution is over, until it gives way.
    #[inline(always)]
    pub(super) fn resume(&mut self, running: &Running, over: bool) -> Way {
        self.ask(running, Ask::GoOn(over))
    }

    /// Has the stack of a fiber captured that is in the middle of its job, as that task's.
    pub(super) fn capture(&mut self, running: &Running, task: TaskId) {
        self.ask(running, Ask::Stack(task));
    }

    #[inline(always)]
    fn ask(&mut self, _: &Running, ask: Ask) -> Way {
        RUNNING.set(self.yielder.get());
        match self.coroutine.resume(ask) {
            CoroutineResult::Yield(way) => way,
            CoroutineResult::Return(()) => unreachable!("a fiber waits for its next job for ever"),
        }
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
            // SAFETY: either the job is done, and the loop of `new` holds nothing, or the fiber was given up; see
            // `forget`.
            unsafe { self.coroutine.force_reset() };
        }
    }
}

/// Gives way to that task, or to nobody: back to who resumed the calling fiber. Says whether the execution is over.
///
/// # Panics
/// If the calling thread runs no fiber.
///
/// It is inlined, as are those who call it: after a switch the processor takes each return for another than it is.
#[inline(always)]
#[expect(unsafe_code, reason = "the way back is on the fiber's own stack, where no reference can reach it")]
pub(super) fn give_way(next: Option<TaskId>) -> bool {
    let yielder = RUNNING.get();
    assert!(!yielder.is_null(), "only a fiber gives way");
    // SAFETY: `RUNNING` is set by `ask` and by the fiber itself to the yielder of the fiber that runs, which lives at the
    // bottom of the stack that this very call is on. While a `Running` lives, its owner, which is no fiber or another one,
    // does nothing but resume fibers.
    let ask = unsafe { (*yielder).suspend(Way { next, done: false }) };
    match ask {
        Ask::GoOn(over) => over,
        Ask::Stack(task) => give_stack(task),
    }
}

/// Gives way as often as the stack is asked for.
#[cold]
fn give_stack(task: TaskId) -> bool {
    stack::capture(task, false);
    give_way(None)
}
