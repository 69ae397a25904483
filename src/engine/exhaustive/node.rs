//! The choices of an execution, and what is left to be chosen at each.

use std::sync::Arc;

use super::super::TaskId;
use super::dependence::{Entry, depend};
use super::events::Event;
use crate::sync::seam::footprint::Place;

/// A point at which a task was chosen.
#[derive(Debug)]
pub(super) struct Node {
    /// Who could go on, and not only to wait where nobody sees it; if all would only do that, the first of them.
    pub(super) enabled: Vec<TaskId>,
    /// Who of these has waited until then.
    pub(super) over: Vec<TaskId>,
    /// Who was going on until then.
    pub(super) before: Option<TaskId>,
    /// How many preemptions there were until then.
    pub(super) preemptions: u32,
    /// Who is to be chosen here, sooner or later.
    pub(super) wanted: Vec<TaskId>,
    /// Who was chosen, and whatever can follow was explored.
    pub(super) done: Vec<Asleep>,
    /// Who need not be chosen: what can follow was explored elsewhere.
    pub(super) asleep: Vec<Asleep>,
    /// Who is chosen now.
    pub(super) task: TaskId,
    /// The branches it takes, and how many there are of each.
    pub(super) branches: Vec<(u32, u32)>,
    /// What it touched by other branches.
    pub(super) tried: Vec<Entry>,
    /// What it does, once that is known.
    pub(super) event: Option<Arc<Event>>,
    /// How many atomics were known.
    pub(super) atomics: usize,
}

/// A task, and what its next step touches.
#[derive(Clone, Debug)]
pub(super) struct Asleep {
    pub(super) task: TaskId,
    entries: Arc<Vec<Entry>>,
    /// Atomics of this number and above were unknown when it was chosen: their numbers may be others elsewhere.
    atomics: usize,
}

impl Asleep {
    /// Whether its next step depends on the event.
    fn is_woken_by(&self, event: &Event) -> bool {
        self.entries.iter().any(|own| event.entries.iter().any(|other| self.depends(own, other)))
    }

    fn depends(&self, own: &Entry, other: &Entry) -> bool {
        match (own.place, other.place) {
            (Place::Atomic(one), Place::Atomic(other)) if one >= self.atomics => other >= self.atomics,
            (one, another) => one == another && depend(own, other),
        }
    }
}

impl Node {
    /// Who sleeps after the event of this node.
    pub(super) fn still_asleep(&self) -> Vec<Asleep> {
        let Some(event) = &self.event else { return Vec::new() };
        let all = self.asleep.iter().chain(&self.done);
        all.filter(|asleep| !asleep.is_woken_by(event)).cloned().collect()
    }

    pub(super) fn is_asleep(&self, task: TaskId) -> bool {
        self.asleep.iter().any(|asleep| asleep.task == task)
    }

    /// How many preemptions there are once this task was chosen.
    pub(super) fn preemptions_with(&self, task: TaskId) -> u32 {
        let interrupts = self.before.is_some_and(|before| before != task && self.enabled.contains(&before));
        self.preemptions + u32::from(interrupts)
    }

    /// Has the task chosen here as well, if it can be.
    pub(super) fn want(&mut self, task: TaskId) -> bool {
        let can = self.enabled.contains(&task);
        if can && !self.wanted.contains(&task) {
            self.wanted.push(task);
        }
        can
    }

    /// Goes on to the next choice that is left here, with no more than so many preemptions; notes whether that leaves any out.
    pub(super) fn advance(&mut self, bound: Option<u32>, left_out: &mut bool) -> bool {
        if let Some(event) = self.event.take() {
            self.tried.extend(&event.entries);
        }
        while let Some((chosen, of)) = self.branches.pop() {
            if chosen + 1 < of {
                self.branches.push((chosen + 1, of));
                return true;
            }
        }
        let entries = Arc::new(std::mem::take(&mut self.tried));
        self.done.push(Asleep { task: self.task, entries, atomics: self.atomics });
        let is_new =
            |task: &&TaskId| !self.is_asleep(**task) && self.done.iter().all(|done| done.task != **task);
        for task in self.wanted.iter().filter(is_new) {
            if bound.is_some_and(|bound| self.preemptions_with(*task) > bound) {
                *left_out = true;
                continue;
            }
            self.task = *task;
            return true;
        }
        false
    }
}
