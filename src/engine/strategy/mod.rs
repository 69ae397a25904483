//! Strategies: who goes on at a sync point.
//!
//! A strategy only chooses. It owns no seed, budget or environment, and sees nothing but the points. Some search:
//! [`RandomWalk`], [`Pct`], [`Surw`], and the [`Portfolio`] of them all; some are told: [`Bytes`] and [`Replay`].
//! [`Recorded`] writes down what another does.
//!
//! How many executions each needs to find the first deadlock of a mux that keeps its lock while it sends, and whose `stop`
//! takes that lock first: the median of 100 seeds, in brackets the 90th percentile; – is not within half a second. Each
//! learned its [`Estimates`] from the execution before. These are the figures by which the strategies were chosen;
//! `cargo run --release --manifest-path tests/peers/Cargo.toml -- search` gives those of today.
//!
//! | scenario | random walk | PCT 2 | PCT 3 | SURW | portfolio |
//! | --- | --- | --- | --- | --- | --- |
//! | rendezvous, two clients | 3 (8) | 3 (8) | 3 (6) | 2 (5) | 2 (5) |
//! | queue 4, a client reads three and stops | 250 (671) | 4 (10) | 4 (9) | 5 (11) | 5 (10) |
//! | queue 12 | – | 4 (11) | 5 (12) | 9 (24) | 7 (18) |
//! | rendezvous, watch and at once stop beside a producer | 5 (18) | 23 (84) | 16 (46) | 3 (7) | 3 (11) |
//! | queue 4 | 1446 (5170) | 41 (137) | 27 (85) | 6 (15) | 9 (26) |
//! | queue 12 | – | 41 (129) | 33 (104) | 11 (35) | 16 (44) |
//! | queue 25 | – | 50 (157) | 40 (119) | 18 (61) | 31 (97) |
//! | queue 100 | – | 48 (202) | 40 (148) | 93 (312) | 71 (214) |
//! | queue 8, three clients of eight random ops each | 808 (3018) | 14 (47) | 13 (44) | 13 (36) | 11 (39) |
//! | the fourth, with six idle tasks | 5 (20) | 117 (363) | 65 (229) | 4 (13) | 9 (25) |
//!
//! Tried and left out:
//!
//! - URW, which is SURW without an object: as good up to queue 4 of the second, but 33 (139), 1491 (6216) and – at queues 4, 12
//!   and 25 of the fourth.
//! - POS (Yuan et al., "Partial Order Aware Concurrency Sampling", CAV 2018): as good as SURW where queues are short, but
//!   109 (500) and – at queues 4 and 12 of the fourth, and 473 (1561) with the random clients.
//! - PCT as in its paper, every change point drawn from all choices: as good where queues are short, but at queues 12, 25 and 100
//!   of the fourth depth 3 needs 64 (241), 112 (333) and 400 (1033), for the producer has nearly all of the choices. With every
//!   change point drawn from one task's choices it needs 25 (74) to 26 (94) at these, but 93 (371) beside idle tasks, and the
//!   paper's guarantee is gone.
//! - Estimates from a random walk alone: SURW then needs 25 (121) with the random clients.

use super::fibers::Step;
use super::{Access, TaskId, TaskSet};

mod alternatives;
mod bytes;
mod draw;
mod estimates;
mod pct;
mod portfolio;
mod random;
mod recorded;
mod replay;
mod sealed;
mod surw;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use alternatives::{Alternative, Alternatives};
pub use bytes::{Bytes, Choices, Cue, Spelled};
use draw::Draw;
pub(crate) use draw::mix;
pub use estimates::Estimates;
pub use pct::Pct;
pub use portfolio::Portfolio;
pub use random::RandomWalk;
pub use recorded::{Choice, Recorded};
pub use replay::Replay;
pub(in crate::engine) use sealed::Sealed;
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
    pub alternatives: Alternatives<'a>,
}

/// What is chosen at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choosing {
    /// Which task goes on.
    Task,
    /// Which branch of its select a task takes.
    Branch,
    /// Which of several that wait for its notification a task wakes.
    Waiter,
}

/// Chooses: an implementation outside of this crate by [`choose`](Strategy::choose) alone, of which any number will do. So who
/// goes on is always one who can.
pub trait Strategy: Send {
    /// Called when a task is added, in the order of their numbers, with the name it was given, if it was given one.
    fn started(&mut self, _task: TaskId, _given: Option<&str>) {}

    /// Makes it one of the same kind for another execution, with that seed, if it can be: then it is as a new one.
    fn renew(&mut self, _seed: u64, _estimates: &Estimates) -> bool {
        false
    }

    /// The index of the alternative to go on with. It is taken modulo their number.
    fn choose(&mut self, point: &Point<'_>) -> usize;

    /// [`choose`](Strategy::choose) where it is one of several tasks that goes on, one of those that are ready; what each task
    /// is about to do is given by its number.
    fn choose_task(
        &mut self,
        current: Option<TaskId>,
        ready: &TaskSet,
        accesses: &[Access],
        _: Sealed,
    ) -> TaskId {
        let alternatives = Alternatives::tasks(current, ready, accesses);
        let index = self.choose(&Point { kind: Choosing::Task, current, alternatives });
        ready.pick(current, |several| index % several)
    }

    /// A step where several tasks can go on, and the current one too: [`choose_task`](Strategy::choose_task), noted. It is
    /// compiled for each strategy, so that it is one call.
    fn step(
        &mut self,
        current: TaskId,
        ready: &TaskSet,
        accesses: &[Access],
        steps: &mut Vec<Step>,
        sealed: Sealed,
    ) -> TaskId {
        let task = self.choose_task(Some(current), ready, accesses, sealed);
        debug_assert!(ready.contains(task));
        steps.push(Step {
            task,
            branch: None,
            access: accesses[task.0],
            preempts: task != current,
            starts: 0,
        });
        task
    }

    /// Called instead of [`choose`](Strategy::choose) where one task alone can go on, the one that was going on until now if
    /// there is one. It comes to the same; a strategy that does not count such points need do nothing.
    fn forced(&mut self, current: Option<TaskId>, task: TaskId, access: Access) {
        let alternative = Alternative { task, branch: None, access: access.target() };
        let alternatives = Alternatives::from(std::slice::from_ref(&alternative));
        self.choose(&Point { kind: Choosing::Task, current, alternatives });
    }
}

/// What a strategy chooses of which tasks are chosen by [`choose_task`](Strategy::choose_task); all else is drawn.
fn choose_by_task<S: Strategy>(
    strategy: &mut S,
    draw: impl FnOnce(&mut S) -> &mut Draw,
    point: &Point<'_>,
) -> usize {
    let Point { kind, current, alternatives } = *point;
    match alternatives.of_tasks() {
        _ if kind != Choosing::Task => draw(strategy).any(alternatives.len()),
        Some((ready, accesses)) => {
            alternatives.index_of(strategy.choose_task(current, ready, accesses, Sealed))
        }
        None => {
            for only in alternatives.iter() {
                strategy.forced(current, only.task, only.access.into());
            }
            0
        }
    }
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn started(&mut self, task: TaskId, given: Option<&str>) {
        (**self).started(task, given);
    }

    fn renew(&mut self, seed: u64, estimates: &Estimates) -> bool {
        (**self).renew(seed, estimates)
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        (**self).choose(point)
    }

    fn choose_task(
        &mut self,
        current: Option<TaskId>,
        ready: &TaskSet,
        accesses: &[Access],
        sealed: Sealed,
    ) -> TaskId {
        (**self).choose_task(current, ready, accesses, sealed)
    }

    fn step(
        &mut self,
        current: TaskId,
        ready: &TaskSet,
        accesses: &[Access],
        steps: &mut Vec<Step>,
        sealed: Sealed,
    ) -> TaskId {
        (**self).step(current, ready, accesses, steps, sealed)
    }

    fn forced(&mut self, current: Option<TaskId>, task: TaskId, access: Access) {
        (**self).forced(current, task, access);
    }
}
