//! Events in the mux's hands, and calls into the user's code.

use std::fmt;
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

impl<E: Clone> Held<E> {
    /// The event itself for the last who has a share in it, and a copy for all others; `None` if `Clone` panicked.
    pub(super) fn give(held: Arc<Held<E>>) -> Option<E> {
        match Arc::try_unwrap(held) {
            Ok(last) => Some(last.into_inner()),
            Err(shared) => quietly(|| shared.0.clone()).flatten(),
        }
    }
}

impl<E> Drop for Held<E> {
    fn drop(&mut self) {
        if let Some(event) = self.0.take() {
            quietly(|| drop(event));
        }
    }
}

impl<E> fmt::Debug for Held<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Held { .. }")
    }
}

/// An event and its place in the total order.
#[derive(Debug)]
pub(super) struct Item<E> {
    pub(super) seq: u64,
    pub(super) event: Arc<Held<E>>,
}
