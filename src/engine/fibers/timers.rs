//! Time, which passes when nobody can go on, and the channels that it fills.

use std::time::{Duration, Instant};

use super::super::{ObjectId, TaskId};
use super::table::Table;
use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{Queue, Side};

/// A channel that time fills.
pub(super) struct Alarm {
    pub(super) object: ObjectId,
    pub(super) due: Option<Duration>,
    pub(super) period: Option<Duration>,
    pub(super) queue: Queue<Instant>,
}

impl Table {
    /// The system's time when the execution began, as it is told.
    pub(super) fn began(&mut self) -> Instant {
        *self.began.get_or_insert_with(Instant::now)
    }

    /// The time so much later, since the execution began; `None` if that cannot be told as the system's.
    fn later(&mut self, duration: Duration) -> Option<Duration> {
        let later = self.clock.checked_add(duration)?;
        self.began().checked_add(later).is_some().then_some(later)
    }

    pub(super) fn add_timer(&mut self, object: ObjectId, duration: Duration, queue: Queue<Instant>) {
        let due = self.later(duration);
        let period = self.object(object).repeats().then_some(duration);
        self.timers.push(Alarm { object, due, period, queue });
    }

    /// Lets time pass until something happens; says whether anything will.
    pub(super) fn pass_time(&mut self) -> bool {
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
    pub(super) fn ring(&mut self, index: usize) {
        let Alarm { object, due, period, ref queue } = self.timers[index];
        if due.is_none_or(|due| due > self.clock) {
            return;
        }
        let queue = queue.clone();
        let now = self.began() + self.clock;
        self.timers[index].due = period.and_then(|period| self.later(period));
        if self.change(object, |object| object.try_pass(Side::Send)) {
            queue.push_by(&mut self.owner, now);
        }
    }
}
