//! Errors, and the end of a watcher's stream. What gave an event gets it back.

use std::error::Error;
use std::fmt;

/// The end of a watcher's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closed {
    /// Why it ended.
    pub reason: Reason,
    /// How many events a drop policy left out between the last delivery and the end.
    pub missed: u64,
}

/// Why a watcher's stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The watcher was stopped.
    Stopped,
    /// The mux was closed, and all that was queued is distributed.
    Shutdown,
    /// The watcher's queue was full, and its policy is [`WhenFull::Disconnect`](crate::WhenFull::Disconnect).
    TooSlow,
    /// `Clone` panicked as an event was copied for this watcher.
    EventPanicked,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the watcher's stream has ended: {}", self.reason)?;
        match self.missed {
            0 => Ok(()),
            missed => write!(f, " (missed {missed} before that)"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Reason::Stopped => "it was stopped",
            Reason::Shutdown => "the mux was shut down",
            Reason::TooSlow => "it read too slowly",
            Reason::EventPanicked => "copying an event panicked",
        })
    }
}

impl Error for Closed {}

/// There is no delivery now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryRecvError {
    /// There may be one later.
    Empty,
    /// There will be none.
    Closed(Closed),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => f.pad("there is no delivery yet"),
            TryRecvError::Closed(closed) => closed.fmt(f),
        }
    }
}

impl Error for TryRecvError {}

impl From<Closed> for TryRecvError {
    fn from(closed: Closed) -> TryRecvError {
        TryRecvError::Closed(closed)
    }
}

/// There was no delivery in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecvTimeoutError {
    /// There may be one later.
    Timeout,
    /// There will be none.
    Closed(Closed),
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvTimeoutError::Timeout => f.pad("there was no delivery in time"),
            RecvTimeoutError::Closed(closed) => closed.fmt(f),
        }
    }
}

impl Error for RecvTimeoutError {}

impl From<Closed> for RecvTimeoutError {
    fn from(closed: Closed) -> RecvTimeoutError {
        RecvTimeoutError::Closed(closed)
    }
}

/// The mux is closed: nobody sees the event, and here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ActionError<E>(pub E);

impl<E> fmt::Debug for ActionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("ActionError(..)")
    }
}

impl<E> fmt::Display for ActionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("an action on a closed mux")
    }
}

impl<E> Error for ActionError<E> {}

/// The event was not queued: nobody sees it, and here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryActionError<E> {
    /// There is no room in the incoming queue.
    Full(E),
    /// The mux is closed.
    Closed(E),
}

impl<E> TryActionError<E> {
    /// The event.
    pub fn into_event(self) -> E {
        match self {
            TryActionError::Full(event) | TryActionError::Closed(event) => event,
        }
    }
}

impl<E> fmt::Debug for TryActionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TryActionError::Full(_) => "Full(..)",
            TryActionError::Closed(_) => "Closed(..)",
        })
    }
}

impl<E> fmt::Display for TryActionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TryActionError::Full(_) => "an action on a mux whose incoming queue is full",
            TryActionError::Closed(_) => "an action on a closed mux",
        })
    }
}

impl<E> Error for TryActionError<E> {}

/// The mux is closed: nobody joins, and here is the prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct WatchError<E>(pub Vec<E>);

impl<E> fmt::Debug for WatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("WatchError(..)")
    }
}

impl<E> fmt::Display for WatchError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("a watch on a closed mux")
    }
}

impl<E> Error for WatchError<E> {}

/// The time was up before all was distributed. The mux stays closed, and goes on distributing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShutdownTimeoutError {
    /// How many of the events that were queued have been distributed since.
    pub distributed: usize,
    /// How many have not, with the one that is being distributed.
    pub left: usize,
}

impl fmt::Display for ShutdownTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShutdownTimeoutError { distributed, left } = self;
        write!(f, "the time to shut down was up: {distributed} events were distributed, {left} were not")
    }
}

impl Error for ShutdownTimeoutError {}
