//! Who goes on next, as the strategy chooses.

use std::panic::Location;

use super::super::coverage::Going;
use super::super::strategy::{Alternative, Alternatives, Choosing, Point, Sealed};
use super::super::task_set::Among;
use super::super::{Access, TaskId};
use super::Step;
use super::fiber::Way;
use super::table::Table;
use crate::sync::seam::Endpoint;
use crate::sync::seam::footprint;

/// What a sync point comes to.
pub(super) enum Turn {
    /// The task goes on.
    On,
    /// Another does, if any is to.
    Of(Way),
    /// The execution is over.
    Over,
}

impl Table {
    /// Chooses who goes first.
    pub(super) fn begin(&mut self) -> Option<TaskId> {
        loop {
            if self.is_exhausted() {
                return None;
            }
            let next = self.choose();
            if next.is_some() || !self.pass_time() {
                return next;
            }
        }
    }

    /// A sync point of a task.
    #[inline(always)]
    pub(super) fn point(&mut self, me: TaskId, access: Access, location: &'static Location<'static>) -> Turn {
        if self.points >= self.plain_points {
            return self.odd_point(me, access, location);
        }
        self.come_to(me, access, location);
        let is_only = self.ready.is_only_of_first(me);
        of(me, self.choose_at(me, is_only))
    }

    /// A sync point at which there is more to do than to choose.
    #[cold]
    fn odd_point(&mut self, me: TaskId, access: Access, location: &'static Location<'static>) -> Turn {
        if self.ending {
            return Turn::Over;
        }
        self.come_to(me, access, location);
        if self.is_exhausted() {
            return Turn::Of(Way::TO_NOBODY);
        }
        let next = self.choose_at(me, self.ready.is_only(me));
        if self.is_watched {
            self.watch(Some(me), Some(next));
        }
        of(me, next)
    }

    /// Notes that a task has come to a sync point.
    #[inline(always)]
    fn come_to(&mut self, me: TaskId, access: Access, location: &'static Location<'static>) {
        self.points += 1;
        self.accesses[me.0] = access;
        self.tasks[me.0].location = Some(location);
    }

    /// Whether there were more points than there may be.
    #[inline]
    pub(super) fn is_exhausted(&self) -> bool {
        self.points > self.most_points
    }

    /// Who goes on, of those that can; the current one can, and it may be the only one.
    #[inline(always)]
    fn choose_at(&mut self, current: TaskId, is_only: bool) -> TaskId {
        if is_only {
            // So it is at half of all points.
            self.strategy.forced(Some(current), current, self.accesses[current.0]);
            self.step(current, false);
            return current;
        }
        self.strategy.step(current, &self.ready, &self.accesses, &mut self.steps, Sealed)
    }

    /// Who goes on, if anybody can without time passing.
    fn choose(&mut self) -> Option<TaskId> {
        let strategy = &mut self.strategy;
        let chosen = match self.ready.among() {
            Among::Nobody => None,
            Among::One(task) => {
                strategy.forced(None, task, self.accesses[task.0]);
                Some(task)
            }
            Among::Several => Some(strategy.choose_task(None, &self.ready, &self.accesses, Sealed)),
        };
        if let Some(task) = chosen {
            debug_assert!(self.ready.contains(task));
            let preempts = self.has_timed_out(task);
            self.step(task, preempts);
        }
        if self.is_watched {
            self.watch(None, chosen);
        }
        chosen
    }

    /// Notes that a task goes on.
    #[inline(always)]
    fn step(&mut self, task: TaskId, preempts: bool) {
        self.steps.push(Step { task, branch: None, access: self.accesses[task.0], preempts, starts: 0 });
    }

    /// Has the choice that was just made written down or counted, as it is asked for.
    #[cold]
    fn watch(&mut self, current: Option<TaskId>, chosen: Option<TaskId>) {
        if chosen.is_some() {
            self.record(current);
        }
        self.count(chosen);
    }

    /// Has the choice that was just made written down, if choices are; `current` could have gone on instead.
    #[cold]
    pub(super) fn record(&mut self, current: Option<TaskId>) {
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
    fn count(&mut self, chosen: Option<TaskId>) {
        let Table { coverage: Some(coverage), tasks, accesses, objects, .. } = self else { return };
        let waits =
            |task: TaskId| tasks[task.0].waiting().map_or(&[][..], |waiting| waiting.waits.as_slice());
        let next = chosen.map(|task| {
            let (access, location) = (accesses[task.0].target(), tasks[task.0].location);
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
    pub(super) fn touch_others(&self, me: TaskId, endpoints: &[&dyn Endpoint], chosen: usize) {
        let others = endpoints.iter().enumerate().filter(|(index, _)| *index != chosen);
        for (_, endpoint) in others {
            if let Some(target) = endpoint.handle().target() {
                endpoint.handle().saw(self.could_serve(target) || self.partner(me, target).is_some());
            }
        }
    }

    /// Chooses in which of several ways a task goes on that is going on.
    pub(super) fn choose_for(&mut self, me: TaskId, kind: Choosing) -> Option<u32> {
        let alternatives = Alternatives::from(&self.alternatives[..]);
        let index = self.strategy.choose(&Point { kind, current: Some(me), alternatives });
        let Alternative { task, branch, access } = self.alternatives[index % self.alternatives.len()];
        self.steps.push(Step { task, branch, access: access.into(), preempts: false, starts: 0 });
        self.record(Some(me));
        branch
    }

    /// Chooses who goes on instead of a task that waits or has ended, letting time pass if nobody can.
    #[inline]
    pub(super) fn go_on(&mut self) -> Way {
        while !self.ending {
            if let Some(next) = self.choose() {
                return Way::to(next);
            }
            if !self.pass_time() {
                break;
            }
        }
        Way::TO_NOBODY
    }
}

/// The turn of a task at whose sync point that one was chosen.
#[inline(always)]
fn of(me: TaskId, chosen: TaskId) -> Turn {
    if chosen == me { Turn::On } else { Turn::Of(Way::to(chosen)) }
}
