//! Who does what: the tasks, objects and timers of one execution, and who goes on next.

use std::borrow::{Borrow, Cow};
use std::num::NonZeroU64;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::super::coverage::{Coverage, Going};
use super::super::strategy::{Alternative, Choosing, Point, Strategy};
use super::super::{ObjectId, ObjectKind, State, Status, Target, Task, TaskId, Wait, name};
use super::Step;
use super::recorder::Recorder;
use super::recycled::Recycled;
use super::task::{Doing, Entry, Unwinding, Waiting, Woken};
use super::task_set::TaskSet;
use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{Endpoint, Meeting, Object, Queue, Side, TaskBody, Timer};

/// The tasks, objects and timers of an execution, kept in the memory of the one before.
#[derive(Default)]
pub(super) struct Table {
    /// The execution's.
    pub(super) id: Option<NonZeroU64>,
    pub(super) tasks: Recycled<Entry>,
    /// The names of the tasks, as far as somebody has asked for them.
    names: Vec<String>,
    /// How many tasks have not ended.
    pub(super) alive: usize,
    /// The tasks that can go on without time passing.
    ready: TaskSet,
    pub(super) objects: Recycled<Tracked>,
    timers: Vec<Alarm>,
    strategy: Option<Box<dyn Strategy>>,
    /// Who went on at each point, and by which branch.
    pub(super) steps: Vec<Step>,
    /// The system's time when the execution first asked for it; from then on it has a time of its own.
    began: Option<Instant>,
    /// The time since the execution began; it passes only when no task can go on.
    pub(super) clock: Duration,
    pub(super) points: u64,
    /// How many points there may be.
    most_points: u64,
    /// Whether the execution is over, and tasks unwind.
    pub(super) ending: bool,
    waits: u64,
    alternatives: Vec<Alternative>,
    /// What is counted of it, if anything is.
    coverage: Option<Coverage>,
    /// Writes down what is done, if it is to be known.
    pub(super) recorder: Option<Box<Recorder>>,
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

/// A channel that time fills.
struct Alarm {
    object: ObjectId,
    due: Option<Duration>,
    period: Option<Duration>,
    queue: Queue<Instant>,
}

/// What a sync point comes to.
pub(super) enum Turn {
    /// The task goes on.
    On,
    /// Another does, if any is to.
    Of(Option<TaskId>),
    /// The execution is over.
    Over,
}

/// What came of an operation on a channel that does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// A message passes.
    Passed,
    /// None can.
    Refused,
    /// None ever will: nobody is left on the other side.
    Disconnected,
}

impl Table {
    /// Makes it that of another execution.
    pub(super) fn renew(&mut self, id: NonZeroU64, strategy: Box<dyn Strategy>, most_points: u64) {
        self.id = Some(id);
        self.tasks.clear();
        self.names.clear();
        self.alive = 0;
        self.ready.clear();
        self.objects.clear();
        self.timers.clear();
        self.strategy = Some(strategy);
        self.steps.clear();
        self.began = None;
        self.clock = Duration::ZERO;
        self.points = 0;
        self.most_points = most_points;
        self.ending = false;
        self.waits = 0;
        self.coverage = Coverage::begin();
        self.recorder = None;
    }

    /// Adds a task.
    pub(super) fn add(&mut self, given: Option<Cow<'static, str>>, body: TaskBody<'static>) -> TaskId {
        let id = TaskId(self.tasks.len());
        if let Some(strategy) = &mut self.strategy {
            strategy.started(id, given.as_deref());
        }
        self.tasks.add(Entry::default).renew(given, body);
        self.ready.insert(id);
        self.alive += 1;
        if self.coverage.is_some() {
            let name = self.name(id).to_owned();
            self.coverage.iter_mut().for_each(|coverage| coverage.started(&name));
        }
        id
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
    pub(super) fn add_object(
        &mut self,
        kind: ObjectKind,
        timer: Timer,
        made: &'static Location<'static>,
    ) -> ObjectId {
        let is_rendezvous = kind == ObjectKind::Channel(Some(0));
        let meeting = if is_rendezvous { Meeting::Modelled } else { Meeting::Free };
        let id = ObjectId(self.objects.len());
        let new =
            || Tracked { object: Object::new(id, kind, timer, meeting, made), waiters: TaskSet::default() };
        let Tracked { object, waiters } = self.objects.add(new);
        object.renew(id, kind, timer, meeting, made);
        waiters.clear();
        id
    }

    /// The system's time when the execution began, as it is told.
    pub(super) fn began(&mut self) -> Instant {
        *self.began.get_or_insert_with(Instant::now)
    }

    pub(super) fn add_timer(&mut self, object: ObjectId, duration: Duration, queue: Queue<Instant>) {
        let due = self.clock.checked_add(duration);
        let period = self.object(object).repeats().then_some(duration);
        self.timers.push(Alarm { object, due, period, queue });
    }

    pub(super) fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.0].object
    }

    /// Changes an object, and sees who of those who wait for it can go on now, and who no longer can.
    pub(super) fn change<R>(&mut self, id: ObjectId, f: impl FnOnce(&mut Object) -> R) -> R {
        let Tracked { object, waiters } = &mut self.objects[id.0];
        let result = f(object);
        if !waiters.is_empty() {
            self.see_waiters(id);
        }
        result
    }

    /// Notes who used a handle of a channel last, which lets nobody go on.
    #[inline]
    pub(super) fn use_handle(&mut self, channel: ObjectId, handle: u32, task: TaskId) {
        self.objects[channel.0].object.use_handle(handle, task);
    }

    fn see_waiters(&mut self, id: ObjectId) {
        let mut from = 0;
        while let Some(task) = self.objects[id.0].waiters.next(from) {
            self.see(task);
            from = task.0 + 1;
        }
    }

    /// Sees whether a task can go on.
    fn see(&mut self, task: TaskId) {
        let can = self.can_go_on(task);
        self.ready.set(task, can);
    }

    /// Chooses who goes first.
    pub(super) fn begin(&mut self) -> Option<TaskId> {
        loop {
            if self.is_exhausted() {
                return None;
            }
            let next = self.choose(None);
            if next.is_some() || !self.pass_time() {
                return next;
            }
        }
    }

    /// A sync point of a task.
    pub(super) fn point(
        &mut self,
        me: TaskId,
        access: Option<Target>,
        location: &'static Location<'static>,
    ) -> Turn {
        if self.ending {
            return Turn::Over;
        }
        self.points += 1;
        let entry = &mut self.tasks[me.0];
        (entry.access, entry.location) = (access, Some(location));
        if self.points > self.most_points {
            return Turn::Of(None);
        }
        match self.choose(Some(me)) {
            Some(next) if next == me => Turn::On,
            next => Turn::Of(next),
        }
    }

    /// Whether there were more points than there may be.
    pub(super) fn is_exhausted(&self) -> bool {
        self.points > self.most_points
    }

    /// Who goes on, if anybody can without time passing; `current` can.
    fn choose(&mut self, current: Option<TaskId>) -> Option<TaskId> {
        self.alternatives.clear();
        let alternative =
            |task: TaskId| Alternative { task, branch: None, access: self.tasks[task.0].access };
        if let Some(current) = current {
            self.alternatives.push(alternative(current));
        }
        let mut from = 0;
        while let Some(task) = self.ready.next(from) {
            if Some(task) != current {
                self.alternatives.push(alternative(task));
            }
            from = task.0 + 1;
        }
        let chosen = (!self.alternatives.is_empty()).then(|| self.chosen(Choosing::Task, current));
        if let Some(Alternative { task, branch, access }) = chosen {
            let preempts = current.is_some_and(|current| current != task) || self.has_timed_out(task);
            self.steps.push(Step { task, branch, access, preempts });
            self.record(current);
        }
        if self.coverage.is_some() {
            self.count(chosen);
        }
        chosen.map(|alternative| alternative.task)
    }

    /// Has the strategy choose among the alternatives.
    fn chosen(&mut self, kind: Choosing, current: Option<TaskId>) -> Alternative {
        let point = Point { kind, current, alternatives: &self.alternatives };
        let strategy = self.strategy.as_mut().expect("there is one while there is anything to choose");
        let chosen = strategy.choose(&point);
        // A division costs more than all the rest.
        let chosen = if chosen < self.alternatives.len() { chosen } else { chosen % self.alternatives.len() };
        self.alternatives[chosen]
    }

    /// Has the choice that was just made written down, if choices are; `current` could have gone on instead.
    #[inline]
    fn record(&mut self, current: Option<TaskId>) {
        if self.recorder.is_none() {
            return;
        }
        if let Some(mut recorder) = self.recorder.take() {
            recorder.chose(self, current);
            self.recorder = Some(recorder);
        }
    }

    /// Has it written down that nobody can go on, if that is.
    pub(super) fn rest(&mut self) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.rest(self);
            self.recorder = Some(recorder);
        }
    }

    /// Counts what can be seen at a choice.
    fn count(&mut self, chosen: Option<Alternative>) {
        let Table { coverage: Some(coverage), tasks, objects, .. } = self else { return };
        let waits =
            |task: TaskId| tasks[task.0].waiting().map_or(&[][..], |waiting| waiting.waits.as_slice());
        let next = chosen.map(|Alternative { task, access, .. }| {
            let location = tasks[task.0].location;
            Going { task, access, location }
        });
        coverage.chosen(next, waits, objects);
    }

    /// Whether nothing but time lets the task go on.
    #[inline]
    pub(super) fn has_timed_out(&self, task: TaskId) -> bool {
        self.tasks[task.0].waiting().is_some_and(|waiting| {
            waiting.until.is_some_and(|until| until <= self.clock) && !self.is_served(waiting)
        })
    }

    /// Chooses one of the branches of a select that can go ahead, if any can.
    pub(super) fn branch(&mut self, me: TaskId, endpoints: &[&dyn Endpoint]) -> Option<usize> {
        self.alternatives.clear();
        for (index, endpoint) in endpoints.iter().enumerate() {
            let target = endpoint.handle().target().expect("the seam has checked the objects");
            if self.could_serve(target) || self.partner(me, target).is_some() {
                let branch = Some(index as u32);
                self.alternatives.push(Alternative { task: me, branch, access: Some(target) });
            }
        }
        let branch = match self.alternatives.len() {
            0 => None,
            1 => self.alternatives[0].branch,
            _ => self.choose_for(me, Choosing::Branch),
        };
        if footprint::is_on()
            && let Some(chosen) = branch
        {
            self.touch_others(me, endpoints, chosen as usize);
        }
        branch.map(|branch| branch as usize)
    }

    /// Notes that a select has seen whether its other branches could go ahead.
    fn touch_others(&self, me: TaskId, endpoints: &[&dyn Endpoint], chosen: usize) {
        let others = endpoints.iter().enumerate().filter(|(index, _)| *index != chosen);
        for (_, endpoint) in others {
            if let Some(target) = endpoint.handle().target() {
                endpoint.handle().saw(self.could_serve(target) || self.partner(me, target).is_some());
            }
        }
    }

    /// Notes that the task begins or ceases to be seen to wait at each rendezvous that it waits for.
    fn touch_meetings(&self, task: TaskId) {
        if !footprint::is_on() {
            return;
        }
        for wait in &self.tasks[task.0].waiting.waits {
            if let Target::Send(object) | Target::Recv(object) = wait.target
                && self.object(object).is_modelled()
            {
                footprint::touch_object(object, What::Meets);
            }
        }
    }

    /// Notes that a task whose time is up has seen that none of what it waits for is there.
    fn touch_refused(&self, task: TaskId) {
        if !footprint::is_on() {
            return;
        }
        for wait in &self.tasks[task.0].waiting.waits {
            let (object, what) = match wait.target {
                Target::Send(object) => (object, What::Sees(Side::Send, false)),
                Target::Recv(object) => (object, What::Sees(Side::Recv, false)),
                Target::Lock(object) | Target::Read(object) => (object, What::SeesFree(false)),
                Target::Notify(_) | Target::Join(_) => continue,
            };
            footprint::touch_object(object, what);
        }
    }

    /// Chooses in which of several ways a task goes on that is going on.
    fn choose_for(&mut self, me: TaskId, kind: Choosing) -> Option<u32> {
        let Alternative { task, branch, access } = self.chosen(kind, Some(me));
        self.steps.push(Step { task, branch, access, preempts: false });
        self.record(Some(me));
        branch
    }

    /// Lets the partner of a rendezvous go ahead, if one waits, and says who it is.
    pub(super) fn meet(&mut self, me: TaskId, target: Target) -> Option<TaskId> {
        let (partner, index) = self.partner(me, target)?;
        self.tasks[partner.0].waiting.met = Some(index);
        footprint::touch(Place::Task(partner), What::Wakes);
        self.touch_meetings(partner);
        if let Target::Send(rendezvous) = target {
            self.hand_over(partner, rendezvous);
        }
        self.see(partner);
        Some(partner)
    }

    /// Who has waited longest on the other side of a rendezvous, and by which of its waits.
    fn partner(&self, me: TaskId, target: Target) -> Option<(TaskId, usize)> {
        let (object, other) = match target {
            Target::Send(object) => (object, Target::Recv(object)),
            Target::Recv(object) => (object, Target::Send(object)),
            _ => return None,
        };
        let Tracked { object, waiters } = &self.objects[object.0];
        if !object.is_modelled() {
            return None;
        }
        let waiting = waiters.iter().filter(|task| *task != me).filter_map(|task| {
            let waiting = &self.tasks[task.0].waiting;
            let wait = waiting.waits.iter().position(|wait| wait.target == other)?;
            waiting.met.is_none().then_some((waiting.since, task, wait))
        });
        waiting.min_by_key(|(since, ..)| *since).map(|(_, task, wait)| (task, wait))
    }

    /// Notes that a task waits.
    pub(super) fn wait(&mut self, me: TaskId, waits: impl Iterator<Item = Wait>, until: Option<Duration>) {
        let Entry { doing, waiting, access, .. } = &mut self.tasks[me.0];
        *doing = Doing::Waiting;
        waiting.renew(self.waits, until);
        waiting.waits.extend(waits);
        *access = waiting.waits.first().map(|wait| wait.target);
        self.waits += 1;
        self.touch_meetings(me);
        for index in 0..self.tasks[me.0].waiting.waits.len() {
            let target = self.tasks[me.0].waiting.waits[index].target;
            self.waiters(target).insert(me);
        }
        self.see(me);
    }

    /// Who is to be seen again when something happens to the target.
    fn waiters(&mut self, target: Target) -> &mut TaskSet {
        match target {
            Target::Join(task) => &mut self.tasks[task.0].joiners,
            Target::Send(id)
            | Target::Recv(id)
            | Target::Lock(id)
            | Target::Read(id)
            | Target::Notify(id) => &mut self.objects[id.0].waiters,
        }
    }

    /// Notes that a task waits for its partner in a rendezvous, which can go ahead, to hand the message over.
    pub(super) fn wait_for_handover(&mut self, me: TaskId, sender: TaskId, rendezvous: ObjectId) {
        self.wait(me, std::iter::empty(), None);
        let waiting = &mut self.tasks[me.0].waiting;
        (waiting.handover, waiting.rendezvous) = (Some(sender), Some(rendezvous));
        self.objects[rendezvous.0].waiters.insert(me);
    }

    /// Chooses who goes on instead of a task that waits or has ended, letting time pass if nobody can.
    pub(super) fn go_on(&mut self) -> Option<TaskId> {
        while !self.ending {
            let next = self.choose(None);
            if next.is_some() || !self.pass_time() {
                return next;
            }
        }
        None
    }

    /// Lets time pass until something happens; says whether anything will.
    fn pass_time(&mut self) -> bool {
        let limits = self.tasks.iter().filter_map(|task| task.waiting()?.until);
        let waited_for = |alarm: &&Alarm| !self.objects[alarm.object.0].waiters.is_empty();
        let alarms = self.timers.iter().filter(waited_for).filter_map(|alarm| alarm.due);
        let Some(due) = limits.chain(alarms).min() else { return false };
        footprint::touch(Place::Rest, What::Rests);
        self.clock = self.clock.max(due);
        for index in 0..self.timers.len() {
            self.ring(index);
        }
        for task in (0..self.tasks.len()).map(TaskId) {
            if self.tasks[task.0].waiting().is_some_and(|waiting| waiting.until.is_some()) {
                self.see(task);
            }
        }
        true
    }

    /// Fills the channel of an alarm, if it is due.
    fn ring(&mut self, index: usize) {
        let now = self.began() + self.clock;
        let Alarm { object, due, period, queue } = &mut self.timers[index];
        if due.is_none_or(|due| due > self.clock) {
            return;
        }
        *due = period.and_then(|period| self.clock.checked_add(period));
        let (object, queue) = (*object, queue.clone());
        if self.change(object, |object| object.try_pass(Side::Send)) {
            queue.push(now);
        }
    }

    pub(super) fn can_go_on(&self, task: TaskId) -> bool {
        let entry = &self.tasks[task.0];
        match &entry.doing {
            Doing::Ready => true,
            Doing::Waiting => {
                let waiting = &entry.waiting;
                entry.unwinding == Unwinding::Due
                    || self.is_served(waiting)
                    || (waiting.message.is_none() && waiting.until.is_some_and(|until| until <= self.clock))
            }
            Doing::Forgotten | Doing::Ended | Doing::Panicked(_) => false,
        }
    }

    fn is_served(&self, waiting: &Waiting) -> bool {
        match waiting.message {
            Some(message) => self.is_next(message),
            None => {
                waiting.met.is_some()
                    || waiting.notified
                    || waiting.waits.iter().any(|wait| self.could_serve(wait.target))
            }
        }
    }

    /// Notes that a receiver, which waits, is handed the next message of a rendezvous. It takes that one and no other, so
    /// those before it are taken first.
    fn hand_over(&mut self, receiver: TaskId, rendezvous: ObjectId) {
        let Tracked { object, waiters } = &self.objects[rendezvous.0];
        let is_due = |task: &TaskId| {
            self.tasks[task.0].waiting.message.is_some_and(|(object, _)| object == rendezvous)
        };
        let number = object.passed(Side::Recv) + waiters.iter().filter(is_due).count() as u64;
        footprint::touch(Place::Task(receiver), What::Wakes);
        let waiting = &mut self.tasks[receiver.0].waiting;
        waiting.message = Some((rendezvous, number));
        waiting.handover = None;
    }

    /// Whether a message of a rendezvous is there, and the next to be taken.
    fn is_next(&self, (rendezvous, number): (ObjectId, u64)) -> bool {
        let object = self.object(rendezvous);
        object.passed(Side::Recv) == number && object.passed(Side::Send) > number
    }

    /// The receiver for whom a sender goes ahead with a rendezvous, if it met it first.
    fn receiver_of(&self, sender: TaskId, rendezvous: ObjectId) -> Option<TaskId> {
        let waits_for_it = |task: &TaskId| self.tasks[task.0].waiting.handover == Some(sender);
        self.objects[rendezvous.0].waiters.iter().find(waits_for_it)
    }

    /// Whether the books could serve a wait; for a rendezvous that needs a partner, whether there never will be one.
    fn could_serve(&self, target: Target) -> bool {
        match target {
            Target::Join(task) => self.has_ended(task),
            Target::Notify(_) => false,
            Target::Send(object) | Target::Recv(object) | Target::Lock(object) | Target::Read(object) => {
                let object = self.object(object);
                if object.is_modelled() {
                    object.is_disconnected(target)
                } else {
                    object.could_serve(target, false)
                }
            }
        }
    }

    /// Lets a message pass through a channel with room, if one can.
    pub(super) fn try_pass(&mut self, object: ObjectId, target: Target, side: Side) -> Passage {
        if self.change(object, |object| object.try_pass(side)) {
            Passage::Passed
        } else if self.object(object).is_disconnected(target) {
            Passage::Disconnected
        } else {
            Passage::Refused
        }
    }

    /// Notes that a task goes on after a wait, and says why.
    pub(super) fn wake_up(&mut self, me: TaskId) -> Woken {
        let unwinding = std::mem::replace(&mut self.tasks[me.0].unwinding, Unwinding::No);
        if unwinding != Unwinding::No {
            self.tasks[me.0].unwinding = Unwinding::Told;
        }
        if self.tasks[me.0].waiting().is_none() {
            return Woken::Aborted;
        }
        let waiting = &self.tasks[me.0].waiting;
        let met = waiting.met;
        if met.is_some() || waiting.notified || waiting.message.is_some() {
            footprint::touch(Place::Task(me), What::Woken);
        } else {
            self.touch_meetings(me);
        }
        let woken = match met {
            _ if unwinding == Unwinding::Due => Woken::Aborted,
            Some(index) => Woken::Met(index),
            None if self.is_served(waiting) => Woken::Served,
            None => Woken::TimedOut,
        };
        if woken == Woken::TimedOut {
            self.touch_refused(me);
        }
        if let Some(index) = met
            && let Target::Send(rendezvous) = self.tasks[me.0].waiting.waits[index].target
            && let Some(receiver) = self.receiver_of(me, rendezvous)
        {
            self.hand_over(receiver, rendezvous);
        }
        self.stop_waiting(me);
        woken
    }

    /// Takes a task out of its wait.
    fn stop_waiting(&mut self, me: TaskId) {
        for index in 0..self.tasks[me.0].waiting.waits.len() {
            let target = self.tasks[me.0].waiting.waits[index].target;
            self.waiters(target).remove(me);
        }
        if let Some(rendezvous) = self.tasks[me.0].waiting.rendezvous {
            self.objects[rendezvous.0].waiters.remove(me);
        }
        self.tasks[me.0].doing = Doing::Ready;
        self.ready.insert(me);
    }

    /// Notifies up to so many of those who wait; says how many. Whom, if not all of them, is a choice.
    pub(super) fn notify(&mut self, me: TaskId, object: ObjectId, most: usize) -> usize {
        let awaited = Target::Notify(object);
        let since = |task: TaskId| (self.tasks[task.0].waiting.since, task);
        let is_waiting = |task: &TaskId| !self.tasks[task.0].waiting.notified;
        let waiters = self.objects[object.0].waiters.iter().filter(is_waiting);
        let mut waiting: Vec<(u64, TaskId)> = waiters.map(since).collect();
        waiting.sort_unstable();
        let count = most.min(waiting.len());
        for left in (1..=count).rev() {
            let is_choice = left < waiting.len() && !self.ending;
            let chosen = if is_choice { self.waiter(me, awaited, waiting.len()) } else { 0 };
            let (_, task) = waiting.remove(chosen);
            footprint::touch(Place::Task(task), What::Wakes);
            self.tasks[task.0].waiting.notified = true;
            self.ready.insert(task);
        }
        count
    }

    /// Chooses one of so many that wait for a notification.
    fn waiter(&mut self, me: TaskId, awaited: Target, waiting: usize) -> usize {
        self.alternatives.clear();
        let alternative = |index| Alternative { task: me, branch: Some(index as u32), access: Some(awaited) };
        self.alternatives.extend((0..waiting).map(alternative));
        self.choose_for(me, Choosing::Waiter).map_or(0, |index| index as usize)
    }

    pub(super) fn has_ended(&self, task: TaskId) -> bool {
        matches!(self.tasks[task.0].doing, Doing::Ended | Doing::Panicked(_))
    }

    /// Notes that a task has ended, and chooses who goes on.
    pub(super) fn end(&mut self, task: TaskId, doing: Doing) -> Option<TaskId> {
        footprint::touch(Place::Task(task), What::Ends);
        self.tasks[task.0].doing = doing;
        self.alive -= 1;
        self.ready.remove(task);
        let mut from = 0;
        while let Some(joiner) = self.tasks[task.0].joiners.next(from) {
            self.see(joiner);
            from = joiner.0 + 1;
        }
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
        (0..self.tasks.len()).any(|task| self.is_blocked(TaskId(task)))
    }

    /// Whether a task waits without a limit of time.
    pub(super) fn is_blocked(&self, task: TaskId) -> bool {
        self.tasks[task.0].waiting().is_some_and(|waiting| waiting.until.is_none())
    }

    /// Whether any task has panicked.
    pub(super) fn has_anyone_panicked(&self) -> bool {
        self.tasks.iter().any(|task| matches!(task.doing, Doing::Panicked(_)))
    }

    /// As data.
    pub(super) fn state(&mut self) -> State {
        let status = |entry: &Entry| match &entry.doing {
            Doing::Waiting if entry.waiting.until.is_none() => Status::Blocked(entry.waiting.waits.clone()),
            Doing::Ready | Doing::Waiting | Doing::Forgotten => Status::Running,
            Doing::Ended => Status::Ended,
            Doing::Panicked(message) => Status::Panicked(message.clone()),
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
