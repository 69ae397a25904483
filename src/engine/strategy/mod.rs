//! Strategies: who goes on at a sync point.
//!
//! A strategy only chooses. It owns no seed, budget or environment, and sees nothing but the points.

use super::{Target, TaskId};

mod bytes;
mod draw;
mod estimates;
mod pct;
mod portfolio;
mod random;
mod recorded;
mod replay;
mod surw;
#[cfg(test)]
mod testing;

pub use bytes::Bytes;
pub use estimates::Estimates;
pub use pct::Pct;
pub use portfolio::Portfolio;
pub use random::RandomWalk;
pub use recorded::{Choice, Recorded};
pub use replay::{Divergence, Replay, schedule_of};
pub use surw::Surw;

/// A point at which an execution could go on in several ways.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// What is chosen.
    pub kind: Choosing,
    /// Who was going on until now, if it can go on: then it is the first alternative. All others come in the order of
    /// their numbers.
    pub current: Option<TaskId>,
    /// The ways to go on; at least one.
    pub alternatives: &'a [Alternative],
}

/// What is chosen at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choosing {
    /// Which task goes on.
    Task,
    /// Which branch of its select a task takes.
    Branch,
}

/// A way to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The task that goes on.
    pub task: TaskId,
    /// The branch it takes, if that is what is chosen.
    pub branch: Option<u32>,
    /// What it is about to do, if that is known.
    pub access: Option<Target>,
}

/// Chooses.
pub trait Strategy: Send {
    /// Called when a task is added, in the order of their numbers, with its name.
    fn started(&mut self, _task: TaskId, _name: &str) {}

    /// The index of the alternative to go on with. It is taken modulo their number.
    fn choose(&mut self, point: &Point<'_>) -> usize;
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn started(&mut self, task: TaskId, name: &str) {
        (**self).started(task, name);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        (**self).choose(point)
    }
}
