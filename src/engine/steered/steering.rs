//! Who goes on, by the schedule, and whether it can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::fibers::Step;
use super::super::threads::table::{Doing, Table, Token};
use super::super::{End, ObjectId, Target, TaskId};
use super::Divergence;
use crate::sync::seam::{Endpoint, Meeting, Object, Side};

/// Leads the tasks of an execution through a schedule.
pub(in crate::engine) struct Steering {
    steps: Vec<Step>,
    /// How many of them were taken.
    taken: usize,
    stage: Stage,
    /// The time: it passes only when a task is to go on that waits for it.
    now: Instant,
    /// Until when tasks wait.
    limits: BTreeMap<TaskId, Instant>,
    /// The senders that can go ahead with a rendezvous: by which of their waits, and with whom.
    met: BTreeMap<TaskId, (usize, TaskId)>,
    alarms: Vec<Alarm>,
    divergence: Option<Divergence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Tasks go on one at a time.
    Led,
    /// The schedule is over: nobody may go on, and what is blocked waits natively.
    Still,
    /// The execution is over: tasks unwind, freely.
    Over,
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
    pub(super) fn new(steps: &[Step]) -> Steering {
        Steering {
            steps: steps.to_vec(),
            taken: 0,
            stage: Stage::Led,
            now: Instant::now(),
            limits: BTreeMap::new(),
            met: BTreeMap::new(),
            alarms: Vec::new(),
            divergence: None,
        }
    }

    /// Makes a channel that time fills; the first after so long, then the others.
    pub(in crate::engine) fn add_timer(
        &mut self,
        object: &Object,
        duration: Duration,
    ) -> cc::Receiver<Instant> {
        let (sender, receiver) = cc::bounded(1);
        let period = object.repeats().then_some(duration);
        self.alarms.push(Alarm { object: object.id, due: self.now.checked_add(duration), period, sender });
        receiver
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn set_limit(&mut self, task: TaskId, until: Instant) {
        self.limits.insert(task, until);
    }

    /// Notes that a sender, which waits, can go ahead with this receiver.
    pub(super) fn meet(&mut self, sender: TaskId, wait: usize, receiver: TaskId) {
        self.met.insert(sender, (wait, receiver));
    }

    /// With whom a sender can go ahead, and by which of its waits.
    pub(super) fn take_met(&mut self, sender: TaskId) -> Option<(usize, TaskId)> {
        self.met.remove(&sender)
    }

    /// When time does something for a task that waits for these, if ever.
    fn due(&self, task: TaskId, objects: impl Iterator<Item = ObjectId>) -> Option<Instant> {
        let alarms =
            objects.flat_map(|object| self.alarms.iter().filter(move |alarm| alarm.object == object));
        alarms.filter_map(|alarm| alarm.due).chain(self.limits.get(&task).copied()).min()
    }

    /// Lets time pass.
    fn pass_time(&mut self, until: Instant, objects: &[Arc<Object>]) {
        self.now = self.now.max(until);
        for alarm in &mut self.alarms {
            if alarm.due.is_some_and(|due| due <= self.now) {
                if alarm.sender.try_send(self.now).is_ok() {
                    objects[alarm.object.0].pass(Side::Send);
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
        if end != End::Deadline && steering.taken < steering.steps.len() {
            self.diverge(Vec::new());
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
        match (steering.stage, steering.steps.get(steering.taken).copied()) {
            (Stage::Over, _) => return false,
            (Stage::Still, _) if from.is_none() && self.able().is_empty() => return true,
            (Stage::Still, _) => self.diverge(from.into_iter().map(going_on).chain(self.able()).collect()),
            (Stage::Led, Some(Step { task, branch: None, .. })) if self.is_able(task) => {
                self.let_go_on(task);
                return false;
            }
            // The body may have something to add.
            (Stage::Led, Some(_)) if self.is_quiescent() => {}
            (Stage::Led, None) if self.able().is_empty() => {
                self.let_block();
                return self.running == 0;
            }
            (Stage::Led, _) => self.diverge(self.able()),
        }
        true
    }

    /// Which of the operations that can go ahead does, if any can.
    pub(super) fn branch(
        &mut self,
        me: TaskId,
        endpoints: &[&dyn Endpoint],
    ) -> Result<Option<usize>, Diverged> {
        let served = |index: &usize| {
            let (_, target) = endpoints[*index].handle().target().expect("the seam has checked the objects");
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

    /// Which of these branches a task takes that is going on, by the schedule.
    fn chosen(&mut self, me: TaskId, branches: &[usize]) -> Result<usize, Diverged> {
        let possible: Vec<Step> = branches.iter().map(|index| Step::new(me, Some(*index as u32))).collect();
        if let Some(steering) = &mut self.steering
            && let Some(step) = steering.steps.get(steering.taken)
            && let Some(chosen) = possible.iter().position(|possible| possible.choice() == step.choice())
        {
            steering.taken += 1;
            return Ok(branches[chosen]);
        }
        self.diverge(possible);
        Err(Diverged)
    }

    /// Who has waited longest on the other side of a rendezvous, and by which of its waits.
    pub(super) fn partner(&self, me: TaskId, target: Target) -> Option<(TaskId, usize)> {
        let (object, other) = match target {
            Target::Send(object) => (object, Target::Recv(object)),
            Target::Recv(object) => (object, Target::Send(object)),
            _ => return None,
        };
        if self.objects[object.0].meeting != Meeting::Steered {
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
        let object = match target {
            Target::Join(task) => return self.has_ended(task),
            Target::Notify(_) => return false,
            Target::Send(object) | Target::Recv(object) | Target::Lock(object) | Target::Read(object) => {
                &self.objects[object.0]
            }
        };
        match object.meeting {
            // Its books lag: a message counts as sent before the partner counts it as received.
            Meeting::Steered => object.is_disconnected(target) || self.partner(task, target).is_some(),
            Meeting::Free | Meeting::Modelled => object.could_serve(target, false),
        }
    }

    /// Whether a task waits for nothing, or is served without time passing.
    fn is_free(&self, task: TaskId) -> bool {
        match self.tasks.get(task.0).map(|task| &task.doing) {
            Some(Doing::Running) => true,
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

    /// The steps that can be taken.
    fn able(&self) -> Vec<Step> {
        (0..self.tasks.len()).map(TaskId).filter(|task| self.is_able(*task)).map(going_on).collect()
    }

    /// Takes a step.
    fn let_go_on(&mut self, task: TaskId) {
        let due = self.due(task).filter(|_| !self.is_free(task));
        let Some(steering) = &mut self.steering else { return };
        steering.taken += 1;
        if let Some(due) = due {
            steering.pass_time(due, &self.objects);
        }
        steering.limits.remove(&task);
        let token = if self.is_free(task) { Token::Woken } else { Token::TimedOut };
        self.go_on(task);
        self.tasks[task.0].parker.unpark(token);
    }

    /// Lets what is blocked wait natively.
    fn let_block(&mut self) {
        if let Some(steering) = &mut self.steering {
            steering.stage = Stage::Still;
        }
        for task in (0..self.tasks.len()).map(TaskId) {
            if self.go_on(task) {
                self.tasks[task.0].parker.unpark(Token::Block);
            }
        }
    }

    fn diverge(&mut self, possible: Vec<Step>) {
        let state = self.state();
        if let Some(steering) = &mut self.steering {
            let (at, expected) = (steering.taken, steering.steps.get(steering.taken).copied());
            steering.divergence.get_or_insert(Divergence { at, expected, possible, state });
        }
    }
}

fn going_on(task: TaskId) -> Step {
    Step::new(task, None)
}
