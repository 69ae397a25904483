//! How far the watchers have read that are waited for.

use std::sync::Arc;

use crate::sync::atomic::{AtomicU64, Ordering};

/// How far a watcher has read that is waited for when its queue is full.
///
/// It is written for every event that is read, by the one reader, so it shares a cache line with nothing.
#[repr(align(128))]
pub(super) struct Cursor {
    /// The place of the first event that is not read.
    read: AtomicU64,
    queue: u64,
}

impl Cursor {
    /// Of a watcher that is owed all events from `joined` on.
    pub(super) fn new(joined: u64, queue: usize) -> Arc<Cursor> {
        Arc::new(Cursor { read: AtomicU64::new(joined), queue: queue as u64 })
    }

    /// Notes that an event is read; says for which place there was no room until now.
    #[inline]
    pub(super) fn advance(&self, seq: u64) -> u64 {
        self.read.store(seq + 1, Ordering::SeqCst);
        seq + self.queue
    }

    /// The place of the first event that is not read.
    #[inline]
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    /// The place of the first event for which there is no room.
    #[inline]
    pub(super) fn full_at(&self) -> u64 {
        self.read() + self.queue
    }
}

/// The watchers that are waited for when their queues are full.
pub(super) struct Roster {
    cursors: Vec<Arc<Cursor>>,
    /// The first place for which one of them had no room when that was last looked at. They only read on, so there is
    /// room for all places before it.
    full_at: u64,
    /// Whose place that is.
    slowest: Option<Arc<Cursor>>,
}

impl Roster {
    /// Nobody, so that there is room for every event.
    pub(super) fn new() -> Roster {
        Roster { cursors: Vec::new(), full_at: u64::MAX, slowest: None }
    }

    pub(super) fn len(&self) -> usize {
        self.cursors.len()
    }

    pub(super) fn add(&mut self, cursor: Arc<Cursor>) {
        self.full_at = self.full_at.min(cursor.full_at());
        self.cursors.push(cursor);
        self.slowest = None;
    }

    pub(super) fn remove(&mut self, cursor: &Arc<Cursor>) {
        if let Some(index) = self.cursors.iter().position(|other| Arc::ptr_eq(other, cursor)) {
            self.cursors.remove(index);
            self.slowest = None;
        }
    }

    /// The first place for which one of them had no room when that was last looked at.
    pub(super) fn looked_at(&self) -> u64 {
        self.full_at
    }

    /// Whether each has room for the event at this place.
    pub(super) fn has_room(&mut self, seq: u64) -> bool {
        seq < self.full_at_or(seq + 1)
    }

    /// The first place for which one of them has no room, or this place or any after it if there is room for all before.
    pub(super) fn full_at_or(&mut self, enough: u64) -> u64 {
        if enough <= self.full_at { self.full_at } else { self.full_at() }
    }

    /// The first place for which one of them has no room.
    pub(super) fn full_at(&mut self) -> u64 {
        // Nobody else can have become the slowest while the slowest has read nothing.
        if self.slowest.as_ref().is_none_or(|slowest| slowest.full_at() != self.full_at) {
            // Of several that are equally slow the last, for it is likely to be the last to go on. Each is looked at once: what
            // one reads meanwhile says nothing of the others.
            let cursors = self.cursors.iter().rev().map(|cursor| (cursor.full_at(), cursor));
            let slowest = cursors.min_by_key(|(full_at, _)| *full_at);
            self.full_at = slowest.map_or(u64::MAX, |(full_at, _)| full_at);
            self.slowest = slowest.map(|(_, cursor)| Arc::clone(cursor));
        }
        self.full_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_until_the_slowest_is_full() {
        let mut roster = Roster::new();
        assert!(roster.has_room(u64::MAX - 1), "nobody is waited for");
        let (slow, fast) = (Cursor::new(0, 2), Cursor::new(0, 3));
        roster.add(Arc::clone(&slow));
        roster.add(Arc::clone(&fast));
        assert!(roster.has_room(1) && !roster.has_room(2));
        assert_eq!(roster.looked_at(), 2);
        assert_eq!(slow.advance(0), 2);
        assert_eq!(roster.full_at(), 3);
        assert_eq!(slow.advance(1), 3);
        assert_eq!(roster.full_at(), 3, "now the other one is the slowest");
        roster.remove(&fast);
        assert_eq!(roster.full_at(), 4);
        roster.remove(&slow);
        assert_eq!((roster.full_at(), roster.len()), (u64::MAX, 0));
    }

    #[test]
    fn who_joins_later_has_room_for_what_comes() {
        let mut roster = Roster::new();
        roster.add(Cursor::new(7, 0));
        assert!(roster.has_room(6) && !roster.has_room(7));
    }
}
