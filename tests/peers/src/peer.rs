//! What every peer does for the tables.

use std::time::Duration;

use crate::scenario::{Piece, Scenario};

/// A tool with one way to search.
pub trait Peer {
    /// As the tables call it.
    fn name(&self) -> &'static str;

    /// Whether it can run the scenario in good time.
    fn runs(&self, _: Scenario) -> bool {
        true
    }

    /// Runs the scenario that often, on the calling thread.
    fn rate(&self, scenario: Scenario, executions: u64) -> Rate;
}

/// A tool that finds deadlocks and lives on.
pub trait Searcher: Peer {
    /// Searches for a deadlock, up to that many executions.
    fn find(&self, scenario: Scenario, seed: u64, most: u64) -> Option<Found>;

    /// Runs that many pieces in each execution.
    fn repeat(&self, piece: Piece, pieces: usize, executions: u64) -> Duration;
}

/// How fast it went.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many executions there were.
    pub executions: u64,
    /// How many points they passed at which a switch was possible, if the peer counts them.
    pub points: Option<u64>,
    /// The time they took.
    pub elapsed: Duration,
}

impl Rate {
    /// Executions a second.
    pub fn a_second(&self) -> f64 {
        self.executions as f64 / self.elapsed.as_secs_f64()
    }

    /// Points an execution.
    pub fn points(&self) -> Option<f64> {
        self.points.map(|points| points as f64 / self.executions as f64)
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

/// A tool that explores all schedules, as far as its reduction tells them apart.
pub trait Explorer {
    /// As the table calls it.
    fn name(&self) -> &'static str;

    /// Explores the program, up to so many preemptions if there is a bound, on the calling thread; for about so long.
    fn explore(&self, program: Program, preemptions: Option<u32>, limit: Duration) -> Extent;
}

/// A scenario, with what its ops are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The scenario.
    pub scenario: Scenario,
    /// The draw.
    pub draw: u64,
}

/// How far an exploration came.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How many executions there were, with those that were given up as like another.
    pub executions: u64,
    /// The time they took.
    pub elapsed: Duration,
    /// Whether it came to its end.
    pub complete: bool,
}
