//! What a task runs, and what it leaves for whoever joins it.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Result;

use super::Abort;

/// What a task runs.
pub(crate) type TaskBody<'a> = Box<dyn FnOnce() -> Value + Send + 'a>;

/// What a task gives. Most give `()`, which takes no memory.
pub(crate) type Value = Box<dyn Any + Send>;

/// What a task leaves. Its engine keeps it, so that a task that gives `()` needs no memory but its body's.
#[derive(Default)]
pub(crate) enum Outcome {
    /// Nothing yet, or nothing at all: it was unwound.
    #[default]
    Nothing,
    /// It is not wanted, or no longer.
    Unwanted,
    /// What it gave, or the payload of its panic.
    Left(Result<Value>),
}

impl Outcome {
    /// Makes it another's, of the same memory. What is left is forgotten, as whoever should have come for it was: its
    /// destructor is one of an execution that is over. But of most panics nothing is left but what they said.
    #[inline]
    pub(crate) fn forget(&mut self) {
        match mem::take(self) {
            Outcome::Left(Err(payload)) if payload.is::<String>() || payload.is::<&str>() => drop(payload),
            outcome => mem::forget(outcome),
        }
    }

    /// Leaves that; it is given back if nobody wants it.
    #[inline]
    pub(crate) fn leave(&mut self, result: Result<Value>) -> Option<Result<Value>> {
        if matches!(self, Outcome::Unwanted) {
            return Some(result);
        }
        *self = Outcome::Left(result);
        None
    }

    /// Takes what is left. What is not left by now nobody will want.
    #[inline]
    pub(crate) fn claim(&mut self) -> Option<Result<Value>> {
        match mem::replace(self, Outcome::Unwanted) {
            Outcome::Left(result) => Some(result),
            Outcome::Nothing | Outcome::Unwanted => None,
        }
    }
}

/// Runs what a task runs; the calling thread is that task.
#[inline]
pub(crate) fn run(body: TaskBody<'_>) -> Result<Value> {
    catch(body)
}

/// Leaves what came of a task as `leave` does, unless it was unwound: then it leaves nothing. Gives the message of the panic
/// that it ended with, if it did.
pub(crate) fn leave(
    result: Result<Value>,
    leave: impl FnOnce(Result<Value>) -> Option<Result<Value>>,
) -> Option<String> {
    let panic = match &result {
        Ok(_) => None,
        Err(payload) if payload.is::<Abort>() => return None,
        Err(payload) => Some(panic_message(&**payload)),
    };
    match leave(result) {
        None => panic,
        Some(unwanted) => discard(unwanted).or(panic),
    }
}

/// Drops what nobody wants, which may panic as well, or be unwound.
fn discard(unwanted: Result<Value>) -> Option<String> {
    let panic = catch(|| drop(unwanted)).err()?;
    (!panic.is::<Abort>()).then(|| panic_message(&*panic))
}

#[inline]
fn catch<R>(f: impl FnOnce() -> R) -> Result<R> {
    super::catching(|| catch_unwind(AssertUnwindSafe(f)))
}

/// What comes of a task that left nothing for whoever asks.
#[cold]
pub(crate) fn nothing() -> Result<Value> {
    Err(Box::new("the thread was unwound by its engine, or its execution is over"))
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let message = payload.downcast_ref::<&str>().map(|message| (*message).to_owned());
    message
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
