//! A task of an execution, and what it does or waits for.

use std::cell::Cell;
use std::panic::Location;
use std::time::Duration;

use super::super::{ObjectId, Target, TaskId, Wait};
use crate::sync::seam::TaskBody;

/// A task.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) doing: Doing,
    /// What it does, until it is started.
    pub(super) body: Option<TaskBody<'static>>,
    /// What it is about to do.
    pub(super) access: Option<Target>,
    /// Where in the code, once it has come to a sync point.
    pub(super) location: Option<&'static Location<'static>>,
    pub(super) unwinding: Unwinding,
}

/// Whether a task is to unwind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwinding {
    No,
    /// It will be told once it goes on.
    Due,
    Told,
}

/// What a task does.
pub(super) enum Doing {
    Ready,
    Waiting(Waiting),
    /// Left behind: it will never do anything again.
    Forgotten,
    Ended,
    Panicked(String),
}

/// What a task waits for.
pub(super) struct Waiting {
    pub(super) waits: Vec<Wait>,
    pub(super) until: Option<Duration>,
    pub(super) since: u64,
    /// Which of its waits has met its partner in a rendezvous.
    pub(super) met: Option<usize>,
    pub(super) notified: bool,
    /// The sender, its partner in a rendezvous, that has yet to hand the message over.
    pub(super) handover: Option<TaskId>,
    /// The message that it is handed, by its number in the rendezvous.
    pub(super) message: Option<(ObjectId, u64)>,
    /// The sum of its objects' versions when the books were last found unable to serve it.
    pub(super) unserved: Cell<Option<u32>>,
}

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// One of the waits can be served.
    Served,
    /// The one of this number has met its partner.
    Met(usize),
    TimedOut,
    Aborted,
}
