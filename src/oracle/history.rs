//! Histories: the recorded calls and returns of the ops, stamped by one logical clock.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::{ObjectId, TaskId};
use crate::script::Op;

/// What the message of a panic begins with that the harness planned: it is the user's, in `Clone` or `Drop` of an
/// event, and not the subject's.
pub const PLANNED_PANIC: &str = "planned panic";

/// The number of an event: those of actions and prefixes are numbered as they are made.
pub type EventId = u32;

/// A watcher of an execution, numbered in the order of the `watch` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WatcherId(pub usize);

/// Where an op comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// The setup.
    Setup,
    /// The lane of this index.
    Lane(u8),
    /// The harness, winding the execution down.
    WindDown,
}

/// In a sentence: `` `lane0` ``.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Setup => f.write_str("`setup`"),
            Origin::Lane(index) => write!(f, "`lane{index}`"),
            Origin::WindDown => f.write_str("the wind-down"),
        }
    }
}

/// The calls of one execution, in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// In the order of [`Call::called`].
    pub calls: Vec<Call>,
    /// The clock: how many stamps were given.
    pub clock: u64,
}

/// One op, from its call to its return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who called.
    pub task: TaskId,
    /// Where the op comes from.
    pub origin: Origin,
    /// The op.
    pub op: Op,
    /// The watcher it is about: for `watch` the new one, otherwise the one in its slot, if any.
    pub watcher: Option<WatcherId>,
    /// The events it brings: an action's one, a `watch`'s prefix. Those of one call follow one another.
    pub events: Range<EventId>,
    /// When it was called.
    pub called: u64,
    /// When it returned, and with what; `None` while it has not.
    pub returned: Option<(u64, Outcome)>,
}

impl Call {
    /// What it returned; `None` while it has not.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.returned.as_ref().map(|(_, outcome)| outcome)
    }

    /// When it returned; `None` while it has not.
    pub fn returned_at(&self) -> Option<u64> {
        self.returned.as_ref().map(|(at, _)| *at)
    }

    /// What it panicked with, if it did.
    pub fn panic(&self) -> Option<&str> {
        match self.outcome() {
            Some(Outcome::Panicked(message)) => Some(message),
            _ => None,
        }
    }

    /// Whether it returned [`Outcome::Done`].
    pub fn is_done(&self) -> bool {
        self.outcome() == Some(&Outcome::Done)
    }

    /// Whether it returned before the other was called.
    pub fn precedes(&self, other: &Call) -> bool {
        self.returned_at().is_some_and(|at| at < other.called)
    }

    /// Whether it had been called when the other returned, or the other has not returned.
    pub fn begins_before_end_of(&self, other: &Call) -> bool {
        other.returned_at().is_none_or(|at| self.called < at)
    }
}

/// What an op returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Nothing was called: the slot was empty or in use, or the subject has no such op.
    Skipped,
    /// `watch`: joined, reading from this channel if the subject says which.
    Joined(Option<ObjectId>),
    /// `action`, `try-action`: queued, at this place in the total order if the subject says.
    Accepted(Option<u64>),
    /// `watch`, `action`, `try-action`: an error, for the mux is closed; with the event given back, if any.
    Refused(Option<EventId>),
    /// `try-action`: not queued, for that would wait; with the event given back, if any.
    Full(Option<EventId>),
    /// `recv`, `try-recv`: an event.
    Delivered(Delivery),
    /// `try-recv`: nothing there.
    Empty,
    /// `recv`, `try-recv`: the end.
    Closed(Closed),
    /// `stop`, `drop`, `close`, `shutdown`: done.
    Done,
    /// Any op: a panic of the subject's, with its message.
    Panicked(String),
}

/// What a watcher received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Delivery {
    /// Which event; `None` if the subject's events carry no value.
    pub event: Option<EventId>,
    /// Its place in the total order; `None` for a prefix event, or if the subject does not say.
    pub seq: Option<u64>,
    /// How many events were left out just before it; `None` if the subject does not say.
    pub missed: Option<u64>,
}

/// The end of a watcher's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Closed {
    /// Why; `None` if the subject does not say.
    pub reason: Option<Reason>,
    /// How many events were left out just before it; `None` if the subject does not say.
    pub missed: Option<u64>,
}

/// Why a watcher's stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// It was stopped, or dropped.
    Stopped,
    /// The mux was closed, and all is distributed.
    Shutdown,
    /// It read too slowly, and its policy is to disconnect.
    TooSlow,
    /// `Clone` panicked.
    EventPanicked,
}
