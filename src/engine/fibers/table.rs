//! Who does what: the tasks, objects and timers of one execution, and who goes on next.

use std::borrow::Borrow;
use std::num::NonZeroU64;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

use super::super::coverage::Coverage;
use super::super::strategy::{Alternative, Point, Strategy};
use super::super::{Access, ObjectId, ObjectKind, State, Status, Target, Task, TaskId, TaskSet, name};
use super::Step;
use super::children::New;
use super::fiber::Way;
use super::readiness::could_serve;
use super::recorder::Recorder;
use super::recycled::Recycled;
use super::task::{Doing, Entry, Unwinding, Waiting};
use super::timers::Alarm;
use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{Meeting, Object, Owner, Timer};

/// The tasks, objects and timers of an execution, kept in the memory of the one before.
#[derive(Default)]
pub(crate) struct Table {
    /// The execution's.
    pub(super) id: Option<NonZeroU64>,
    pub(super) tasks: Recycled<Entry>,
    /// What each task is about to do; of one that waits, what it waits for first.
    pub(super) accesses: Vec<Access>,
    /// The names of the tasks, as far as somebody has asked for them.
    pub(super) names: Vec<String>,
    /// How many tasks have not ended.
    pub(super) alive: usize,
    /// Whether any has panicked, but for those that unwound.
    pub(super) has_panicked: bool,
    /// The tasks that can go on without time passing.
    pub(super) ready: TaskSet,
    pub(super) objects: Recycled<Tracked>,
    pub(super) timers: Vec<Alarm>,
    /// Uses the messages of all channels.
    pub(super) owner: Owner,
    pub(super) strategy: Chooser,
    /// Who went on at each point, and by which branch.
    pub(super) steps: Vec<Step>,
    /// The system's time when the execution first asked for it; from then on it has a time of its own.
    pub(super) began: Option<Instant>,
    /// The time since the execution began; it passes only when no task can go on.
    pub(super) clock: Duration,
    pub(super) points: u64,
    /// How many points there may be.
    pub(super) most_points: u64,
    /// Up to how many points there is nothing more to do at one than to choose, among few: none if the execution is watched, or
    /// over, or has more tasks than a word has bits.
    pub(super) plain_points: u64,
    /// Whether the execution is over, and tasks unwind.
    pub(super) ending: bool,
    pub(super) waits: u64,
    /// The branches of a select, or those that wait for a notification, while one is chosen.
    pub(super) alternatives: Vec<Alternative>,
    /// What is counted of it, if anything is.
    pub(super) coverage: Option<Box<Coverage>>,
    /// Writes down what is done, if it is to be known.
    pub(super) recorder: Option<Box<Recorder>>,
    /// Whether there is a recorder, or anything counted.
    pub(super) is_watched: bool,
}

/// Where there is no execution there is nothing to choose.
struct Nobody;

impl Strategy for Nobody {
    fn choose(&mut self, _: &Point<'_>) -> usize {
        unreachable!("there is a strategy while there is anything to choose")
    }
}

/// The strategy of the execution; by default there is none. Of the box itself everybody would see a default, so it has none:
///
/// ```compile_fail
/// use watchmux::engine::strategy::Strategy;
///
/// let _ = <Box<dyn Strategy>>::default();
/// ```
pub(super) struct Chooser(Box<dyn Strategy>);

impl Default for Chooser {
    fn default() -> Chooser {
        Chooser(Box::new(Nobody))
    }
}

impl Deref for Chooser {
    type Target = dyn Strategy;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl DerefMut for Chooser {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.0
    }
}

/// An object, and who waits for it.
pub(super) struct Tracked {
    pub(super) object: Object,
    pub(super) waiters: TaskSet,
}

impl Borrow<Object> for Tracked {
    fn borrow(&self) -> &Object {
        &self.object
    }
}

impl Table {
    /// Makes it that of another execution.
    pub(super) fn renew(
        &mut self,
        id: NonZeroU64,
        strategy: Box<dyn Strategy>,
        most_points: u64,
        recorder: Option<Box<Recorder>>,
    ) {
        self.id = Some(id);
        self.tasks.clear();
        self.accesses.clear();
        self.names.clear();
        self.alive = 0;
        self.has_panicked = false;
        self.ready.clear();
        self.objects.clear();
        self.timers.clear();
        self.strategy = Chooser(strategy);
        self.steps.clear();
        self.began = None;
        self.clock = Duration::ZERO;
        self.points = 0;
        self.most_points = most_points;
        self.ending = false;
        self.waits = 0;
        self.coverage = Coverage::begin().map(Box::new);
        self.recorder = recorder;
        self.is_watched = self.coverage.is_some() || self.recorder.is_some();
        self.plain_points = if self.is_watched { 0 } else { most_points };
    }

    /// Takes the strategy, once the execution is over.
    pub(super) fn take_strategy(&mut self) -> Box<dyn Strategy> {
        std::mem::take(&mut self.strategy).0
    }

    /// Ends the execution: tasks unwind from now on.
    pub(super) fn end_all(&mut self) {
        self.ending = true;
        self.plain_points = 0;
    }

    /// Forgets what tasks have left that nobody has come for.
    #[inline]
    pub(super) fn forget_outcomes(&mut self) {
        self.tasks.iter_mut().for_each(|entry| entry.outcome.forget());
    }

    /// Forgets what tasks were to run that were never started; says how many there are.
    pub(super) fn forget_bodies(&mut self) -> usize {
        let bodies = self.tasks.iter_mut().filter_map(|entry| entry.body.take());
        bodies.map(std::mem::forget).count()
    }

    /// Adds a task.
    #[inline(always)]
    pub(super) fn add(&mut self, new: New) -> TaskId {
        let id = TaskId(self.tasks.len());
        self.strategy.started(id, new.given.as_deref());
        if let Some(step) = self.steps.last_mut() {
            step.starts += 1;
        }
        self.tasks.add(Entry::default).renew(new);
        self.accesses.push(Access::default());
        self.ready.insert(id);
        self.alive += 1;
        if id.0 >= u64::BITS as usize {
            self.plain_points = 0;
        }
        if self.coverage.is_some() {
            self.count_start(id);
        }
        id
    }

    #[cold]
    fn count_start(&mut self, task: TaskId) {
        let name = self.name(task).to_owned();
        self.coverage.iter_mut().for_each(|coverage| coverage.started(&name));
    }

    /// The name of a task, which no other has.
    pub(super) fn name(&mut self, task: TaskId) -> &str {
        for id in self.names.len()..=task.0 {
            let taken = |name: &str| self.names.iter().any(|other| other == name);
            let name = name::unique(self.tasks[id].given.as_deref(), TaskId(id), taken);
            self.names.push(name);
        }
        &self.names[task.0]
    }

    /// Adds an object.
    #[inline(always)]
    pub(super) fn add_object(
        &mut self,
        kind: ObjectKind,
        timer: Timer,
        made: &'static Location<'static>,
    ) -> &mut Object {
        let is_rendezvous = kind == ObjectKind::Channel(Some(0));
        let meeting = if is_rendezvous { Meeting::Modelled } else { Meeting::Free };
        let id = ObjectId(self.objects.len());
        let new = move || Tracked {
            object: Object::new(id, kind, timer, meeting, made),
            waiters: TaskSet::default(),
        };
        let Tracked { object, waiters } = self.objects.add(new);
        object.renew(id, kind, timer, meeting, made);
        waiters.clear();
        object
    }

    #[inline]
    pub(super) fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.0].object
    }

    /// Changes an object, and sees who of those who wait for it can go on now, and who no longer can.
    #[inline]
    pub(super) fn change<R>(&mut self, id: ObjectId, f: impl FnOnce(&mut Object) -> R) -> R {
        let Tracked { object, waiters } = &mut self.objects[id.0];
        let result = f(object);
        if !waiters.is_empty() {
            self.see_waiters(id);
        }
        result
    }

    /// Notes something about an object that lets nobody go on.
    #[inline]
    pub(super) fn note<R>(&mut self, id: ObjectId, f: impl FnOnce(&mut Object) -> R) -> R {
        f(&mut self.objects[id.0].object)
    }

    pub(super) fn see_waiters(&mut self, id: ObjectId) {
        let Table { objects, tasks, ready, clock, .. } = self;
        let (tasks, objects) = (&*tasks, &*objects);
        objects[id.0].waiters.for_each(|task| {
            ready.set(task, tasks[task.0].can_go_on(*clock, tasks, objects));
        });
    }

    /// Sees whether a task can go on.
    #[inline]
    pub(super) fn see(&mut self, task: TaskId) {
        let can = self.can_go_on(task);
        self.ready.set(task, can);
    }

    #[inline]
    pub(super) fn can_go_on(&self, task: TaskId) -> bool {
        self.tasks[task.0].can_go_on(self.clock, &self.tasks, &self.objects)
    }

    #[inline]
    pub(super) fn is_served(&self, waiting: &Waiting) -> bool {
        waiting.is_served(&self.tasks, &self.objects)
    }

    pub(super) fn could_serve(&self, target: Target) -> bool {
        could_serve(target, &self.tasks, &self.objects)
    }

    /// Whether a task waits, with a limit of time or without.
    #[inline(always)]
    pub(super) fn is_waiting(&self, task: TaskId) -> bool {
        self.tasks[task.0].waiting().is_some()
    }

    #[inline]
    pub(super) fn has_ended(&self, task: TaskId) -> bool {
        self.tasks[task.0].has_ended()
    }

    /// The tasks that have started and not ended.
    pub(super) fn started(&self) -> Vec<TaskId> {
        let has_started = |task: &TaskId| {
            let entry = &self.tasks[task.0];
            entry.body.is_none() && !entry.has_ended()
        };
        (0..self.tasks.len()).map(TaskId).filter(has_started).collect()
    }

    /// Notes that a task has ended by a panic that said this, and chooses who goes on.
    pub(super) fn panic(&mut self, task: TaskId, message: String) -> Way {
        self.tasks[task.0].panic = message;
        self.has_panicked |= !self.ending;
        self.end(task, Doing::Panicked)
    }

    /// Notes that a task has ended like that, and chooses who goes on.
    #[inline(always)]
    pub(super) fn end(&mut self, task: TaskId, doing: Doing) -> Way {
        footprint::touch(Place::Task(task), What::Ends);
        let Table { tasks, ready, .. } = self;
        let entry = &mut tasks[task.0];
        entry.doing = doing;
        self.alive -= 1;
        ready.remove(task);
        if self.alive == 0 && !self.is_watched {
            // There is nobody to choose from, nor anybody for whom time could pass.
            return Way::TO_NOBODY;
        }
        entry.joiners.for_each(|joiner| ready.insert(joiner));
        self.go_on()
    }

    pub(super) fn forget(&mut self, task: TaskId) {
        self.tasks[task.0].doing = Doing::Forgotten;
        self.ready.remove(task);
    }

    /// Who goes on while the execution unwinds: those that can; then, one at a time, those that are told to unwind, of which
    /// a task that holds a lock comes first, for others may be waiting for it, and then the one started last, for others
    /// may be waiting for its end.
    pub(super) fn next_to_unwind(&mut self) -> Option<TaskId> {
        if let Some(task) = self.ready.last() {
            return Some(task);
        }
        let waits = |task: &TaskId| {
            let entry = &self.tasks[task.0];
            entry.waiting().is_some() && entry.unwinding == Unwinding::No
        };
        let waiting: Vec<TaskId> = (0..self.tasks.len()).map(TaskId).filter(waits).collect();
        let holds = |task: &&TaskId| self.objects.iter().any(|tracked| tracked.object.is_held_by(**task));
        let chosen = waiting.iter().rev().find(holds).or(waiting.last()).copied()?;
        self.tasks[chosen.0].unwinding = Unwinding::Due;
        self.ready.insert(chosen);
        Some(chosen)
    }

    /// Whether any task waits without a limit of time.
    pub(super) fn is_anyone_blocked(&self) -> bool {
        self.alive > 0 && (0..self.tasks.len()).any(|task| self.is_blocked(TaskId(task)))
    }

    /// Whether a task waits without a limit of time.
    pub(super) fn is_blocked(&self, task: TaskId) -> bool {
        self.tasks[task.0].waiting().is_some_and(|waiting| waiting.until.is_none())
    }

    /// As data.
    pub(super) fn state(&mut self) -> State {
        let status = |entry: &Entry| match &entry.doing {
            Doing::Waiting if entry.waiting.until.is_none() => Status::Blocked(entry.waiting.waits.clone()),
            Doing::Ready | Doing::Waiting | Doing::Forgotten => Status::Running,
            Doing::Ended => Status::Ended,
            Doing::Panicked => Status::Panicked(entry.panic.clone()),
        };
        if let Some(last) = self.tasks.len().checked_sub(1) {
            self.name(TaskId(last));
        }
        let named = self.tasks.iter().zip(&self.names);
        State {
            tasks: named.map(|(entry, name)| Task { name: name.clone(), status: status(entry) }).collect(),
            objects: self.objects.iter().map(|tracked| tracked.object.state()).collect(),
        }
    }
}
