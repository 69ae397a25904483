//! Threads, as in std. Inside an execution they are its tasks.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::time::Duration;

use super::seam;

pub use std::thread::Result;

/// Starts a thread.
///
/// # Panics
/// If the system cannot start one.
#[track_caller]
pub fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().spawn(f).expect("the system can start a thread")
}

/// Lets others go on first.
#[track_caller]
#[inline]
pub fn yield_now() {
    if seam::is_inside() {
        seam::point();
    } else {
        std::thread::yield_now();
    }
}

/// Lets time pass.
#[track_caller]
pub fn sleep(duration: Duration) {
    if !seam::sleep(duration) {
        std::thread::sleep(duration);
    }
}

/// The calling thread.
pub fn current() -> Thread {
    seam::current().unwrap_or_else(|| {
        let native = std::thread::current();
        Thread { id: ThreadId(Id::Native(native.id())), name: native.name().map(str::to_owned) }
    })
}

/// A thread, by name and identity.
#[derive(Clone, Debug)]
pub struct Thread {
    pub(super) id: ThreadId,
    pub(super) name: Option<String>,
}

impl Thread {
    /// Tells it from every other.
    pub fn id(&self) -> ThreadId {
        self.id
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Tells a thread from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(pub(super) Id);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Native(std::thread::ThreadId),
    #[cfg(feature = "suite")]
    Task {
        execution: std::num::NonZeroU64,
        task: crate::engine::TaskId,
    },
}

/// Starts threads with a name.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// No name yet.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Sets the name.
    #[must_use]
    pub fn name(self, name: String) -> Builder {
        Builder { name: Some(name) }
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// If the system cannot start one.
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        match seam::is_inside() {
            true => Ok(JoinHandle(Joining::Task(seam::spawn(self.name, f)))),
            false => spawn_native(self.name, f),
        }
    }
}

fn spawn_native<T: Send + 'static>(
    name: Option<String>,
    f: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let builder = std::thread::Builder::new();
    let builder = match name {
        Some(name) => builder.name(name),
        None => builder,
    };
    builder.spawn(f).map(|native| JoinHandle(Joining::Native(native)))
}

/// Waits for a thread to end.
pub struct JoinHandle<T>(Joining<T>);

enum Joining<T> {
    Native(std::thread::JoinHandle<T>),
    Task(seam::Joining<T>),
}

impl<T> JoinHandle<T> {
    /// Waits for the thread to end.
    ///
    /// # Errors
    /// The payload of its panic, if it panicked. A task of an execution on fibers that is over, or that the calling thread is
    /// not in, has left nothing but an error.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.0 {
            Joining::Native(native) => native.join(),
            Joining::Task(task) => task.join(Location::caller()),
        }
    }

    /// Whether the thread has ended.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Joining::Native(native) => native.is_finished(),
            Joining::Task(task) => task.is_finished(),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("JoinHandle { .. }")
    }
}

/// Runs a closure that can start threads which borrow from its surroundings, and waits for them all.
///
/// # Panics
/// If a thread that was not joined panicked.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&Scope<'scope, 'env>) -> T,
{
    let location = Location::caller();
    std::thread::scope(|native| {
        let scope = Scope { native, children: seam::Children::default(), env: PhantomData };
        // Even after a panic it is the execution that waits first, so that it sees who waits for whom.
        let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
        let has_panicked = scope.children.wait(location);
        let value = result.unwrap_or_else(|payload| resume_unwind(payload));
        assert!(!has_panicked, "a scoped thread panicked");
        value
    })
}

/// Starts threads that borrow from the surroundings of a [`scope`].
pub struct Scope<'scope, 'env: 'scope> {
    native: &'scope std::thread::Scope<'scope, 'env>,
    children: seam::Children,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread.
    ///
    /// # Panics
    /// If the system cannot start one.
    #[track_caller]
    pub fn spawn<T: Send + 'scope>(
        &self,
        f: impl FnOnce() -> T + Send + 'scope,
    ) -> ScopedJoinHandle<'scope, T> {
        match self.children.spawn(f) {
            Ok(joining) => ScopedJoinHandle(ScopedJoining::Task(joining)),
            Err(f) => {
                let (task, f) = self.children.adopt(f);
                ScopedJoinHandle(ScopedJoining::Native(self.native.spawn(f), task))
            }
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Scope { .. }")
    }
}

/// Waits for a thread of a [`scope`] to end.
pub struct ScopedJoinHandle<'scope, T>(ScopedJoining<'scope, T>);

enum ScopedJoining<'scope, T> {
    Native(std::thread::ScopedJoinHandle<'scope, T>, seam::Child),
    Task(seam::ScopedJoining<T>),
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread to end.
    ///
    /// # Errors
    /// The payload of its panic, if it panicked.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.0 {
            ScopedJoining::Native(native, task) => {
                task.wait(Location::caller());
                native.join()
            }
            ScopedJoining::Task(task) => task.join(Location::caller()),
        }
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("ScopedJoinHandle { .. }")
    }
}
