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
    /// Three clients of eight drawn ops each.
    R,
    /// Three clients of three drawn ops each.
    R3,
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

/// A piece of an execution, to see what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A task that does nothing, started and joined.
    Task,
    /// A yield of one of two tasks.
    Yield,
    /// A lock that is made and dropped.
    Lock,
    /// A lock that is taken and released.
    Locking,
    /// A channel that is made and dropped.
    Channel,
    /// A sender cloned and dropped.
    Sender,
    /// A message sent and received by one task, through a channel with room.
    Message,
    /// A message that another task waits for.
    Awaited,
    /// A message handed from one task to another at a rendezvous.
    Rendezvous,
}

impl Piece {
    /// All of them.
    pub const ALL: [Piece; 9] = [
        Piece::Task,
        Piece::Yield,
        Piece::Lock,
        Piece::Locking,
        Piece::Channel,
        Piece::Sender,
        Piece::Message,
        Piece::Awaited,
        Piece::Rendezvous,
    ];

    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Piece::Task => "a task, started and joined",
            Piece::Yield => "a yield",
            Piece::Lock => "a lock, made and dropped",
            Piece::Locking => "a lock, taken and released",
            Piece::Channel => "a channel, made and dropped",
            Piece::Sender => "a sender, cloned and dropped",
            Piece::Message => "a message sent and received, with room",
            Piece::Awaited => "a message sent, and waited for by another",
            Piece::Rendezvous => "a message handed over at a rendezvous",
        }
    }
}
