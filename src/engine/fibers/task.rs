//! A task of an execution, and what it does or waits for.

use std::borrow::Cow;
use std::panic::Location;
use std::time::Duration;

use super::super::{ObjectId, TaskId, TaskSet, Wait};
use super::children::New;
use crate::sync::seam::{Outcome, TaskBody};

/// A task.
#[derive(Default)]
pub(super) struct Entry {
    /// The name it was given, if it was given one.
    pub(super) given: Option<Cow<'static, str>>,
    pub(super) doing: Doing,
    /// What the panic said that it ended with, if it did.
    pub(super) panic: String,
    /// What it waits for, while it does; otherwise what is left of an earlier wait.
    pub(super) waiting: Waiting,
    /// What it does, until it is started.
    pub(super) body: Option<TaskBody<'static>>,
    pub(super) outcome: Outcome,
    /// Where in the code its last sync point is.
    pub(super) location: Option<&'static Location<'static>>,
    pub(super) unwinding: Unwinding,
    /// Who waits for its end.
    pub(super) joiners: TaskSet,
}

impl Entry {
    /// Makes it another task, of the same memory.
    #[inline]
    pub(super) fn renew(&mut self, New { given, body }: New) {
        self.given = given;
        self.doing = Doing::Ready;
        self.body = Some(body);
        self.location = None;
        self.unwinding = Unwinding::No;
        self.joiners.clear();
    }

    /// What it waits for, if it does.
    #[inline]
    pub(super) fn waiting(&self) -> Option<&Waiting> {
        matches!(self.doing, Doing::Waiting).then_some(&self.waiting)
    }
}

/// Whether a task is to unwind.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Unwinding {
    #[default]
    No,
    /// It will be told once it goes on.
    Due,
    Told,
}

/// What a task does.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Doing {
    #[default]
    Ready,
    Waiting,
    /// Left behind: it will never do anything again.
    Forgotten,
    Ended,
    Panicked,
}

/// What a task waits for.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) waits: Vec<Wait>,
    pub(super) until: Option<Duration>,
    pub(super) since: u64,
    /// Which of its waits has met its partner in a rendezvous.
    pub(super) met: Option<usize>,
    /// Whether it is over for what another task did: it was notified, or its partner in a rendezvous has given up.
    pub(super) notified: bool,
    /// The sender, its partner in a rendezvous, that has yet to hand the message over.
    pub(super) handover: Option<TaskId>,
    /// The message that it is handed, by its number in the rendezvous.
    pub(super) message: Option<(ObjectId, u64)>,
    /// The rendezvous that it has met its partner at, by whom it is to be told of what passes there.
    pub(super) rendezvous: Option<ObjectId>,
}

impl Waiting {
    /// Makes it another wait, of the same memory, and for nothing yet.
    #[inline(always)]
    pub(super) fn renew(&mut self, since: u64, until: Option<Duration>) {
        self.waits.clear();
        (self.until, self.since) = (until, since);
        (self.met, self.notified) = (None, false);
        (self.handover, self.message, self.rendezvous) = (None, None, None);
    }
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
