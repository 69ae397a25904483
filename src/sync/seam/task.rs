//! Threads of `sync` that are tasks of an execution.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::Result;
use std::time::Duration;

use parking_lot::Mutex;

use super::super::thread::{Id, Thread, ThreadId};
use super::footprint::{self, Place, What};
use super::{Abort, Me, OnThreads, Wake, me};
use crate::engine::{Target, TaskId, Wait};

/// What a task runs. It gives back the message of the panic it ended with, if it did; but an abort unwinds
/// through it.
pub(crate) type TaskBody<'a> = Box<dyn FnOnce() -> Option<String> + Send + 'a>;

/// Starts a task, if the calling thread is one; otherwise gives back the name and what was to be run.
#[track_caller]
pub(crate) fn spawn<T, F>(name: Option<String>, f: F) -> std::result::Result<Joining<T>, (Option<String>, F)>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let Some(me) = me() else { return Err((name, f)) };
    let (result, body) = with_result(f);
    Ok(start_joined(me, name.map(Cow::Owned), result, Box::new(body)))
}

/// Where a task leaves its result for whoever joins it.
type Outcome<T> = Arc<Mutex<Option<Result<T>>>>;

/// A task's body that leaves its result.
fn with_result<'a, T: Send + 'a>(
    f: impl FnOnce() -> T + Send + 'a,
) -> (Outcome<T>, impl FnOnce() -> Option<String> + Send + 'a) {
    let result = Arc::new(Mutex::new(None));
    let put = Arc::clone(&result);
    let body = move || {
        let (result, message) = observe(f);
        *put.lock() = Some(result);
        message
    };
    (result, body)
}

#[track_caller]
fn start_joined<T>(
    me: Me,
    name: Option<Cow<'static, str>>,
    result: Outcome<T>,
    body: TaskBody<'static>,
) -> Joining<T> {
    me.point(None, Location::caller());
    let task = me.engine(|engine| engine.spawn(name, body));
    Joining { child: Child::of(me, task), result }
}

/// Starts a task that nobody joins. The calling thread must be one.
#[track_caller]
pub(crate) fn start(name: Cow<'static, str>, body: TaskBody<'static>) {
    let me = me().expect("only tasks of an execution start others of it");
    me.point(None, Location::caller());
    me.engine(|engine| engine.spawn(Some(name), body));
}

/// Runs to the end, or to a panic and its message; but an abort unwinds through.
fn observe<T>(f: impl FnOnce() -> T) -> (Result<T>, Option<String>) {
    match super::catching(|| catch_unwind(AssertUnwindSafe(f))) {
        Ok(value) => (Ok(value), None),
        Err(payload) if payload.is::<Abort>() => resume_unwind(payload),
        Err(payload) => {
            let message = panic_message(&*payload);
            (Err(payload), Some(message))
        }
    }
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let message = payload.downcast_ref::<&str>().map(|message| (*message).to_owned());
    message
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Waits for a task and its result.
pub(crate) struct Joining<T> {
    child: Child,
    result: Outcome<T>,
}

impl<T> Joining<T> {
    pub(crate) fn join(self, location: &'static Location<'static>) -> Result<T> {
        self.child.wait(location);
        // Nobody else has it any more, unless the task was left behind.
        let result = Arc::try_unwrap(self.result).map(Mutex::into_inner);
        // A task that was unwound for good left no result; whoever joins it is about to be.
        result
            .unwrap_or_else(|shared| shared.lock().take())
            .unwrap_or_else(|| Err(Box::new("the thread was unwound by its engine")))
    }

    #[track_caller]
    pub(crate) fn is_finished(&self) -> bool {
        self.child.is_finished()
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
    fn of(me: Me, task: TaskId) -> Child {
        match me.on_threads() {
            None => Child::OnFibers(me.execution, task),
            Some(execution) => Child::OnThreads(execution, task),
        }
    }

    pub(crate) fn wait(&self, location: &'static Location<'static>) {
        let (Some(task), Some(me)) = (self.task(), me()) else { return };
        footprint::intend(std::iter::once(Target::Join(task)));
        me.point(None, location);
        let wait = Wait { target: Target::Join(task), location };
        while !self.ended() {
            let mut ready = || self.ended();
            let wake = me.engine(|engine| engine.park(me.task, wait.clone(), None, &mut ready));
            if wake == Wake::Aborted {
                me.refuse();
            }
        }
        footprint::touch(Place::Task(task), What::SeesEnd(true));
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
            Child::OnFibers(execution, task) => {
                me().is_none_or(|me| me.execution != *execution || me.engine(|engine| engine.ended(*task)))
            }
            Child::OnThreads(execution, task) => execution.ended(*task),
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

/// The tasks of a scope.
#[derive(Default)]
pub(crate) struct Children(RefCell<Vec<Child>>);

impl Children {
    /// Starts a task that borrows from what is around the scope, if tasks are no threads; otherwise gives back what was to
    /// be run.
    ///
    /// Whoever calls this waits for all of them before anything borrowed is gone.
    #[expect(unsafe_code, reason = "an engine keeps what its tasks run, and knows no lifetimes")]
    #[track_caller]
    pub(crate) fn spawn<'scope, T, F>(&self, f: F) -> std::result::Result<Joining<T>, F>
    where
        T: Send + 'scope,
        F: FnOnce() -> T + Send + 'scope,
    {
        let Some(me) = me().filter(|me| me.on_threads().is_none()) else { return Err(f) };
        let (result, body) = with_result(f);
        let body: TaskBody<'scope> = Box::new(body);
        // SAFETY: only the lifetime changes. `thread::scope` returns or unwinds only after `Children::wait`, which waits
        // until each of these tasks has ended, and what it ran is gone. A task that is forgotten never has, so then its
        // parent waits for ever and is forgotten as well, with all that was borrowed.
        let body = unsafe { std::mem::transmute::<TaskBody<'scope>, TaskBody<'static>>(body) };
        let joining = start_joined(me, None, result, body);
        self.0.borrow_mut().push(joining.child.clone());
        Ok(joining)
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
        self.0.borrow_mut().push(child.clone());
        let adopted = child.clone();
        let run = move || {
            let Child::OnThreads(execution, task) = adopted else { return f() };
            let mut result = None;
            let body = || {
                let (ended, message) = observe(f);
                result = Some(ended);
                message
            };
            execution.run(task, Box::new(body));
            match result.unwrap_or_else(|| Err(Box::new(Abort))) {
                Ok(value) => value,
                Err(payload) => resume_unwind(payload),
            }
        };
        (child, run)
    }

    /// Waits for all of them.
    pub(crate) fn wait(&self, location: &'static Location<'static>) {
        for child in self.0.borrow().iter() {
            child.wait(location);
        }
    }
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
