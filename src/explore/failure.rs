//! An execution that went wrong.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::engine::fibers::{self, Engine, Step};
use crate::engine::strategy::Replay;
use crate::engine::{Body, Divergence, Schedule, State, Status, schedule_of};
use crate::hunt::Interleaving;
use crate::oracle::{Diagnosis, explain};
use crate::report;

/// An execution that went wrong. Its `Display` is the report.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In what way.
    pub what: What,
    /// Its tasks, with what each waits for and where, and its objects, with who holds them.
    pub state: State,
    /// The choices that led there, for [`replay`](super::replay()).
    pub schedule: Schedule,
    /// Where it was found; `None` if by a replay.
    pub found: Option<Found>,
    /// Why tasks are blocked, if any are.
    pub diagnosis: Option<Diagnosis>,
    again: Again,
}

impl Failure {
    /// The execution that was just run.
    pub(super) fn new(
        what: What,
        engine: &mut Engine,
        found: Option<Found>,
        body: Arc<dyn Body>,
    ) -> Box<Failure> {
        let state = engine.take_state();
        let schedule = schedule_of(engine.steps(), &state.tasks);
        let diagnosis = explain(&state);
        let again = Again { body, steps: engine.steps().into(), interleaving: OnceLock::new() };
        Box::new(Failure { what, state, schedule, found, diagnosis, again })
    }

    /// What it did, step by step; `None` for a livelock, which is long, or if it does not do the same again.
    ///
    /// Nothing is written down while schedules are explored: this, and the report, run the closure once more, the first time
    /// they are asked.
    pub fn interleaving(&self) -> Option<&Interleaving> {
        if self.what == What::Livelock {
            return None;
        }
        self.again.interleaving.get_or_init(|| self.again.run(&self.schedule)).as_deref()
    }

    /// What the first task that panicked said, if one did.
    pub fn panic(&self) -> Option<&str> {
        self.state.tasks.iter().find_map(|task| match &task.status {
            Status::Panicked(message) => Some(message.as_str()),
            Status::Running | Status::Blocked(_) | Status::Ended => None,
        })
    }
}

/// Which execution of which exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The seed of the exploration.
    pub seed: u64,
    /// Which of its executions, counted from 0.
    pub index: u64,
}

/// How an execution went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Tasks are blocked, and nobody is left to let them go on.
    Deadlock,
    /// It passed more sync points than it may.
    Livelock,
    /// A task panicked; whatever else went wrong may come from that.
    Panic,
    /// It could not follow the schedule of its replay.
    Diverged(Divergence),
    /// It did something else than an earlier execution under the same choices, so that its schedules cannot be told apart.
    Nondeterministic,
}

/// What it takes to see the execution once more, and what was seen.
#[derive(Clone)]
struct Again {
    body: Arc<dyn Body>,
    steps: Arc<[Step]>,
    interleaving: OnceLock<Option<Box<Interleaving>>>,
}

impl Again {
    /// What it does step by step, if it does the same again.
    fn run(&self, schedule: &Schedule) -> Option<Box<Interleaving>> {
        let replay = Replay::new(schedule);
        let most_points = self.steps.len() as u64 + 1;
        let (again, trace) = fibers::record(Arc::clone(&self.body), Box::new(replay.clone()), most_points);
        let is_same = replay.divergence().is_none() && again.steps[..] == self.steps[..];
        is_same.then(|| Box::new(Interleaving::of_code(trace, again.run)))
    }
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").field("interleaving", &self.interleaving).finish_non_exhaustive()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&report::failure::text(self))
    }
}

impl Error for Failure {}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Deadlock => f.write_str("deadlock: what is left can never go on"),
            What::Livelock => f.write_str("livelock: it passed more sync points than it may"),
            What::Panic => f.write_str("panic"),
            What::Diverged(divergence) => write!(f, "diverged from the schedule {divergence}"),
            What::Nondeterministic => {
                f.write_str("nondeterministic: it did something else under the same choices")
            }
        }
    }
}
