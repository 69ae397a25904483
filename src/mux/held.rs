//! Events in the mux's hands, and calls into the user's code.

use std::sync::Arc;

use crate::sync::catch_unwind;

/// Runs what is the user's; `None` if it panicked.
fn quietly<R>(f: impl FnOnce() -> R) -> Option<R> {
    let mut payload = match catch_unwind(f) {
        Ok(value) => return Some(value),
        Err(payload) => payload,
    };
    // The payload is the user's as well, and may panic when it is dropped.
    while let Err(next) = catch_unwind(move || drop(payload)) {
        payload = next;
    }
    None
}

/// An event in the mux's hands: a panic in its `Drop` goes no further, wherever it is dropped.
///
/// So a queue that is dropped drops all it holds, and nobody is left half-way.
pub(super) struct Held<E>(Option<E>);

impl<E> Held<E> {
    pub(super) fn new(event: E) -> Held<E> {
        Held(Some(event))
    }

    pub(super) fn into_inner(mut self) -> E {
        self.0.take().expect("an event is taken once")
    }
}

impl<E> Drop for Held<E> {
    fn drop(&mut self) {
        if let Some(event) = self.0.take() {
            quietly(|| drop(event));
        }
    }
}

/// A share in an event. The last who has one is given the event itself, and all others copies.
pub(super) enum Share<E> {
    /// Of the only one so far: it is nowhere but here.
    Sole(Held<E>),
    Common(Arc<Held<E>>),
}

impl<E> Share<E> {
    /// One of several.
    pub(super) fn common(event: Held<E>) -> Share<E> {
        Share::Common(Arc::new(event))
    }

    /// A share for someone else.
    pub(super) fn another(&mut self) -> Share<E> {
        if let Share::Sole(event) = self {
            *self = Share::Common(Arc::new(Held(event.0.take())));
        }
        match self {
            Share::Common(event) => Share::Common(Arc::clone(event)),
            Share::Sole(_) => unreachable!("it has just been made common"),
        }
    }
}

impl<E: Clone> Share<E> {
    /// The event, or a copy; `None` if `Clone` panicked.
    pub(super) fn give(self) -> Option<E> {
        match self {
            Share::Sole(event) => Some(event.into_inner()),
            // To look at the count costs nothing, to give up the last share in vain costs as much as a copy.
            Share::Common(event) if Arc::strong_count(&event) > 1 => quietly(|| event.0.clone()).flatten(),
            Share::Common(event) => Arc::into_inner(event).map(Held::into_inner),
        }
    }
}

/// An event and its place in the total order.
pub(super) struct Item<E> {
    pub(super) seq: u64,
    pub(super) event: Share<E>,
}
