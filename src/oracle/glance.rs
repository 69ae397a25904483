//! A glance at a history, which is enough for most: they break no rule, and nothing about them is out of the ordinary.
//!
//! It accepts nothing that the [rules](super::rules) reject. What it does not accept is not wrong: the rules have to look
//! at it, and they alone say what is broken and why.

use std::mem;
use std::ops::Range;

use super::history::{Call, Closed, Delivery, EventId, History, Outcome, Reason};
use super::{Context, WatcherId};
use crate::script::{Op, WhenFull};

/// Glances at one history after the other, in the memory of the one before.
#[derive(Debug, Default)]
pub struct Glance {
    /// By [`EventId`].
    events: Vec<Event>,
    /// By [`WatcherId`].
    watchers: Vec<Watcher>,
    ends: Ends,
}

/// A time that never comes.
const NEVER: u64 = u64::MAX;

/// The place of an event that was not accepted: after all others.
const NOWHERE: u64 = u64::MAX;

/// An event of an action, if it is not of a prefix.
#[derive(Clone, Copy, Debug)]
struct Event {
    called: u64,
    returned: u64,
    /// In the total order.
    place: u64,
}

/// A watcher, and how far it has read.
#[derive(Debug)]
struct Watcher {
    joined: bool,
    called: u64,
    returned: u64,
    policy: WhenFull,
    /// What is left of its prefix.
    prefix: Range<EventId>,
    /// When the first of its stops and drops was called.
    stopping: u64,
    /// When the first of them to return did.
    stopped: u64,
    /// When the last receive of it returned.
    read: u64,
    deliveries: usize,
    /// The place after the one of the event that it received last.
    next: u64,
    /// Whether an event was left out before that which was owed to it.
    left_out: bool,
    ended: Option<Reason>,
}

/// When the mux was closed.
#[derive(Clone, Copy, Debug)]
struct Ends {
    /// When the first `close` or `shutdown` was called.
    closing: u64,
    /// When somebody first knew that it was closed.
    closed: u64,
    /// When the first `shutdown` returned.
    shut_down: u64,
}

impl Default for Ends {
    fn default() -> Ends {
        Ends { closing: NEVER, closed: NEVER, shut_down: NEVER }
    }
}

impl Glance {
    /// Whether a history, in which no op is left that has not returned, plainly keeps every rule.
    pub fn accepts(&mut self, context: &Context<'_>, history: &History) -> bool {
        self.events.clear();
        self.watchers.clear();
        self.ends = Ends::default();
        let prefix_in_queue = context.contract.prefix_in_queue;
        context.capabilities.values
            && !prefix_in_queue
            && history.calls.iter().all(|call| self.learn(context, call))
            && history.calls.iter().all(|call| self.keeps(context, call))
    }

    /// Learns what is to be known of the whole history; says whether it is ordinary.
    fn learn(&mut self, context: &Context<'_>, call: &Call) -> bool {
        let Some((returned, outcome)) = &call.returned else { return false };
        let (called, returned) = (call.called, *returned);
        if *outcome == Outcome::Skipped {
            return true;
        }
        // What was given back is what was brought.
        let is_own = |event: &Option<EventId>| event.is_none_or(|event| call.events.contains(&event));
        match (call.op, outcome) {
            (Op::Watch { when_full, .. }, Outcome::Joined(_) | Outcome::Refused(None)) => {
                let is_next = call.watcher == Some(WatcherId(self.watchers.len()));
                let joined = *outcome != Outcome::Refused(None);
                if !joined {
                    self.ends.closed = self.ends.closed.min(returned);
                }
                self.watchers.push(Watcher {
                    joined,
                    called,
                    returned,
                    policy: when_full.unwrap_or(context.script.config.when_full),
                    prefix: call.events.clone(),
                    stopping: NEVER,
                    stopped: NEVER,
                    read: returned,
                    deliveries: 0,
                    next: 0,
                    left_out: false,
                    ended: None,
                });
                is_next && self.number(call, NOWHERE)
            }
            (Op::Action | Op::TryAction, Outcome::Accepted(Some(place))) => {
                call.events.len() == 1 && *place != NOWHERE && self.number(call, *place)
            }
            (Op::Action | Op::TryAction, Outcome::Refused(event)) => {
                self.ends.closed = self.ends.closed.min(returned);
                is_own(event) && self.number(call, NOWHERE)
            }
            (Op::TryAction, Outcome::Full(event)) => is_own(event) && self.number(call, NOWHERE),
            (Op::Recv(_) | Op::TryRecv(_), Outcome::Closed(Closed { reason, .. })) => {
                if *reason == Some(Reason::Shutdown) {
                    self.ends.closed = self.ends.closed.min(returned);
                }
                true
            }
            (Op::Recv(_), Outcome::Delivered(_))
            | (Op::TryRecv(_), Outcome::Delivered(_) | Outcome::Empty) => true,
            (Op::Stop(_) | Op::Drop(_), Outcome::Done) => match self.watcher_of(call) {
                Some(watcher) => {
                    watcher.stopping = watcher.stopping.min(called);
                    watcher.stopped = watcher.stopped.min(returned);
                    true
                }
                None => false,
            },
            (Op::Close | Op::Shutdown, Outcome::Done) => {
                self.ends.closing = self.ends.closing.min(called);
                self.ends.closed = self.ends.closed.min(returned);
                if call.op == Op::Shutdown {
                    self.ends.shut_down = self.ends.shut_down.min(returned);
                }
                true
            }
            _ => false,
        }
    }

    /// Adds the events that a call brings; says whether they are the next ones, if there are any.
    fn number(&mut self, call: &Call, place: u64) -> bool {
        let event = Event { called: call.called, returned: call.returned_at().unwrap_or(NEVER), place };
        let known = self.events.len();
        self.events.extend(call.events.clone().map(|_| event));
        call.events.is_empty() || known == call.events.start as usize
    }

    /// The watcher that a call is about, if it joined.
    fn watcher_of(&mut self, call: &Call) -> Option<&mut Watcher> {
        self.watchers.get_mut(call.watcher?.0).filter(|watcher| watcher.joined)
    }

    /// Whether a call plainly keeps all rules.
    fn keeps(&mut self, context: &Context<'_>, call: &Call) -> bool {
        let Some((returned, outcome)) = &call.returned else { return false };
        let may_be_closed = self.ends.closing < *returned || context.capabilities.closes_with_last_watcher;
        match outcome {
            Outcome::Joined(_) | Outcome::Full(_) => self.ends.closed >= call.called,
            Outcome::Accepted(_) => self.ends.closed >= call.called && self.keeps_order(call),
            Outcome::Refused(_) => may_be_closed,
            Outcome::Delivered(delivery) => {
                self.is_in_turn(call, *returned) && self.receives(call, *returned, *delivery)
            }
            Outcome::Empty => {
                let shut_down = self.ends.shut_down;
                self.watcher_of(call).is_some_and(|watcher| {
                    watcher.prefix.is_empty()
                        && watcher.ended.is_none()
                        && watcher.stopped >= call.called
                        && shut_down >= call.called
                })
            }
            Outcome::Closed(closed) => {
                self.is_in_turn(call, *returned) && self.ends_well(context, call, *closed, may_be_closed)
            }
            Outcome::Skipped | Outcome::Done => true,
            Outcome::Panicked(_) => false,
        }
    }

    /// Whether a receive was called after all before it had returned, of a watcher that joined.
    fn is_in_turn(&mut self, call: &Call, returned: u64) -> bool {
        self.watcher_of(call).is_some_and(|watcher| mem::replace(&mut watcher.read, returned) < call.called)
    }

    /// Whether the place of an accepted event is its own, and after all whose actions had returned before.
    fn keeps_order(&self, call: &Call) -> bool {
        let (before, rest) = self.events.split_at(call.events.start as usize);
        rest.first().is_some_and(|event| {
            before.iter().filter(|other| other.place != NOWHERE).all(|other| {
                other.place != event.place && (other.place < event.place || other.returned >= call.called)
            })
        })
    }

    fn receives(&mut self, call: &Call, returned: u64, delivery: Delivery) -> bool {
        let Delivery { event: Some(id), seq, missed } = delivery else { return false };
        let Some(watcher) = call.watcher.and_then(|id| self.watchers.get_mut(id.0)) else { return false };
        if watcher.ended.is_some() {
            return false;
        }
        if let Some(first) = watcher.prefix.next() {
            return first == id && seq.is_none() && missed.is_none_or(|missed| missed == 0);
        }
        let Some(event) = self.events.get(id as usize) else { return false };
        let is_own = seq == Some(event.place) && event.place != NOWHERE && event.place >= watcher.next;
        let is_due =
            event.called < returned && event.returned >= watcher.called && event.called <= watcher.stopped;
        if !is_own || !is_due {
            return false;
        }
        let skipped = watcher.next..event.place;
        let is_first = watcher.deliveries == 0;
        (watcher.deliveries, watcher.next) = (watcher.deliveries + 1, event.place + 1);
        if missed.is_some_and(|missed| !is_first && missed != skipped.end - skipped.start) {
            return false;
        }
        if skipped.is_empty() {
            return missed.is_none_or(|missed| missed == 0);
        }
        let is_owed =
            |event: &&Event| skipped.contains(&event.place) && (!is_first || watcher.returned < event.called);
        let owed = self.events.iter().filter(is_owed).count() as u64;
        match watcher.policy {
            WhenFull::Wait | WhenFull::Disconnect => owed == 0 && missed.is_none_or(|missed| missed == 0),
            WhenFull::DropNewest | WhenFull::DropOldest => {
                watcher.left_out |= owed != 0;
                let may_be = |event: &&Event| {
                    skipped.contains(&event.place)
                        && event.returned >= watcher.called
                        && event.called < returned
                };
                let most = self.events.iter().filter(may_be).count() as u64;
                missed.is_none_or(|missed| (owed..=most).contains(&missed))
            }
        }
    }

    fn ends_well(&mut self, context: &Context<'_>, call: &Call, closed: Closed, may_be_closed: bool) -> bool {
        let Closed { reason: Some(reason), missed } = closed else { return false };
        let Some(watcher) = call.watcher.and_then(|id| self.watchers.get_mut(id.0)) else { return false };
        if !watcher.prefix.is_empty() {
            return false;
        }
        if let Some(ended) = watcher.ended {
            return ended == reason;
        }
        watcher.ended = Some(reason);
        let returned = call.returned_at().unwrap_or(NEVER);
        let queue = usize::from(context.script.config.queue);
        let stopping = watcher.stopping < returned;
        let right = match reason {
            Reason::Stopped => stopping,
            Reason::Shutdown => may_be_closed,
            Reason::TooSlow => {
                let accepted = self.events.iter().filter(|event| event.place != NOWHERE).count();
                watcher.policy == WhenFull::Disconnect && accepted > queue
            }
            Reason::EventPanicked => false,
        };
        if !right {
            return false;
        }
        let rest = watcher.next..NOWHERE;
        let is_owed = |event: &&Event| {
            rest.contains(&event.place) && (watcher.deliveries != 0 || watcher.returned < event.called)
        };
        let owed = self.events.iter().filter(is_owed).count() as u64;
        let drops = matches!(watcher.policy, WhenFull::DropNewest | WhenFull::DropOldest);
        let has_all = {
            let keeps_all = watcher.policy == WhenFull::Wait
                || watcher.policy == WhenFull::Disconnect && reason == Reason::Shutdown
                || watcher.policy == WhenFull::DropOldest && queue > 0;
            let too_few = queue > watcher.deliveries;
            !(owed > 0 && (keeps_all || too_few) || watcher.left_out && too_few)
        };
        // A stop leaves out what was not distributed, unless all was.
        let sure = !stopping || self.ends.shut_down < watcher.stopping;
        if sure && !has_all || !stopping && !may_be_closed && watcher.policy != WhenFull::Disconnect {
            return false;
        }
        let Some(missed) = missed else { return true };
        if !drops && watcher.policy != WhenFull::Disconnect {
            return missed == 0 || stopping;
        }
        let may_be = |event: &&Event| {
            rest.contains(&event.place) && event.returned >= watcher.called && event.called < returned
        };
        let most = self.events.iter().filter(may_be).count() as u64;
        let is_settled = drops && reason == Reason::Shutdown && !stopping;
        let least = if is_settled { owed } else { 0 };
        (least..=most).contains(&missed)
    }
}
