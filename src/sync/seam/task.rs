//! Threads of `sync` that are tasks of an execution.

use std::borrow::Cow;
use std::cell::RefCell;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Result;
use std::time::Duration;

use parking_lot::Mutex;

use super::super::thread::{Id, Thread, ThreadId};
use super::footprint::{self, Place, What};
use super::outcome::{TaskBody, Value, nothing};
use super::{Abort, Me, OnThreads, Wake, me};
use crate::engine::fibers;
use crate::engine::{Target, TaskId, Wait};

/// Starts a task. The calling thread must be one.
#[track_caller]
#[inline(always)]
pub(crate) fn spawn<T, F>(name: Option<String>, f: F) -> Joining<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    // In place: what it captures is moved once.
    let body = Box::write(Box::new_uninit(), move || -> Value { Box::new(f()) });
    let claim = Claim(start(name.map(Cow::Owned), body));
    Joining { claim, value: |value| *value.downcast().expect("it is what the task gave") }
}

/// Starts a task. The calling thread must be one.
#[track_caller]
#[inline(always)]
pub(crate) fn start(name: Option<Cow<'static, str>>, body: TaskBody<'static>) -> Child {
    let me = me().expect("only tasks of an execution start others of it");
    match me.on_threads() {
        None => Child::OnFibers(me.execution, fibers::spawn(me.task, name, body, Location::caller())),
        Some(execution) => start_on_threads(me, execution, name, body, Location::caller()),
    }
}

#[cold]
fn start_on_threads(
    me: Me,
    execution: Arc<dyn OnThreads>,
    name: Option<Cow<'static, str>>,
    body: TaskBody<'static>,
    location: &'static Location<'static>,
) -> Child {
    me.point(None, location);
    let task = execution.spawn(name, body);
    Child::OnThreads(execution, task)
}

/// The right to join a task: what that leaves is for whoever has it alone.
struct Claim(Child);

impl Claim {
    /// Waits for the end of the task, and takes what it left.
    #[inline(always)]
    fn join(mut self, location: &'static Location<'static>) -> Result<Value> {
        let left = self.0.join(true, location);
        self.0 = Child::None;
        left
    }
}

impl Drop for Claim {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.0, Child::None) {
            drop(self.0.claim());
        }
    }
}

/// Waits for a task and its result.
pub(crate) struct Joining<T> {
    claim: Claim,
    value: fn(Value) -> T,
}

impl<T> Joining<T> {
    #[inline(always)]
    pub(crate) fn join(self, location: &'static Location<'static>) -> Result<T> {
        self.claim.join(location).map(self.value)
    }

    #[track_caller]
    pub(crate) fn is_finished(&self) -> bool {
        self.claim.0.is_finished()
    }
}

/// Waits for a task on fibers and its result, which may borrow from what is around its scope.
pub(crate) struct ScopedJoining<T> {
    claim: Claim,
    value: Arc<Mutex<Option<T>>>,
    joined: Arc<AtomicBool>,
}

impl<T> ScopedJoining<T> {
    #[inline(always)]
    pub(crate) fn join(self, location: &'static Location<'static>) -> Result<T> {
        let ScopedJoining { claim, value, joined } = self;
        let left = claim.join(location);
        joined.store(true, Ordering::Relaxed);
        left.map(|_| value.lock().take().expect("a task that ends leaves its value"))
    }
}

/// A task to be waited for.
#[derive(Clone)]
pub(crate) enum Child {
    /// None: it is no task.
    None,
    /// On fibers, of that execution.
    OnFibers(NonZeroU64, TaskId),
    OnThreads(Arc<dyn OnThreads>, TaskId),
}

impl Child {
    /// Waits until it has ended.
    pub(crate) fn wait(&self, location: &'static Location<'static>) {
        let _ = self.join(false, location);
    }

    /// Waits until it has ended. Takes what it has left, if that is claimed; otherwise says whether it has panicked.
    #[inline(always)]
    fn join(&self, claims: bool, location: &'static Location<'static>) -> Result<Value> {
        match (self, me()) {
            (Child::OnFibers(execution, task), Some(me)) if me.execution == *execution => {
                fibers::join(me, *task, claims, location)
            }
            _ => self.join_elsewhere(claims, location),
        }
    }

    #[cold]
    fn join_elsewhere(&self, claims: bool, location: &'static Location<'static>) -> Result<Value> {
        if let (Some(task), Some(me)) = (self.task(), me()) {
            me.point(None, location);
            let wait = Wait { target: Target::Join(task), location };
            while !self.ended() {
                let mut ready = || self.ended();
                let wake = me.engine(|engine| engine.park(me.task, wait.clone(), None, &mut ready));
                if wake == Wake::Aborted {
                    me.refuse();
                }
            }
        }
        match claims {
            true => self.claim().unwrap_or_else(nothing),
            false => Ok(Box::new(())),
        }
    }

    fn task(&self) -> Option<TaskId> {
        match self {
            Child::None => None,
            Child::OnFibers(_, task) | Child::OnThreads(_, task) => Some(*task),
        }
    }

    /// Whether it has ended; so have all of an execution on fibers that is over.
    fn ended(&self) -> bool {
        match self {
            Child::None => true,
            Child::OnFibers(execution, task) => fibers::has_ended(*execution, *task),
            Child::OnThreads(execution, task) => execution.has_ended(*task),
        }
    }

    /// Takes what it has left, if its execution is not over; what it leaves later nobody wants.
    fn claim(&self) -> Option<Result<Value>> {
        match self {
            Child::None => None,
            Child::OnFibers(execution, task) => fibers::claim(*execution, *task),
            Child::OnThreads(execution, task) => execution.claim(*task),
        }
    }

    #[track_caller]
    fn is_finished(&self) -> bool {
        if let Some(me) = me() {
            me.point(None, Location::caller());
        }
        let ended = self.ended();
        if let Some(task) = self.task() {
            footprint::touch(Place::Task(task), What::SeesEnd(ended));
        }
        ended
    }
}

/// The tasks of a scope, and whether each was joined by its handle.
#[derive(Default)]
pub(crate) struct Children(RefCell<Vec<(Child, Arc<AtomicBool>)>>);

impl Children {
    /// Starts a task that borrows from what is around the scope, if tasks are no threads; otherwise gives back what was to
    /// be run.
    ///
    /// Whoever calls this waits for all of them before anything borrowed is gone.
    #[expect(unsafe_code, reason = "an engine keeps what its tasks run, and knows no lifetimes")]
    #[track_caller]
    pub(crate) fn spawn<'scope, T, F>(&self, f: F) -> std::result::Result<ScopedJoining<T>, F>
    where
        T: Send + 'scope,
        F: FnOnce() -> T + Send + 'scope,
    {
        if me().is_none_or(|me| me.on_threads().is_some()) {
            return Err(f);
        }
        let value = Arc::new(Mutex::new(None));
        let place = Arc::clone(&value);
        let body: TaskBody<'scope> = Box::new(move || {
            let value = f();
            *place.lock() = Some(value);
            Box::new(())
        });
        // SAFETY: only the lifetime changes. `thread::scope` returns or unwinds only after `Children::wait`, which does so
        // only once each of these tasks has ended, and what it ran is gone. A task that is forgotten never has, so then its
        // parent waits for ever and is forgotten as well, with all that was borrowed; nor has one that was never started,
        // whose body is forgotten with the execution.
        let body = unsafe { std::mem::transmute::<TaskBody<'scope>, TaskBody<'static>>(body) };
        let claim = Claim(start(None, body));
        let joined = Arc::default();
        self.0.borrow_mut().push((claim.0.clone(), Arc::clone(&joined)));
        Ok(ScopedJoining { claim, value, joined })
    }

    /// Makes what a scoped thread will run a task, if the calling thread is one.
    #[track_caller]
    pub(crate) fn adopt<T: Send, F: FnOnce() -> T + Send>(
        &self,
        f: F,
    ) -> (Child, impl FnOnce() -> T + Send + use<T, F>) {
        let location = Location::caller();
        let child = me().map_or(Child::None, |me| {
            me.point(None, location);
            let adopts = me.on_threads();
            adopts.map_or(Child::None, |execution| {
                let task = execution.adopt();
                Child::OnThreads(execution, task)
            })
        });
        self.0.borrow_mut().push((child.clone(), Arc::default()));
        let adopted = child.clone();
        let run = move || {
            let Child::OnThreads(execution, task) = adopted else { return f() };
            let mut value = None;
            let body = || -> Value {
                value = Some(f());
                Box::new(())
            };
            Arc::clone(&execution).run(task, Box::new(body));
            match execution.claim(task) {
                Some(Ok(_)) => value.expect("a task that ends leaves its value"),
                Some(Err(payload)) => resume_unwind(payload),
                None => resume_unwind(Box::new(Abort)),
            }
        };
        (child, run)
    }

    /// Waits for all of them; says whether one has panicked that was not joined. Whoever is told to unwind meanwhile does so
    /// once all have ended: they may borrow from it.
    pub(crate) fn wait(&self, location: &'static Location<'static>) -> bool {
        let mut has_panicked = false;
        let mut unwound = None;
        for (child, joined) in self.0.borrow().iter() {
            let wait = || catch_unwind(AssertUnwindSafe(|| child.join(false, location)));
            let end = wait().or_else(|payload| {
                unwound = Some(payload);
                // It unwinds, and is not told again.
                wait()
            });
            match end {
                Ok(end) => has_panicked |= end.is_err() && !joined.load(Ordering::Relaxed),
                Err(_) => give_up(),
            }
        }
        match unwound {
            Some(payload) => resume_unwind(payload),
            None => has_panicked,
        }
    }
}

/// Never goes on, for what others borrow would be gone.
#[cold]
fn give_up() -> ! {
    let me = me().expect("only a task is unwound while it waits for others");
    me.engine(|engine| engine.forget(me.task))
}

/// The current task, if the calling thread is one.
pub(crate) fn current() -> Option<Thread> {
    let Me { execution, task, .. } = me()?;
    let name = me()?.engine(|engine| engine.name(task));
    Some(Thread { id: ThreadId(Id::Task { execution, task }), name: Some(name) })
}

/// Lets time pass, if the calling thread is a task.
#[track_caller]
pub(crate) fn sleep(duration: Duration) -> bool {
    let Some(me) = me() else { return false };
    me.point(None, Location::caller());
    me.engine(|engine| engine.sleep(me.task, duration));
    me.point(None, Location::caller());
    true
}
