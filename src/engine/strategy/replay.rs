use std::sync::Arc;

use super::super::following::Following;
use super::super::{Divergence, Schedule, Shared, TaskId, name};
use super::{Alternative, Point, Strategy};

/// Makes the choices of a schedule, strictly: one that does not fit is a [`Divergence`].
///
/// A schedule is a prefix: after its end, as after a divergence, it goes on with alternative 0. One that has choices left when
/// the execution has ended has diverged as well.
///
/// Clones share what they have seen: one of them is given to the engine, and another is asked afterwards.
#[derive(Clone, Debug)]
pub struct Replay(Arc<Shared<Progress>>);

#[derive(Debug)]
struct Progress {
    following: Following,
    /// The names of the tasks.
    names: Vec<String>,
    divergence: Option<Divergence>,
}

impl Replay {
    /// Follows that schedule.
    pub fn new(schedule: &Schedule) -> Replay {
        let following = Following::new(schedule);
        Replay(Arc::new(Shared::new(Progress { following, names: Vec::new(), divergence: None })))
    }

    /// Where the execution, which is over, diverged from the schedule, if it did.
    pub fn divergence(&self) -> Option<Divergence> {
        self.0.with(|Progress { following, divergence, .. }| {
            let is_left = !following.is_over();
            divergence.clone().or_else(|| is_left.then(|| following.diverge([])))
        })
    }
}

impl Strategy for Replay {
    fn started(&mut self, _: TaskId, given: Option<&str>) {
        self.0.with(|progress| progress.start(given));
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.0.with(|progress| progress.choose(point))
    }
}

impl Progress {
    fn start(&mut self, given: Option<&str>) {
        let taken = |name: &str| self.names.iter().any(|other| other == name);
        let name = name::unique(given, TaskId(self.names.len()), taken);
        self.following.started(&name);
        self.names.push(name);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        if self.divergence.is_some() || self.following.is_over() {
            return 0;
        }
        let choice = |alternative: Alternative| (alternative.task, alternative.branch);
        let expected = self.following.next();
        let is_expected = |alternative| Some(choice(alternative)) == expected;
        match point.alternatives.iter().position(is_expected) {
            Some(index) => {
                self.following.advance();
                index
            }
            None => {
                self.divergence = Some(self.following.diverge(point.alternatives.iter().map(choice)));
                0
            }
        }
    }
}
