//! Where the messages of a channel are that an engine models.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// The messages of a modelled channel: whether one may pass is for the engine to say. Clones share them.
///
/// They are used by the tasks of one execution on fibers alone, which all run on one thread: each handle asks its execution
/// first, and is refused elsewhere.
pub(crate) struct Queue<T>(Arc<Messages<T>>);

struct Messages<T> {
    capacity: Option<usize>,
    there: UnsafeCell<There<T>>,
}

#[expect(
    unsafe_code,
    reason = "a lock that nobody ever waits for would cost as much as all else about a message"
)]
// SAFETY: `Messages` is what a lock would be, which may be sent and shared if what is in it may be sent; see `Queue::with`.
unsafe impl<T: Send> Send for Messages<T> {}

#[expect(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl<T: Send> Sync for Messages<T> {}

struct There<T> {
    /// The first needs no memory: many a channel never has two.
    first: Option<T>,
    others: VecDeque<T>,
    /// How many were dropped for want of a receiver. As in crossbeam-channel, a bounded channel goes on counting them.
    discarded: usize,
}

impl<T> There<T> {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: Option<usize>) -> Queue<T> {
        let there = There { first: None, others: VecDeque::new(), discarded: 0 };
        Queue(Arc::new(Messages { capacity, there: UnsafeCell::new(there) }))
    }

    /// Uses the messages. Nothing of the caller's runs meanwhile: no task goes on, and nothing is dropped.
    #[inline(always)]
    #[expect(unsafe_code, reason = "see `Messages`")]
    fn with<R>(&self, f: impl FnOnce(&mut There<T>) -> R) -> R {
        // SAFETY: nobody else uses them. Other threads do not: a queue is reached through a handle of its execution, on fibers,
        // and each use of one follows on the engine's word that the calling thread is in the middle of that execution, which
        // one thread alone can be. Nor does this thread: the closures of this file neither call this, nor switch, nor drop
        // a message, so none is in the middle of another.
        f(unsafe { &mut *self.0.there.get() })
    }

    #[inline]
    pub(crate) fn push(&self, message: T) {
        self.with(|There { first, others, .. }| match first {
            None => *first = Some(message),
            Some(_) => others.push_back(message),
        });
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        self.with(|There { first, others, .. }| {
            let message = first.take();
            if !others.is_empty() {
                *first = others.pop_front();
            }
            message
        })
    }

    /// Drops all messages, for nobody is left to receive them.
    pub(crate) fn discard(&self) {
        let is_bounded = self.0.capacity.is_some();
        let messages = self.with(|there| {
            there.discarded += if is_bounded { there.len() } else { 0 };
            (there.first.take(), std::mem::take(&mut there.others))
        });
        // Not meanwhile: there may be sync points in it.
        drop(messages);
    }

    /// How many messages can be seen in it: at a rendezvous none.
    pub(crate) fn len(&self) -> usize {
        if self.0.capacity == Some(0) {
            return 0;
        }
        self.with(|there| there.len() + there.discarded)
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
