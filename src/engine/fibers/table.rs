//! Who does what: the tasks, objects and timers of one execution, and who goes on next.

use std::cell::Cell;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::coverage::Coverage;
use super::super::strategy::{Alternative, Choosing, Point, Strategy};
use super::super::{ObjectId, State, Status, Target, Task, TaskId, Wait};
use super::Step;
use super::recorder::Recorder;
use super::task::{Doing, Entry, Unwinding, Waiting, Woken};
use crate::sync::seam::{Endpoint, Object, Side, TaskBody};

/// The tasks, objects and timers of an execution.
pub(super) struct Table {
    pub(super) tasks: Vec<Entry>,
    pub(super) objects: Vec<Arc<Object>>,
    timers: Vec<Alarm>,
    strategy: Box<dyn Strategy>,
    /// Who went on at each point, and by which branch.
    pub(super) steps: Vec<Step>,
    /// Who is to go on once the running task gives way.
    pub(super) next: Option<TaskId>,
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

/// A channel that time fills.
struct Alarm {
    object: ObjectId,
    due: Option<Duration>,
    period: Option<Duration>,
    began: Instant,
    sender: cc::Sender<Instant>,
}

impl Table {
    pub(super) fn new(strategy: Box<dyn Strategy>, most_points: u64) -> Table {
        Table {
            tasks: Vec::new(),
            objects: Vec::new(),
            timers: Vec::new(),
            strategy,
            steps: Vec::new(),
            next: None,
            clock: Duration::ZERO,
            points: 0,
            most_points,
            ending: false,
            waits: 0,
            alternatives: Vec::new(),
            coverage: Coverage::begin(),
            recorder: None,
        }
    }

    /// Adds a task, with a name that no other has.
    pub(super) fn add(&mut self, name: Option<&str>, body: TaskBody<'static>) -> TaskId {
        let id = TaskId(self.tasks.len());
        let taken = |name: &str| self.tasks.iter().any(|task| task.name == name);
        let name = super::super::name::unique(name, id, taken);
        self.strategy.started(id, &name);
        if let Some(coverage) = &mut self.coverage {
            coverage.started(&name);
        }
        let (doing, body) = (Doing::Ready, Some(body));
        self.tasks.push(Entry { name, doing, body, access: None, location: None, unwinding: Unwinding::No });
        id
    }

    pub(super) fn add_timer(
        &mut self,
        object: &Object,
        duration: Duration,
        began: Instant,
        sender: cc::Sender<Instant>,
    ) {
        let due = self.clock.checked_add(duration);
        let period = object.repeats().then_some(duration);
        self.timers.push(Alarm { object: object.id, due, period, began, sender });
    }

    /// Chooses who goes first.
    pub(super) fn begin(&mut self) {
        self.next = None;
        while self.next.is_none() && !self.is_exhausted() {
            self.next = self.choose(None);
            if self.next.is_none() && !self.pass_time() {
                return;
            }
        }
    }

    /// A sync point of a task; says whether it goes on itself.
    pub(super) fn point(
        &mut self,
        me: TaskId,
        access: Option<Target>,
        location: &'static Location<'static>,
    ) -> bool {
        self.points += 1;
        let entry = &mut self.tasks[me.0];
        (entry.access, entry.location) = (access, Some(location));
        if self.points > self.most_points {
            self.next = None;
            return false;
        }
        self.next = self.choose(Some(me));
        self.next == Some(me)
    }

    /// Whether there were more points than there may be.
    pub(super) fn is_exhausted(&self) -> bool {
        self.points > self.most_points
    }

    /// Who goes on, if anybody can without time passing.
    fn choose(&mut self, current: Option<TaskId>) -> Option<TaskId> {
        let mut alternatives = std::mem::take(&mut self.alternatives);
        alternatives.clear();
        let current = current.filter(|task| self.can_go_on(*task));
        let others = (0..self.tasks.len()).map(TaskId).filter(|task| Some(*task) != current);
        for task in current.into_iter().chain(others.filter(|task| self.can_go_on(*task))) {
            alternatives.push(Alternative { task, branch: None, access: self.access(task) });
        }
        let chosen = (!alternatives.is_empty()).then(|| {
            let point = Point { kind: Choosing::Task, current, alternatives: &alternatives };
            alternatives[self.strategy.choose(&point) % alternatives.len()]
        });
        if let Some(Alternative { task, branch, access }) = chosen {
            let preempts = current.is_some_and(|current| current != task) || self.has_timed_out(task);
            self.steps.push(Step { task, branch, access, preempts });
            self.record(current);
        }
        self.alternatives = alternatives;
        if let Some(coverage) = &mut self.coverage {
            let waits = |task: TaskId| match &self.tasks[task.0].doing {
                Doing::Waiting(waiting) => waiting.waits.as_slice(),
                _ => &[],
            };
            let next = chosen.map(|alternative| (alternative.task, alternative.access));
            coverage.chosen(next, waits, &self.objects);
        }
        chosen.map(|alternative| alternative.task)
    }

    /// Has the choice that was just made written down, if choices are; `current` could have gone on instead.
    fn record(&mut self, current: Option<TaskId>) {
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

    /// Whether nothing but time lets the task go on.
    pub(super) fn has_timed_out(&self, task: TaskId) -> bool {
        match &self.tasks[task.0].doing {
            Doing::Waiting(waiting) => {
                waiting.until.is_some_and(|until| until <= self.clock) && !self.is_served(waiting)
            }
            _ => false,
        }
    }

    fn access(&self, task: TaskId) -> Option<Target> {
        match &self.tasks[task.0].doing {
            Doing::Waiting(waiting) => waiting.waits.first().map(|wait| wait.target),
            _ => self.tasks[task.0].access,
        }
    }

    /// Chooses one of the branches of a select that can go ahead, if any can.
    pub(super) fn branch(&mut self, me: TaskId, endpoints: &[&dyn Endpoint]) -> Option<usize> {
        let mut alternatives = std::mem::take(&mut self.alternatives);
        alternatives.clear();
        for (index, endpoint) in endpoints.iter().enumerate() {
            let (_, target) = endpoint.handle().target().expect("the seam has checked the objects");
            if self.could_serve(target) || self.partner(me, target).is_some() {
                let branch = Some(index as u32);
                alternatives.push(Alternative { task: me, branch, access: Some(target) });
            }
        }
        let chosen = match alternatives.len() {
            0 => None,
            1 => alternatives[0].branch,
            _ => self.choose_for(me, Choosing::Branch, &alternatives),
        };
        self.alternatives = alternatives;
        chosen.map(|branch| branch as usize)
    }

    /// Chooses in which of several ways a task goes on that is going on.
    fn choose_for(&mut self, me: TaskId, kind: Choosing, alternatives: &[Alternative]) -> Option<u32> {
        let point = Point { kind, current: Some(me), alternatives };
        let chosen = alternatives[self.strategy.choose(&point) % alternatives.len()];
        let Alternative { task, branch, access } = chosen;
        self.steps.push(Step { task, branch, access, preempts: false });
        self.record(Some(me));
        branch
    }

    /// Lets the partner of a rendezvous go ahead, if one waits, and says who it is.
    pub(super) fn meet(&mut self, me: TaskId, target: Target) -> Option<TaskId> {
        let (partner, index) = self.partner(me, target)?;
        if let Doing::Waiting(waiting) = &mut self.tasks[partner.0].doing {
            waiting.met = Some(index);
        }
        if let Target::Send(rendezvous) = target {
            self.hand_over(partner, rendezvous);
        }
        Some(partner)
    }

    /// Who has waited longest on the other side of a rendezvous, and by which of its waits.
    fn partner(&self, me: TaskId, target: Target) -> Option<(TaskId, usize)> {
        let other = match target {
            Target::Send(object) if self.objects[object.0].is_modelled() => Target::Recv(object),
            Target::Recv(object) if self.objects[object.0].is_modelled() => Target::Send(object),
            _ => return None,
        };
        let mut found: Option<(u64, TaskId, usize)> = None;
        for (index, task) in self.tasks.iter().enumerate().filter(|(index, _)| *index != me.0) {
            if let Doing::Waiting(waiting) = &task.doing
                && waiting.met.is_none()
                && found.is_none_or(|(since, ..)| waiting.since < since)
                && let Some(wait) = waiting.waits.iter().position(|wait| wait.target == other)
            {
                found = Some((waiting.since, TaskId(index), wait));
            }
        }
        found.map(|(_, task, wait)| (task, wait))
    }

    /// Notes that a task waits.
    pub(super) fn wait(&mut self, me: TaskId, waits: Vec<Wait>, until: Option<Duration>) {
        let since = self.waits;
        self.waits += 1;
        let unserved = Cell::new(None);
        let (met, notified, handover, message) = (None, false, None, None);
        let waiting = Waiting { waits, until, since, met, notified, handover, message, unserved };
        self.tasks[me.0].doing = Doing::Waiting(waiting);
    }

    /// Notes that a task waits for its partner in a rendezvous, which can go ahead, to hand the message over.
    pub(super) fn wait_for_handover(&mut self, me: TaskId, sender: TaskId) {
        self.wait(me, Vec::new(), None);
        if let Doing::Waiting(waiting) = &mut self.tasks[me.0].doing {
            waiting.handover = Some(sender);
        }
    }

    /// Chooses who goes on instead of a task that waits or has ended, letting time pass if nobody can; says whether it is
    /// that task itself.
    pub(super) fn go_on_from(&mut self, me: TaskId) -> bool {
        self.next = None;
        if self.ending {
            return false;
        }
        loop {
            self.next = self.choose(None);
            if self.next.is_some() || !self.pass_time() {
                return self.next == Some(me);
            }
        }
    }

    /// Lets time pass until something happens; says whether anything will.
    fn pass_time(&mut self) -> bool {
        let limits = self.tasks.iter().filter_map(|task| match &task.doing {
            Doing::Waiting(waiting) => waiting.until,
            _ => None,
        });
        let waited_for = |alarm: &&Alarm| self.is_waited_for(alarm.object);
        let alarms = self.timers.iter().filter(waited_for).filter_map(|alarm| alarm.due);
        let Some(due) = limits.chain(alarms).min() else { return false };
        self.clock = self.clock.max(due);
        for alarm in &mut self.timers {
            if alarm.due.is_some_and(|due| due <= self.clock) {
                if alarm.sender.try_send(alarm.began + self.clock).is_ok() {
                    self.objects[alarm.object.0].pass(Side::Send);
                }
                alarm.due = alarm.period.and_then(|period| self.clock.checked_add(period));
            }
        }
        true
    }

    fn is_waited_for(&self, object: ObjectId) -> bool {
        self.tasks.iter().any(|task| match &task.doing {
            Doing::Waiting(waiting) => waiting.waits.iter().any(|wait| wait.target.object() == Some(object)),
            _ => false,
        })
    }

    pub(super) fn can_go_on(&self, task: TaskId) -> bool {
        match &self.tasks[task.0].doing {
            Doing::Ready => true,
            Doing::Waiting(waiting) => {
                self.tasks[task.0].unwinding == Unwinding::Due
                    || self.is_served(waiting)
                    || (waiting.message.is_none() && waiting.until.is_some_and(|until| until <= self.clock))
            }
            Doing::Forgotten | Doing::Ended | Doing::Panicked(_) => false,
        }
    }

    fn is_served(&self, waiting: &Waiting) -> bool {
        match waiting.message {
            Some(message) => self.is_next(message),
            None => waiting.met.is_some() || waiting.notified || self.books_serve(waiting),
        }
    }

    /// Whether the books could serve one of the waits. They are read again only if they have changed.
    fn books_serve(&self, waiting: &Waiting) -> bool {
        let mut versions = 0u32;
        for wait in &waiting.waits {
            match wait.target.object() {
                Some(id) => versions = versions.wrapping_add(self.objects[id.0].version()),
                None if self.could_serve(wait.target) => return true,
                None => {}
            }
        }
        if waiting.unserved.get() == Some(versions) {
            return false;
        }
        let serve = waiting.waits.iter().any(|wait| self.could_serve(wait.target));
        waiting.unserved.set(if serve { None } else { Some(versions) });
        serve
    }

    /// Notes that a receiver, which waits, is handed the next message of a rendezvous. It takes that one and no other, so
    /// those before it are taken first.
    fn hand_over(&mut self, receiver: TaskId, rendezvous: ObjectId) {
        let is_due = |task: &&Entry| match &task.doing {
            Doing::Waiting(waiting) => waiting.message.is_some_and(|(object, _)| object == rendezvous),
            _ => false,
        };
        let due = self.tasks.iter().filter(is_due).count() as u64;
        let number = self.objects[rendezvous.0].passed(Side::Recv) + due;
        if let Doing::Waiting(waiting) = &mut self.tasks[receiver.0].doing {
            waiting.message = Some((rendezvous, number));
            waiting.handover = None;
        }
    }

    /// Whether a message of a rendezvous is there, and the next to be taken.
    fn is_next(&self, (rendezvous, number): (ObjectId, u64)) -> bool {
        let object = &self.objects[rendezvous.0];
        object.passed(Side::Recv) == number && object.passed(Side::Send) > number
    }

    /// The receiver for whom a sender goes ahead with a rendezvous, if it met it first.
    fn receiver_of(&self, sender: TaskId) -> Option<TaskId> {
        let waits_for_it = |task: &Entry| match &task.doing {
            Doing::Waiting(waiting) => waiting.handover == Some(sender),
            _ => false,
        };
        self.tasks.iter().position(waits_for_it).map(TaskId)
    }

    /// Whether the books could serve a wait; for a rendezvous that needs a partner, whether there never will be one.
    fn could_serve(&self, target: Target) -> bool {
        match target {
            Target::Join(task) => self.has_ended(task),
            Target::Notify(_) => false,
            Target::Send(object) | Target::Recv(object) | Target::Lock(object) | Target::Read(object) => {
                let object = &self.objects[object.0];
                if object.is_modelled() {
                    object.is_disconnected(target)
                } else {
                    object.could_serve(target, false)
                }
            }
        }
    }

    /// Notes that a task goes on after a wait, and says why.
    pub(super) fn wake_up(&mut self, me: TaskId) -> Woken {
        let unwinding = std::mem::replace(&mut self.tasks[me.0].unwinding, Unwinding::No);
        if unwinding != Unwinding::No {
            self.tasks[me.0].unwinding = Unwinding::Told;
        }
        let doing = std::mem::replace(&mut self.tasks[me.0].doing, Doing::Ready);
        let Doing::Waiting(waiting) = doing else { return Woken::Aborted };
        if let Some(index) = waiting.met
            && let Target::Send(rendezvous) = waiting.waits[index].target
            && let Some(receiver) = self.receiver_of(me)
        {
            self.hand_over(receiver, rendezvous);
        }
        match waiting.met {
            _ if unwinding == Unwinding::Due => Woken::Aborted,
            Some(index) => Woken::Met(index),
            None if self.is_served(&waiting) => Woken::Served,
            None => Woken::TimedOut,
        }
    }

    /// Notifies up to so many of those who wait; says how many. Whom, if not all of them, is a choice.
    pub(super) fn notify(&mut self, me: TaskId, object: ObjectId, most: usize) -> usize {
        let awaited = Target::Notify(object);
        let since = |task: &Entry| match &task.doing {
            Doing::Waiting(waiting) if !waiting.notified => {
                waiting.waits.iter().any(|wait| wait.target == awaited).then_some(waiting.since)
            }
            _ => None,
        };
        let tasks = self.tasks.iter().enumerate();
        let mut waiting: Vec<(u64, usize)> =
            tasks.filter_map(|(index, task)| Some((since(task)?, index))).collect();
        waiting.sort_unstable();
        let count = most.min(waiting.len());
        for left in (1..=count).rev() {
            let is_choice = left < waiting.len() && !self.ending;
            let chosen = if is_choice { self.waiter(me, awaited, waiting.len()) } else { 0 };
            let (_, task) = waiting.remove(chosen);
            if let Doing::Waiting(waiting) = &mut self.tasks[task].doing {
                waiting.notified = true;
            }
        }
        count
    }

    /// Chooses one of so many that wait for a notification.
    fn waiter(&mut self, me: TaskId, awaited: Target, waiting: usize) -> usize {
        let mut alternatives = std::mem::take(&mut self.alternatives);
        alternatives.clear();
        let alternative = |index| Alternative { task: me, branch: Some(index as u32), access: Some(awaited) };
        alternatives.extend((0..waiting).map(alternative));
        let chosen = self.choose_for(me, Choosing::Waiter, &alternatives);
        self.alternatives = alternatives;
        chosen.map_or(0, |index| index as usize)
    }

    pub(super) fn has_ended(&self, task: TaskId) -> bool {
        matches!(self.tasks[task.0].doing, Doing::Ended | Doing::Panicked(_))
    }

    pub(super) fn forget(&mut self, task: TaskId) {
        self.tasks[task.0].doing = Doing::Forgotten;
        self.next = None;
    }

    /// Who goes on while the execution unwinds: those that can; then, one at a time, those that are told to unwind, of which
    /// a task that holds a lock comes first, for others may be waiting for it, and then the one started last, for others
    /// may be waiting for its end.
    pub(super) fn next_to_unwind(&mut self) -> Option<TaskId> {
        let tasks = || (0..self.tasks.len()).map(TaskId);
        if let Some(task) = tasks().rev().find(|task| self.can_go_on(*task)) {
            return Some(task);
        }
        let waits = |task: &TaskId| {
            let entry = &self.tasks[task.0];
            matches!(entry.doing, Doing::Waiting(_)) && entry.unwinding == Unwinding::No
        };
        let waiting: Vec<TaskId> = tasks().filter(waits).collect();
        let holds = |task: &&TaskId| self.objects.iter().any(|object| object.is_held_by(**task));
        let chosen = waiting.iter().rev().find(holds).or(waiting.last()).copied()?;
        self.tasks[chosen.0].unwinding = Unwinding::Due;
        Some(chosen)
    }

    /// As data.
    pub(super) fn state(&self) -> State {
        let status = |doing: &Doing| match doing {
            Doing::Waiting(waiting) if waiting.until.is_none() => Status::Blocked(waiting.waits.clone()),
            Doing::Ready | Doing::Waiting(_) | Doing::Forgotten => Status::Running,
            Doing::Ended => Status::Ended,
            Doing::Panicked(message) => Status::Panicked(message.clone()),
        };
        let task = |entry: &Entry| Task { name: entry.name.clone(), status: status(&entry.doing) };
        State {
            tasks: self.tasks.iter().map(task).collect(),
            objects: self.objects.iter().map(|object| object.state()).collect(),
        }
    }
}
