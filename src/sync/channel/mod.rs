//! Channels, as in crossbeam-channel.
//!
//! The types are its own, wrapped: capacity 0 is a rendezvous, either side gone is a disconnection, and
//! [`select!`](crate::sync::select) waits for several at once. Errors are crossbeam-channel's.

use std::time::Duration;

use crossbeam_channel as cc;

pub use crossbeam_channel::{
    RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError, TryRecvError,
    TrySelectError, TrySendError,
};

use super::seam::{self, Handle, Queue, Tag, Timer};
use super::time::Instant;

mod iter;
mod receiver;
mod select;
mod selectable;
mod sender;

pub use crate::select;
pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use select::{Select, SelectedOperation};
pub use selectable::Selectable;
pub use sender::Sender;

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
    if never_comes(duration) {
        return never();
    }
    let handle = Handle::timer(Timer::After);
    Receiver { line: handle.fill(duration).unwrap_or_else(|| Line::Native(cc::after(duration))), handle }
}

/// A channel that delivers the time, again and again, every `duration`.
#[track_caller]
pub fn tick(duration: Duration) -> Receiver<std::time::Instant> {
    if never_comes(duration) {
        return never();
    }
    let handle = Handle::timer(Timer::Tick);
    Receiver { line: handle.fill(duration).unwrap_or_else(|| Line::Native(cc::tick(duration))), handle }
}

/// Whether the time so much later cannot be told. Outside executions crossbeam-channel looks for itself.
fn never_comes(duration: Duration) -> bool {
    seam::is_inside() && Instant::now().checked_add(duration).is_none()
}

/// A channel that never delivers anything and is never disconnected.
#[track_caller]
pub fn never<T>() -> Receiver<T> {
    let handle = Handle::timer(Timer::Never);
    let line = match handle.tag().model(Some(0)) {
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
    let tag = Tag::channel(capacity);
    let lines = match tag.model(capacity) {
        Some(queue) => (Line::Modelled(queue.clone()), Line::Modelled(queue)),
        None => {
            let (sender, receiver) = native();
            (Line::Native(sender), Line::Native(receiver))
        }
    };
    let (sender, receiver) = Handle::pair(tag);
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

/// Looking at a channel without taking part is a sync point like any other.
#[track_caller]
fn look(handle: &Handle) {
    if let Some(inside) = handle.inside() {
        handle.look(inside);
    }
}
