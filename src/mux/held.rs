//! Events in the mux's hands, and calls into the user's code.

use std::cell::Cell;
use std::sync::Arc;

use crate::sync::catch_unwind;

/// Runs what is the user's; `None` if it panicked.
pub(super) fn quietly<R>(f: impl FnOnce() -> R) -> Option<R> {
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

/// A share in events. The last who has one in a single event is given the event itself, and all others copies.
pub(super) enum Share<E> {
    /// Of the only one so far: the event is nowhere but here.
    Sole(Held<E>),
    Common(Arc<Held<E>>),
    Block(Arc<Block<E>>),
}

/// Events that follow on each other, and are shared as a whole.
pub(super) struct Block<E> {
    /// The place of the first in the total order.
    first: u64,
    events: Vec<Held<E>>,
}

impl<E> Share<E> {
    /// One of several.
    pub(super) fn common(event: Held<E>) -> Share<E> {
        Share::Common(Arc::new(event))
    }

    /// A share for someone else.
    pub(super) fn another(&mut self) -> Share<E> {
        if let Share::Sole(event) = self {
            *self = Share::common(Held(event.0.take()));
        }
        match self {
            Share::Common(event) => Share::Common(Arc::clone(event)),
            Share::Block(block) => Share::Block(Arc::clone(block)),
            Share::Sole(_) => unreachable!("it has just been made common"),
        }
    }
}

/// Events to be read one after the other.
pub(super) struct Batch<E> {
    /// The place of the next in the total order.
    next: Cell<u64>,
    pub(super) events: Share<E>,
}

impl<E> Batch<E> {
    /// Of the event at this place, or of a block that begins there.
    pub(super) fn new(seq: u64, events: Share<E>) -> Batch<E> {
        Batch { next: Cell::new(seq), events }
    }

    /// Of several events, the first of them at this place.
    pub(super) fn block(first: u64, events: Vec<Held<E>>) -> Batch<E> {
        Batch::new(first, Share::Block(Arc::new(Block { first, events })))
    }

    /// The place of the next event in the total order.
    pub(super) fn next(&self) -> u64 {
        self.next.get()
    }

    /// How many events are left; never none.
    pub(super) fn len(&self) -> usize {
        match &self.events {
            Share::Sole(_) | Share::Common(_) => 1,
            Share::Block(block) => block.events.len() - (self.next() - block.first) as usize,
        }
    }

    /// Goes on to the event after the next.
    pub(super) fn step(&self) {
        self.next.set(self.next() + 1);
    }
}

impl<E: Clone> Share<E> {
    /// A copy of the event at this place; `None` if `Clone` panicked.
    pub(super) fn copy(&self, seq: u64) -> Option<E> {
        let event = match self {
            Share::Sole(event) => event,
            Share::Common(event) => event,
            Share::Block(block) => &block.events[(seq - block.first) as usize],
        };
        quietly(|| event.0.clone()).flatten()
    }

    /// The event at this place, which is the last that is left, or a copy; `None` if `Clone` panicked.
    pub(super) fn give(self, seq: u64) -> Option<E> {
        match self {
            Share::Sole(event) => Some(event.into_inner()),
            // To look at the count costs nothing, to give up the last share in vain costs as much as a copy.
            Share::Common(event) if Arc::strong_count(&event) == 1 => {
                Arc::into_inner(event).map(Held::into_inner)
            }
            Share::Common(_) | Share::Block(_) => self.copy(seq),
        }
    }
}
