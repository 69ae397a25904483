//! What an execution leaves behind: data, for the oracle and the report to read.

use std::panic::Location;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Stacks;

/// A task of an execution, numbered in the order they were spawned; 0 is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(pub usize);

/// A channel, lock, condition variable or atomic of an execution, numbered in the order they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId(pub usize);

/// One execution, as it ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// The state at the last quiescence, or at the deadline; what was blocked then is in it.
    pub state: State,
    /// How many sync points were passed.
    pub sync_points: u64,
    /// How many tasks could not be unwound and were left behind, parked.
    pub forgotten: usize,
    /// On free threads, the stacks of the tasks that were blocked, each captured as it was unwound, and of panics. On fibers
    /// they are in the [trace](super::trace::Trace) of an execution that is recorded.
    pub stacks: Stacks,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every task ended.
    Finished,
    /// Quiescence: every task has ended or is blocked, and the body had nothing to add.
    Quiescent,
    /// The deadline passed first. Nothing can be concluded.
    Deadline,
    /// It passed more sync points than it may, and may never come to rest.
    Exhausted,
    /// Nothing has moved for so long, and every task that has not ended is blocked, or in code that the engine cannot see
    /// into and counts as blocked there. That it will stay so is not known.
    Still(Duration),
}

/// The tasks and objects of an execution at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By [`TaskId`].
    pub tasks: Vec<Task>,
    /// By [`ObjectId`].
    pub objects: Vec<Object>,
}

impl State {
    /// The tasks that are blocked.
    pub fn blocked(&self) -> impl Iterator<Item = (TaskId, &[Wait])> {
        self.tasks.iter().enumerate().filter_map(|(index, task)| match &task.status {
            Status::Blocked(waits) => Some((TaskId(index), waits.as_slice())),
            Status::Running | Status::Ended | Status::Panicked(_) => None,
        })
    }

    /// The task of this id.
    pub fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.0]
    }

    /// The object of this id.
    pub fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.0]
    }
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// `setup`, `lane0`…, or the name its thread was given.
    pub name: String,
    /// What it is doing.
    pub status: Status,
}

/// What a task is doing.
#[derive(Clone, Debug)]
pub enum Status {
    /// It can go on, or waits for a time to come.
    Running,
    /// It waits for any one of these, without a limit of time; for something unknown, where there are none: it is in code
    /// that the engine cannot see into.
    Blocked(Vec<Wait>),
    /// It has ended.
    Ended,
    /// It has ended by a panic of its own, with this message.
    Panicked(String),
}

/// One thing that a task waits for.
#[derive(Clone, Debug)]
pub struct Wait {
    /// What is waited for.
    pub target: Target,
    /// Where in the code.
    pub location: &'static Location<'static>,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Room in a channel, or a receiver.
    Send(ObjectId),
    /// A message in a channel.
    Recv(ObjectId),
    /// A lock, to hold it alone.
    Lock(ObjectId),
    /// A lock, to share it with other readers.
    Read(ObjectId),
    /// A notification.
    Notify(ObjectId),
    /// The end of another task.
    Join(TaskId),
}

impl Target {
    /// The object waited for; none for a join.
    pub fn object(self) -> Option<ObjectId> {
        match self {
            Target::Send(id)
            | Target::Recv(id)
            | Target::Lock(id)
            | Target::Read(id)
            | Target::Notify(id) => Some(id),
            Target::Join(_) => None,
        }
    }
}

/// A channel, lock or condition variable.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// What the code calls it, if it says.
    pub name: Option<String>,
    /// Where it was made.
    pub made: &'static Location<'static>,
    /// Who holds it, if it is a lock.
    pub holders: Vec<TaskId>,
    /// Whether they share it with other readers.
    pub shared: bool,
    /// The last notification, if it is a condition variable that ever had one.
    pub notified: Option<Notification>,
    /// The tasks that last used its live senders, if it is a channel.
    pub senders: Vec<TaskId>,
    /// The tasks that last used its live receivers, if it is a channel.
    pub receivers: Vec<TaskId>,
}

/// A notification of a condition variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who notified.
    pub by: TaskId,
    /// Where in the code.
    pub location: &'static Location<'static>,
    /// How many tasks it woke: none if nobody waited at that time, and then it is lost.
    pub woken: usize,
}

/// What kind of thing an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A channel of this capacity; unbounded where there is none.
    Channel(Option<usize>),
    /// A mutex.
    Mutex,
    /// A reader-writer lock.
    RwLock,
    /// A condition variable.
    Condvar,
}
