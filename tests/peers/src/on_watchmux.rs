//! watchmux: fibers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use watchmux::engine::{self, Stopwatch};
use watchmux::explore::{Config, Search, What, explore};

use crate::peer::{Explorer, Extent, Found, Peer, Program, Rate, Searcher};
use crate::scenario::{Piece, Scenario};

mod sync {
    pub(super) use watchmux::sync::Mutex;
    pub(super) use watchmux::sync::channel::{Receiver, Sender, bounded as channel};
    pub(super) use watchmux::sync::thread::{JoinHandle, spawn, yield_now};
}

#[path = "pieces.rs"]
mod pieces;
#[path = "scenarios.rs"]
mod scenarios;

/// watchmux with one way to search.
pub struct Watchmux(pub &'static str, pub Search);

impl Watchmux {
    fn config(&self, seed: u64, executions: u64) -> Config {
        Config { search: self.1, executions, seed, ..Config::default() }
    }
}

impl Peer for Watchmux {
    fn name(&self) -> &'static str {
        self.0
    }

    fn rate(&self, scenario: Scenario, executions: u64) -> Rate {
        let draw = AtomicU64::new(0);
        let explored = explore(self.config(1, executions), move || {
            scenarios::run(scenario, draw.fetch_add(1, Ordering::Relaxed));
        });
        let explored = explored.unwrap_or_else(|failure| panic!("the correct mux: {failure}"));
        Rate { executions, points: Some(explored.sync_points), elapsed: explored.elapsed }
    }
}

impl Searcher for Watchmux {
    fn find(&self, scenario: Scenario, seed: u64, most: u64) -> Option<Found> {
        let stopwatch = Stopwatch::start();
        let draw = AtomicU64::new(seed << 32);
        let explored = explore(self.config(seed, most), move || {
            scenarios::run(scenario, draw.fetch_add(1, Ordering::Relaxed));
        });
        let failure = explored.err()?;
        assert_eq!(failure.what, What::Deadlock, "{failure}");
        let index = failure.found.expect("it was explored").index;
        Some(Found { schedules: index + 1, elapsed: stopwatch.elapsed() })
    }

    fn repeat(&self, piece: Piece, pieces: usize, executions: u64) -> Duration {
        let explored = explore(self.config(1, executions), move || pieces::repeat(piece, pieces));
        explored.unwrap_or_else(|failure| panic!("pieces end: {failure}")).elapsed
    }
}

/// watchmux, exhaustively.
pub struct Exhaustive;

impl Explorer for Exhaustive {
    fn name(&self) -> &'static str {
        "watchmux"
    }

    fn explore(&self, program: Program, preemptions: Option<u32>, limit: Duration) -> Extent {
        let Program { scenario, draw } = program;
        let search = Search::Exhaustive { preemptions };
        let config = Config { search, executions: u64::MAX, time: Some(limit), ..Config::default() };
        let explored = explore(config, move || scenarios::run(scenario, draw));
        let explored = explored.unwrap_or_else(|failure| panic!("the correct mux: {failure}"));
        let complete = !matches!(explored.extent, engine::Extent::Schedules(_));
        Extent { executions: explored.executions, elapsed: explored.elapsed, complete }
    }
}
