//! Where the messages of a channel are that an engine models.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

/// The messages of a modelled channel: whether one may pass is for the engine to say. Clones share them.
pub(crate) struct Queue<T>(Arc<Messages<T>>);

struct Messages<T> {
    capacity: Option<usize>,
    /// Never waited for: all tasks are on one thread.
    there: Mutex<There<T>>,
}

struct There<T> {
    messages: VecDeque<T>,
    /// How many were dropped for want of a receiver. As in crossbeam-channel, a bounded channel goes on counting them.
    discarded: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: Option<usize>) -> Queue<T> {
        let there = There { messages: VecDeque::new(), discarded: 0 };
        Queue(Arc::new(Messages { capacity, there: Mutex::new(there) }))
    }

    pub(crate) fn push(&self, message: T) {
        self.0.there.lock().messages.push_back(message);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.there.lock().messages.pop_front()
    }

    /// Drops all messages, for nobody is left to receive them.
    pub(crate) fn discard(&self) {
        let mut there = self.0.there.lock();
        let messages = std::mem::take(&mut there.messages);
        there.discarded += if self.0.capacity.is_some() { messages.len() } else { 0 };
        drop(there);
        // Not under the lock: there may be sync points in it.
        drop(messages);
    }

    /// How many messages can be seen in it: at a rendezvous none.
    pub(crate) fn len(&self) -> usize {
        if self.0.capacity == Some(0) {
            return 0;
        }
        let there = self.0.there.lock();
        there.messages.len() + there.discarded
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.capacity.is_some_and(|capacity| self.len() >= capacity)
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.0.capacity
    }

    pub(crate) fn is(&self, other: &Queue<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue(Arc::clone(&self.0))
    }
}
