use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crossbeam_channel as cc;

use super::super::seam::{Attempt, Endpoint, Handle, Inside, Limit, Passage, Queue};
use super::super::time::Instant;
use super::select::{self, SelectedOperation};
use super::{Line, SendError, SendTimeoutError, TrySendError, look};

/// The sending side of a channel.
pub struct Sender<T> {
    pub(super) line: Line<T, cc::Sender<T>>,
    pub(super) handle: Handle,
}

impl<T> Sender<T> {
    /// Gives the channel the name that reports call it by.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Sender<T> {
        self.handle.tag().set_name(name);
        self
    }

    /// Sends a message, waiting for room, or at capacity 0 for a receiver.
    ///
    /// # Errors
    /// If there is no receiver left; with the message.
    #[track_caller]
    #[inline(always)]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        // All of it is compiled into the caller: after a switch the processor takes each return for another than it is.
        let Some(inside) = self.handle.inside() else { return self.line.native().send(message) };
        let sent = match &self.line {
            Line::Modelled(queue) => self.send_modelled(queue, inside, message, Limit::Wait),
            Line::Native(native) => self.send_on_threads(native, inside, message, None),
        };
        sent.map_err(|error| SendError(error.into_inner()))
    }

    /// Sends a message if there is room, or at capacity 0 a receiver that waits.
    ///
    /// # Errors
    /// If there is no room, or no receiver left; with the message.
    #[track_caller]
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match self.handle.inside() {
            None => self.line.native().try_send(message),
            Some(inside) => self.try_send_inside(inside, message).inspect_err(|error| {
                if error.is_full() {
                    self.handle.saw(false);
                }
            }),
        }
    }

    /// Sends a message, within the limit.
    #[inline(always)]
    fn send_modelled(
        &self,
        queue: &Queue<T>,
        inside: Inside<'_>,
        message: T,
        limit: Limit,
    ) -> Result<(), SendTimeoutError<T>> {
        match self.handle.pass(inside, limit) {
            Passage::Passed => {
                queue.push(message);
                Ok(())
            }
            Passage::Refused => Err(SendTimeoutError::Timeout(message)),
            Passage::Disconnected => Err(SendTimeoutError::Disconnected(message)),
        }
    }

    /// Sends a message, waiting until then if there is a limit.
    #[track_caller]
    #[inline(never)]
    fn send_on_threads(
        &self,
        native: &cc::Sender<T>,
        inside: Inside<'_>,
        message: T,
        until: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        let message = match self.try_send_on_threads(native, inside, message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Disconnected(message)) => return Err(SendTimeoutError::Disconnected(message)),
            Err(TrySendError::Full(message)) => message,
        };
        match select::one(self, until, Location::caller()) {
            Some(selected) => selected.send(self, message).map_err(SendTimeoutError::from),
            None => Err(SendTimeoutError::Timeout(message)),
        }
    }

    #[inline]
    fn try_send_inside(&self, inside: Inside<'_>, message: T) -> Result<(), TrySendError<T>> {
        match &self.line {
            Line::Native(native) => self.try_send_on_threads(native, inside, message),
            Line::Modelled(queue) => {
                self.send_modelled(queue, inside, message, Limit::Try).map_err(|error| match error {
                    SendTimeoutError::Timeout(message) => TrySendError::Full(message),
                    SendTimeoutError::Disconnected(message) => TrySendError::Disconnected(message),
                })
            }
        }
    }

    fn try_send_on_threads(
        &self,
        native: &cc::Sender<T>,
        inside: Inside<'_>,
        message: T,
    ) -> Result<(), TrySendError<T>> {
        self.handle.point(inside);
        if inside.disconnected() {
            return Err(TrySendError::Disconnected(message));
        }
        if self.handle.is_steered() {
            match inside.attempt(self) {
                Attempt::Refused => return Err(TrySendError::Full(message)),
                Attempt::Selected(selected) => {
                    return Ok(SelectedOperation::native(selected).send(self, message)?);
                }
                Attempt::Disconnected(_) => return Err(TrySendError::Disconnected(message)),
                Attempt::Native | Attempt::Modelled(_) => {}
            }
        }
        let result = native.try_send(message);
        if result.is_ok() {
            self.handle.passed();
        }
        result
    }

    /// Sends a message by an operation that was selected.
    pub(super) fn complete(&self, message: T) -> Result<(), SendError<T>> {
        match &self.line {
            Line::Native(native) => {
                native.try_send(message).map_err(|error| SendError(error.into_inner()))?;
                self.handle.passed();
            }
            Line::Modelled(_) if !self.handle.complete() => return Err(SendError(message)),
            Line::Modelled(queue) => queue.push(message),
        }
        Ok(())
    }

    /// Sends a message, waiting up to `timeout`.
    ///
    /// # Errors
    /// If the time is up, or there is no receiver left; with the message.
    #[track_caller]
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.send_deadline(message, deadline),
            None => self.send(message).map_err(SendTimeoutError::from),
        }
    }

    /// Sends a message, waiting until `deadline`.
    ///
    /// # Errors
    /// If the time is up, or there is no receiver left; with the message.
    #[track_caller]
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        match self.handle.inside() {
            None => self.line.native().send_deadline(message, deadline.into()),
            Some(inside) => match &self.line {
                Line::Modelled(queue) => {
                    self.send_modelled(queue, inside, message, Limit::Until(deadline.into()))
                }
                Line::Native(native) => self.send_on_threads(native, inside, message, Some(deadline)),
            },
        }
    }

    /// How many messages are in the channel.
    #[track_caller]
    pub fn len(&self) -> usize {
        look(&self.handle);
        match &self.line {
            Line::Native(native) => native.len(),
            Line::Modelled(queue) => queue.len(),
        }
    }

    /// Whether no message is in the channel.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        look(&self.handle);
        match &self.line {
            Line::Native(native) => native.is_empty(),
            Line::Modelled(queue) => queue.len() == 0,
        }
    }

    /// Whether there is no room; always so at capacity 0.
    #[track_caller]
    pub fn is_full(&self) -> bool {
        look(&self.handle);
        match &self.line {
            Line::Native(native) => native.is_full(),
            Line::Modelled(queue) => queue.is_full(),
        }
    }

    /// How many messages the channel can hold; `None` if any number.
    pub fn capacity(&self) -> Option<usize> {
        match &self.line {
            Line::Native(native) => native.capacity(),
            Line::Modelled(queue) => queue.capacity(),
        }
    }

    /// Whether both are senders of one channel.
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        match (&self.line, &other.line) {
            (Line::Native(one), Line::Native(other)) => one.same_channel(other),
            (Line::Modelled(one), Line::Modelled(other)) => one.is(other),
            _ => false,
        }
    }

    /// The channel, in the records of the execution it belongs to.
    #[cfg(feature = "suite")]
    pub fn object(&self) -> Option<crate::engine::ObjectId> {
        self.handle.tag().id()
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        self.handle.leave();
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender { line: self.line.clone(), handle: self.handle.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sender { .. }")
    }
}

impl<T> Endpoint for Sender<T> {
    fn register<'a>(&'a self, select: &mut cc::Select<'a>) -> usize {
        select.send(self.line.native())
    }

    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn abandon(&self) {
        self.handle.abandon();
    }
}
