//! Fibers: stackful coroutines that are kept from one execution to the next, and switching between them.

use std::cell::Cell;
use std::ptr;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::super::{TaskId, stack};
use crate::sync::seam;

/// The size of a stack, in bytes. A stack is mapped as it is used, so what is not used costs nothing.
const STACK: usize = 256 * 1024;

/// A coroutine that does one job after the other.
pub(super) struct Fiber {
    coroutine: Coroutine<(), Way, ()>,
    /// The way back.
    yielder: *const Yielder<(), Way>,
}

/// What fibers are resumed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// To go on.
    GoOn,
    /// To go on, for the execution is over.
    Unwind,
    /// To have their stacks captured, and give way again.
    Stack,
}

/// Who is to go on when a fiber gives way, if anybody is: a word, which a switch hands over in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way(usize);

impl Way {
    pub(super) const TO_NOBODY: Way = Way(usize::MAX);

    #[inline(always)]
    pub(super) fn to(task: TaskId) -> Way {
        Way(task.0)
    }

    #[inline(always)]
    fn next(self) -> Option<TaskId> {
        (self.0 != Way::TO_NOBODY.0).then_some(TaskId(self.0))
    }
}

thread_local! {
    /// The way back of the fiber that runs on this thread.
    static RUNNING: Cell<*const Yielder<(), Way>> = const { Cell::new(ptr::null()) };
    /// What it was resumed for.
    static ASKED: Cell<Ask> = const { Cell::new(Ask::GoOn) };
}

/// The calling thread runs one fiber after the other until this is dropped; then it goes on with the one it is in, if it is in
/// one.
pub(super) struct Running(*const Yielder<(), Way>, Ask);

impl Running {
    pub(super) fn begin(ask: Ask) -> Running {
        Running(RUNNING.get(), ASKED.replace(ask))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(self.0);
        ASKED.set(self.1);
    }
}

impl Fiber {
    /// A fiber that does the job whenever it is resumed, and then says who is to go on. The job must not panic.
    pub(super) fn new(job: fn() -> Way) -> Fiber {
        let stack = DefaultStack::new(STACK).expect("the system can map a stack");
        let mut coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), Way>, ()| {
            RUNNING.set(yielder);
            let mut way = Way::TO_NOBODY;
            loop {
                yielder.suspend(way);
                way = job();
            }
        });
        // It says where its way back is, and waits for its first job.
        let before = RUNNING.get();
        coroutine.resume(());
        Fiber { coroutine, yielder: RUNNING.replace(before) }
    }

    /// Lets the fiber go on until it gives way, and says who is to go on then.
    #[inline(always)]
    pub(super) fn resume(&mut self, _: &Running) -> Option<TaskId> {
        RUNNING.set(self.yielder);
        match self.coroutine.resume(()) {
            CoroutineResult::Yield(way) => way.next(),
            CoroutineResult::Return(()) => unreachable!("a fiber waits for its next job for ever"),
        }
    }
}

impl Drop for Fiber {
    /// Nothing on its stack is ever dropped.
    #[expect(
        unsafe_code,
        reason = "unwinding a fiber costs a panic, and one in the middle of its job may refuse"
    )]
    fn drop(&mut self) {
        // SAFETY: the fiber is suspended, and nobody will resume it. Either its job is done, and the loop of `new` holds
        // nothing; or it is given up in the middle of it, and what is on its stack counts as leaked. Nothing that runs again
        // refers into that: tasks share only what is behind an `Arc`, but for a scope, whose threads borrow from the stack of
        // their parent and are given up with it. That what is pinned there and known elsewhere is never dropped is said to
        // whoever has tasks forgotten.
        unsafe { self.coroutine.force_reset() };
    }
}

/// Gives that way: back to who resumed the calling fiber. Says whether the execution is over.
///
/// # Panics
/// If the calling thread runs no fiber.
///
/// It is inlined, as are those who call it: after a switch the processor takes each return for another than it is.
#[inline(always)]
#[expect(unsafe_code, reason = "the way back is on the fiber's own stack, where no reference can reach it")]
pub(super) fn give_way(way: Way) -> bool {
    let yielder = RUNNING.get();
    assert!(!yielder.is_null(), "only a fiber gives way");
    let unwound = seam::Unwound::current();
    // SAFETY: `RUNNING` is set by `resume` to the yielder of the fiber that runs, which lives at the bottom of the stack that
    // this very call is on. While a `Running` lives, its owner, which is no fiber or another one, does nothing but resume
    // fibers.
    unsafe { (*yielder).suspend(way) };
    unwound.begin();
    match ASKED.get() {
        Ask::GoOn => false,
        Ask::Unwind => true,
        Ask::Stack => give_stack(),
    }
}

/// Gives way as often as the stack is asked for.
#[cold]
fn give_stack() -> bool {
    stack::capture(seam::me().expect("a fiber is resumed as a task").task, false);
    give_way(Way::TO_NOBODY)
}
