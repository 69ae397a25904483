//! What a history says of watchers and events: who joined, who is owed what, what may be unread.
//!
//! Whatever the calls' concurrency leaves open is answered in two ways: *definitely*, for what must be, and
//! *may*, for what cannot be ruled out. Only definite answers break a guarantee.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Context;
use super::contract::Guarantee;
use super::history::{Call, Delivery, EventId, History, Outcome, WatcherId};
use crate::engine::ObjectId;
use crate::script::{Op, OpKind, WhenFull};

/// A history, read once.
pub(super) struct Model<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) history: &'a History,
    /// In the order of their `watch` calls.
    pub(super) watchers: Vec<Watcher<'a>>,
    /// The action of each event that was published.
    pub(super) actions: BTreeMap<EventId, &'a Call>,
    /// Each `close` and `shutdown`.
    pub(super) closers: Vec<&'a Call>,
    places: BTreeMap<EventId, u64>,
}

/// A watcher that joined, or may have.
pub(super) struct Watcher<'a> {
    pub(super) id: WatcherId,
    pub(super) watch: &'a Call,
    pub(super) policy: WhenFull,
    pub(super) channel: Option<ObjectId>,
    /// Its receives that were not skipped, and where each is in the history.
    pub(super) reads: Vec<(usize, &'a Call)>,
    /// Its stops and drops.
    pub(super) stops: Vec<&'a Call>,
    /// What it received, and by which call; without its prefix.
    pub(super) deliveries: Vec<Read<'a>>,
    /// How many events of its prefix it received.
    pub(super) prefix_read: usize,
    positions: BTreeMap<EventId, usize>,
}

/// A delivery, and the call that returned it.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) index: usize,
    pub(super) call: &'a Call,
    pub(super) delivery: Delivery,
}

impl<'a> Model<'a> {
    pub(super) fn new(context: &'a Context<'a>, history: &'a History) -> Model<'a> {
        let mut model = Model {
            context,
            history,
            watchers: Vec::new(),
            actions: BTreeMap::new(),
            closers: Vec::new(),
            places: BTreeMap::new(),
        };
        for (index, call) in history.calls.iter().enumerate() {
            if call.outcome() != Some(&Outcome::Skipped) {
                model.read(index, call);
            }
        }
        model
    }

    fn read(&mut self, index: usize, call: &'a Call) {
        let watcher = call.watcher.and_then(|id| self.watchers.iter_mut().find(|other| other.id == id));
        match call.op {
            Op::Watch { when_full, .. } => {
                let policy = when_full.unwrap_or(self.context.script.config.when_full);
                self.watchers.extend(Watcher::joining(call, policy));
            }
            Op::Action | Op::TryAction => {
                self.actions.extend(call.events.clone().map(|event| (event, call)));
                if let (Some(Outcome::Accepted(Some(place))), Some(event)) =
                    (call.outcome(), call.events.clone().next())
                {
                    self.places.insert(event, *place);
                }
            }
            Op::Recv(_) | Op::TryRecv(_) => {
                let Some(watcher) = watcher else { return };
                watcher.reads.push((index, call));
                if let Some(Outcome::Delivered(delivery)) = call.outcome() {
                    watcher.receive(Read { index, call, delivery: *delivery });
                    if let (Some(event), Some(place)) = (delivery.event, delivery.seq) {
                        self.places.entry(event).or_insert(place);
                    }
                }
            }
            Op::Stop(_) | Op::Drop(_) => {
                if let Some(watcher) = watcher {
                    watcher.stops.push(call);
                }
            }
            Op::Close | Op::Shutdown => self.closers.push(call),
        }
    }

    /// The index of one of its history's calls.
    pub(super) fn index_of(&self, call: &Call) -> usize {
        let is_it = |other: &Call| std::ptr::eq(other, call);
        self.history.calls.iter().position(is_it).expect("it is one of the history's calls")
    }

    /// The watcher that this call is about, if it joined.
    pub(super) fn watcher_of(&self, call: &Call) -> Option<&Watcher<'a>> {
        call.watcher.and_then(|id| self.watchers.iter().find(|watcher| watcher.id == id))
    }

    /// The watcher that reads from this channel.
    pub(super) fn watcher_reading(&self, channel: ObjectId) -> Option<&Watcher<'a>> {
        self.watchers.iter().rev().find(|watcher| watcher.channel == Some(channel))
    }

    /// The watchers whose events can all be told apart.
    pub(super) fn known_watchers(&self) -> impl Iterator<Item = &Watcher<'a>> {
        let values = self.context.capabilities.values;
        self.watchers.iter().filter(move |watcher| values && watcher.knows_its_events())
    }

    /// Whether the one event is definitely before the other in the total order; where none is guaranteed, by what each
    /// watcher must see of it.
    pub(super) fn before(&self, one: EventId, other: EventId) -> bool {
        if one == other {
            return false;
        }
        if let (Some(one), Some(other)) = (self.places.get(&one), self.places.get(&other)) {
            return one < other;
        }
        let actions = (self.actions.get(&one), self.actions.get(&other));
        // What one watcher saw says nothing about another if there need be no order.
        let is_one_order = self.context.contract.guarantees(Guarantee::Order);
        matches!(actions, (Some(one), Some(other)) if one.precedes(other))
            || is_one_order
                && self.watchers.iter().any(|watcher| {
                    let positions = (watcher.positions.get(&one), watcher.positions.get(&other));
                    matches!(positions, (Some(one), Some(other)) if one < other)
                })
    }

    /// The events that were definitely accepted.
    pub(super) fn accepted(&self) -> impl Iterator<Item = EventId> {
        let accepted = |call: &Call| matches!(call.outcome(), Some(Outcome::Accepted(_)));
        self.actions.iter().filter(move |(_, call)| accepted(call)).map(|(event, _)| *event)
    }

    /// The accepted events that are definitely owed to the watcher as long as it is not stopped, and that it
    /// has not received.
    pub(super) fn owed(&self, watcher: &Watcher<'a>) -> Vec<EventId> {
        self.accepted().filter(|event| !watcher.received(*event) && self.owes(watcher, *event)).collect()
    }

    /// Whether the watcher had definitely joined when the event took its place in the total order.
    pub(super) fn owes(&self, watcher: &Watcher<'a>, event: EventId) -> bool {
        let first = watcher.deliveries.first().and_then(|read| read.delivery.event);
        watcher.joined()
            && (self.actions.get(&event).is_some_and(|action| watcher.watch.precedes(action))
                || first.is_some_and(|first| self.before(first, event)))
    }

    /// The events that the watcher may still have before it; what an action is blocked with is nowhere yet.
    ///
    /// An event from before its `watch` is one of them: to deliver it is wrong, but while it is there the
    /// dispatcher waits like for any other.
    pub(super) fn may_be_unread(&self, watcher: &Watcher<'a>) -> Vec<EventId> {
        let last = watcher.deliveries.last().and_then(|read| read.delivery.event);
        let may_be_accepted =
            |call: &Call| matches!(call.outcome(), Some(Outcome::Accepted(_) | Outcome::Panicked(_)));
        let mut unread: Vec<EventId> = self
            .actions
            .iter()
            .filter(|(event, call)| may_be_accepted(call) && !watcher.received(**event))
            .map(|(event, _)| *event)
            .filter(|event| last.is_none_or(|last| !self.before(*event, last)))
            .collect();
        let unknown = watcher.deliveries.iter().filter(|read| read.delivery.event.is_none()).count();
        unread.truncate(unread.len().saturating_sub(unknown));
        unread
    }

    /// The watchers that the dispatcher may be waiting for: live ones that wait when full, with room in nobody's
    /// hands, and with more unread than their queue holds.
    pub(super) fn may_be_waited_for(&self) -> impl Iterator<Item = (&Watcher<'a>, Vec<EventId>)> {
        self.watchers
            .iter()
            .filter(|watcher| watcher.policy == WhenFull::Wait && watcher.live() && !watcher.is_being_read())
            .map(|watcher| (watcher, self.may_be_unread(watcher)))
            .filter(|(watcher, unread)| unread.len() > self.queue(watcher))
    }

    /// How many events the watcher's queue holds at least.
    pub(super) fn queue(&self, watcher: &Watcher<'a>) -> usize {
        let queue = usize::from(self.context.script.config.queue);
        match watcher.prefix().len() {
            1.. if self.context.contract.prefix_in_queue => {
                queue.saturating_sub(watcher.prefix().len()).max(1)
            }
            _ => queue,
        }
    }

    /// Whether the dispatcher may be waiting for another watcher before it comes to this event of this one.
    pub(super) fn may_be_held_up(&self, watcher: &Watcher<'a>, event: EventId) -> bool {
        self.may_be_waited_for().any(|(other, unread)| {
            let queue = self.queue(other);
            other.id != watcher.id
                && unread.iter().any(|sent| {
                    let buffered = unread.iter().filter(|one| *one != sent && !self.before(*sent, **one));
                    !self.before(event, *sent) && buffered.count() >= queue
                })
        })
    }

    /// When the caller first made an error of its own, by the contract; nothing is promised from then on.
    pub(super) fn misuse(&self) -> Option<u64> {
        let kinds = self.context.contract.misuse_after_shutdown;
        let calls = self
            .history
            .calls
            .iter()
            .filter(|call| kinds.contains(call.op.kind()) && call.outcome() != Some(&Outcome::Skipped));
        calls
            .flat_map(|call| {
                let closers = self.closers.iter().filter(|closer| !std::ptr::eq(**closer, call));
                closers.filter(|closer| !call.precedes(closer)).map(|closer| call.called.max(closer.called))
            })
            .min()
    }

    /// The calls of `close` and `shutdown` that close the mux: those that did not panic.
    pub(super) fn closing(&self) -> impl Iterator<Item = &'a Call> {
        let panicked = |call: &Call| matches!(call.outcome(), Some(Outcome::Panicked(_)));
        self.closers.iter().copied().filter(move |call| !panicked(call))
    }

    /// When the harness began to wind the execution down.
    fn wind_down(&self) -> Option<u64> {
        let winds_down = |call: &&Call| call.origin == super::Origin::WindDown;
        self.history.calls.iter().find(winds_down).map(|call| call.called)
    }

    /// Whether this call, or whatever there is at the end if it is none, showed only in the wind-down.
    pub(super) fn shows_in_wind_down(&self, call: Option<&Call>) -> bool {
        let returned = call.and_then(Call::returned_at).unwrap_or(u64::MAX);
        self.wind_down().is_some_and(|begun| begun < returned)
    }

    /// The first `shutdown` that had returned when this call was made.
    pub(super) fn shutdown_before(&self, call: &Call) -> Option<&'a Call> {
        let mut shutdowns = self.closers.iter().filter(|closer| closer.op.kind() == OpKind::Shutdown);
        shutdowns.find(|closer| closer.is_done() && closer.precedes(call)).copied()
    }
}

impl<'a> Watcher<'a> {
    /// The watcher of a `watch` call; none if it definitely did not join.
    fn joining(watch: &'a Call, policy: WhenFull) -> Option<Watcher<'a>> {
        let channel = match watch.outcome() {
            Some(Outcome::Joined(channel)) => *channel,
            None | Some(Outcome::Panicked(_)) => None,
            Some(_) => return None,
        };
        Some(Watcher {
            id: watch.watcher?,
            watch,
            policy,
            channel,
            reads: Vec::new(),
            stops: Vec::new(),
            deliveries: Vec::new(),
            prefix_read: 0,
            positions: BTreeMap::new(),
        })
    }

    fn receive(&mut self, read: Read<'a>) {
        let event = read.delivery.event;
        // Where events carry no value, the first ones are the prefix.
        let of_prefix = event.is_none() && self.prefix_read < self.prefix().len();
        if of_prefix || event.is_some_and(|event| self.prefix().contains(&event)) {
            self.prefix_read += 1;
            return;
        }
        if let Some(event) = event {
            self.positions.entry(event).or_insert(self.deliveries.len());
        }
        self.deliveries.push(read);
    }

    /// The events it was to be given first.
    pub(super) fn prefix(&self) -> &'a Range<EventId> {
        &self.watch.events
    }

    /// Its slot's name, in backticks.
    pub(super) fn name(&self) -> String {
        self.watch.op.slot().map_or_else(String::new, |slot| format!("`{slot}`"))
    }

    /// Whether its `watch` returned it.
    pub(super) fn joined(&self) -> bool {
        matches!(self.watch.outcome(), Some(Outcome::Joined(_)))
    }

    /// Whether it received the event.
    pub(super) fn received(&self, event: EventId) -> bool {
        self.positions.contains_key(&event)
    }

    /// Whether each event it received is known by its number.
    pub(super) fn knows_its_events(&self) -> bool {
        self.deliveries.iter().all(|read| read.delivery.event.is_some())
    }

    /// The first of its stops and drops that returned.
    pub(super) fn stopped(&self) -> Option<&'a Call> {
        self.stops.iter().copied().filter(|stop| stop.is_done()).min_by_key(|stop| stop.returned_at())
    }

    /// Whether a stop or drop of it had been called when this call returned.
    pub(super) fn may_be_stopped_by(&self, call: &Call) -> bool {
        self.stops.iter().any(|stop| stop.begins_before_end_of(call))
    }

    /// Its first receive that told the end of the stream.
    pub(super) fn ended(&self) -> Option<(usize, &'a Call)> {
        let told = |call: &Call| matches!(call.outcome(), Some(Outcome::Closed(_)));
        self.reads.iter().copied().find(|(_, call)| told(call))
    }

    /// Whether it may still take events: neither stopped nor ended.
    pub(super) fn live(&self) -> bool {
        self.stopped().is_none() && self.ended().is_none()
    }

    fn is_being_read(&self) -> bool {
        self.reads.iter().any(|(_, call)| call.returned.is_none())
    }
}
