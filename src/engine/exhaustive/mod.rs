//! Exploring all schedules of a body, up to those that differ in nothing but the order of steps that commute.

use std::sync::Arc;

use super::strategy::{Point, Strategy};
use super::{Shared, TaskId};
use crate::sync::seam::footprint;

mod books;
mod dependence;
mod events;
mod exploration;
mod node;
#[cfg(test)]
mod tests;

use exploration::Exploration;

/// All schedules of one body, one execution after the other.
#[derive(Clone, Debug)]
pub struct Exhaustive(Arc<Shared<Exploration>>);

/// What an execution was to the exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One that is like none before.
    New,
    /// It was given up when it turned out that all that could follow was explored already.
    Redundant,
    /// It did something else than before under the same choices: the body is not deterministic.
    Diverged,
}

impl Exhaustive {
    /// All schedules, or those with no more than so many preemptions.
    pub fn new(preemptions: Option<u32>) -> Exhaustive {
        Exhaustive(Arc::new(Shared::new(Exploration::new(preemptions))))
    }

    /// Has the next execution run, on the calling thread, by that strategy; and says what it was.
    pub fn execute<R>(&self, run: impl FnOnce(Box<dyn Strategy>) -> R) -> (R, Seen) {
        self.0.with(Exploration::begin);
        footprint::recording(|| {
            let result = run(Box::new(self.clone()));
            let seen = self.0.with(|exploration| {
                exploration.end();
                match exploration {
                    Exploration { diverged: true, .. } => Seen::Diverged,
                    Exploration { redundant: true, .. } => Seen::Redundant,
                    _ => Seen::New,
                }
            });
            (result, seen)
        })
    }

    /// Goes on to the next execution; says whether there is one.
    pub fn next(&self) -> bool {
        self.0.with(Exploration::next)
    }

    /// Whether the bound has left anything out.
    pub fn left_out(&self) -> bool {
        self.0.with(|exploration| exploration.left_out)
    }
}

impl Strategy for Exhaustive {
    fn started(&mut self, _: TaskId, _: Option<&str>) {
        self.0.with(Exploration::started);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.0.with(|exploration| exploration.choose(point))
    }
}
