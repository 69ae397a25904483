//! Waiting for several channels at once.

use std::fmt;
use std::mem;
use std::panic::Location;
use std::ptr;
use std::time::Duration;

use crossbeam_channel as cc;

use super::super::seam::{self, Attempt, Endpoint, Handle};
use super::super::time::Instant;
use super::{Receiver, RecvError, SelectTimeoutError, SendError, Sender, TrySelectError};

/// Waits for one of several operations, as crossbeam-channel's `Select` does.
///
/// Operations are numbered in the order they are added. A selected one must be completed, on the channel it
/// was added with. [`select!`](crate::sync::select) does all of that by itself.
pub struct Select<'a> {
    native: cc::Select<'a>,
    endpoints: Vec<&'a dyn Endpoint>,
    inside: bool,
}

impl<'a> Select<'a> {
    /// No operations yet.
    #[expect(clippy::new_without_default, reason = "an empty selection is no default of anything")]
    pub fn new() -> Select<'a> {
        Select { native: cc::Select::new(), endpoints: Vec::new(), inside: seam::is_inside() }
    }

    /// Adds a send; says its number.
    pub fn send<T>(&mut self, sender: &'a Sender<T>) -> usize {
        self.add(sender)
    }

    /// Adds a receive; says its number.
    pub fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.add(receiver)
    }

    fn add(&mut self, endpoint: &'a dyn Endpoint) -> usize {
        if self.inside {
            self.endpoints.push(endpoint);
            if endpoint.handle().is_modelled() {
                return self.endpoints.len() - 1;
            }
        }
        endpoint.register(&mut self.native)
    }

    /// Waits until one of the operations can go ahead.
    ///
    /// # Panics
    /// If there are no operations.
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        if !self.inside {
            return SelectedOperation::native(self.native.select());
        }
        assert!(!self.endpoints.is_empty(), "no operations have been added to `Select`");
        match self.wait(None, Location::caller()) {
            Some(selected) => selected,
            None => self.disconnected().expect("there are operations"),
        }
    }

    /// Selects one of the operations that can go ahead.
    ///
    /// # Errors
    /// If none can.
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        if !self.inside {
            return self.native.try_select().map(SelectedOperation::native);
        }
        if self.gives_up() {
            return self.disconnected().ok_or(TrySelectError);
        }
        self.attempt(false).ok_or(TrySelectError)
    }

    /// Waits up to `timeout` until one of the operations can go ahead.
    ///
    /// # Errors
    /// If the time is up.
    #[track_caller]
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.select_deadline(deadline),
            None => Ok(self.select()),
        }
    }

    /// Waits until `deadline` until one of the operations can go ahead.
    ///
    /// # Errors
    /// If the time is up.
    #[track_caller]
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        if !self.inside {
            return self.native.select_deadline(deadline.into()).map(SelectedOperation::native);
        }
        self.wait(Some(deadline), Location::caller()).ok_or(SelectTimeoutError)
    }

    /// A sync point; says whether the task unwinds, and must be told that the other sides are gone.
    #[track_caller]
    fn gives_up(&self) -> bool {
        seam::check(&self.endpoints);
        seam::point();
        seam::gives_up()
    }

    /// The first operation, if there is any, as if the other side were gone.
    fn disconnected(&self) -> Option<SelectedOperation<'a>> {
        self.endpoints.first().map(|endpoint| SelectedOperation::disconnected(*endpoint, 0))
    }

    /// One of the operations that can go ahead, if any can; otherwise the task may wait for them.
    #[inline(always)]
    fn attempt(&mut self, waits: bool) -> Option<SelectedOperation<'a>> {
        let endpoints = &self.endpoints;
        match seam::try_select(endpoints) {
            Attempt::Native => {
                let selected = self.native.try_select().ok()?;
                Some(SelectedOperation::native_of(endpoints, selected))
            }
            Attempt::Selected(selected) => Some(SelectedOperation::native_of(endpoints, selected)),
            Attempt::Modelled(index) => Some(SelectedOperation::modelled(endpoints[index], index)),
            Attempt::Disconnected(index) => Some(SelectedOperation::disconnected(endpoints[index], index)),
            Attempt::Refused => {
                seam::refused(endpoints, waits);
                None
            }
        }
    }

    #[track_caller]
    #[inline(always)]
    fn wait(
        &mut self,
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Option<SelectedOperation<'a>> {
        seam::intend(&self.endpoints);
        if self.gives_up() {
            return self.disconnected();
        }
        match self.attempt(true) {
            Some(selected) => Some(selected),
            None => seam::select(&self.endpoints, until.map(Into::into), location),
        }
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}

/// Waits for one operation that could not go ahead; `None` if the time is up, or the task unwinds.
pub(super) fn one<'a>(
    endpoint: &'a dyn Endpoint,
    until: Option<Instant>,
    location: &'static Location<'static>,
) -> Option<SelectedOperation<'a>> {
    seam::select(&[endpoint], until.map(Into::into), location)
}

/// An operation that can go ahead, and must.
///
/// # Panics
/// If it is dropped without being completed. Whom it has met at a rendezvous then waits for ever, but for an execution on
/// fibers, in which a receiver waits again.
#[must_use]
pub struct SelectedOperation<'a> {
    index: usize,
    /// What it was added with, inside an execution.
    endpoint: Option<&'a dyn Endpoint>,
    /// `None` once it is completed or given up.
    how: Option<How<'a>>,
}

/// How a selected operation is completed.
enum How<'a> {
    Native(cc::SelectedOperation<'a>),
    /// It has its place, or its message, or its partner at a rendezvous.
    Modelled,
    /// Nobody is left on the other side; or the task unwinds, and every channel looks so to it.
    Disconnected,
}

impl<'a> SelectedOperation<'a> {
    /// Outside executions, or where it is completed at once.
    pub(crate) fn native(native: cc::SelectedOperation<'a>) -> SelectedOperation<'a> {
        SelectedOperation { index: native.index(), endpoint: None, how: Some(How::Native(native)) }
    }

    pub(crate) fn native_of(
        endpoints: &[&'a dyn Endpoint],
        native: cc::SelectedOperation<'a>,
    ) -> SelectedOperation<'a> {
        let index = native.index();
        SelectedOperation { index, endpoint: Some(endpoints[index]), how: Some(How::Native(native)) }
    }

    pub(crate) fn modelled(endpoint: &'a dyn Endpoint, index: usize) -> SelectedOperation<'a> {
        SelectedOperation { index, endpoint: Some(endpoint), how: Some(How::Modelled) }
    }

    pub(crate) fn disconnected(endpoint: &'a dyn Endpoint, index: usize) -> SelectedOperation<'a> {
        SelectedOperation { index, endpoint: Some(endpoint), how: Some(How::Disconnected) }
    }

    /// The number of the operation.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Completes a send.
    ///
    /// # Errors
    /// If there is no receiver left; with the message.
    ///
    /// # Panics
    /// If the operation was added with another sender. Outside executions the process is then aborted.
    #[track_caller]
    pub fn send<T>(mut self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        assert!(self.is_with(&sender.handle), "passed a sender that wasn't selected");
        match self.how.take() {
            Some(How::Native(native)) => {
                native.send(sender.line.native(), message)?;
                sender.handle.passed();
                Ok(())
            }
            Some(How::Modelled) => sender.complete(message),
            Some(How::Disconnected) | None => {
                sender.handle.saw(false);
                Err(SendError(message))
            }
        }
    }

    /// Completes a receive.
    ///
    /// # Errors
    /// If the channel is empty and there is no sender left.
    ///
    /// # Panics
    /// If the operation was added with another receiver. Outside executions the process is then aborted.
    #[track_caller]
    pub fn recv<T>(mut self, receiver: &Receiver<T>) -> Result<T, RecvError> {
        assert!(self.is_with(&receiver.handle), "passed a receiver that wasn't selected");
        match self.how.take() {
            Some(How::Native(native)) => {
                let message = native.recv(receiver.line.native())?;
                receiver.handle.passed();
                Ok(message)
            }
            Some(How::Modelled) => receiver.complete(),
            Some(How::Disconnected) | None => {
                receiver.handle.saw(false);
                Err(RecvError)
            }
        }
    }

    /// Whether it was added with that handle. Outside executions crossbeam-channel looks for itself.
    fn is_with(&self, handle: &Handle) -> bool {
        self.endpoint.is_none_or(|endpoint| ptr::eq(endpoint.handle(), handle))
    }
}

impl Drop for SelectedOperation<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(how) = self.how.take() {
            give_up(how, self.endpoint);
        }
    }
}

/// Panics, unless the task unwinds already, which outside executions aborts the process.
#[cold]
fn give_up(how: How<'_>, endpoint: Option<&dyn Endpoint>) {
    let unwinds = endpoint.is_some() && seam::unwinding();
    match how {
        // This is what panics, and aborts. Whom it has met is never told.
        How::Native(native) if unwinds => mem::forget(native),
        How::Native(native) => drop(native),
        How::Modelled => endpoint.into_iter().for_each(Endpoint::abandon),
        How::Disconnected => {}
    }
    assert!(unwinds, "dropped `SelectedOperation` without completing the operation");
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}
