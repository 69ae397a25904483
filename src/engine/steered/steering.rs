//! Who goes on, by the schedule, and whether it can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::fibers::Step;
use super::super::following::Following;
use super::super::threads::table::{Doing, Table, Token};
use super::super::{Divergence, End, ObjectId, Schedule, Target, TaskId};
use crate::sync::seam::{Common, Endpoint, Meeting, Side};

/// Leads the tasks of an execution through a schedule.
pub(in crate::engine) struct Steering {
    following: Following,
    /// What was done.
    steps: Vec<Step>,
    stage: Stage,
    /// The time: it passes only when a task is to go on that waits for it.
    now: Instant,
    /// Until when tasks wait.
    limits: BTreeMap<TaskId, Instant>,
    /// The senders that can go ahead with a rendezvous.
    met: BTreeMap<TaskId, Met>,
    /// The receivers that were handed a message of a rendezvous and have yet to take it: in the order of the messages.
    handed: Vec<(ObjectId, TaskId)>,
    alarms: Vec<Alarm>,
    divergence: Option<Divergence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Tasks go on one at a time.
    Led,
    /// The execution has come to rest: nobody may go on, and what is blocked waits natively.
    Still,
    /// The execution is over: tasks unwind, freely.
    Over,
}

/// A rendezvous that a sender can go ahead with.
pub(super) struct Met {
    pub(super) rendezvous: ObjectId,
    /// By which of the sender's waits.
    pub(super) wait: usize,
    pub(super) receiver: TaskId,
}

/// A channel that time fills.
struct Alarm {
    object: ObjectId,
    due: Option<Instant>,
    period: Option<Duration>,
    sender: cc::Sender<Instant>,
}

/// The schedule does not fit; tasks are to go no further.
pub(super) struct Diverged;

impl Steering {
    pub(super) fn new(schedule: &Schedule) -> Steering {
        Steering {
            following: Following::new(schedule),
            steps: Vec::new(),
            stage: Stage::Led,
            now: Instant::now(),
            limits: BTreeMap::new(),
            met: BTreeMap::new(),
            handed: Vec::new(),
            alarms: Vec::new(),
            divergence: None,
        }
    }

    /// Notes the name of the next task.
    pub(in crate::engine) fn started(&mut self, name: &str) {
        self.following.started(name);
    }

    /// Takes a step.
    fn take(&mut self, (task, branch): (TaskId, Option<u32>)) {
        self.following.advance();
        self.steps.push(Step::new(task, branch));
    }

    /// The steps that were taken.
    pub(in crate::engine) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// Makes a channel that time fills; the first after so long, then the others.
    pub(in crate::engine) fn add_timer(
        &mut self,
        object: ObjectId,
        repeats: bool,
        duration: Duration,
    ) -> cc::Receiver<Instant> {
        let (sender, receiver) = cc::bounded(1);
        let period = repeats.then_some(duration);
        self.alarms.push(Alarm { object, due: self.now.checked_add(duration), period, sender });
        receiver
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn set_limit(&mut self, task: TaskId, until: Instant) {
        self.limits.insert(task, until);
    }

    /// Notes that a sender, which waits, can go ahead with that.
    pub(super) fn meet(&mut self, sender: TaskId, meeting: Met) {
        self.met.insert(sender, meeting);
    }

    /// What a sender can go ahead with: then its message is handed over.
    pub(super) fn take_met(&mut self, sender: TaskId) -> Option<Met> {
        let met = self.met.remove(&sender)?;
        self.hand_over(met.rendezvous, met.receiver);
        Some(met)
    }

    /// Notes that a receiver is handed the next message of a rendezvous.
    pub(super) fn hand_over(&mut self, rendezvous: ObjectId, receiver: TaskId) {
        self.handed.push((rendezvous, receiver));
    }

    /// Whether a task was handed a message, and those before it were not all taken yet.
    fn is_behind(&self, task: TaskId) -> bool {
        let first = |object| self.handed.iter().find(|(other, _)| *other == object);
        let handed = self.handed.iter().find(|(_, receiver)| *receiver == task);
        handed.is_some_and(|(object, _)| first(*object) != handed)
    }

    /// When time does something for a task that waits for these, if ever.
    fn due(&self, task: TaskId, objects: impl Iterator<Item = ObjectId>) -> Option<Instant> {
        let alarms =
            objects.flat_map(|object| self.alarms.iter().filter(move |alarm| alarm.object == object));
        alarms.filter_map(|alarm| alarm.due).chain(self.limits.get(&task).copied()).min()
    }

    /// Lets time pass.
    fn pass_time(&mut self, until: Instant, objects: &[Arc<Common>]) {
        self.now = self.now.max(until);
        for alarm in &mut self.alarms {
            if alarm.due.is_some_and(|due| due <= self.now) {
                if alarm.sender.try_send(self.now).is_ok() {
                    objects[alarm.object.0].object.lock().pass(Side::Send);
                }
                alarm.due = alarm.period.and_then(|period| self.now.checked_add(period));
            }
        }
    }
}

impl Table {
    /// Whether tasks go on only as a schedule says.
    pub(in crate::engine) fn is_steered(&self) -> bool {
        self.steering.as_ref().is_some_and(|steering| steering.stage != Stage::Over)
    }

    fn is_led(&self) -> bool {
        self.steering.as_ref().is_some_and(|steering| steering.stage == Stage::Led)
    }

    /// The time of the schedule, while tasks are led through one.
    pub(in crate::engine) fn steered_time(&self) -> Option<Instant> {
        self.steering.as_ref().filter(|_| self.is_steered()).map(Steering::now)
    }

    /// Whether the schedule was found not to fit.
    pub(in crate::engine) fn has_diverged(&self) -> bool {
        self.steering.as_ref().is_some_and(|steering| steering.divergence.is_some())
    }

    /// How the schedule does not fit an execution that ended so, if it does not.
    pub(in crate::engine) fn divergence(&mut self, end: End) -> Option<Divergence> {
        let steering = self.steering.as_ref()?;
        if end != End::Deadline && !steering.following.is_over() {
            self.diverge([]);
        }
        self.steering.as_mut().and_then(|steering| steering.divergence.take())
    }

    /// Lets all tasks go on, to unwind.
    pub(in crate::engine) fn stop_steering(&mut self) {
        let Some(steering) = self.steering.as_mut().filter(|steering| steering.stage != Stage::Over) else {
            return;
        };
        steering.stage = Stage::Over;
        for task in self.tasks.iter().filter(|task| matches!(task.doing, Doing::Running)) {
            task.parker.unpark(Token::Abort);
            if let Some(abort) = &task.abort {
                // If it is full, the task has been told.
                let _ = abort.try_send(());
            }
        }
    }

    /// Lets whoever is next go on, now that this task, if it was one, cannot or need not; says whether there is
    /// something for the engine to see.
    pub(in crate::engine) fn lead(&mut self, from: Option<TaskId>) -> bool {
        let Some(steering) = self.steering.as_ref().filter(|steering| steering.divergence.is_none()) else {
            return self.has_diverged();
        };
        let task = match (steering.stage, steering.following.is_over()) {
            (Stage::Over, _) => return false,
            (Stage::Still, _) => None,
            (Stage::Led, true) => self.first(from),
            (Stage::Led, false) => match steering.following.next() {
                Some((task, None)) if self.is_able(task) => Some(task),
                _ => None,
            },
        };
        if let Some(task) = task {
            self.let_go_on(task);
            return false;
        }
        let able = self.able();
        // If nobody can go on, the body may have something to add.
        if !able.is_empty() || (from.is_some() && !self.is_led()) {
            self.diverge(able.into_iter().map(going_on));
        }
        true
    }

    /// Who goes on where no schedule says: the one that is going on, or else the first that can, or the first for whom it is
    /// time.
    fn first(&self, from: Option<TaskId>) -> Option<TaskId> {
        let goes_on = |task: &TaskId| matches!(self.tasks[task.0].doing, Doing::Running);
        let tasks = || (0..self.tasks.len()).map(TaskId);
        // What is due already, or comes without time passing, is all due now.
        let now = self.steered_time()?;
        let due = |task| if self.is_free(task) { Some(now) } else { self.due(task).map(|due| due.max(now)) };
        let first = || tasks().filter_map(|task| Some((due(task)?, task))).min();
        from.filter(goes_on).or_else(|| first().map(|(_, task)| task))
    }

    /// Which of the operations that can go ahead does, if any can.
    pub(super) fn branch(
        &mut self,
        me: TaskId,
        endpoints: &[&dyn Endpoint],
    ) -> Result<Option<usize>, Diverged> {
        let served = |index: &usize| {
            let target = endpoints[*index].handle().target().expect("the seam has checked the objects");
            self.is_served(me, target)
        };
        let served: Vec<usize> = (0..endpoints.len()).filter(served).collect();
        if served.len() < 2 {
            return Ok(served.first().copied());
        }
        self.chosen(me, &served).map(Some)
    }

    /// Notifies up to so many of those who wait; says how many.
    pub(super) fn notify(&mut self, me: TaskId, object: ObjectId, most: usize) -> Result<usize, Diverged> {
        let mut waiting = self.waiting(|target| *target == Target::Notify(object));
        let count = most.min(waiting.len());
        for left in (1..=count).rev() {
            let places: Vec<usize> = (0..waiting.len()).collect();
            let chosen = if left < places.len() { self.chosen(me, &places)? } else { 0 };
            self.go_on(waiting.remove(chosen));
        }
        Ok(count)
    }

    /// Which of these branches a task takes that is going on: as the schedule says, or the first.
    fn chosen(&mut self, me: TaskId, branches: &[usize]) -> Result<usize, Diverged> {
        let Some(steering) = &mut self.steering else { return Err(Diverged) };
        let choice = |index: &usize| (me, Some(*index as u32));
        let (is_over, expected) = (steering.following.is_over(), steering.following.next());
        match branches.iter().find(|index| is_over || Some(choice(index)) == expected) {
            Some(index) => {
                steering.take(choice(index));
                Ok(*index)
            }
            None => {
                self.diverge(branches.iter().map(choice));
                Err(Diverged)
            }
        }
    }

    /// Who has waited longest on the other side of a rendezvous, and by which of its waits.
    pub(super) fn partner(&self, me: TaskId, target: Target) -> Option<(TaskId, usize)> {
        let (object, other) = match target {
            Target::Send(object) => (object, Target::Recv(object)),
            Target::Recv(object) => (object, Target::Send(object)),
            _ => return None,
        };
        if self.objects[object.0].object.lock().meeting != Meeting::Steered {
            return None;
        }
        let waiting = self.tasks.iter().enumerate().filter_map(|(index, task)| match &task.doing {
            Doing::Waiting { waits, since, .. } if index != me.0 => {
                let wait = waits.iter().position(|wait| wait.target == other)?;
                Some((*since, TaskId(index), wait))
            }
            _ => None,
        });
        waiting.min().map(|(_, task, wait)| (task, wait))
    }

    fn is_served(&self, task: TaskId, target: Target) -> bool {
        let common = match target {
            Target::Join(task) => return self.has_ended(task),
            Target::Notify(_) => return false,
            Target::Send(object) | Target::Recv(object) | Target::Lock(object) | Target::Read(object) => {
                &self.objects[object.0]
            }
        };
        let object = common.object.lock();
        if object.meeting != Meeting::Steered {
            return object.could_serve(target, false);
        }
        // Its books lag: a message counts as sent before the partner counts it as received.
        let is_disconnected = object.is_disconnected(target);
        drop(object);
        is_disconnected || self.partner(task, target).is_some()
    }

    /// Whether a task waits for nothing, or is served without time passing.
    fn is_free(&self, task: TaskId) -> bool {
        match self.tasks.get(task.0).map(|task| &task.doing) {
            Some(Doing::Running) => !self.steering.as_ref().is_some_and(|steering| steering.is_behind(task)),
            Some(Doing::Waiting { waits, .. }) => waits.iter().any(|wait| self.is_served(task, wait.target)),
            _ => false,
        }
    }

    /// When time does something for a task that waits, if ever.
    fn due(&self, task: TaskId) -> Option<Instant> {
        let Doing::Waiting { waits, .. } = &self.tasks.get(task.0)?.doing else { return None };
        self.steering.as_ref()?.due(task, waits.iter().filter_map(|wait| wait.target.object()))
    }

    fn is_able(&self, task: TaskId) -> bool {
        self.is_free(task) || self.due(task).is_some()
    }

    /// The tasks that can go on.
    fn able(&self) -> Vec<TaskId> {
        (0..self.tasks.len()).map(TaskId).filter(|task| self.is_able(*task)).collect()
    }

    /// Lets a task go on.
    fn let_go_on(&mut self, task: TaskId) {
        let due = self.due(task).filter(|_| !self.is_free(task));
        let Some(steering) = &mut self.steering else { return };
        steering.take(going_on(task));
        if let Some(due) = due {
            steering.pass_time(due, &self.objects);
        }
        steering.limits.remove(&task);
        steering.handed.retain(|(_, receiver)| *receiver != task);
        let token = if self.is_free(task) { Token::Woken } else { Token::TimedOut };
        self.go_on(task);
        self.tasks[task.0].parker.unpark(token);
    }

    /// Lets what is blocked wait natively, if tasks are led.
    pub(in crate::engine) fn let_block(&mut self) {
        match &mut self.steering {
            Some(steering) if steering.stage == Stage::Led => steering.stage = Stage::Still,
            _ => return,
        }
        for task in (0..self.tasks.len()).map(TaskId) {
            if self.go_on(task) {
                self.tasks[task.0].parker.unpark(Token::Block);
            }
        }
    }

    fn diverge(&mut self, could: impl IntoIterator<Item = (TaskId, Option<u32>)>) {
        if let Some(steering) = &mut self.steering {
            let divergence = steering.following.diverge(could);
            steering.divergence.get_or_insert(divergence);
        }
    }
}

fn going_on(task: TaskId) -> (TaskId, Option<u32>) {
    (task, None)
}
