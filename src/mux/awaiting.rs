//! Futures: a receive and an action, awaited.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::{ActionError, Closed};
use super::shared::Shared;
use super::state::Ticket;
use super::watcher::{Delivery, Watcher};

/// A receive, awaited. See [`Watcher::recv_async`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvFuture<'a, E> {
    watcher: &'a mut Watcher<E>,
    /// Whether the last poll found nothing.
    waits: bool,
}

impl<'a, E> RecvFuture<'a, E> {
    pub(super) fn new(watcher: &'a mut Watcher<E>) -> RecvFuture<'a, E> {
        RecvFuture { watcher, waits: false }
    }
}

impl<E: Clone> Future for RecvFuture<'_, E> {
    type Output = Result<Delivery<E>, Closed>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.watcher.poll_recv(context);
        self.waits = polled.is_pending();
        polled
    }
}

impl<E> Drop for RecvFuture<'_, E> {
    fn drop(&mut self) {
        if self.waits {
            self.watcher.stop_waiting();
        }
    }
}

impl<E> fmt::Debug for RecvFuture<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("RecvFuture { .. }")
    }
}

/// An action, awaited. See [`Mux::action_async`](crate::Mux::action_async).
#[must_use = "a future does nothing unless it is awaited"]
pub struct ActionFuture<'a, E> {
    shared: &'a Shared<E>,
    /// Until it is queued, or given back.
    event: Option<E>,
    /// While it waits for room.
    ticket: Option<Ticket>,
}

/// Its event is only ever moved.
impl<E> Unpin for ActionFuture<'_, E> {}

impl<'a, E> ActionFuture<'a, E> {
    pub(super) fn new(shared: &'a Shared<E>, event: E) -> ActionFuture<'a, E> {
        ActionFuture { shared, event: Some(event), ticket: None }
    }
}

impl<E> Future for ActionFuture<'_, E> {
    type Output = Result<u64, ActionError<E>>;

    /// # Panics
    /// If it is polled again once it is ready.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, event, ticket } = &mut *self;
        shared.poll_action(event, ticket, context.waker()).map_err(ActionError)
    }
}

impl<E> Drop for ActionFuture<'_, E> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.give_up_room(ticket);
        }
    }
}

impl<E> fmt::Debug for ActionFuture<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("ActionFuture { .. }")
    }
}
