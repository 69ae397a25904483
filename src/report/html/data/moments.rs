//! The steps of an interleaving, and how everything was after each, as the page has them.

use serde::Serialize;

use super::super::super::steps;
use crate::engine::trace::{self, Books, Doing, Handed, Switch};
use crate::engine::words::place;
use crate::engine::{ObjectId, ObjectKind, Target};
use crate::hunt::{Interleaving, Role};

#[derive(Serialize)]
pub(super) struct Object {
    name: String,
    kind: &'static str,
    /// Of a channel; none if it holds any number.
    capacity: Option<usize>,
    made: String,
    /// Whether it is not to be shown.
    part: bool,
}

/// A step, and how everything was after it.
#[derive(Serialize)]
pub(super) struct Moment {
    task: usize,
    did: String,
    switch: &'static str,
    why: Option<String>,
    place: Option<String>,
    call: Option<usize>,
    matters: bool,
    /// Seconds of the execution's own time.
    time: f64,
    tasks: Vec<Now>,
    objects: Vec<Book>,
}

/// What a task does.
#[derive(Serialize)]
struct Now {
    is: &'static str,
    /// What it waits for, in words, or what it panicked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The objects it waits for, and for what of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on: Vec<(usize, &'static str)>,
    /// Whether its wait is over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    served: bool,
}

#[derive(Serialize)]
struct Book {
    length: u64,
    sent: u64,
    senders: u32,
    receivers: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holders: Vec<usize>,
}

#[derive(Serialize)]
pub(super) struct Handoff {
    from: usize,
    to: usize,
    what: &'static str,
    object: Option<usize>,
}

pub(super) fn objects(steps: &Interleaving) -> Vec<Object> {
    let all = steps.trace.objects.iter().zip(&steps.objects);
    let object = |(object, role): (&trace::Object, &Role)| {
        let (kind, capacity) = match object.kind {
            ObjectKind::Channel(_) if role.wait_group => ("wait-group", None),
            ObjectKind::Channel(capacity) => ("channel", capacity),
            ObjectKind::Mutex => ("mutex", None),
            ObjectKind::RwLock => ("rwlock", None),
            ObjectKind::Condvar => ("condvar", None),
        };
        Object { name: role.name.clone(), kind, capacity, made: place(object.made), part: role.part }
    };
    all.map(object).collect()
}

pub(super) fn moments(steps: &Interleaving) -> Vec<Moment> {
    (0..steps.trace.steps.len()).map(|index| moment(steps, index)).collect()
}

fn moment(interleaving: &Interleaving, index: usize) -> Moment {
    let (step, role) = (&interleaving.trace.steps[index], interleaving.steps[index]);
    Moment {
        task: step.task.0,
        did: steps::did(interleaving, index),
        switch: match step.switch {
            Switch::Start => "start",
            Switch::On => "on",
            Switch::Blocked => "blocked",
            Switch::Ended => "ended",
            Switch::Preempts => "preempts",
            Switch::TimedOut => "timed-out",
        },
        why: steps::why(interleaving, index),
        place: role.location.map(place),
        call: role.call,
        matters: role.matters,
        time: step.time.as_secs_f64(),
        tasks: step.state.tasks.iter().map(|doing| now(interleaving, doing)).collect(),
        objects: step.state.objects.iter().map(book).collect(),
    }
}

fn now(interleaving: &Interleaving, doing: &Doing) -> Now {
    let plain = |is, text| Now { is, text, on: Vec::new(), served: false };
    match doing {
        Doing::Ready => plain("ready", None),
        Doing::Ended => plain("ended", None),
        Doing::Panicked(message) => plain("panicked", Some(message.clone())),
        Doing::Waiting(waiting) => Now {
            is: "waits",
            text: Some(steps::waits_for(interleaving, waiting)),
            on: waiting.waits.iter().filter_map(|wait| side(wait.target)).collect(),
            served: waiting.served,
        },
    }
}

fn side(target: Target) -> Option<(usize, &'static str)> {
    let ObjectId(id) = target.object()?;
    let side = match target {
        Target::Send(_) => "send",
        Target::Recv(_) => "recv",
        Target::Lock(_) => "lock",
        Target::Read(_) => "read",
        Target::Notify(_) | Target::Join(_) => "notify",
    };
    Some((id, side))
}

fn book(books: &Books) -> Book {
    let Books { sent, senders, receivers, holders, .. } = books;
    let holders = holders.iter().map(|task| task.0).collect();
    Book { length: books.length(), sent: *sent, senders: *senders, receivers: *receivers, holders }
}

pub(super) fn handoffs(steps: &Interleaving) -> Vec<Handoff> {
    let part = |id: ObjectId| steps.objects[id.0].part;
    let handoff = |handoff: &trace::Handoff| {
        let (what, object) = match handoff.what {
            Handed::Disconnection(id) if part(id) => ("close", None),
            Handed::Message(id) => ("message", Some(id)),
            Handed::Room(id) => ("room", Some(id)),
            Handed::Lock(id) => ("lock", Some(id)),
            Handed::Disconnection(id) => ("disconnection", Some(id)),
            Handed::Notification => ("notification", None),
            Handed::End => ("end", None),
            Handed::Start => ("start", None),
        };
        let shown = !object.is_some_and(part);
        shown.then(|| Handoff { from: handoff.from, to: handoff.to, what, object: object.map(|id| id.0) })
    };
    steps.handoffs.iter().filter_map(handoff).collect()
}
