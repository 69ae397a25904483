//! shuttle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler, UrwRandomScheduler};
use shuttle::{Config, FailurePersistence, Runner};
use watchmux::engine::Stopwatch;

use crate::peer::{Found, Peer, Rate, Searcher};
use crate::scenario::{Piece, Scenario};

mod sync {
    pub(super) use shuttle::sync::mpsc::{Receiver, SyncSender as Sender, sync_channel as channel};
    pub(super) use shuttle::thread::{JoinHandle, spawn, yield_now};

    /// A lock that is never poisoned.
    pub(super) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(super) fn new(value: T) -> Mutex<T> {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        pub(super) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
        }
    }
}

#[path = "pieces.rs"]
#[expect(clippy::duplicate_mod, reason = "the same code over each peer's own primitives")]
mod pieces;
#[path = "scenarios.rs"]
#[expect(clippy::duplicate_mod, reason = "the same code over each peer's own primitives")]
mod scenarios;

/// shuttle with one scheduler.
#[derive(Clone, Copy)]
pub enum Shuttle {
    /// Any task, with equal chances.
    Random,
    /// Probabilistic concurrency testing of depth 3.
    Pct,
    /// Uniform random walk.
    Urw,
}

impl Shuttle {
    fn scheduler(self, seed: u64, executions: u64) -> Box<dyn Scheduler + Send> {
        let executions = usize::try_from(executions).expect("few enough");
        match self {
            Shuttle::Random => Box::new(RandomScheduler::new_from_seed(seed, executions)),
            Shuttle::Pct => Box::new(PctScheduler::new_from_seed(seed, 3, executions)),
            Shuttle::Urw => Box::new(UrwRandomScheduler::new_from_seed(seed, executions)),
        }
    }

    /// Runs it that often; the time it took.
    fn run(self, seed: u64, executions: u64, f: impl Fn() + Send + Sync + 'static) -> Duration {
        let mut config = Config::new();
        config.failure_persistence = FailurePersistence::None;
        config.silence_warnings = true;
        let runner = Runner::new(self.scheduler(seed, executions), config);
        let stopwatch = Stopwatch::start();
        runner.run(f);
        stopwatch.elapsed()
    }
}

impl Peer for Shuttle {
    fn name(&self) -> &'static str {
        match self {
            Shuttle::Random => "shuttle random",
            Shuttle::Pct => "shuttle PCT 3",
            Shuttle::Urw => "shuttle URW",
        }
    }

    fn rate(&self, scenario: Scenario, executions: u64) -> Rate {
        let (draw, points) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&points);
        let elapsed = self.run(1, executions, move || {
            scenarios::run(scenario, draw.fetch_add(1, Ordering::Relaxed));
            count.fetch_add(shuttle::current::context_switches() as u64, Ordering::Relaxed);
        });
        Rate { executions, points: Some(points.load(Ordering::Relaxed)), elapsed }
    }
}

impl Searcher for Shuttle {
    fn find(&self, scenario: Scenario, seed: u64, most: u64) -> Option<Found> {
        let schedules = Arc::new(AtomicU64::new(0));
        let (draw, count) = (AtomicU64::new(seed << 32), Arc::clone(&schedules));
        let stopwatch = Stopwatch::start();
        let search = || {
            self.run(seed, most, move || {
                count.fetch_add(1, Ordering::Relaxed);
                scenarios::run(scenario, draw.fetch_add(1, Ordering::Relaxed));
            })
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(search));
        let elapsed = stopwatch.elapsed();
        result.err().map(|_| Found { schedules: schedules.load(Ordering::Relaxed), elapsed })
    }

    fn repeat(&self, piece: Piece, pieces: usize, executions: u64) -> Duration {
        self.run(1, executions, move || pieces::repeat(piece, pieces))
    }
}
