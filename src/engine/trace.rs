//! Traces: what was done at each sync point of one execution on fibers, as data.
//!
//! An execution is a sequence of steps. In each, the task that was chosen does the operation that it was about to
//! do, or begins to wait for it, and goes on to its next sync point; no other task does anything in the meantime. So
//! what a step did is told by how the tasks and the objects' books were before it and after it.

use std::panic::Location;
use std::time::Duration;

use super::{ObjectId, ObjectKind, Stack, Target, TaskId, Wait};

/// What one execution did, step by step. See [`fibers::record`](super::fibers::record).
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The names of the tasks, by [`TaskId`].
    pub tasks: Vec<String>,
    /// By [`ObjectId`].
    pub objects: Vec<Object>,
    /// One for each choice of the schedule, in order.
    pub steps: Vec<Step>,
    /// The stacks of the tasks that did not end, as they were before anything was unwound, and of panics.
    pub stacks: Vec<Stack>,
}

/// A channel, lock or condition variable, and what of it never changes.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// What the code calls it, if it says.
    pub name: Option<String>,
    /// Where it was made.
    pub made: &'static Location<'static>,
    /// Whether it is a channel that time fills.
    pub timed: bool,
}

/// What a task did from one choice to the next.
#[derive(Clone, Debug)]
pub struct Step {
    /// The task.
    pub task: TaskId,
    /// The branch of its select that was chosen, or the place of whom it wakes, if that was the choice.
    pub branch: Option<u32>,
    /// Why it is this task that goes on.
    pub switch: Switch,
    /// What it was about to do; for a task that had to wait, what it waited for first. `None` where it begins, and at
    /// a sync point that is of no object: an atomic, a yield, a select, the start of a task.
    pub target: Option<Target>,
    /// Where in the code; `None` where the task begins.
    pub location: Option<&'static Location<'static>>,
    /// Whether it had begun to wait for that in an earlier step.
    pub resumes: bool,
    /// What came of it, the operation itself first.
    pub effects: Vec<Effect>,
    /// The body's clock after it: see [`Body::clock`](super::Body::clock).
    pub clock: u64,
    /// The time after it, since the execution began. It passes only when no task can go on.
    pub time: Duration,
    /// How everything was after it.
    pub state: State,
}

/// Why it is this task that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switch {
    /// Nothing was done before, or nobody could go on until the body added tasks.
    Start,
    /// It was going on already.
    On,
    /// The one before it has begun to wait.
    Blocked,
    /// The one before it has ended.
    Ended,
    /// It was chosen although the one before it could have gone on.
    Preempts,
    /// Its wait has timed out.
    TimedOut,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The task took the lock.
    Acquired(ObjectId),
    /// The task released the lock.
    Released(ObjectId),
    /// A message of this number went into the channel; of a rendezvous, into the receiver's hands.
    Sent(ObjectId, u64),
    /// The message of this number came out of the channel.
    Received(ObjectId, u64),
    /// Time passed after the step, and filled the channel with the message of this number.
    Filled(ObjectId, u64),
    /// The last sender of the channel is gone.
    NoSender(ObjectId),
    /// The last receiver of the channel is gone.
    NoReceiver(ObjectId),
    /// This task, which waits for a notification, got it.
    Notified(TaskId),
    /// The task notified, and nobody waited.
    NotifiedNobody(ObjectId),
    /// This task was started.
    Started(TaskId),
    /// The task began to wait.
    Waits,
    /// The task ended.
    Ended,
    /// The task ended by a panic of its own.
    Panicked,
}

/// How the tasks and objects were at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By [`TaskId`]; those that were there.
    pub tasks: Vec<Doing>,
    /// By [`ObjectId`]; those that were there.
    pub objects: Vec<Books>,
}

/// What a task does.
#[derive(Clone, Debug)]
pub enum Doing {
    /// It can go on.
    Ready,
    /// It waits.
    Waiting(Waiting),
    /// It has ended.
    Ended,
    /// It has ended by a panic of its own, with this message.
    Panicked(String),
}

/// What a task waits for.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Any one of these; none if it sleeps, or has met its partner.
    pub waits: Vec<Wait>,
    /// Until when, at most, since the execution began.
    pub until: Option<Duration>,
    /// The sender of a rendezvous that it has met, and that has yet to hand the message over.
    pub partner: Option<TaskId>,
    /// Whether the wait is over, and the task can go on.
    pub served: bool,
}

/// What has been completed on an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// How many messages went into the channel.
    pub sent: u64,
    /// How many messages came out of it.
    pub received: u64,
    /// How many senders it has.
    pub senders: u32,
    /// How many receivers it has.
    pub receivers: u32,
    /// Who holds the lock.
    pub holders: Vec<TaskId>,
    /// Whether they share it; or nobody holds it alone.
    pub shared: bool,
}

impl Books {
    /// How many messages are in the channel.
    pub fn length(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

impl State {
    /// The tasks that wait for this, in the order of their numbers.
    pub fn waiting(&self, target: Target) -> impl Iterator<Item = TaskId> {
        let waits = move |doing: &Doing| match doing {
            Doing::Waiting(waiting) => waiting.waits.iter().any(|wait| wait.target == target),
            Doing::Ready | Doing::Ended | Doing::Panicked(_) => false,
        };
        (0..).map(TaskId).zip(&self.tasks).filter(move |(_, doing)| waits(doing)).map(|(task, _)| task)
    }
}

/// Who let whom go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// The step that let it.
    pub from: usize,
    /// The step that it was waited for or needed in.
    pub to: usize,
    /// What was handed over.
    pub what: Handed,
}

/// What one task hands another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handed {
    /// A message.
    Message(ObjectId),
    /// Room in a channel.
    Room(ObjectId),
    /// A lock.
    Lock(ObjectId),
    /// The news that nobody is left on the other side of a channel.
    Disconnection(ObjectId),
    /// A notification.
    Notification,
    /// Its end.
    End,
    /// The start.
    Start,
}

impl Trace {
    /// The name of a task.
    pub fn name(&self, task: TaskId) -> &str {
        &self.tasks[task.0]
    }

    /// Who let whom go on, in the order of the steps that did go on. A task hands nothing to itself.
    pub fn handoffs(&self) -> Vec<Handoff> {
        let mut handoffs = Vec::new();
        for to in 0..self.steps.len() {
            let found = self.handed_to(to);
            let others = found.filter(|(from, _)| self.steps[*from].task != self.steps[to].task);
            handoffs.extend(others.map(|(from, what)| Handoff { from, to, what }));
        }
        handoffs
    }

    /// The step that let this one go on, and by what.
    fn handed_to(&self, to: usize) -> Option<(usize, Handed)> {
        let step = &self.steps[to];
        let earlier = |is: &dyn Fn(&Step, &Effect) -> bool| {
            self.steps[..to].iter().rposition(|step| step.effects.iter().any(|effect| is(step, effect)))
        };
        if step.location.is_none() {
            let started = earlier(&|_, effect| *effect == Effect::Started(step.task));
            return started.map(|from| (from, Handed::Start));
        }
        let message = step.effects.iter().find_map(|effect| match effect {
            Effect::Received(channel, number) => Some((*channel, *number)),
            _ => None,
        });
        if let Some((channel, number)) = message {
            let sent = earlier(&|_, effect| *effect == Effect::Sent(channel, number));
            return sent.map(|from| (from, Handed::Message(channel)));
        }
        if !step.resumes || step.effects.contains(&Effect::Waits) || step.switch == Switch::TimedOut {
            return None;
        }
        let waits = self.waited_for(to);
        let (from, what) = waits.iter().find_map(|wait| match wait.target {
            Target::Lock(lock) | Target::Read(lock) => {
                step.effects.contains(&Effect::Acquired(lock)).then_some(())?;
                Some((earlier(&|_, effect| *effect == Effect::Released(lock))?, Handed::Lock(lock)))
            }
            Target::Send(channel) => {
                let sent = |effect: &Effect| matches!(effect, Effect::Sent(sent, _) if *sent == channel);
                let took = |_: &Step, effect: &Effect| {
                    matches!(effect, Effect::Received(took, _) if *took == channel)
                };
                let is_rendezvous = self.objects[channel.0].kind == ObjectKind::Channel(Some(0));
                if is_rendezvous || !step.effects.iter().any(sent) {
                    return None;
                }
                Some((earlier(&took)?, Handed::Room(channel)))
            }
            Target::Notify(_) => {
                Some((earlier(&|_, effect| *effect == Effect::Notified(step.task))?, Handed::Notification))
            }
            Target::Join(task) => {
                let ends = |effect: &Effect| matches!(effect, Effect::Ended | Effect::Panicked);
                Some((earlier(&|step, effect| step.task == task && ends(effect))?, Handed::End))
            }
            Target::Recv(_) => None,
        })
        .or_else(|| {
            let passed = |effect: &Effect| matches!(effect, Effect::Sent(..) | Effect::Acquired(_));
            if step.effects.first().is_some_and(passed) {
                return None;
            }
            waits.iter().find_map(|wait| {
                let (gone, channel) = match wait.target {
                    Target::Send(channel) => (Effect::NoReceiver(channel), channel),
                    Target::Recv(channel) => (Effect::NoSender(channel), channel),
                    _ => return None,
                };
                Some((earlier(&|_, effect| *effect == gone)?, Handed::Disconnection(channel)))
            })
        })?;
        Some((from, what))
    }

    /// What the task of this step waited for before it.
    pub fn waited_for(&self, step: usize) -> &[Wait] {
        let task = self.steps[step].task;
        let before = step.checked_sub(1).and_then(|before| self.steps[before].state.tasks.get(task.0));
        match before {
            Some(Doing::Waiting(waiting)) => &waiting.waits,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests;
