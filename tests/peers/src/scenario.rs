//! What is run: names and numbers alone.

use std::fmt;

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Which.
    pub kind: Kind,
    /// The capacity of a watcher's queue.
    pub queue: usize,
    /// Whether the mux holds its lock while it sends.
    pub buggy: bool,
}

/// What is done to the mux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One client of two watchers receives one event, then stops both.
    F1,
    /// Two clients of a watcher each; only one receives.
    F2,
    /// A client receives three events of more, then stops.
    F3,
    /// A watcher stops at once, beside a producer.
    F4,
    /// Three clients of drawn ops.
    R,
}

impl Scenario {
    /// On the mux without the bug.
    pub const fn correct(kind: Kind, queue: usize) -> Scenario {
        Scenario { kind, queue, buggy: false }
    }

    /// On the mux that can deadlock.
    pub const fn buggy(kind: Kind, queue: usize) -> Scenario {
        Scenario { kind, queue, buggy: true }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} q{}", self.kind, self.queue)
    }
}
