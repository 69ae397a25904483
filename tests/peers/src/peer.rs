//! What every peer does for the tables.

use std::time::Duration;

use crate::scenario::Scenario;

/// A tool with one way to search.
pub trait Peer {
    /// As the tables call it.
    fn name(&self) -> &'static str;

    /// Runs the scenario about that often, on the calling thread.
    fn rate(&self, scenario: Scenario, executions: u64) -> Rate;

    /// Searches for a deadlock, up to that many executions.
    fn find(&self, scenario: Scenario, seed: u64, most: u64) -> Option<Found>;

    /// Runs a body that does next to nothing.
    fn repeat(&self, executions: u64, body: Empty) -> Duration;
}

/// How fast it went.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many executions there were.
    pub executions: u64,
    /// How many points they passed at which a switch was possible, if the peer counts them.
    pub points: u64,
    /// The time they took.
    pub elapsed: Duration,
}

impl Rate {
    /// Executions a second.
    pub fn a_second(&self) -> f64 {
        self.executions as f64 / self.elapsed.as_secs_f64()
    }
}

/// A deadlock found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// How many schedules it took, this one included.
    pub schedules: u64,
    /// The time they took.
    pub elapsed: Duration,
}

/// A body that does next to nothing.
#[derive(Clone, Copy, Debug)]
pub enum Empty {
    /// Nothing at all.
    Body,
    /// Starts and joins that many tasks.
    Tasks(usize),
    /// Two tasks that yield, that often both together.
    Points(usize),
}
