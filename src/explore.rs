//! Exploring the executions of a closure: for any code over [`sync`](crate::sync), be it a mux or not.
//!
//! [`explore`](fn@explore) runs a closure again and again, each time with other choices of who goes on at each sync
//! point, until an execution goes wrong: tasks that wait for each other, a panic, or no end. It is a value that says so,
//! and holds the schedule that does it again. [`check`] is the same for a `#[test]`.
//!
//! Two transfers that lock the accounts in their own order:
//!
//! ```
//! use std::sync::Arc;
//! use watchmux::explore::{self, Config, What, explore};
//! use watchmux::sync::{Mutex, thread};
//!
//! fn transfers() {
//!     let savings = Arc::new(Mutex::new(100).named("savings"));
//!     let current = Arc::new(Mutex::new(0).named("current"));
//!     let (from, to) = (savings.clone(), current.clone());
//!     let payday = thread::spawn(move || {
//!         let mut from = from.lock();
//!         *to.lock() += *from;
//!         *from = 0;
//!     });
//!     let mut from = current.lock();
//!     *savings.lock() += *from;
//!     *from = 0;
//!     drop(from);
//!     payday.join().unwrap();
//! }
//!
//! let failure = explore(Config::default(), transfers).unwrap_err();
//! assert_eq!(failure.what, What::Deadlock);
//! let report = failure.to_string();
//! assert!(report.starts_with("deadlock: resource deadlock: AB-BA"), "{report}");
//! assert!(report.contains("for Mutex `savings`, held by thread1"), "{report}");
//! assert!(report.contains("for Mutex `current`, held by main"), "{report}");
//!
//! // A report's schedule can be kept as text, and does the same again.
//! let schedule = failure.schedule.to_string().parse().unwrap();
//! let again = explore::replay(&schedule, transfers).unwrap_err();
//! assert_eq!(again.what, What::Deadlock);
//! ```
//!
//! A notification that comes before anybody waits for it, and what the test of it prints:
//!
//! ```should_panic
//! use std::sync::Arc;
//! use watchmux::sync::{Condvar, Mutex, thread};
//!
//! watchmux::explore::check(|| {
//!     let door = Arc::new((Mutex::new(false).named("door"), Condvar::new().named("opened")));
//!     let opener = Arc::clone(&door);
//!     thread::spawn(move || {
//!         *opener.0.lock() = true;
//!         opener.1.notify_one();
//!     });
//!     let open = *door.0.lock();
//!     if !open {
//!         door.1.wait(&mut door.0.lock()); // It may have been opened since we looked.
//!     }
//! });
//! ```
//!
//! ```text
//! deadlock: communication deadlock: condition variable
//!
//!   `main` waits for a notification of condition variable `opened`, and the last one, by `thread1` at
//!   src/door.rs:9, came when nobody waited: a lost wake-up
//!
//! Interleaving, 6 of 8 steps (✗ never goes on):
//!     main                                     thread1
//!     starts `thread1`                                                                    door.rs:7
//!     takes and releases lock `door`                                                     door.rs:11
//!   ··· main is preempted
//!                                              takes and releases lock `door`             door.rs:8
//!   ··· thread1 is preempted
//!     takes lock `door`                                                                  door.rs:13
//!   ··· main is preempted
//!                                              notifies condition variable `opened`,      door.rs:9
//!                                                where nobody waits
//!   ··· thread1 has ended
//!     releases lock `door`                                                               door.rs:13
//!   ✗ waits for a notification of condition                                              door.rs:13
//!       variable `opened`
//!
//! Blocked for ever:
//!   main [cond wait]
//!       for Condvar `opened`, notified by thread1 at src/door.rs:9 when nobody waited
//!         door::opens at src/door.rs:13
//!
//! Found       by execution 0 of seed 0
//! Schedule    main*2 thread1 main thread1 main thread1 main
//! Replay      watchmux::explore::replay(&"SCHEDULE".parse().unwrap(), f)
//! ```
//!
//! # What the closure must be
//!
//! - Its threads, locks, channels and clocks are those of [`sync`](crate::sync), and all that belong to it are made in it. One
//!   made outside cannot be used inside; atomics can. A lock of `std` blocks the whole exploration.
//! - It does the same when the same choices are made: nothing that it does may depend on the system's clock, the order of a
//!   `HashMap`, or what an earlier execution left behind. A replay that gets elsewhere is [`What::Diverged`].
//! - All its tasks end. One that is still blocked when nobody can go on is a deadlock, joined or not.
//! - None of its tasks panics, joined or not. A panic that is meant is caught by
//!   [`sync::catch_unwind`](crate::sync::catch_unwind).
//!
//! Time is virtual: a sleep or a time-out costs nothing, and ends only when nobody else can go on. Memory is sequentially
//! consistent, and thread-locals are shared by all tasks. A panic that is caught goes on by
//! [`resume_unwind`](crate::sync::resume_unwind). Finding nothing proves nothing beyond what was explored.
//!
//! # Coming from shuttle
//!
//! | shuttle | here |
//! | --- | --- |
//! | `shuttle::sync`, `shuttle::thread` | [`sync`](crate::sync), [`sync::thread`](crate::sync::thread); the same types work outside, so there is nothing to switch |
//! | `check_random(f, n)` | [`explore`](fn@explore) with [`Search::RandomWalk`] |
//! | `check_pct(f, n, depth)` | [`explore`](fn@explore) with [`Search::Pct`] |
//! | `check_urw(f, n)` | [`explore`](fn@explore) with [`Search::Surw`] |
//! | `check_dfs(f, n)` | [`explore`](fn@explore) with [`Search::Exhaustive`], which does not repeat what differs in nothing |
//! | `PortfolioRunner` | [`Search::Portfolio`], the default |
//! | `replay(schedule, f)` | [`replay`] |
//! | `MaxSteps::FailAfter(n)` | [`Config::most_points`] |
//! | a panic and its printed schedule | [`Failure`], or the panic of [`check`] |

use std::sync::Arc;
use std::time::Duration;

use crate::engine::exhaustive::{Exhaustive, Seen};
use crate::engine::fibers::{self, Engine};
use crate::engine::strategy::{Estimates, Pct, Portfolio, RandomWalk, Replay, Strategy, Surw, mix};
use crate::engine::{After, Body, End, Extent, Job, Next, Quiescence, Schedule, Stopwatch};

mod failure;

pub use failure::{Failure, Found, What};

/// How to explore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How schedules are searched.
    pub search: Search,
    /// How many executions there are at most.
    pub executions: u64,
    /// After how much time no more of them are begun, if it is limited.
    pub time: Option<Duration>,
    /// What all chance comes from: the same seed explores the same schedules.
    pub seed: u64,
    /// How many sync points an execution may pass before it is called a livelock.
    pub most_points: u64,
}

impl Default for Config {
    /// 10,000 executions of up to 100,000 sync points, by the portfolio, from seed 0, whatever time they take.
    fn default() -> Config {
        Config { search: Search::Portfolio, executions: 10_000, time: None, seed: 0, most_points: 100_000 }
    }
}

impl Config {
    /// Whether there is to be another execution after so many, since then.
    fn allows(&self, executions: u64, since: Stopwatch) -> bool {
        executions < self.executions && self.time.is_none_or(|time| since.elapsed() < time)
    }
}

/// How schedules are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Search {
    /// All of these in turn, for none is the best for all bugs: [`Portfolio`].
    Portfolio,
    /// At every sync point any task that can go on, with equal chances: [`RandomWalk`].
    RandomWalk,
    /// Priorities that change at a few points: [`Pct`].
    Pct {
        /// How many of the choices the bug depends on: 1 to 4; more is taken as 4.
        depth: usize,
    },
    /// All orders of the accesses to one shared object, with about equal chances: [`Surw`].
    Surw,
    /// Every schedule once, up to the order of steps that commute: [`exhaustive`](crate::engine::exhaustive). It ends when
    /// all are explored, or after as many executions as there may be.
    Exhaustive {
        /// The most preemptions of a schedule; any number if `None`.
        preemptions: Option<u32>,
    },
    /// The same, first without preemptions, then with up to one, and so on, each time anew: what goes wrong is found in a
    /// schedule of as few preemptions as there can be.
    Iterative {
        /// The most preemptions of a schedule; any number if `None`.
        preemptions: Option<u32>,
    },
}

impl Search {
    /// The strategy of the execution of this index, in the memory of the last one if it was of the same kind.
    fn strategy(
        self,
        seed: u64,
        index: u64,
        estimates: &Estimates,
        last: Option<Box<dyn Strategy>>,
    ) -> Box<dyn Strategy> {
        if self == Search::Portfolio {
            return Portfolio::new(seed).strategy(index, estimates);
        }
        let own = mix(seed, index);
        let renewed = last.and_then(|mut last| last.renew(own, estimates).then_some(last));
        renewed.unwrap_or_else(|| match self {
            Search::RandomWalk => Box::new(RandomWalk::new(own)),
            Search::Pct { depth } => Box::new(Pct::new(own, depth, estimates)),
            Search::Surw => Box::new(Surw::new(own, estimates)),
            Search::Portfolio | Search::Exhaustive { .. } | Search::Iterative { .. } => {
                unreachable!("it is a search of its own")
            }
        })
    }

    /// Whether it learns what executions are like from the one of this number, counted from 1. Most of them are like those
    /// before: to learn from each took a twentieth of the time, and nothing was found sooner.
    fn learns(self, number: u64) -> bool {
        self != Search::RandomWalk && (number < 16 || number.is_multiple_of(32))
    }
}

/// An exploration in which nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many executions there were.
    pub executions: u64,
    /// How many of them an exhaustive search has given up, when all that could follow turned out to be explored already.
    pub redundant: u64,
    /// How far the schedules are explored: by counting, unless the search was exhaustive and came to its end.
    pub extent: Extent,
    /// How many sync points they passed, all together.
    pub sync_points: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Explores executions of the closure, up to the first that goes wrong.
///
/// See [the module](mod@crate::explore) for examples, and for what the closure must be.
///
/// # Errors
/// The execution that went wrong.
pub fn explore(config: Config, f: impl Fn() + Send + Sync + 'static) -> Result<Explored, Box<Failure>> {
    let Config { search, seed, most_points, .. } = config;
    let body: Arc<dyn Body> = Arc::new(Closure { run: f });
    match search {
        Search::Exhaustive { preemptions } => {
            return exhaust(&Exhaustive::new(preemptions), preemptions, &config, body);
        }
        Search::Iterative { preemptions } => {
            return exhaust(&Exhaustive::iterative(preemptions), preemptions, &config, body);
        }
        Search::Portfolio | Search::RandomWalk | Search::Pct { .. } | Search::Surw => {}
    }
    let stopwatch = Stopwatch::start();
    let mut estimates = Estimates::default();
    let (mut executions, mut sync_points, mut last) = (0, 0, None);
    fibers::with_engine(|engine| {
        while config.allows(executions, stopwatch) {
            let strategy = search.strategy(seed, executions, &estimates, last);
            let end = engine.run(&body, strategy, most_points);
            last = engine.take_strategy();
            if let Some(what) = wrong(end, engine) {
                return Err(Failure::new(what, engine, Some(Found { seed, index: executions }), body));
            }
            executions += 1;
            sync_points += engine.sync_points();
            if search.learns(executions) {
                estimates.learn(engine.steps());
            }
        }
        let (extent, elapsed) = (Extent::Schedules(executions), stopwatch.elapsed());
        Ok(Explored { executions, redundant: 0, extent, sync_points, elapsed })
    })
}

/// Explores every schedule with no more than so many preemptions.
fn exhaust(
    exhaustive: &Exhaustive,
    preemptions: Option<u32>,
    config: &Config,
    body: Arc<dyn Body>,
) -> Result<Explored, Box<Failure>> {
    let stopwatch = Stopwatch::start();
    let (mut executions, mut redundant, mut sync_points) = (0, 0, 0);
    fibers::with_engine(|engine| {
        let is_complete = loop {
            if !config.allows(executions, stopwatch) {
                break false;
            }
            let run = |strategy| engine.run(&body, strategy, config.most_points);
            let (end, seen) = exhaustive.execute(run);
            let what = match seen {
                Seen::Redundant => None,
                Seen::New => wrong(end, engine),
                Seen::Diverged => Some(What::Nondeterministic),
            };
            if let Some(what) = what {
                return Err(Failure::new(
                    what,
                    engine,
                    Some(Found { seed: config.seed, index: executions }),
                    body,
                ));
            }
            executions += 1;
            redundant += u64::from(seen == Seen::Redundant);
            sync_points += engine.sync_points();
            if !exhaustive.next() {
                break true;
            }
        };
        let extent = match preemptions {
            _ if !is_complete => Extent::Schedules(executions),
            Some(bound) if exhaustive.left_out() => Extent::Preemptions(bound),
            _ => Extent::All,
        };
        Ok(Explored { executions, redundant, extent, sync_points, elapsed: stopwatch.elapsed() })
    })
}

/// Explores the closure as [`Config::default`] says, for use in a `#[test]`.
///
/// # Panics
/// With the report of the first execution that goes wrong.
#[track_caller]
pub fn check(f: impl Fn() + Send + Sync + 'static) {
    if let Err(failure) = explore(Config::default(), f) {
        panic!("{failure}");
    }
}

/// Runs the closure once, with the choices of that schedule. After its end each task goes on for as long as it can.
///
/// # Errors
/// The execution, if it went wrong, or could not follow the schedule.
pub fn replay(schedule: &Schedule, f: impl Fn() + Send + Sync + 'static) -> Result<Explored, Box<Failure>> {
    let choices: u64 = schedule.steps().iter().map(|run| u64::from(run.times)).sum();
    let most_points = Config::default().most_points.max(choices);
    let replay = Replay::new(schedule);
    let body: Arc<dyn Body> = Arc::new(Closure { run: f });
    let stopwatch = Stopwatch::start();
    fibers::with_engine(|engine| {
        let end = engine.run(&body, Box::new(replay.clone()), most_points);
        let elapsed = stopwatch.elapsed();
        match replay.divergence().map(What::Diverged).or_else(|| wrong(end, engine)) {
            Some(what) => Err(Failure::new(what, engine, None, body)),
            None => Ok(Explored {
                executions: 1,
                redundant: 0,
                extent: Extent::Schedules(1),
                sync_points: engine.sync_points(),
                elapsed,
            }),
        }
    })
}

/// What went wrong, if anything did.
fn wrong(end: End, engine: &Engine) -> Option<What> {
    if engine.has_anyone_panicked() {
        return Some(What::Panic);
    }
    match end {
        End::Finished => None,
        End::Quiescent => Some(What::Deadlock),
        End::Exhausted => Some(What::Livelock),
        End::Deadline | End::Still(_) => unreachable!("fibers keep no clock"),
    }
}

/// A body of one first task, with nothing to add at quiescence.
struct Closure<F> {
    run: F,
}

impl<F: Fn() + Send + Sync + 'static> Body for Closure<F> {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.run)())
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        Next::End
    }

    fn ends_with_its_tasks(&self) -> bool {
        true
    }

    /// What goes wrong is to be told, and it is the last execution.
    fn over(&self) -> After {
        After::Forget
    }
}

#[cfg(test)]
mod tests;
