//! The engine of free-running OS threads, native primitives and noise.
//!
//! It shows that a hang is real. Quiescence is an event, not a timer: at the moment when the last task enters
//! an untimed wait, each wait is asked whether the objects' books could serve it. If none could, nothing will
//! ever happen again. The deadline is only for executions that never get there, and they are never called a
//! hang.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fibers::Traced;
use super::last_words::{self, Unwinding};
use super::steered::Steering;
use super::{After, Body, Divergence, End, Job, Next, Quiescence, Run, Status};
use crate::sync::seam;

mod execution;
pub(super) mod native;
mod noise;
mod pool;
pub(super) mod table;

pub(super) use execution::Execution;

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

/// How long unwinding may take before the tasks that are left are left behind. Miri takes seconds for a stack.
const GRACE: Duration = Duration::from_secs(if cfg!(miri) { 300 } else { 1 });

/// For how long nothing must have moved before the body is asked what to do about tasks in [opaque](super::opaque) code.
/// They may only be slow, so nothing that it then adds may count against them.
const QUIET: Duration = Duration::from_millis(5);

/// What an execution has come to.
enum Rest {
    Ended,
    Quiescent,
    /// It would be quiescent, if the tasks in opaque code were blocked; and how often something had moved by then.
    Still(u64),
    Deadline,
    Diverged,
}

impl Rest {
    fn end(&self, deadline: Duration) -> End {
        match self {
            Rest::Ended => End::Finished,
            Rest::Quiescent => End::Quiescent,
            Rest::Still(_) => End::Still(deadline),
            Rest::Deadline | Rest::Diverged => End::Deadline,
        }
    }
}

/// Runs the body once.
pub fn run(body: Arc<dyn Body>, settings: Settings) -> Run {
    drive(body, settings, None).expect("only what is steered diverges").run
}

/// Runs the body once, led by the steering if there is one.
pub(super) fn drive(
    body: Arc<dyn Body>,
    settings: Settings,
    steering: Option<Steering>,
) -> Result<Traced, Divergence> {
    super::quiet_panics();
    let mut limit = Instant::now() + settings.deadline;
    let execution = Execution::new(settings.seed, steering);
    execution.start(Arc::clone(&body).first());
    let (mut end, mut state) = loop {
        execution.lead();
        let rest = execution.await_rest(limit);
        let state = execution.state();
        let end = rest.end(settings.deadline);
        if end == End::Deadline {
            break (end, state);
        }
        let at_rest = || state.clone();
        let is_blocked = |task| matches!(state.task(task).status, Status::Blocked(_));
        let quiescence = Quiescence::new(state.blocked().next().is_some(), &is_blocked, &at_rest);
        match Arc::clone(&body).quiescent(&quiescence) {
            Next::Start(jobs) => jobs.into_iter().for_each(|job| execution.start(job)),
            Next::End => match rest {
                Rest::Still(moves) => {
                    let time = settings.deadline * body.deadlines(&state);
                    if execution.stays_still(moves, time) {
                        break (End::Still(time), state);
                    }
                }
                _ => break (end, state),
            },
        }
        if matches!(rest, Rest::Still(_)) {
            limit = Instant::now() + settings.deadline;
        }
    };
    if end == End::Quiescent && execution.let_block() {
        // What is blocked natively is what counts.
        end = execution.await_rest(limit).end(settings.deadline);
        state = execution.state();
    }
    let sync_points = execution.sync_points.load(Ordering::Relaxed);
    let divergence = execution.table.lock().divergence(end);
    // Each captures its own stack as it is unwound, so nothing is left as it is; but what is not to be lost is said first.
    if body.over() == After::Forget {
        last_words::foretell(&*body);
    }
    let is_clean = end == End::Finished && divergence.is_none();
    // What is in opaque code cannot be unwound, and what it holds would keep others.
    let opaque = execution.table.lock().opaque;
    let forgotten = match is_clean {
        true => 0,
        false if opaque > 0 => execution.table.lock().alive,
        false => execution.abort(body),
    };
    match divergence {
        Some(divergence) => Err(divergence),
        None => {
            let run = Run { end, state, sync_points, forgotten, stacks: execution.album.take() };
            let steering = execution.table.lock().steering.take();
            Ok(Traced { run, steps: steering.map_or_else(Vec::new, Steering::into_steps) })
        }
    }
}

impl Execution {
    /// Unwinds all tasks, and lets the body put away what it has; says how many tasks had to be left behind.
    fn abort(&self, body: Arc<dyn Body>) -> usize {
        let limit = Instant::now() + GRACE;
        let _unwinding = Unwinding::of(seam::Execution::id(self).get(), &body);
        self.unwind(limit);
        self.start(Job::new("unwound", move || body.unwound()));
        self.unwind(limit)
    }

    /// Starts a task of the body's.
    fn start(&self, job: Job) {
        seam::OnThreads::spawn(self, Some(job.name), job.body);
    }
}
