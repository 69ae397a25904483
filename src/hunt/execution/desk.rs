//! What the tasks of an execution share: the history, and the slots with their watchers.
//!
//! Nothing of the subject is called or dropped in here, for the desk is locked unseen by the engine: what an
//! op needs is handed out, and what is left over is handed back to be dropped.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::{self, TaskId, Use};
use crate::oracle::{Call, EventId, History, Origin, Outcome, WatcherId};
use crate::script::{Op, OpKind, Slot};
use crate::subject::{Ledger, Payload, Running, Stopping, Watching};

/// What is told of an execution at once.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::hunt) enum Told {
    /// An op is called, or skipped.
    Called(Call),
    /// The call of this index returned, when, and with what.
    Returned(usize, u64, Outcome),
}

/// Who is told. Each time the desk is locked, so this must not wait for an execution.
pub(in crate::hunt) type Tell = Box<dyn Fn(Told) + Send + Sync>;

/// The history, the slots, the mux, and how far the execution has come.
#[derive(Default)]
pub(super) struct Desk {
    history: History,
    slots: [Place; Slot::COUNT],
    mux: Option<Arc<dyn Running>>,
    watchers: usize,
    winding_down: bool,
    closing: bool,
    frozen: bool,
    tell: Option<Tell>,
}

/// What tasks share here, as the engine is told: the history, and of each slot its place and whether its watcher is there. The
/// numbers that events and watchers are given are but names.
const HISTORY: u32 = 0;

fn place_of(slot: Slot) -> u32 {
    1 + 2 * slot.index() as u32
}

fn watcher_of(slot: Slot) -> u32 {
    place_of(slot) + 1
}

/// A slot.
#[derive(Default)]
enum Place {
    #[default]
    Empty,
    /// A `watch` is on its way.
    Joining,
    Held(Held),
}

/// A watcher in its slot.
struct Held {
    id: WatcherId,
    stopper: Option<Arc<dyn Stopping>>,
    /// `None` while a task reads it.
    watching: Option<Box<dyn Watching>>,
    stopped: bool,
}

/// What is left to be done at a quiescence.
pub(super) enum Stage {
    /// The watchers in these slots are to be stopped.
    Stop(Vec<Slot>),
    /// The mux is to be closed.
    Close,
    /// What is left of the execution is to be put away.
    PutAway,
    Over,
}

/// What an op needs.
#[derive(Default)]
pub(super) struct Tools {
    mux: Option<Arc<dyn Running>>,
    /// What an action publishes.
    pub(super) event: Option<Payload>,
    /// What a new watcher is given first.
    pub(super) prefix: Vec<Payload>,
    pub(super) watching: Option<Box<dyn Watching>>,
    pub(super) stopper: Option<Arc<dyn Stopping>>,
}

impl Tools {
    /// The numbers of the events, which were drawn one after the other.
    fn numbers(&self) -> Range<EventId> {
        match (&self.event, self.prefix.first()) {
            (Some(event), _) => event.id()..event.id() + 1,
            (None, Some(first)) => first.id()..first.id() + self.prefix.len() as EventId,
            (None, None) => 0..0,
        }
    }

    pub(super) fn mux(&self) -> &dyn Running {
        self.mux.as_deref().expect("the desk hands out what the op needs")
    }

    pub(super) fn watching(&mut self) -> &mut dyn Watching {
        self.watching.as_deref_mut().expect("the desk hands out what the op needs")
    }
}

impl Desk {
    /// Makes it that of another execution, in the same memory.
    pub(super) fn renew(&mut self, tell: Option<Tell>) {
        let Desk { history, slots, mux, watchers, winding_down, closing, frozen, tell: old } = self;
        history.calls.clear();
        history.clock = 0;
        slots.iter_mut().for_each(|place| *place = Place::Empty);
        (*mux, *watchers, *old) = (None, 0, tell);
        (*winding_down, *closing, *frozen) = (false, false, false);
    }

    /// The mux is there.
    pub(super) fn open(&mut self, mux: Arc<dyn Running>) {
        self.mux = Some(mux);
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn take_history(&mut self) -> History {
        std::mem::take(&mut self.history)
    }

    /// Records a call, says which it is, and hands out what it needs; or records that it is skipped. Once the execution is
    /// wound down the script starts no further op, and it is not recorded.
    pub(super) fn begin(
        &mut self,
        op: Op,
        origin: Origin,
        task: TaskId,
        has: bool,
        ledger: &Arc<Ledger>,
        tools: &mut Tools,
    ) -> Option<usize> {
        if self.frozen || self.winding_down && origin != Origin::WindDown {
            return None;
        }
        let mut watcher = op.slot().and_then(|slot| match &self.slots[slot.index()] {
            Place::Held(held) => Some(held.id),
            Place::Empty | Place::Joining => None,
        });
        let is_called = has && self.hand_out(op, ledger, tools).is_some();
        if op.kind() == OpKind::Watch {
            watcher = is_called.then_some(WatcherId(self.watchers));
            self.watchers += usize::from(is_called);
        }
        let events = tools.numbers();
        engine::uses(HISTORY, Use::Calls);
        if !is_called {
            engine::uses(HISTORY, Use::Returns);
        }
        let called = self.stamp();
        let returned = if is_called { None } else { Some((self.stamp(), Outcome::Skipped)) };
        let call = Call { task, origin, op, watcher, events, called, returned };
        if let Some(tell) = &self.tell {
            tell(Told::Called(call.clone()));
        }
        self.history.calls.push(call);
        is_called.then(|| self.history.calls.len() - 1)
    }

    /// Hands out what an op needs; `None` if that is not there.
    fn hand_out(&mut self, op: Op, ledger: &Arc<Ledger>, tools: &mut Tools) -> Option<()> {
        match op {
            Op::Watch { slot, prefix, .. } => {
                engine::uses(place_of(slot), Use::Writes);
                let place = &mut self.slots[slot.index()];
                if !matches!(place, Place::Empty) {
                    return None;
                }
                tools.mux = Some(self.mux.clone()?);
                tools.prefix = (0..prefix).map(|_| ledger.next()).collect();
                *place = Place::Joining;
            }
            Op::Action | Op::TryAction => {
                tools.mux = Some(self.mux.clone()?);
                tools.event = Some(ledger.next());
            }
            Op::Recv(slot) | Op::TryRecv(slot) => {
                engine::uses(place_of(slot), Use::Reads);
                engine::uses(watcher_of(slot), Use::Writes);
                tools.watching = Some(self.held(slot)?.watching.take()?);
            }
            Op::Stop(slot) => {
                engine::uses(place_of(slot), Use::Reads);
                let held = self.held(slot)?;
                tools.stopper = held.stopper.clone();
                if tools.stopper.is_none() {
                    engine::uses(watcher_of(slot), Use::Writes);
                    tools.watching = Some(held.watching.take()?);
                }
                held.stopped = true;
            }
            Op::Drop(slot) => {
                engine::uses(place_of(slot), Use::Writes);
                engine::uses(watcher_of(slot), Use::Writes);
                let held = self.held(slot)?;
                tools.watching = Some(held.watching.take()?);
                tools.stopper = held.stopper.take();
                self.slots[slot.index()] = Place::Empty;
            }
            Op::Close | Op::Shutdown => tools.mux = Some(self.mux.clone()?),
        }
        Some(())
    }

    /// Records the return of a call, and puts the watcher where it belongs; what is left of the tools is to be dropped
    /// elsewhere.
    pub(super) fn end(&mut self, index: usize, outcome: Outcome, tools: &mut Tools) {
        if self.frozen {
            return;
        }
        engine::uses(HISTORY, Use::Returns);
        let at = self.stamp();
        let call = &mut self.history.calls[index];
        let (op, watcher) = (call.op, call.watcher);
        if let Some(tell) = &self.tell {
            tell(Told::Returned(index, at, outcome.clone()));
        }
        call.returned = Some((at, outcome));
        let Some(slot) = op.slot() else { return };
        if op.kind() == OpKind::Watch {
            engine::uses(place_of(slot), Use::Writes);
        } else if tools.watching.is_some() {
            engine::uses(watcher_of(slot), Use::Writes);
        }
        match (&mut self.slots[slot.index()], op.kind()) {
            (place @ Place::Joining, OpKind::Watch) => {
                *place = match (watcher, tools.watching.take()) {
                    (Some(id), watching @ Some(_)) => {
                        Place::Held(Held { id, stopper: tools.stopper.take(), watching, stopped: false })
                    }
                    _ => Place::Empty,
                };
            }
            (Place::Held(held), _) if Some(held.id) == watcher && tools.watching.is_some() => {
                held.watching = tools.watching.take();
            }
            _ => {}
        }
    }

    fn held(&mut self, slot: Slot) -> Option<&mut Held> {
        match &mut self.slots[slot.index()] {
            Place::Held(held) => Some(held),
            Place::Empty | Place::Joining => None,
        }
    }

    fn stamp(&mut self) -> u64 {
        let at = self.history.clock;
        self.history.clock += 1;
        at
    }

    /// From now on the script starts no further op. Says which watchers are to be stopped: those that nobody
    /// has stopped, and that can be.
    fn wind_down(&mut self) -> Vec<Slot> {
        self.winding_down = true;
        let is_live = |place: &Place| match place {
            Place::Held(held) => !held.stopped && (held.stopper.is_some() || held.watching.is_some()),
            Place::Empty | Place::Joining => false,
        };
        let slots = (0..Slot::COUNT as u8).map(Slot::new);
        slots.filter(|slot| is_live(&self.slots[slot.index()])).collect()
    }

    pub(super) fn is_winding_down(&self) -> bool {
        self.winding_down
    }

    /// What is to be done next so that all comes to an end.
    pub(super) fn next_stage(&mut self, can_stop: bool) -> Stage {
        let stops = self.wind_down();
        if can_stop && !stops.is_empty() {
            return Stage::Stop(stops);
        }
        if self.mux.is_some() && !std::mem::replace(&mut self.closing, true) {
            return Stage::Close;
        }
        if self.holds_anything() { Stage::PutAway } else { Stage::Over }
    }

    /// Whether the script has closed the mux, or tried to.
    pub(super) fn is_closed(&self) -> bool {
        let closes = |call: &Call| matches!(call.op, Op::Close | Op::Shutdown);
        self.history.calls.iter().any(|call| closes(call) && call.outcome() != Some(&Outcome::Skipped))
    }

    /// The execution is over: what is called or returns from now on, as its tasks are unwound, is not
    /// recorded.
    pub(super) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Whether all calls have returned, and no watcher is left to be stopped.
    pub(super) fn is_done(&mut self) -> bool {
        self.history.calls.iter().all(|call| call.returned.is_some()) && self.wind_down().is_empty()
    }

    /// Whether anything is left that belongs to the execution.
    fn holds_anything(&self) -> bool {
        self.mux.is_some() || self.slots.iter().any(|place| matches!(place, Place::Held(_)))
    }

    /// Gives up the watchers that no task has, and the mux, to be dropped elsewhere.
    pub(super) fn clear(&mut self) -> (impl Send + use<>, Option<Arc<dyn Running>>) {
        let held = self.slots.iter_mut().filter(|place| matches!(place, Place::Held(_)));
        (held.map(std::mem::take).collect::<Vec<_>>(), self.mux.take())
    }
}
