//! The engine of free-running OS threads, native primitives and noise.
//!
//! It shows that a hang is real. Quiescence is an event, not a timer: at the moment when the last task enters
//! an untimed wait, each wait is asked whether the objects' books could serve it. If none could, nothing will
//! ever happen again. The deadline is only for executions that never get there, and they are never called a
//! hang.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Body, End, Job, Next, Run};
use crate::sync::seam::{self, Abort};

mod execution;
mod noise;
mod pool;
mod table;

use execution::Execution;

/// How an execution is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the noise at the sync points is drawn from.
    pub seed: u64,
    /// How long an execution may take that neither ends nor comes to rest.
    pub deadline: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { seed: 0, deadline: Duration::from_secs(1) }
    }
}

/// How long tasks that are unwound may take to the next sync point before they are left behind.
const GRACE: Duration = Duration::from_secs(1);

/// What an execution has come to.
enum Rest {
    Ended,
    Quiescent,
    Deadline,
}

/// Runs the body once.
pub fn run(body: Arc<dyn Body>, settings: Settings) -> Run {
    super::quiet_panics();
    let started = Instant::now();
    let limit = started + settings.deadline;
    let execution = Execution::new(settings.seed);
    execution.start(Arc::clone(&body).first());
    let (end, state) = loop {
        let rest = execution.await_rest(limit);
        let state = execution.state();
        let end = match rest {
            Rest::Ended => End::Finished,
            Rest::Quiescent => End::Quiescent,
            Rest::Deadline => break (End::Deadline, state),
        };
        match Arc::clone(&body).quiescent(&state) {
            Next::Start(jobs) => jobs.into_iter().for_each(|job| execution.start(job)),
            Next::End => break (end, state),
        }
    };
    body.over();
    let forgotten = if end == End::Finished { 0 } else { execution.abort(body) };
    let sync_points = execution.sync_points.load(Ordering::Relaxed);
    Run { end, state, sync_points, forgotten, elapsed: started.elapsed() }
}

impl Execution {
    /// Unwinds all tasks, and lets the body put away what it has; says how many tasks had to be left behind.
    fn abort(&self, body: Arc<dyn Body>) -> usize {
        let limit = Instant::now() + GRACE;
        self.unwind(limit);
        self.start(Job { name: "unwound".to_owned(), run: Box::new(move || body.unwound()) });
        self.unwind(limit)
    }

    /// Starts a task of the body's.
    fn start(&self, job: Job) {
        seam::Execution::spawn(self, Some(&job.name), super::task_body(job.run));
    }
}

/// Whether a task ended by being unwound.
fn is_abort(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.is::<Abort>()
}
