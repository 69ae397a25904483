//! The seam without the suite: there are no executions, and every branch on being inside one compiles away.

use std::any::Any;
use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::channel::{Line, SelectedOperation};
use super::thread::{Result, Thread};

/// Proof of being inside an execution: there is none.
#[derive(Clone, Copy)]
pub(crate) struct Inside<'a>(Infallible, PhantomData<&'a ()>);

impl Inside<'_> {
    pub(crate) fn point(&self) {
        match self.0 {}
    }

    pub(crate) fn point_of_condvar(&self) {
        match self.0 {}
    }

    pub(crate) fn attempt<'e>(&self, _: &'e dyn Endpoint) -> Attempt<'e> {
        match self.0 {}
    }

    pub(crate) fn disconnected(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn writer_waits(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn hold_mutex(self, _: Option<Instant>) -> Option<bool> {
        match self.0 {}
    }

    pub(crate) fn acquire_mutex(&self, _: Option<Instant>, _: &mut dyn FnMut() -> bool) -> bool {
        match self.0 {}
    }

    pub(crate) fn acquire_rwlock(&self, _: bool, _: &mut dyn FnMut() -> bool) {
        match self.0 {}
    }

    pub(crate) fn saw_free(&self, _: bool) {
        match self.0 {}
    }

    pub(crate) fn held(&self, _: bool) {
        match self.0 {}
    }

    pub(crate) fn await_notification(
        &self,
        _: Option<Instant>,
        _: &'static Location<'static>,
        _: &mut dyn FnMut(),
    ) -> bool {
        match self.0 {}
    }

    pub(crate) fn notify(&self, _: usize) -> usize {
        match self.0 {}
    }
}

#[derive(Clone)]
pub(crate) struct Tag;

impl Tag {
    pub(crate) fn is_native(&self) -> bool {
        true
    }

    pub(crate) fn mutex() -> Tag {
        Tag
    }

    pub(crate) fn rwlock() -> Tag {
        Tag
    }

    pub(crate) fn condvar() -> Tag {
        Tag
    }

    pub(crate) fn channel(_: Option<usize>) -> Tag {
        Tag
    }

    pub(crate) fn model<T>(&self, _: Option<usize>) -> Option<Queue<T>> {
        None
    }

    pub(crate) fn inside(&self) -> Option<Inside<'_>> {
        None
    }

    pub(crate) fn set_name(&self, _: impl Into<Cow<'static, str>>) {}

    pub(crate) fn released(&self) {}
}

pub(crate) enum Timer {
    After,
    Tick,
    Never,
}

#[derive(Clone)]
pub(crate) struct Handle;

impl Handle {
    pub(crate) fn pair(_: Tag) -> (Handle, Handle) {
        (Handle, Handle)
    }

    pub(crate) fn timer(_: Timer) -> Handle {
        Handle
    }

    pub(crate) fn tag(&self) -> &Tag {
        &Tag
    }

    pub(crate) fn inside(&self) -> Option<Inside<'_>> {
        None
    }

    pub(crate) fn passed(&self) {}

    pub(crate) fn is_modelled(&self) -> bool {
        false
    }

    pub(crate) fn is_steered(&self) -> bool {
        false
    }

    pub(crate) fn point(&self, _: Inside<'_>) {}

    pub(crate) fn saw(&self, _: bool) {}

    pub(crate) fn look(&self, _: Inside<'_>) {}

    pub(crate) fn pass(&self, inside: Inside<'_>, _: Limit) -> Passage {
        match inside.0 {}
    }

    pub(crate) fn complete(&self) -> bool {
        false
    }

    pub(crate) fn abandon(&self) {}

    pub(crate) fn leave(&self) -> bool {
        false
    }

    pub(crate) fn fill(&self, _: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>> {
        None
    }
}

/// The messages of a modelled channel: there is none.
pub(crate) struct Queue<T>(Infallible, PhantomData<cc::Sender<T>>);

impl<T> Queue<T> {
    pub(crate) fn push(&self, _: T) {
        match self.0 {}
    }

    pub(crate) fn pop(&self) -> Option<T> {
        match self.0 {}
    }

    pub(crate) fn discard(&self) {
        match self.0 {}
    }

    pub(crate) fn len(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn is_full(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        match self.0 {}
    }

    pub(crate) fn is(&self, _: &Queue<T>) -> bool {
        match self.0 {}
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        match self.0 {}
    }
}

/// For how long an operation on a modelled channel waits: there is none.
#[expect(dead_code, reason = "only executions model channels")]
pub(crate) enum Limit {
    Try,
    Wait,
    Until(Instant),
}

/// What came of an operation on a modelled channel: there is none.
#[expect(dead_code, reason = "only executions model channels")]
pub(crate) enum Passage {
    Passed,
    Refused,
    Disconnected,
}

pub(crate) trait Endpoint {
    fn register<'a>(&'a self, select: &mut cc::Select<'a>) -> usize;
    fn handle(&self) -> &Handle;
    fn abandon(&self);
}

/// What came of a selection that does not wait: without an execution it is native.
#[expect(dead_code, reason = "the others come from executions")]
pub(crate) enum Attempt<'a> {
    Native,
    Selected(cc::SelectedOperation<'a>),
    Modelled(usize),
    Disconnected(usize),
    Refused,
}

pub(crate) fn try_select<'a>(_: &[&'a dyn Endpoint]) -> Attempt<'a> {
    Attempt::Native
}

pub(crate) fn catching<R>(f: impl FnOnce() -> Result<R>) -> Result<R> {
    f()
}

pub(crate) fn check(_: &[&dyn Endpoint]) {}

pub(crate) fn select<'a>(
    _: &[&'a dyn Endpoint],
    _: Option<Instant>,
    _: &'static Location<'static>,
) -> Option<SelectedOperation<'a>> {
    None
}

pub(crate) fn is_inside() -> bool {
    false
}

pub(crate) fn gives_up() -> bool {
    false
}

pub(crate) fn unwinding() -> bool {
    false
}

pub(crate) fn point() {}

pub(crate) fn access(_: usize, _: bool) -> bool {
    false
}

pub(crate) fn intend(_: &[&dyn Endpoint]) {}

pub(crate) fn refused(_: &[&dyn Endpoint], _: bool) {}

pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn sleep(_: Duration) -> bool {
    false
}

pub(crate) fn current() -> Option<Thread> {
    None
}

pub(crate) fn note_unwinding() {}

pub(crate) fn pass_abort(payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    payload
}

pub(crate) fn spawn<T>(_: Option<String>, _: impl FnOnce() -> T) -> Joining<T> {
    unreachable!("no thread is a task")
}

pub(crate) struct Joining<T>(Infallible, PhantomData<T>);

impl<T> Joining<T> {
    pub(crate) fn join(self, _: &'static Location<'static>) -> Result<T> {
        match self.0 {}
    }

    pub(crate) fn is_finished(&self) -> bool {
        match self.0 {}
    }
}

pub(crate) type ScopedJoining<T> = Joining<T>;

pub(crate) struct Child;

impl Child {
    pub(crate) fn wait(&self, _: &'static Location<'static>) {}
}

#[derive(Default)]
pub(crate) struct Children(());

impl Children {
    pub(crate) fn spawn<T, F: FnOnce() -> T>(&self, f: F) -> std::result::Result<Joining<T>, F> {
        Err(f)
    }

    pub(crate) fn adopt<F>(&self, f: F) -> (Child, F) {
        (Child, f)
    }

    pub(crate) fn wait(&self, _: &'static Location<'static>) -> bool {
        false
    }
}
