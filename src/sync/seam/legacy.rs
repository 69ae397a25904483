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
pub(crate) enum Legacy {
    /// Nothing yet, or nothing at all: it was unwound.
    #[default]
    Nothing,
    /// It is not wanted, or no longer.
    Unwanted,
    /// What it gave, or the payload of its panic.
    Left(Result<Value>),
}

impl Legacy {
    /// Leaves that; it is given back if nobody wants it.
    pub(crate) fn leave(&mut self, result: Result<Value>) -> Option<Result<Value>> {
        if matches!(self, Legacy::Unwanted) {
            return Some(result);
        }
        *self = Legacy::Left(result);
        None
    }

    /// Takes what is left. What is not left by now nobody will want.
    pub(crate) fn claim(&mut self) -> Option<Result<Value>> {
        match mem::replace(self, Legacy::Unwanted) {
            Legacy::Left(result) => Some(result),
            Legacy::Nothing | Legacy::Unwanted => None,
        }
    }
}

/// Runs what a task runs, as that task, and leaves what comes of it as `leave` does, unless it was unwound. Gives the message
/// of the panic that it ended with, if it did.
#[inline]
pub(crate) fn run(
    body: TaskBody<'_>,
    leave: impl FnOnce(Result<Value>) -> Option<Result<Value>>,
) -> Option<String> {
    let result = catch(body)?;
    let message = result.as_ref().err().map(|payload| panic_message(&**payload));
    match leave(result) {
        None => message,
        Some(unwanted) => discard(unwanted).or(message),
    }
}

/// Drops what nobody wants, which may be the task's end as well.
#[cold]
fn discard(unwanted: Result<Value>) -> Option<String> {
    let panic = catch(|| drop(unwanted))?.err()?;
    Some(panic_message(&*panic))
}

/// Runs to the end, or to a panic of its own; `None` if it was unwound.
#[inline]
fn catch<R>(f: impl FnOnce() -> R) -> Option<Result<R>> {
    match super::catching(|| catch_unwind(AssertUnwindSafe(f))) {
        Err(payload) if payload.is::<Abort>() => None,
        result => Some(result),
    }
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let message = payload.downcast_ref::<&str>().map(|message| (*message).to_owned());
    message
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
