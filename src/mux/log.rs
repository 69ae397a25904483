//! The events that are queued, or owed to somebody, by their places in the total order.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use super::errand::Errand;
use super::held::{Batch, Held, Share};

/// The events that are queued, or owed to somebody who is waited for.
///
/// Whoever is owed an event is owed all after it, so neighbours that are owed to as many are owed to the same. When one of
/// them takes such neighbours, they become a block: shared, taken and given up as a whole, which costs as much as it does
/// for one event. But an event that has to be dropped stays alone, so that it goes with the last who reads it; of any other
/// nobody can tell when it goes.
pub(super) struct Log<E> {
    batches: VecDeque<Logged<Batch<E>>>,
    /// The events behind the batches. The last is the one before `next`.
    events: VecDeque<Logged<Held<E>>>,
    /// The place of the next event in the total order.
    next: u64,
}

struct Logged<T> {
    it: T,
    /// How many of those who are waited for have still to take it.
    owed: usize,
}

impl<E> Log<E> {
    /// How many events a block has at most.
    const BLOCK: usize = if mem::needs_drop::<E>() { 1 } else { 32 };

    pub(super) fn new() -> Log<E> {
        Log { batches: VecDeque::new(), events: VecDeque::new(), next: 0 }
    }

    /// The place of the next event in the total order.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The place of the first event that is in no batch.
    fn unpacked(&self) -> u64 {
        self.next - self.events.len() as u64
    }

    /// Adds an event that is owed to so many; says its place.
    pub(super) fn push(&mut self, event: Held<E>, owed: usize) -> u64 {
        let seq = self.next;
        self.next += 1;
        if Self::BLOCK > 1 {
            self.events.push_back(Logged { it: event, owed });
        } else {
            let event = if owed > 1 { Share::common(event) } else { Share::Sole(event) };
            self.batches.push_back(Logged { it: Batch::new(seq, event), owed });
        }
        seq
    }

    /// Puts the events before this place in batches.
    fn pack(&mut self, before: u64) {
        while self.unpacked() < before {
            let first = self.unpacked();
            let owed = self.events[0].owed;
            let most = Self::BLOCK.min((before - first) as usize);
            let len = self.events.iter().take(most).take_while(|logged| logged.owed == owed).count();
            let mut events = self.events.drain(..len).map(|logged| logged.it);
            let it = match len {
                1 => Batch::new(first, Share::Sole(events.next().expect("there is one"))),
                _ => Batch::block(first, events.collect()),
            };
            self.batches.push_back(Logged { it, owed });
        }
    }

    /// The index of the first batch from this place on.
    fn batch_from(&self, place: u64) -> usize {
        self.batches.partition_point(|logged| logged.it.next() < place)
    }

    /// The event at this place, which nobody has taken: it gets a batch of its own.
    pub(super) fn event(&mut self, seq: u64) -> &mut Share<E> {
        self.pack(seq);
        self.pack(seq + 1);
        let index = self.batch_from(seq);
        &mut self.batches[index].it.events
    }

    /// Moves the events at these places to one who is owed them. Each batch is before `full_at` or behind it: if there is
    /// room for all before it with everyone, they can all take a batch as a whole.
    pub(super) fn take(
        &mut self,
        Range { start, end }: Range<u64>,
        full_at: u64,
        into: &mut VecDeque<Batch<E>>,
    ) {
        if start >= end {
            return;
        }
        self.pack(end.min(full_at));
        self.pack(end);
        // What nobody else is owed comes first.
        let is_last =
            |logged: &mut Logged<Batch<E>>| logged.owed == 1 && (start..end).contains(&logged.it.next());
        while let Some(logged) = self.batches.pop_front_if(is_last) {
            into.push_back(logged.it);
        }
        let from = self.batch_from(start);
        let rest = self.batches.range_mut(from..).take_while(|logged| logged.it.next() < end);
        into.extend(rest.map(|logged| {
            logged.owed -= 1;
            Batch::new(logged.it.next(), logged.it.events.another())
        }));
    }

    /// One who was owed all from this place on is so no more.
    pub(super) fn forgo(&mut self, from: u64) {
        let batch = self.batch_from(from);
        self.batches.range_mut(batch..).for_each(|logged| logged.owed -= 1);
        let event = from.saturating_sub(self.unpacked()) as usize;
        self.events.range_mut(event..).for_each(|logged| logged.owed -= 1);
    }

    /// Moves what is before this place and owed to nobody out of the way.
    pub(super) fn trim(&mut self, before: u64, bin: &mut Vec<Errand<E>>) {
        while let Some(logged) =
            self.batches.pop_front_if(|logged| logged.owed == 0 && logged.it.next() < before)
        {
            bin.push(Errand::Drop(logged.it.events));
        }
        while self.unpacked() < before
            && let Some(logged) = self.events.pop_front_if(|logged| logged.owed == 0)
        {
            bin.push(Errand::Drop(Share::Sole(logged.it)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<E: From<u64>>(owed: &[usize]) -> Log<E> {
        let mut log = Log::new();
        for (event, owed) in (0..).zip(owed) {
            log.push(Held::new(E::from(event)), *owed);
        }
        log
    }

    /// The first and the last place of each batch that is taken, where there is room before `full_at`.
    fn take<E>(log: &mut Log<E>, places: Range<u64>, full_at: u64) -> Vec<[u64; 2]> {
        let mut taken = VecDeque::new();
        log.take(places, full_at, &mut taken);
        taken.into_iter().map(|batch| [batch.next(), batch.next() + batch.len() as u64 - 1]).collect()
    }

    fn first<E>(log: &Log<E>) -> u64 {
        log.batches.front().map_or(log.unpacked(), |logged| logged.it.next())
    }

    /// An event that has to be dropped.
    type Dropped = Box<u64>;

    #[test]
    fn each_who_is_owed_an_event_takes_it_once_and_the_last_empties_the_log() {
        let mut log = of::<Dropped>(&[1, 1, 2, 2]);
        assert_eq!(take(&mut log, 0..3, 9), [[0, 0], [1, 1], [2, 2]]);
        assert_eq!((first(&log), log.next()), (2, 4), "events 2 and 3 are owed to the other one");
        assert_eq!(take(&mut log, 2..4, 9), [[2, 2], [3, 3]]);
        assert_eq!(first(&log), 3);
        assert_eq!(take(&mut log, 3..4, 9), [[3, 3]]);
        assert_eq!(first(&log), 4);
    }

    #[test]
    fn what_is_owed_to_the_same_is_taken_as_a_whole() {
        let mut log = of::<u64>(&[1, 1, 2, 2, 2]);
        assert_eq!(take(&mut log, 0..4, 9), [[0, 1], [2, 3]]);
        assert_eq!(first(&log), 2);
        assert_eq!(take(&mut log, 2..5, 9), [[2, 3], [4, 4]]);
        assert_eq!(first(&log), 4);
        let blocks = take(&mut of::<u64>(&[2; 70]), 0..70, 70);
        assert_eq!(blocks, [[0, 31], [32, 63], [64, 69]]);
    }

    #[test]
    fn what_somebody_has_no_room_for_is_in_no_block_with_what_they_have() {
        let mut log = of::<u64>(&[2, 2, 2, 2]);
        assert_eq!(take(&mut log, 0..4, 3), [[0, 2], [3, 3]]);
        assert_eq!(take(&mut log, 0..3, 3), [[0, 2]]);
    }

    #[test]
    fn who_takes_nothing_makes_no_block() {
        let mut log = of::<u64>(&[1, 1, 2]);
        assert!(take(&mut log, 2..2, 9).is_empty());
        assert_eq!(log.unpacked(), 0);
    }

    #[test]
    fn an_event_that_is_given_to_others_too_is_in_no_block() {
        let mut log = of::<u64>(&[2, 2, 2, 2]);
        assert!(matches!(log.event(2), Share::Sole(_)));
        assert_eq!(take(&mut log, 0..4, 9), [[0, 1], [2, 2], [3, 3]]);
    }

    #[test]
    fn an_event_that_has_to_be_dropped_is_shared_from_the_start_if_it_is_owed_to_several() {
        let mut log = of::<Dropped>(&[0, 1, 2, 3]);
        let mut is_sole = |seq| matches!(log.event(seq), Share::Sole(_));
        assert_eq!([0, 1, 2, 3].map(&mut is_sole), [true, true, false, false]);
    }

    /// The places of what is moved out of the way.
    fn trim<E>(log: &mut Log<E>, before: u64) -> Range<u64> {
        let mut bin = Vec::new();
        let from = first(log);
        log.trim(before, &mut bin);
        assert_eq!(bin.is_empty(), from == first(log));
        from..first(log)
    }

    #[test]
    fn what_is_owed_to_nobody_goes_when_it_is_out() {
        fn goes<E: From<u64>>() {
            let mut log = of::<E>(&[0, 1, 1]);
            log.forgo(1);
            assert_eq!(trim(&mut log, 0), 0..0, "event 0 is not out");
            assert_eq!(trim(&mut log, 2), 0..2);
            assert_eq!(trim(&mut log, 9), 2..3);
        }
        goes::<u64>();
        goes::<Dropped>();
    }

    #[test]
    fn one_who_leaves_is_owed_no_block() {
        let mut log = of::<u64>(&[2, 2, 2, 2, 2]);
        assert_eq!(take(&mut log, 0..2, 2), [[0, 1]]);
        assert_eq!(take(&mut log, 2..4, 4), [[2, 3]]);
        log.forgo(2);
        assert_eq!(trim(&mut log, 4), 0..0, "events 0 and 1 are owed to somebody");
        assert_eq!(take(&mut log, 0..2, 4), [[0, 1]]);
        assert_eq!(trim(&mut log, 4), 2..4);
        assert_eq!(take(&mut log, 4..5, 5), [[4, 4]]);
        assert_eq!(first(&log), 5);
    }
}
