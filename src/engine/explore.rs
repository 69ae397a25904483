//! Exploring the executions of a closure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::fibers::{self, Step};
use super::strategy::{RandomWalk, Strategy};
use super::{Body, End, Job, Next, State, Status, Stopwatch};
use crate::script::{Schedule, schedule};

/// How to explore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How schedules are searched.
    pub search: Search,
    /// How many executions there are at most.
    pub executions: u64,
    /// What all random choices come from: the same seed explores the same schedules.
    pub seed: u64,
    /// How many sync points an execution may pass before it is called a livelock.
    pub most_points: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { search: Search::RandomWalk, executions: 10_000, seed: 0, most_points: 100_000 }
    }
}

/// How schedules are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Search {
    /// At every sync point any task that can go on, with equal chances.
    RandomWalk,
}

impl Search {
    /// The strategy of one execution.
    fn strategy(self, seed: u64, index: u64) -> Box<dyn Strategy> {
        // The golden ratio spreads neighbouring executions over all seeds.
        let seed = seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match self {
            Search::RandomWalk => Box::new(RandomWalk::new(seed)),
        }
    }
}

/// What an exploration without a failure has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many executions there were.
    pub executions: u64,
    /// How many sync points they passed, all together.
    pub sync_points: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// An execution that went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In what way.
    pub what: What,
    /// The tasks and objects as they were then.
    pub state: State,
    /// The choices that led there.
    pub schedule: Schedule,
    /// The seed of the exploration.
    pub seed: u64,
    /// Which of its executions it was, counted from 0.
    pub index: u64,
}

/// How an execution went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Tasks are blocked, and nobody is left to let them go on.
    Deadlock,
    /// It passed more sync points than it may.
    Livelock,
    /// A task panicked.
    Panic,
}

/// Explores executions of the closure until one goes wrong.
///
/// # Errors
/// The first that went wrong.
pub fn explore(config: Config, f: impl Fn() + Send + Sync + 'static) -> Result<Explored, Box<Failure>> {
    let body: Arc<dyn Body> = Arc::new(Closure(f));
    let stopwatch = Stopwatch::start();
    let mut sync_points = 0;
    for index in 0..config.executions {
        let strategy = config.search.strategy(config.seed, index);
        let traced = fibers::run(Arc::clone(&body), strategy, config.most_points);
        sync_points += traced.run.sync_points;
        if let Some(what) = what(traced.run.end, &traced.run.state) {
            let schedule = schedule(&traced.steps, &traced.run.state);
            let Config { seed, .. } = config;
            return Err(Box::new(Failure { what, state: traced.run.state, schedule, seed, index }));
        }
    }
    Ok(Explored { executions: config.executions, sync_points, elapsed: stopwatch.elapsed() })
}

/// What is wrong with an execution that ended so, if anything is.
fn what(end: End, state: &State) -> Option<What> {
    if state.tasks.iter().any(|task| matches!(task.status, Status::Panicked(_))) {
        return Some(What::Panic);
    }
    match end {
        End::Finished => None,
        End::Quiescent => Some(What::Deadlock),
        End::Exhausted | End::Deadline => Some(What::Livelock),
    }
}

/// The steps with their tasks by name.
fn schedule(steps: &[Step], state: &State) -> Schedule {
    let mut schedule = Schedule::default();
    for step in steps {
        let task = state.task(step.task).name.clone();
        schedule.push(schedule::Step { task, branch: step.branch, times: 1 });
    }
    schedule
}

/// A body of one first task, with nothing to add at quiescence.
struct Closure<F>(F);

impl<F: Fn() + Send + Sync + 'static> Body for Closure<F> {
    fn first(self: Arc<Self>) -> Job {
        Job { name: "main".to_owned(), run: Box::new(move || (self.0)()) }
    }

    fn quiescent(self: Arc<Self>, _: &State) -> Next {
        Next::End
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}
