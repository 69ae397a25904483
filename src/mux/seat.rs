//! A watcher's place in the mux.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::held::{Batch, Share};
use super::roster::Cursor;
use super::{Reason, WhenFull};
use crate::sync::channel::Sender;

/// Seats are numbered in the order their watchers joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeatId(pub(super) u64);

/// A watcher's place in the mux.
pub(super) struct Seat<E> {
    pub(super) policy: Policy,
    /// The place of the first event that its watcher is owed.
    joined: u64,
    /// What its watcher is given before anything else: the queue of one that is not waited for; of one that has ended,
    /// what was in its queue.
    pub(super) kept: VecDeque<Batch<E>>,
    pub(super) queue: usize,
    /// 1 + the place of the last event that a drop policy left out.
    pub(super) lost: u64,
    pub(super) ended: Option<Reason>,
    /// Whether its watcher waits for the next event, and has not been given one.
    pub(super) waits: bool,
    /// Rung when there is something for a watcher that waits in a selection.
    pub(super) bell: Option<Sender<()>>,
    /// Woken when there is something for a watcher that a task waits for.
    pub(super) waker: Option<Waker>,
}

/// What is done when a watcher's queue is full.
#[derive(Clone)]
pub(super) enum Policy {
    /// It is waited for.
    Wait {
        cursor: Arc<Cursor>,
        /// The place of the first event that it has not taken from the log.
        taken: u64,
    },
    DropNewest,
    DropOldest,
    Disconnect,
}

impl Policy {
    /// Of a watcher that is owed all events from `joined` on.
    fn new(when_full: WhenFull, joined: u64, queue: usize) -> Policy {
        match when_full {
            WhenFull::Wait => Policy::Wait { cursor: Cursor::new(joined, queue), taken: joined },
            // A rendezvous holds no event that could be left out instead.
            WhenFull::DropOldest if queue > 0 => Policy::DropOldest,
            WhenFull::DropNewest | WhenFull::DropOldest => Policy::DropNewest,
            WhenFull::Disconnect => Policy::Disconnect,
        }
    }
}

/// What becomes of an event for a watcher that is not waited for.
pub(super) enum Offered<E> {
    Kept,
    /// This one is left out.
    LeftOut(Batch<E>),
    /// The watcher is too slow.
    Ends,
}

impl<E> Seat<E> {
    /// Of a watcher that is owed all events from `joined` on.
    pub(super) fn new(when_full: WhenFull, joined: u64, queue: usize) -> Seat<E> {
        Seat {
            policy: Policy::new(when_full, joined, queue),
            joined,
            kept: VecDeque::new(),
            queue,
            lost: joined,
            ended: None,
            waits: false,
            bell: None,
            waker: None,
        }
    }

    /// Whether a receive would find something, or the end: the events before `out` are out, and none comes after `end`.
    pub(super) fn is_ready(&self, out: u64, end: Option<u64>) -> bool {
        self.ended.is_some()
            || !self.kept.is_empty()
            || matches!(self.policy, Policy::Wait { taken, .. } if taken < out || end == Some(taken))
    }

    /// Tells its watcher that there is something; a task is told by its waker, once the lock is free.
    pub(super) fn ring(&mut self) -> Option<Waker> {
        let waker = self.waker.take();
        if waker.is_none()
            && let Some(bell) = &self.bell
        {
            // One that is full has rung.
            let _ = bell.try_send(());
        }
        waker
    }

    /// Puts an event in the queue, or does what the policy says. One that was queued before the watcher joined, and comes
    /// out only now, is not for it.
    pub(super) fn offer(&mut self, seq: u64, event: &mut Share<E>) -> Offered<E> {
        if seq < self.joined {
            return Offered::Kept;
        }
        let item = Batch::new(seq, event.another());
        let has_room = if self.queue == 0 { self.waits } else { self.kept.len() < self.queue };
        if has_room {
            self.waits = false;
            self.kept.push_back(item);
            return Offered::Kept;
        }
        let left_out = match self.policy {
            Policy::Wait { .. } | Policy::Disconnect => return Offered::Ends,
            Policy::DropNewest => item,
            Policy::DropOldest => {
                self.kept.push_back(item);
                self.kept.pop_front().expect("it was full")
            }
        };
        self.lost = left_out.next() + 1;
        Offered::LeftOut(left_out)
    }
}
