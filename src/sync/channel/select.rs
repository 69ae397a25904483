//! Waiting for several channels at once.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crossbeam_channel as cc;

use super::super::seam::{self, Attempt, Endpoint};
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
        self.wait(None, Location::caller()).unwrap_or(SelectedOperation::disconnected(0))
    }

    /// Selects one of the operations that can go ahead.
    ///
    /// # Errors
    /// If none can.
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        if self.inside && self.disconnected() {
            return Ok(SelectedOperation::disconnected(0));
        }
        match if self.inside { seam::try_select(&self.endpoints) } else { Attempt::Native } {
            Attempt::Native => self.native.try_select().map(SelectedOperation::native),
            Attempt::Selected(selected) => Ok(SelectedOperation::native(selected)),
            Attempt::Modelled(index) => Ok(SelectedOperation::modelled(index)),
            Attempt::Disconnected(index) => Ok(SelectedOperation::disconnected(index)),
            Attempt::Refused => {
                seam::refused(&self.endpoints, false);
                Err(TrySelectError)
            }
        }
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
    fn disconnected(&self) -> bool {
        seam::check(&self.endpoints);
        seam::point();
        seam::gives_up()
    }

    #[track_caller]
    fn wait(
        &mut self,
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Option<SelectedOperation<'a>> {
        seam::intend(&self.endpoints);
        if self.disconnected() {
            return Some(SelectedOperation::disconnected(0));
        }
        match seam::try_select(&self.endpoints) {
            Attempt::Native => {
                if let Ok(selected) = self.native.try_select() {
                    return Some(SelectedOperation::native(selected));
                }
            }
            Attempt::Selected(selected) => return Some(SelectedOperation::native(selected)),
            Attempt::Modelled(index) => return Some(SelectedOperation::modelled(index)),
            Attempt::Disconnected(index) => return Some(SelectedOperation::disconnected(index)),
            Attempt::Refused => seam::refused(&self.endpoints, true),
        }
        seam::select(&self.endpoints, until.map(Into::into), location)
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
#[must_use]
pub struct SelectedOperation<'a>(How<'a>);

/// How a selected operation is completed.
enum How<'a> {
    Native(cc::SelectedOperation<'a>),
    /// It goes ahead when it is tried.
    Modelled(usize),
    /// Nobody is left on the other side; or the task unwinds, and every channel looks so to it.
    Disconnected(usize),
}

impl<'a> SelectedOperation<'a> {
    pub(crate) fn native(native: cc::SelectedOperation<'a>) -> SelectedOperation<'a> {
        SelectedOperation(How::Native(native))
    }

    pub(crate) fn modelled(index: usize) -> SelectedOperation<'a> {
        SelectedOperation(How::Modelled(index))
    }

    pub(crate) fn disconnected(index: usize) -> SelectedOperation<'a> {
        SelectedOperation(How::Disconnected(index))
    }

    /// The number of the operation.
    pub fn index(&self) -> usize {
        match &self.0 {
            How::Native(native) => native.index(),
            How::Modelled(index) => *index,
            How::Disconnected(index) => *index,
        }
    }

    /// Completes a send.
    ///
    /// # Errors
    /// If there is no receiver left; with the message.
    ///
    /// # Panics
    /// If the operation was added with another channel.
    pub fn send<T>(self, sender: &Sender<T>, message: T) -> Result<(), SendError<T>> {
        let result = match self.0 {
            How::Native(native) => native.send(sender.line.native(), message),
            How::Modelled(_) => return sender.complete(message),
            How::Disconnected(_) => {
                sender.handle.saw(false);
                return Err(SendError(message));
            }
        };
        if result.is_ok() {
            sender.handle.passed();
        }
        result
    }

    /// Completes a receive.
    ///
    /// # Errors
    /// If the channel is empty and there is no sender left.
    ///
    /// # Panics
    /// If the operation was added with another channel.
    pub fn recv<T>(self, receiver: &Receiver<T>) -> Result<T, RecvError> {
        let result = match self.0 {
            How::Native(native) => native.recv(receiver.line.native()),
            How::Modelled(_) => return receiver.complete(),
            How::Disconnected(_) => {
                receiver.handle.saw(false);
                return Err(RecvError);
            }
        };
        if result.is_ok() {
            receiver.handle.passed();
        }
        result
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}
