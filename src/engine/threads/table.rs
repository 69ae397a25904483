//! Who does what: the tasks and objects of one execution, behind its one lock.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel as cc;
use parking_lot::{Condvar, Mutex};

use super::super::steered::Steering;
use super::super::{State, Status, Target, Task, TaskId, Wait, name};
use crate::sync::seam::{Common, Outcome};

/// The tasks and objects of an execution.
#[derive(Default)]
pub(in crate::engine) struct Table {
    pub(in crate::engine) tasks: Vec<Entry>,
    pub(in crate::engine) objects: Vec<Arc<Common>>,
    /// How many tasks are outside an untimed wait, and outside opaque code.
    pub(in crate::engine) running: usize,
    /// How many tasks are in opaque code.
    pub(in crate::engine) opaque: usize,
    /// How often a task has entered or left it.
    pub(in crate::engine) moves: u64,
    /// How many tasks have not ended.
    pub(in crate::engine) alive: usize,
    /// What leads the tasks through a schedule, if anything does.
    pub(in crate::engine) steering: Option<Steering>,
    /// Stamps waits, so that who came first is woken first.
    waits: u64,
}

/// A task.
pub(in crate::engine) struct Entry {
    pub(in crate::engine) name: String,
    pub(in crate::engine) doing: Doing,
    pub(in crate::engine) outcome: Outcome,
    pub(in crate::engine) parker: Arc<Parker>,
    /// Tells its thread, in a native selection, that the task is to unwind; `None` before it runs.
    pub(in crate::engine) abort: Option<cc::Sender<()>>,
    /// Whether it was told so.
    pub(in crate::engine) told: bool,
}

/// What a task does.
pub(in crate::engine) enum Doing {
    Running,
    /// In code that the engine cannot see into.
    Opaque,
    Waiting {
        waits: Vec<Wait>,
        since: u64,
        /// Whether it no longer counts as running: it has no limit of time, and does nothing else meanwhile.
        rests: bool,
    },
    /// Left behind: it will never do anything again.
    Forgotten,
    Ended,
    Panicked(String),
}

impl Table {
    pub(in crate::engine) fn new(steering: Option<Steering>) -> Table {
        Table { steering, ..Table::default() }
    }

    /// Adds a task, with a name that no other has.
    pub(in crate::engine) fn add(&mut self, name: Option<&str>) -> TaskId {
        let id = TaskId(self.tasks.len());
        let name = name::unique(name, id, |name| self.tasks.iter().any(|task| task.name == name));
        if let Some(steering) = &mut self.steering {
            steering.started(&name);
        }
        let parker = Arc::default();
        let outcome = Outcome::Nothing;
        self.tasks.push(Entry { name, doing: Doing::Running, outcome, parker, abort: None, told: false });
        self.running += 1;
        self.alive += 1;
        id
    }

    /// Notes that a task is about to wait, so that others can wake it. It counts as running until it
    /// [rests](Table::rest).
    pub(in crate::engine) fn wait(&mut self, task: TaskId, waits: Vec<Wait>) {
        let since = self.waits;
        self.waits += 1;
        self.tasks[task.0].doing = Doing::Waiting { waits, since, rests: false };
        self.tasks[task.0].parker.reset();
    }

    /// Notes that a task that waits does nothing else, unless it was woken already.
    pub(in crate::engine) fn rest(&mut self, task: TaskId) {
        if let Doing::Waiting { rests, .. } = &mut self.tasks[task.0].doing {
            *rests = true;
            self.running -= 1;
        }
    }

    /// Notes that a task goes on; says whether it had been waiting until now.
    pub(in crate::engine) fn go_on(&mut self, task: TaskId) -> bool {
        let Doing::Waiting { rests, .. } = self.tasks[task.0].doing else { return false };
        self.tasks[task.0].doing = Doing::Running;
        self.running += usize::from(rests);
        true
    }

    /// Notes that a task enters or leaves opaque code.
    pub(in crate::engine) fn pass(&mut self, task: TaskId, entered: bool) {
        self.moves += 1;
        if entered {
            self.tasks[task.0].doing = Doing::Opaque;
            (self.running, self.opaque) = (self.running - 1, self.opaque + 1);
        } else {
            self.tasks[task.0].doing = Doing::Running;
            (self.running, self.opaque) = (self.running + 1, self.opaque - 1);
        }
    }

    /// Wakes up to `most` tasks whose wait is such, first come first; says how many. Steered ones go on when it is their
    /// turn.
    pub(in crate::engine) fn wake(&mut self, most: usize, is_such: impl Fn(&Target) -> bool) -> usize {
        let mut waiting = self.waiting(is_such);
        waiting.truncate(most);
        for task in &waiting {
            self.go_on(*task);
            if !self.is_steered() {
                self.tasks[task.0].parker.unpark(Token::Woken);
            }
        }
        waiting.len()
    }

    /// The tasks whose wait is such, the one that has waited longest first.
    pub(in crate::engine) fn waiting(&self, is_such: impl Fn(&Target) -> bool) -> Vec<TaskId> {
        let mut waiting: Vec<(u64, TaskId)> = Vec::new();
        for (index, task) in self.tasks.iter().enumerate() {
            if let Doing::Waiting { waits, since, .. } = &task.doing
                && waits.iter().any(|wait| is_such(&wait.target))
            {
                waiting.push((*since, TaskId(index)));
            }
        }
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, task)| task).collect()
    }

    /// Whether nothing can ever go on: nothing runs, and the books could serve no wait.
    pub(in crate::engine) fn is_quiescent(&self) -> bool {
        self.running == 0
            && self.opaque == 0
            && !self.waits().any(|(task, wait)| self.could_serve(task, wait.target))
    }

    fn waits(&self) -> impl Iterator<Item = (TaskId, &Wait)> {
        self.tasks.iter().enumerate().flat_map(|(index, task)| {
            let waits = match &task.doing {
                Doing::Waiting { waits, .. } => waits.as_slice(),
                _ => &[],
            };
            waits.iter().map(move |wait| (TaskId(index), wait))
        })
    }

    fn could_serve(&self, task: TaskId, target: Target) -> bool {
        let partner = match target {
            Target::Join(task) => return self.has_ended(task),
            Target::Send(object) => Some(Target::Recv(object)),
            Target::Recv(object) => Some(Target::Send(object)),
            Target::Lock(_) | Target::Read(_) | Target::Notify(_) => None,
        };
        let partner_waits = self.waits().any(|(other, wait)| other != task && Some(wait.target) == partner);
        let object = target.object().expect("all but joins wait for an object");
        self.objects[object.0].object.lock().could_serve(target, partner_waits)
    }

    pub(in crate::engine) fn has_ended(&self, task: TaskId) -> bool {
        matches!(self.tasks[task.0].doing, Doing::Ended | Doing::Panicked(_))
    }

    /// Tells a waiting task to unwind.
    pub(in crate::engine) fn tell(&mut self, task: TaskId) {
        self.go_on(task);
        let entry = &mut self.tasks[task.0];
        entry.told = true;
        entry.parker.unpark(Token::Abort);
        if let Some(abort) = &entry.abort {
            // It has room: a task is told once, and its thread empties it for the next.
            let _ = abort.try_send(());
        }
    }

    /// A task that waits for a time to come, and was not told to unwind.
    pub(in crate::engine) fn next_sleeper(&self) -> Option<TaskId> {
        let sleeps = |task: &Entry| matches!(task.doing, Doing::Waiting { rests: false, .. }) && !task.told;
        self.tasks.iter().position(sleeps).map(TaskId)
    }

    /// The blocked task to unwind next: one that holds a lock, for others may be waiting for it; otherwise
    /// the one started last, for others may be waiting for its end.
    pub(in crate::engine) fn next_to_unwind(&self) -> Option<TaskId> {
        let blocked = |index: &usize| {
            let task = &self.tasks[*index];
            matches!(task.doing, Doing::Waiting { .. }) && !task.told
        };
        let holds =
            |index: usize| self.objects.iter().any(|common| common.object.lock().is_held_by(TaskId(index)));
        let blocked: Vec<usize> = (0..self.tasks.len()).filter(blocked).collect();
        let holder = blocked.iter().rev().find(|index| holds(**index));
        holder.or(blocked.last()).map(|index| TaskId(*index))
    }

    /// As data.
    pub(in crate::engine) fn state(&self) -> State {
        let status = |doing: &Doing| match doing {
            Doing::Waiting { waits, rests: true, .. } => Status::Blocked(waits.clone()),
            Doing::Opaque => Status::Blocked(Vec::new()),
            Doing::Running | Doing::Waiting { .. } | Doing::Forgotten => Status::Running,
            Doing::Ended => Status::Ended,
            Doing::Panicked(message) => Status::Panicked(message.clone()),
        };
        let task = |entry: &Entry| Task { name: entry.name.clone(), status: status(&entry.doing) };
        State {
            tasks: self.tasks.iter().map(task).collect(),
            objects: self.objects.iter().map(|common| common.object.lock().state()).collect(),
        }
    }
}

/// Why a parked thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Token {
    Woken,
    Abort,
    /// The time is up, says the steering.
    TimedOut,
    /// Its partner enters a rendezvous, and it is to do so as well, by the wait of this number.
    Meet(usize),
    /// It stays blocked in the end, and is to wait natively.
    Block,
}

/// Where the thread of a task waits for what is not a channel.
#[derive(Default)]
pub(in crate::engine) struct Parker {
    token: Mutex<Option<Token>>,
    changed: Condvar,
}

impl Parker {
    pub(in crate::engine) fn reset(&self) {
        *self.token.lock() = None;
    }

    pub(in crate::engine) fn unpark(&self, token: Token) {
        *self.token.lock() = Some(token);
        self.changed.notify_one();
    }

    /// Waits for a token and takes it; `None` if the time is up.
    pub(in crate::engine) fn park(&self, until: Option<Instant>) -> Option<Token> {
        let mut token = self.token.lock();
        while token.is_none() {
            match until {
                None => self.changed.wait(&mut token),
                Some(until) if self.changed.wait_until(&mut token, until).timed_out() => break,
                Some(_) => {}
            }
        }
        token.take()
    }
}
