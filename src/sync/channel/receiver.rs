use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crossbeam_channel as cc;

use super::super::seam::{Attempt, Endpoint, Handle, Inside, Limit, Passage, Queue};
use super::super::time::Instant;
use super::select::{self, SelectedOperation};
use super::{Iter, Line, RecvError, RecvTimeoutError, TryIter, TryRecvError, look};

/// The receiving side of a channel.
pub struct Receiver<T> {
    pub(super) line: Line<T, cc::Receiver<T>>,
    pub(super) handle: Handle,
}

impl<T> Receiver<T> {
    /// Gives the channel the name that reports call it by.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Receiver<T> {
        self.handle.tag().set_name(name);
        self
    }

    /// Receives a message, waiting for it.
    ///
    /// # Errors
    /// If the channel is empty and there is no sender left.
    #[track_caller]
    #[inline(always)]
    pub fn recv(&self) -> Result<T, RecvError> {
        // All of it is compiled into the caller: after a switch the processor takes each return for another than it is.
        let Some(inside) = self.handle.inside() else { return self.line.native().recv() };
        let received = match &self.line {
            Line::Modelled(queue) => self.recv_modelled(queue, inside, Limit::Wait),
            Line::Native(native) => self.recv_on_threads(native, inside, None),
        };
        received.map_err(|_| RecvError)
    }

    /// Receives a message, within the limit.
    #[inline(always)]
    fn recv_modelled(
        &self,
        queue: &Queue<T>,
        inside: Inside<'_>,
        limit: Limit,
    ) -> Result<T, RecvTimeoutError> {
        match self.handle.pass(inside, limit) {
            Passage::Passed => queue.pop().ok_or(RecvTimeoutError::Timeout),
            Passage::Refused => Err(RecvTimeoutError::Timeout),
            Passage::Disconnected => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// Receives a message, waiting until then if there is a limit.
    #[track_caller]
    #[inline(never)]
    fn recv_on_threads(
        &self,
        native: &cc::Receiver<T>,
        inside: Inside<'_>,
        until: Option<Instant>,
    ) -> Result<T, RecvTimeoutError> {
        match self.try_recv_on_threads(native, inside) {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {}
        }
        let selected = select::one(self, until, Location::caller());
        Ok(selected.ok_or(RecvTimeoutError::Timeout)?.recv(self)?)
    }

    /// Receives a message if there is one, or at capacity 0 a sender that waits.
    ///
    /// # Errors
    /// If the channel is empty, and whether there is a sender left.
    #[track_caller]
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.handle.inside() {
            None => self.line.native().try_recv(),
            Some(inside) => self.try_recv_inside(inside).inspect_err(|error| {
                if error.is_empty() {
                    self.handle.saw(false);
                }
            }),
        }
    }

    #[inline]
    fn try_recv_inside(&self, inside: Inside<'_>) -> Result<T, TryRecvError> {
        match &self.line {
            Line::Native(native) => self.try_recv_on_threads(native, inside),
            Line::Modelled(queue) => {
                self.recv_modelled(queue, inside, Limit::Try).map_err(|error| match error {
                    RecvTimeoutError::Timeout => TryRecvError::Empty,
                    RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                })
            }
        }
    }

    fn try_recv_on_threads(&self, native: &cc::Receiver<T>, inside: Inside<'_>) -> Result<T, TryRecvError> {
        self.handle.point(inside);
        if inside.disconnected() {
            return Err(TryRecvError::Disconnected);
        }
        if self.handle.is_steered() {
            match inside.attempt(self) {
                Attempt::Refused => return Err(TryRecvError::Empty),
                Attempt::Selected(selected) => return Ok(SelectedOperation::native(selected).recv(self)?),
                Attempt::Disconnected(_) => return Err(TryRecvError::Disconnected),
                Attempt::Native | Attempt::Modelled(_) => {}
            }
        }
        let result = native.try_recv();
        if result.is_ok() {
            self.handle.passed();
        }
        result
    }

    /// Receives a message by an operation that was selected.
    pub(super) fn complete(&self) -> Result<T, RecvError> {
        match &self.line {
            Line::Native(native) => {
                let message = native.try_recv().map_err(|_| RecvError)?;
                self.handle.passed();
                Ok(message)
            }
            Line::Modelled(_) if !self.handle.complete() => Err(RecvError),
            Line::Modelled(queue) => queue.pop().ok_or(RecvError),
        }
    }

    /// Receives a message, waiting up to `timeout`.
    ///
    /// # Errors
    /// If the time is up, or the channel is empty and there is no sender left.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.recv_deadline(deadline),
            None => self.recv().map_err(RecvTimeoutError::from),
        }
    }

    /// Receives a message, waiting until `deadline`.
    ///
    /// # Errors
    /// If the time is up, or the channel is empty and there is no sender left.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        match self.handle.inside() {
            None => self.line.native().recv_deadline(deadline.into()),
            Some(inside) => match &self.line {
                Line::Modelled(queue) => self.recv_modelled(queue, inside, Limit::Until(deadline.into())),
                Line::Native(native) => self.recv_on_threads(native, inside, Some(deadline)),
            },
        }
    }

    /// The messages, waiting for each, until the channel is empty and there is no sender left.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// The messages that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
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

    /// Whether both are receivers of one channel.
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        match (&self.line, &other.line) {
            (Line::Native(one), Line::Native(other)) => one.same_channel(other),
            (Line::Modelled(one), Line::Modelled(other)) => one.is(other),
            _ => false,
        }
    }

    /// The crossbeam-channel receiver inside, for its own `select!`.
    ///
    /// # Panics
    /// Inside an execution: what is received there would be missing from the books.
    #[track_caller]
    pub fn as_crossbeam(&self) -> &cc::Receiver<T> {
        assert!(
            self.handle.inside().is_none(),
            "watchmux::sync: as_crossbeam is for use outside of executions; inside, use sync::select!"
        );
        self.line.native()
    }

    /// The channel, in the records of the execution it belongs to.
    #[cfg(feature = "suite")]
    pub fn object(&self) -> Option<crate::engine::ObjectId> {
        self.handle.tag().id()
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        if self.handle.leave()
            && let Line::Modelled(queue) = &self.line
        {
            queue.discard();
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        Receiver { line: self.line.clone(), handle: self.handle.clone() }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}

impl<T> Endpoint for Receiver<T> {
    fn register<'a>(&'a self, select: &mut cc::Select<'a>) -> usize {
        select.recv(self.line.native())
    }

    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn abandon(&self) {
        // Its message is for nobody else.
        drop(self.complete());
    }
}
