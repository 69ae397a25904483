//! Writes down what an execution does, for whoever is to understand it.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::stack::Album;
use super::super::trace::{Books, Doing, Effect, Object, State, Step, Switch, Trace, Waiting};
use super::super::{Body, ObjectId, Target, TaskId};
use super::table::{Table, Tracked};
use super::task;
use crate::sync::seam;

/// Sees each choice as it is made, and how everything is at that moment.
pub(super) struct Recorder {
    body: Arc<dyn Body>,
    album: Arc<Album>,
    trace: Trace,
    /// Whether the last step is not over.
    open: bool,
    before: Moment,
}

/// How everything was.
#[derive(Default)]
struct Moment {
    state: State,
    /// Of each object, how often it was taken, if it is a lock.
    taken: Vec<u32>,
    timed: Vec<bool>,
    /// Of each task, whether it was notified.
    notified: Vec<bool>,
}

impl Recorder {
    pub(super) fn new(body: Arc<dyn Body>, album: Arc<Album>) -> Recorder {
        Recorder { body, album, trace: Trace::default(), open: false, before: Moment::default() }
    }

    /// The choice that was just made; `current` could have gone on instead.
    pub(super) fn chose(&mut self, table: &mut Table, current: Option<TaskId>) {
        let last = self.open.then(|| self.trace.steps.last().map(|step| step.task)).flatten();
        // One that has a way to choose is in the middle of what it does.
        let over = table.steps.last().is_none_or(|chosen| chosen.branch.is_none());
        self.close(table, over);
        if last.is_none() {
            self.before = Moment::of(table);
        }
        let Some(chosen) = table.steps.last() else { return };
        let (entry, access) = (&table.tasks[chosen.task.0], table.accesses[chosen.task.0].target());
        let waiting = entry.waiting();
        let first_wait = waiting.and_then(|waiting| waiting.waits.first());
        let switch = match last {
            None => Switch::Start,
            _ if table.has_timed_out(chosen.task) => Switch::TimedOut,
            Some(last) if last == chosen.task => Switch::On,
            Some(last) if Some(last) == current => Switch::Preempts,
            Some(last) if table.has_ended(last) => Switch::Ended,
            Some(_) => Switch::Blocked,
        };
        let target = match waiting {
            Some(waiting) => {
                first_wait.map(|wait| wait.target).or(waiting.rendezvous.map(Target::Recv)).or(access)
            }
            None if chosen.branch.is_some() => chosen.access.target(),
            None => access,
        };
        self.trace.steps.push(Step {
            task: chosen.task,
            branch: chosen.branch,
            switch,
            target,
            location: first_wait.map(|wait| wait.location).or(entry.location),
            resumes: waiting.is_some(),
            effects: Vec::new(),
            clock: 0,
            time: table.clock,
            state: State::default(),
        });
        self.open = true;
    }

    /// Nobody can go on.
    pub(super) fn rest(&mut self, table: &mut Table) {
        self.close(table, true);
    }

    /// What was written down, with the stacks as they are in this state.
    pub(super) fn finish(self, state: &super::super::State) -> Trace {
        Trace { stacks: self.album.take().resolve(state), ..self.trace }
    }

    /// Tells what the last step did by how everything is now; `over` says that it came to the end of its operation.
    fn close(&mut self, table: &mut Table, over: bool) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let Some(step) = self.trace.steps.last_mut() else { return };
        let after = Moment::of(table);
        step.effects = effects(step, &self.before, &after, over);
        step.clock = self.body.clock();
        step.time = table.clock;
        step.state = after.state.clone();
        self.before = after;
        let known = self.trace.objects.len();
        self.trace.objects.extend(table.objects.iter().skip(known).map(|Tracked { object, .. }| Object {
            kind: object.kind,
            name: None,
            made: object.made,
            timed: object.is_timed(),
        }));
        for (known, Tracked { object, .. }) in self.trace.objects.iter_mut().zip(table.objects.iter()) {
            known.name = object.name().map(str::to_owned);
        }
        let known = self.trace.tasks.len();
        for task in known..table.tasks.len() {
            self.trace.tasks.push(table.name(TaskId(task)).to_owned());
        }
    }
}

impl Moment {
    fn of(table: &Table) -> Moment {
        let tasks = (0..table.tasks.len()).map(TaskId);
        let objects = || table.objects.iter().map(|tracked| &tracked.object);
        Moment {
            state: State {
                tasks: tasks.clone().map(|task| doing(table, task)).collect(),
                objects: objects().map(seam::Object::books).collect(),
            },
            taken: objects().map(seam::Object::taken).collect(),
            timed: objects().map(seam::Object::is_timed).collect(),
            notified: tasks.map(|task| is_notified(table.tasks[task.0].waiting())).collect(),
        }
    }
}

fn doing(table: &Table, task: TaskId) -> Doing {
    let task::Entry { doing, panic, waiting, .. } = &table.tasks[task.0];
    match doing {
        task::Doing::Ready | task::Doing::Forgotten => Doing::Ready,
        task::Doing::Waiting => Doing::Waiting(Waiting {
            waits: waiting.waits.clone(),
            until: waiting.until,
            partner: waiting.handover,
            served: table.can_go_on(task),
        }),
        task::Doing::Ended => Doing::Ended,
        task::Doing::Panicked => Doing::Panicked(panic.clone()),
    }
}

fn is_notified(waiting: Option<&task::Waiting>) -> bool {
    waiting.is_some_and(|waiting| waiting.notified)
}

/// What a step did, the operation itself first.
fn effects(step: &Step, before: &Moment, after: &Moment, over: bool) -> Vec<Effect> {
    let new = Books::default();
    let waits = matches!(after.state.tasks[step.task.0], Doing::Waiting(_));
    let mut effects = Vec::new();
    for (id, now) in (0..).map(ObjectId).zip(&after.state.objects) {
        let then = before.state.objects.get(id.0).unwrap_or(&new);
        let taken = before.taken.get(id.0).is_some_and(|taken| *taken < after.taken[id.0]);
        let passing = taken && step.target.is_some_and(|target| takes(target, id)) && !waits;
        of_lock(&mut effects, step.task, id, (then, now), passing);
        of_channel(&mut effects, id, (then, now), after.timed[id.0]);
    }
    let notified = (0..)
        .zip(&after.notified)
        .filter(|(task, notified)| **notified && !before.notified.get(*task).is_some_and(|before| *before));
    let woken = effects.len();
    effects.extend(notified.map(|(task, _)| Effect::Notified(TaskId(task))));
    // Who begins to wait for a notification comes by the same sync point.
    if let (Some(Target::Notify(id)), false, false) = (step.target, step.resumes, waits)
        && over
        && effects.len() == woken
    {
        effects.push(Effect::NotifiedNobody(id));
    }
    let started = before.state.tasks.len()..after.state.tasks.len();
    effects.extend(started.map(|task| Effect::Started(TaskId(task))));
    match &after.state.tasks[step.task.0] {
        Doing::Ready => {}
        Doing::Waiting(_) => effects.push(Effect::Waits),
        Doing::Ended => effects.push(Effect::Ended),
        Doing::Panicked(_) => effects.push(Effect::Panicked),
    }
    let own = step.target.and_then(Target::object);
    effects.sort_by_key(|effect| match effect {
        Effect::Acquired(id) | Effect::Sent(id, _) | Effect::Received(id, _) if Some(*id) == own => 0,
        Effect::Released(id) if Some(*id) == own => 1,
        Effect::Acquired(_) | Effect::Sent(..) | Effect::Received(..) => 2,
        Effect::Notified(_) | Effect::NotifiedNobody(_) | Effect::Started(_) => 3,
        Effect::Released(_) => 4,
        Effect::NoSender(_) | Effect::NoReceiver(_) => 5,
        Effect::Waits | Effect::Ended | Effect::Panicked => 6,
        Effect::Filled(..) => 7,
    });
    effects
}

fn takes(target: Target, lock: ObjectId) -> bool {
    matches!(target, Target::Lock(id) | Target::Read(id) if id == lock)
}

/// What a task did to a lock. `passing` says that it took the lock that it wanted: if it does not hold it then, it has
/// released it at once.
fn of_lock(
    effects: &mut Vec<Effect>,
    task: TaskId,
    id: ObjectId,
    (then, now): (&Books, &Books),
    passing: bool,
) {
    let held = |books: &Books| books.holders.iter().filter(|holder| **holder == task).count();
    match held(now).cmp(&held(then)) {
        Ordering::Greater => effects.push(Effect::Acquired(id)),
        Ordering::Less => effects.push(Effect::Released(id)),
        Ordering::Equal if passing => effects.extend([Effect::Acquired(id), Effect::Released(id)]),
        Ordering::Equal => {}
    }
}

/// What was done to a channel; what time did is told apart.
fn of_channel(effects: &mut Vec<Effect>, id: ObjectId, (then, now): (&Books, &Books), timed: bool) {
    let sent = |number| if timed { Effect::Filled(id, number) } else { Effect::Sent(id, number) };
    effects.extend((then.sent..now.sent).map(sent));
    effects.extend((then.received..now.received).map(|number| Effect::Received(id, number)));
    if then.senders > 0 && now.senders == 0 {
        effects.push(Effect::NoSender(id));
    }
    if then.receivers > 0 && now.receivers == 0 {
        effects.push(Effect::NoReceiver(id));
    }
}
