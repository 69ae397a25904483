//! Channels, as in crossbeam-channel.
//!
//! The types are its own, wrapped: capacity 0 is a rendezvous, either side gone is a disconnection, and
//! [`select!`](crate::sync::select) waits for several at once. Errors are crossbeam-channel's.

use std::fmt;
use std::iter::FusedIterator;
use std::panic::Location;
use std::time::Duration;

use crossbeam_channel as cc;

pub use crossbeam_channel::{
    RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySelectError, TrySendError,
};

use super::seam::{Attempt, Endpoint, Handle, Inside, Passage, Queue, Timer};
use super::time::Instant;

mod select;

pub use crate::select;
pub use select::{Select, Selectable, SelectedOperation};

/// A channel that holds up to `capacity` messages; 0 is a rendezvous.
#[track_caller]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    wrap(Some(capacity), || cc::bounded(capacity))
}

/// A channel that holds any number of messages.
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    wrap(None, cc::unbounded)
}

/// A channel that delivers one message, the time, after `duration`.
#[track_caller]
pub fn after(duration: Duration) -> Receiver<std::time::Instant> {
    let handle = Handle::timer(Timer::After);
    Receiver { line: handle.fill(duration).unwrap_or_else(|| Line::Native(cc::after(duration))), handle }
}

/// A channel that delivers the time, again and again, every `duration`.
#[track_caller]
pub fn tick(duration: Duration) -> Receiver<std::time::Instant> {
    let handle = Handle::timer(Timer::Tick);
    Receiver { line: handle.fill(duration).unwrap_or_else(|| Line::Native(cc::tick(duration))), handle }
}

/// A channel that never delivers anything and is never disconnected.
#[track_caller]
pub fn never<T>() -> Receiver<T> {
    let handle = Handle::timer(Timer::Never);
    let line = match handle.model(Some(0)) {
        Some(queue) => Line::Modelled(queue),
        None => Line::Native(cc::never()),
    };
    Receiver { line, handle }
}

#[track_caller]
fn wrap<T>(
    capacity: Option<usize>,
    native: impl FnOnce() -> (cc::Sender<T>, cc::Receiver<T>),
) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = Handle::pair(capacity);
    let lines = match sender.model(capacity) {
        Some(queue) => (Line::Modelled(queue.clone()), Line::Modelled(queue)),
        None => {
            let (sender, receiver) = native();
            (Line::Native(sender), Line::Native(receiver))
        }
    };
    (Sender { line: lines.0, handle: sender }, Receiver { line: lines.1, handle: receiver })
}

/// What messages go through.
pub(crate) enum Line<T, N> {
    /// One side of a channel of crossbeam-channel.
    Native(N),
    /// A channel of an execution whose engine models it.
    Modelled(Queue<T>),
}

impl<T, N> Line<T, N> {
    /// The native side, where the calling thread is outside of executions.
    #[inline]
    fn native(&self) -> &N {
        match self {
            Line::Native(native) => native,
            Line::Modelled(_) => unreachable!("a modelled channel belongs to an execution"),
        }
    }
}

impl<T, N: Clone> Clone for Line<T, N> {
    fn clone(&self) -> Line<T, N> {
        match self {
            Line::Native(native) => Line::Native(native.clone()),
            Line::Modelled(queue) => Line::Modelled(queue.clone()),
        }
    }
}

/// The sending side of a channel.
pub struct Sender<T> {
    line: Line<T, cc::Sender<T>>,
    handle: Handle,
}

impl<T> Sender<T> {
    /// Gives the channel the name that reports call it by.
    #[must_use]
    pub fn named(self, name: &str) -> Sender<T> {
        self.handle.tag().set_name(name);
        self
    }

    /// Sends a message, waiting for room, or at capacity 0 for a receiver.
    ///
    /// # Errors
    /// If there is no receiver left; with the message.
    #[track_caller]
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        match self.handle.inside() {
            None => self.line.native().send(message),
            Some(inside) => self.send_inside(&inside, message),
        }
    }

    #[track_caller]
    #[inline(never)]
    fn send_inside(&self, inside: &Inside<'_>, message: T) -> Result<(), SendError<T>> {
        self.handle.intend();
        let message = match self.try_send_inside(inside, message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Disconnected(message)) => return Err(SendError(message)),
            Err(TrySendError::Full(message)) => message,
        };
        match select::one(self, None, Location::caller()) {
            Some(selected) => selected.send(self, message),
            None => Err(SendError(message)),
        }
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
            Some(inside) => self.try_send_inside(&inside, message).inspect_err(|error| {
                if error.is_full() {
                    self.handle.saw(false);
                }
            }),
        }
    }

    #[inline(never)]
    fn try_send_inside(&self, inside: &Inside<'_>, message: T) -> Result<(), TrySendError<T>> {
        self.handle.point(inside);
        if inside.disconnected() {
            return Err(TrySendError::Disconnected(message));
        }
        let native = match &self.line {
            Line::Native(native) => native,
            Line::Modelled(queue) => {
                return match self.handle.try_pass(inside) {
                    Passage::Passed => {
                        queue.push(message);
                        Ok(())
                    }
                    Passage::Refused => Err(TrySendError::Full(message)),
                    Passage::Disconnected => Err(TrySendError::Disconnected(message)),
                };
            }
        };
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
    fn complete(&self, message: T) -> Result<(), SendError<T>> {
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
        let Some(inside) = self.handle.inside() else {
            return self.line.native().send_deadline(message, deadline.into());
        };
        self.handle.intend();
        let message = match self.try_send_inside(&inside, message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Disconnected(message)) => return Err(SendTimeoutError::Disconnected(message)),
            Err(TrySendError::Full(message)) => message,
        };
        match select::one(self, Some(deadline), Location::caller()) {
            Some(selected) => selected.send(self, message).map_err(SendTimeoutError::from),
            None => Err(SendTimeoutError::Timeout(message)),
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

/// Looking at a channel without taking part is a sync point like any other.
#[track_caller]
fn look(handle: &Handle) {
    if let Some(inside) = handle.inside() {
        handle.look(&inside);
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
}

/// The receiving side of a channel.
pub struct Receiver<T> {
    line: Line<T, cc::Receiver<T>>,
    handle: Handle,
}

impl<T> Receiver<T> {
    /// Gives the channel the name that reports call it by.
    #[must_use]
    pub fn named(self, name: &str) -> Receiver<T> {
        self.handle.tag().set_name(name);
        self
    }

    /// Receives a message, waiting for it.
    ///
    /// # Errors
    /// If the channel is empty and there is no sender left.
    #[track_caller]
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        match self.handle.inside() {
            None => self.line.native().recv(),
            Some(inside) => self.recv_inside(&inside),
        }
    }

    #[track_caller]
    #[inline(never)]
    fn recv_inside(&self, inside: &Inside<'_>) -> Result<T, RecvError> {
        self.handle.intend();
        match self.try_recv_inside(inside) {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) => {}
        }
        select::one(self, None, Location::caller()).ok_or(RecvError)?.recv(self)
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
            Some(inside) => self.try_recv_inside(&inside).inspect_err(|error| {
                if error.is_empty() {
                    self.handle.saw(false);
                }
            }),
        }
    }

    #[inline(never)]
    fn try_recv_inside(&self, inside: &Inside<'_>) -> Result<T, TryRecvError> {
        self.handle.point(inside);
        if inside.disconnected() {
            return Err(TryRecvError::Disconnected);
        }
        let native = match &self.line {
            Line::Native(native) => native,
            Line::Modelled(queue) => {
                return match self.handle.try_pass(inside) {
                    Passage::Passed => queue.pop().ok_or(TryRecvError::Empty),
                    Passage::Refused => Err(TryRecvError::Empty),
                    Passage::Disconnected => Err(TryRecvError::Disconnected),
                };
            }
        };
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
    fn complete(&self) -> Result<T, RecvError> {
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
        let Some(inside) = self.handle.inside() else {
            return self.line.native().recv_deadline(deadline.into());
        };
        self.handle.intend();
        match self.try_recv_inside(&inside) {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {}
        }
        let selected = select::one(self, Some(deadline), Location::caller());
        Ok(selected.ok_or(RecvTimeoutError::Timeout)?.recv(self)?)
    }

    /// The messages, waiting for each, until the channel is empty and there is no sender left.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
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
    fn drop(&mut self) {
        if let Line::Modelled(queue) = &self.line
            && self.handle.leave()
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
}

/// The messages of a channel, waiting for each. See [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}

/// The messages that are in a channel. See [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// The messages of a channel that is given up for them. See [`Receiver::iter`].
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> FusedIterator for IntoIter<T> {}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
