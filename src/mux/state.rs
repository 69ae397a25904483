//! What is queued, and who is owed what. Nothing here waits, and nothing of the user's is called.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::errand::Errand;
use super::held::{Batch, Held};
use super::log::Log;
use super::roster::{Cursor, Roster};
use super::seat::{Offered, Policy, Seat, SeatId};
use super::{Reason, WhenFull};
use crate::sync::channel::Sender;

/// The state of a mux, behind one lock.
///
/// Events have their places in the total order from the time they are queued, in one log for all. An event is *out*
/// once there is room for all before it, with everyone who is waited for: then whoever is owed it can have it. So to
/// distribute events is to move a mark forward, whoever does it: who queues an event, who reads and was the slowest,
/// or who leaves. Watchers that are waited for take from the log themselves, many events at once; to the others each
/// event is given as it comes out.
pub(super) struct State<E> {
    incoming: u64,
    /// The first is not out, or not taken by all who are owed it.
    log: Log<E>,
    /// The events before this place are out.
    out: u64,
    closed: bool,
    /// Whether all is distributed and everyone's stream has ended.
    over: bool,
    /// The watchers that are waited for.
    roster: Roster,
    /// The live watchers that are not, in the order they joined.
    others: Vec<SeatId>,
    /// Those of all watchers that there are.
    seats: BTreeMap<SeatId, Seat<E>>,
    joined: u64,
    /// Who waits in a selection, or as a task, and is rung for.
    listening: Vec<SeatId>,
    /// The actions that wait for room as tasks, in the order they came.
    acting: Vec<(Ticket, Waker)>,
    tickets: u64,
    pub(super) asleep: Asleep,
    /// What whoever reads compares with, to see whether they held somebody up.
    pub(super) watched_for: u64,
    /// Whether there is something new for those who wait to receive.
    pub(super) news: bool,
    /// What is to be done once the lock is free.
    pub(super) errands: Vec<Errand<E>>,
}

/// The place of an action among those that wait as tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// How many sleep, and why.
#[derive(Default)]
pub(super) struct Asleep {
    pub(super) receives: usize,
    pub(super) actions: usize,
    /// How many of the actions have been woken, and do not know it yet.
    pub(super) woken_actions: usize,
    pub(super) shutdowns: usize,
}

/// What there is for a watcher.
pub(super) enum Taken {
    /// One at least.
    Events,
    Nothing,
    End(End),
}

/// How a watcher's stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) reason: Reason,
    pub(super) lost: u64,
}

impl<E> State<E> {
    pub(super) fn new(incoming: usize) -> State<E> {
        State {
            incoming: incoming as u64,
            log: Log::new(),
            out: 0,
            closed: false,
            over: false,
            roster: Roster::new(),
            others: Vec::new(),
            seats: BTreeMap::new(),
            joined: 0,
            listening: Vec::new(),
            acting: Vec::new(),
            tickets: 0,
            asleep: Asleep::default(),
            watched_for: u64::MAX,
            news: false,
            errands: Vec::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// How many watchers have joined, and not ended.
    pub(super) fn watchers(&self) -> usize {
        self.roster.len() + self.others.len()
    }

    /// How many events there is not room for with everyone who is waited for: those that are not out, and the one that
    /// is out but still in hand.
    pub(super) fn queued(&mut self) -> usize {
        (self.log.next() - self.roster.full_at().min(self.log.next())) as usize
    }

    /// Whether the incoming queue has room. It has its capacity besides the event in hand.
    pub(super) fn has_room(&mut self) -> bool {
        match self.log.next().checked_sub(self.incoming + 1) {
            Some(last_to_be_placed) => self.roster.has_room(last_to_be_placed),
            None => true,
        }
    }

    /// Queues an event; says its place in the total order.
    pub(super) fn push(&mut self, event: Held<E>) -> u64 {
        self.log.push(event, self.roster.len())
    }

    /// A seat for a watcher that is owed every event from now on; the cursor is there if it is waited for.
    pub(super) fn join(&mut self, when_full: WhenFull, queue: usize) -> (SeatId, u64, Option<Arc<Cursor>>) {
        let id = SeatId(self.joined);
        self.joined += 1;
        let seat = Seat::new(when_full, self.log.next(), queue);
        let cursor = match &seat.policy {
            Policy::Wait { cursor, .. } => Some(Arc::clone(cursor)),
            Policy::DropNewest | Policy::DropOldest | Policy::Disconnect => None,
        };
        match &cursor {
            Some(cursor) => self.roster.add(Arc::clone(cursor)),
            None => self.others.push(id),
        }
        self.seats.insert(id, seat);
        (id, self.log.next(), cursor)
    }

    /// Lets nothing more in.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.news = true;
    }

    /// Lets events out as far as there is room; ends everyone once all are distributed after a close. Says which place is
    /// the slowest watcher's next, if somebody sleeps who could go on if it were read.
    ///
    /// All of it goes by one look at the watchers: what they read meanwhile is for the next look.
    pub(super) fn distribute(&mut self) -> Option<u64> {
        // Whether there is room for the last one too tells only the end.
        let needed = if self.closed { self.log.next() } else { self.log.next().saturating_sub(1) };
        let full_at = self.roster.full_at_or(needed);
        // The one event for which somebody has no room is out as well: it is in hand, until it can be placed.
        let out = self.log.next().min(full_at.saturating_add(1));
        if self.out < out {
            self.let_out(out);
        }
        if self.closed && !self.over && self.log.next() <= full_at {
            self.over = true;
            let mut first = SeatId(0);
            while let Some(id) = self.first_live(first) {
                self.end(id, Reason::Shutdown);
                first = id;
            }
            self.news = true;
        }
        let Asleep { receives, actions, shutdowns, .. } = self.asleep;
        let receives = receives > 0 || !self.listening.is_empty();
        let actions = actions > 0 || !self.acting.is_empty();
        let gains = actions || shutdowns > 0 || receives && (self.closed || self.out < self.log.next());
        (gains && full_at < self.log.next()).then_some(full_at)
    }

    /// The first live watcher from there on, in the order they joined.
    fn first_live(&self, first: SeatId) -> Option<SeatId> {
        let mut live = self.seats.range(first..).filter(|(_, seat)| seat.ended.is_none());
        live.next().map(|(id, _)| *id)
    }

    /// Lets the events before this place out.
    fn let_out(&mut self, to: u64) {
        self.news = true;
        if !self.others.is_empty() {
            (self.out..to).for_each(|seq| self.offer(seq));
        }
        self.out = to;
        self.log.trim(to, &mut self.errands);
    }

    /// Gives an event to those who are not waited for.
    fn offer(&mut self, seq: u64) {
        let mut too_slow = Vec::new();
        for id in &self.others {
            let seat = self.seats.get_mut(id).expect("a live watcher has a seat");
            match seat.offer(seq, self.log.event(seq)) {
                Offered::Kept => {}
                Offered::LeftOut(item) => self.errands.push(Errand::Drop(item.events)),
                Offered::Ends => too_slow.push(*id),
            }
        }
        too_slow.into_iter().for_each(|id| self.end(id, Reason::TooSlow));
    }

    /// Moves what there is for a watcher into `events`, which is empty.
    pub(super) fn take(&mut self, id: SeatId, events: &mut VecDeque<Batch<E>>) -> Taken {
        let seat = self.seats.get_mut(&id).expect("a watcher has a seat until it is dropped");
        // One at a time: what has been taken could no longer be left out.
        if let Some(item) = seat.kept.pop_front() {
            events.push_back(item);
            return Taken::Events;
        }
        if let Some(reason) = seat.ended {
            return Taken::End(End { reason, lost: seat.lost });
        }
        let Policy::Wait { taken, .. } = &mut seat.policy else { return Taken::Nothing };
        if *taken == self.log.next() && self.closed {
            return Taken::End(End { reason: Reason::Shutdown, lost: seat.lost });
        }
        let from = *taken;
        let to = self.out.min(from + seat.queue.max(1) as u64);
        if to <= from {
            return Taken::Nothing;
        }
        *taken = to;
        self.log.take(from..to, self.roster.looked_at(), events);
        Taken::Events
    }

    /// Whether a receive would find something, or the end.
    pub(super) fn is_ready(&self, id: SeatId) -> bool {
        self.seats[&id].is_ready(self.out, self.end_of_log())
    }

    /// The place after the last event that there is, once there will be no other.
    fn end_of_log(&self) -> Option<u64> {
        self.closed.then(|| self.log.next())
    }

    /// How many events are in a watcher's queue, besides those it has taken.
    pub(super) fn waiting_for(&self, id: SeatId) -> usize {
        let seat = &self.seats[&id];
        match &seat.policy {
            Policy::Wait { cursor, taken } if seat.ended.is_none() => {
                self.out.min(cursor.full_at()).saturating_sub(*taken) as usize
            }
            _ => seat.kept.iter().map(Batch::len).sum(),
        }
    }

    /// Notes whether a watcher waits for the next event.
    pub(super) fn set_waiting(&mut self, id: SeatId, waits: bool) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.waits = waits;
        }
    }

    pub(super) fn install_bell(&mut self, id: SeatId, bell: Sender<()>) {
        let seat = self.seats.get_mut(&id).expect("a watcher has a seat until it is dropped");
        seat.bell = Some(bell);
    }

    /// A watcher begins to wait in a selection, or as a task that is woken by this waker and no other.
    pub(super) fn listen(&mut self, id: SeatId, waker: Option<Waker>) {
        let seat = self.seats.get_mut(&id).expect("a watcher has a seat until it is dropped");
        seat.waits = true;
        match mem::replace(&mut seat.waker, waker) {
            Some(replaced) => self.errands.push(Errand::Forget(replaced)),
            None => self.listening.push(id),
        }
    }

    /// A watcher no longer waits in a selection.
    pub(super) fn end_selection(&mut self, id: SeatId) {
        self.listening.retain(|other| *other != id);
        self.set_waiting(id, false);
    }

    /// A watcher no longer waits as a task.
    #[inline]
    pub(super) fn stop_listening(&mut self, id: SeatId) {
        if !self.listening.is_empty()
            && let Some(waker) = self.seats.get_mut(&id).and_then(|seat| seat.waker.take())
        {
            self.errands.push(Errand::Forget(waker));
            self.end_selection(id);
        }
    }

    /// Rings for those who wait in a selection or as a task, and for whom there is something.
    pub(super) fn ring(&mut self) {
        if self.listening.is_empty() {
            return;
        }
        let (out, end) = (self.out, self.end_of_log());
        self.listening.retain(|id| {
            let seat = self.seats.get_mut(id).expect("a watcher has a seat until it is dropped");
            let is_ready = seat.is_ready(out, end);
            if is_ready && let Some(waker) = seat.ring() {
                self.errands.push(Errand::wake(waker));
            }
            !is_ready
        });
    }

    /// An action begins to wait for room as a task.
    pub(super) fn await_room(&mut self, waker: Waker) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.acting.push((ticket, waker));
        ticket
    }

    /// An action no longer waits as a task.
    pub(super) fn give_up_room(&mut self, ticket: Ticket) {
        if let Some(index) = self.acting.iter().position(|(other, _)| *other == ticket) {
            self.errands.push(Errand::Forget(self.acting.remove(index).1));
        }
    }

    /// Wakes the actions that wait as tasks, if they can go on: all of them, for one that is woken may never go on, and
    /// others must not wait for it.
    pub(super) fn wake_acting(&mut self) {
        if !self.acting.is_empty() && (self.closed || self.has_room()) {
            self.errands.extend(self.acting.drain(..).map(|(_, waker)| Errand::wake(waker)));
        }
    }

    /// Ends a watcher's stream, unless it has ended: what is in its queue is the last it gets.
    pub(super) fn end(&mut self, id: SeatId, reason: Reason) {
        let Some(seat) = self.seats.get_mut(&id).filter(|seat| seat.ended.is_none()) else { return };
        seat.ended = Some(reason);
        self.news = true;
        let Policy::Wait { cursor, taken } = &seat.policy else {
            self.others.retain(|other| *other != id);
            return;
        };
        self.roster.remove(cursor);
        let in_queue = self.out.min(cursor.full_at()).max(*taken);
        self.log.take(*taken..in_queue, self.roster.looked_at(), &mut seat.kept);
        self.log.forgo(in_queue);
        self.log.trim(self.out, &mut self.errands);
    }

    /// Ends the stream of a watcher for which an event could not be copied: it gets nothing more.
    pub(super) fn fail(&mut self, id: SeatId) -> u64 {
        self.end(id, Reason::EventPanicked);
        let seat = self.seats.get_mut(&id).expect("a watcher has a seat until it is dropped");
        self.errands.extend(seat.kept.drain(..).map(|batch| Errand::Drop(batch.events)));
        seat.ended = Some(Reason::EventPanicked);
        seat.lost
    }

    /// Removes a watcher.
    pub(super) fn remove(&mut self, id: SeatId) {
        self.end(id, Reason::Stopped);
        let kept = self.seats.remove(&id).map(|seat| seat.kept);
        self.errands.extend(kept.into_iter().flatten().map(|batch| Errand::Drop(batch.events)));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Config, Mux, WhenFull};

    // Other tests wait until nothing is queued, and would wait for ever.
    #[test]
    fn what_somebody_has_no_room_for_is_queued() {
        let mux = Mux::new(Config { incoming: 5, queue: 2, when_full: WhenFull::Wait });
        let watcher = mux.watch().unwrap();
        let mut queued = Vec::new();
        for event in 0..5 {
            mux.action(event).unwrap();
            queued.push(mux.queued());
        }
        watcher.recv().unwrap();
        queued.push(mux.queued());
        assert_eq!(queued, [0, 0, 1, 2, 3, 2]);
    }
}
