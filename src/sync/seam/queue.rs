//! Where the messages of a channel are that an engine models.

use std::collections::VecDeque;
use std::sync::Arc;

use qcell::QCell;
use sync_wrapper::SyncWrapper;

use crate::engine::fibers;

/// Who can use the messages of all channels of an execution: its table, which one thread has.
pub(crate) use qcell::QCellOwner as Owner;

/// The messages of a modelled channel: whether one may pass is for the engine to say. Clones share them.
pub(crate) struct Queue<T>(Arc<Messages<T>>);

struct Messages<T> {
    capacity: Option<usize>,
    /// Not behind a lock: all tasks are on one thread, and a lock takes as long as all else that a message needs. Nobody shares
    /// a reference to it, so it need not be `Sync`.
    there: QCell<SyncWrapper<There<T>>>,
}

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
    pub(crate) fn new(owner: &Owner, capacity: Option<usize>) -> Queue<T> {
        let there = There { first: None, others: VecDeque::new(), discarded: 0 };
        Queue(Arc::new(Messages { capacity, there: QCell::new(owner, SyncWrapper::new(there)) }))
    }

    /// Uses the messages. Nothing of the caller's runs meanwhile: no task goes on, and nothing is dropped.
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(&mut There<T>) -> R) -> R {
        fibers::own(|owner| f(self.0.there.rw(owner).get_mut()))
    }

    #[inline(always)]
    pub(crate) fn push(&self, message: T) {
        fibers::own(|owner| self.push_by(owner, message));
    }

    /// As [`push`](Queue::push), by whoever has the execution's table already.
    #[inline(always)]
    pub(crate) fn push_by(&self, owner: &mut Owner, message: T) {
        let There { first, others, .. } = self.0.there.rw(owner).get_mut();
        match first {
            None => *first = Some(message),
            Some(_) => {
                // Where there are two there will be more, and to grow takes as long as a dozen of them.
                if others.capacity() == 0 {
                    others.reserve(8);
                }
                others.push_back(message);
            }
        }
    }

    #[inline(always)]
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
