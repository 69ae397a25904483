//! watchmux: fibers.

use std::sync::atomic::{AtomicU64, Ordering};

use watchmux::explore::{self, Config, Search, What};

use crate::peer::{Found, Peer, Rate};
use crate::scenario::Scenario;

mod sync {
    pub(super) use watchmux::sync::Mutex;
    pub(super) use watchmux::sync::channel::{Receiver, Sender, bounded as channel};
    pub(super) use watchmux::sync::thread::{JoinHandle, spawn};
}

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
        let explored = explore::explore(self.config(1, executions), move || {
            scenarios::run(scenario, draw.fetch_add(1, Ordering::Relaxed));
        });
        let explored = explored.unwrap_or_else(|failure| panic!("the correct mux: {failure}"));
        Rate { executions, points: explored.sync_points, elapsed: explored.elapsed }
    }

    fn find(&self, scenario: Scenario, seed: u64, most: u64) -> Option<Found> {
        let stopwatch = watchmux::engine::Stopwatch::start();
        let draw = AtomicU64::new(seed << 32);
        let explored = explore::explore(self.config(seed, most), move || {
            scenarios::run(scenario, draw.fetch_add(1, Ordering::Relaxed));
        });
        let failure = explored.err()?;
        assert_eq!(failure.what, What::Deadlock, "{failure}");
        Some(Found { schedules: failure.found.map_or(0, |found| found.index) + 1, elapsed: stopwatch.elapsed() })
    }

    fn repeat(&self, executions: u64, body: crate::peer::Empty) -> std::time::Duration {
        let explored = explore::explore(self.config(1, executions), move || match body {
            crate::peer::Empty::Body => {}
            crate::peer::Empty::Tasks(tasks) => {
                let tasks: Vec<_> = (0..tasks).map(|_| sync::spawn(|| ())).collect();
                tasks.into_iter().for_each(|task| task.join().unwrap());
            }
            crate::peer::Empty::Points(points) => {
                let yields = move || (0..points / 2).for_each(|_| watchmux::sync::thread::yield_now());
                let other = sync::spawn(yields);
                yields();
                other.join().unwrap();
            }
        });
        explored.expect("empty bodies end").elapsed
    }
}
