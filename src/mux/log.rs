//! The events that are queued, or owed to somebody, by their places in the total order.

use std::collections::VecDeque;
use std::ops::Range;

use super::held::{Held, Item, Share};

/// The events that are queued, or owed to somebody who is waited for.
pub(super) struct Log<E> {
    /// The last is the one before `next`.
    events: VecDeque<Logged<E>>,
    /// The place of the next event in the total order.
    next: u64,
}

struct Logged<E> {
    event: Share<E>,
    /// How many of those who are waited for have still to take it. Whoever is owed an event is owed all after it.
    owed: usize,
}

impl<E> Log<E> {
    pub(super) fn new() -> Log<E> {
        Log { events: VecDeque::new(), next: 0 }
    }

    /// The place of the next event in the total order.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The place of the first event that is here.
    fn first(&self) -> u64 {
        self.next - self.events.len() as u64
    }

    fn index(&self, seq: u64) -> usize {
        (seq - self.first()) as usize
    }

    /// Adds an event that is owed to so many; says its place.
    pub(super) fn push(&mut self, event: Held<E>, owed: usize) -> u64 {
        let seq = self.next;
        self.next += 1;
        let event = if owed > 1 { Share::common(event) } else { Share::Sole(event) };
        self.events.push_back(Logged { event, owed });
        seq
    }

    /// The event at this place.
    pub(super) fn event(&mut self, seq: u64) -> &mut Share<E> {
        let index = self.index(seq);
        &mut self.events[index].event
    }

    /// Moves the events at these places to one who is owed them.
    pub(super) fn take(&mut self, places: Range<u64>, into: &mut VecDeque<Item<E>>) {
        let Range { start: mut seq, end } = places;
        // What nobody else is owed comes first.
        while seq < end
            && seq == self.first()
            && let Some(Logged { event, .. }) = self.events.pop_front_if(|logged| logged.owed == 1)
        {
            into.push_back(Item { seq, event });
            seq += 1;
        }
        let rest = self.index(seq)..self.index(end);
        into.extend(self.events.range_mut(rest).zip(seq..).map(|(logged, seq)| {
            logged.owed -= 1;
            Item { seq, event: logged.event.another() }
        }));
    }

    /// One who was owed all from this place on is so no more.
    pub(super) fn forgo(&mut self, from: u64) {
        let rest = self.index(from)..;
        self.events.range_mut(rest).for_each(|logged| logged.owed -= 1);
    }

    /// Moves what is before this place and owed to nobody out of the way.
    pub(super) fn trim(&mut self, before: u64, bin: &mut Vec<Share<E>>) {
        while self.first() < before
            && let Some(logged) = self.events.pop_front_if(|logged| logged.owed == 0)
        {
            bin.push(logged.event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(owed: &[usize]) -> Log<u64> {
        let mut log = Log::new();
        for (event, owed) in (0..).zip(owed) {
            log.push(Held::new(event), *owed);
        }
        log
    }

    fn take(log: &mut Log<u64>, places: Range<u64>) -> Vec<u64> {
        let mut taken = VecDeque::new();
        log.take(places, &mut taken);
        taken.into_iter().filter_map(|item| item.event.give()).collect()
    }

    #[test]
    fn each_who_is_owed_an_event_takes_it_once_and_the_last_empties_the_log() {
        let mut log = of(&[1, 1, 2, 2]);
        assert_eq!(take(&mut log, 0..3), [0, 1, 2]);
        assert_eq!((log.first(), log.next()), (2, 4), "events 2 and 3 are owed to the other one");
        assert_eq!(take(&mut log, 2..4), [2, 3]);
        assert_eq!(log.first(), 3);
        assert_eq!(take(&mut log, 3..4), [3]);
        assert_eq!(log.first(), 4);
    }

    #[test]
    fn an_event_is_shared_from_the_start_if_it_is_owed_to_several() {
        let mut log = of(&[0, 1, 2, 3]);
        let mut is_sole = |seq| matches!(log.event(seq), Share::Sole(_));
        assert_eq!([0, 1, 2, 3].map(&mut is_sole), [true, true, false, false]);
    }

    #[test]
    fn what_is_owed_to_nobody_goes_when_it_is_out() {
        let mut log = of(&[0, 1, 1]);
        log.forgo(1);
        let mut trim = |before| {
            let mut bin = Vec::new();
            log.trim(before, &mut bin);
            bin.into_iter().filter_map(Share::give).collect::<Vec<u64>>()
        };
        assert!(trim(0).is_empty(), "event 0 is not out");
        assert_eq!(trim(2), [0, 1]);
        assert_eq!(trim(9), [2]);
    }
}
