//! The engine of fibers: each task a stackful coroutine, one running at a time, every sync point a choice.
//!
//! It is deterministic: the same body under the same choices does the same, always. Deadlock is seen at once, for nobody
//! can go on; time is virtual and passes only when nobody can. What never comes to rest is ended by a limit of sync
//! points.
//!
//! The subject's code is the same compiled code that runs on threads. Channels with room keep their messages in the
//! native channel, which no task ever waits for, and locks are the native ones; a rendezvous is modelled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::strategy::Strategy;
use super::trace::Trace;
use super::{Body, End, Job, Next, Run, State, TaskId, stack};
use crate::sync::seam::{self, Abort, Me, TaskBody};

mod execution;
mod fiber;
mod recorder;
mod step;
mod table;
mod task;

use execution::Execution;
use fiber::Fiber;
use recorder::Recorder;
use table::Table;
use task::Doing;

pub use step::{Step, preemptions};

/// An execution on fibers, and the choices that were made.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The execution.
    pub run: Run,
    /// Who went on at each point.
    pub steps: Vec<Step>,
}

/// Runs the body once, on the calling thread.
///
/// It ends by [`End::Exhausted`] if it passes more than `most_points` sync points.
pub fn run(body: Arc<dyn Body>, strategy: Box<dyn Strategy>, most_points: u64) -> Traced {
    go(body, Table::new(strategy, most_points), None)
}

/// Runs the body once, as [`run`] does, and writes down all that it does. It does the same.
pub fn record(body: Arc<dyn Body>, strategy: Box<dyn Strategy>, most_points: u64) -> (Traced, Trace) {
    let mut recorded = None;
    let traced = record_and_tell(body, strategy, most_points, &mut |_, trace| recorded = Some(trace));
    (traced, recorded.expect("it is told of every execution"))
}

/// As [`record`], and tells what there is to know before anything is unwound: that runs destructors of code that has gone
/// wrong, and may end the process.
pub fn record_and_tell(
    body: Arc<dyn Body>,
    strategy: Box<dyn Strategy>,
    most_points: u64,
    tell: &mut dyn FnMut(Traced, Trace),
) -> Traced {
    let mut table = Table::new(strategy, most_points);
    table.recorder = Some(Box::new(Recorder::new(Arc::clone(&body))));
    stack::open_album();
    go(body, table, Some(tell))
}

fn go(body: Arc<dyn Body>, table: Table, tell: Option<&mut dyn FnMut(Traced, Trace)>) -> Traced {
    super::quiet_panics();
    let started = Instant::now();
    let execution = Execution::new(table);
    let mut fibers = Fibers { execution, fibers: Vec::new() };
    fibers.start(Arc::clone(&body).first());
    let (end, state) = loop {
        fibers.go_on();
        let mut table = fibers.execution.table();
        table.rest();
        let state = table.state();
        let exhausted = table.is_exhausted();
        let alive = (0..table.tasks.len()).any(|task| !table.has_ended(TaskId(task)));
        drop(table);
        if exhausted {
            break (End::Exhausted, state);
        }
        match Arc::clone(&body).quiescent(&state) {
            Next::Start(jobs) => jobs.into_iter().for_each(|job| fibers.start(job)),
            Next::End => break (if alive { End::Quiescent } else { End::Finished }, state),
        }
    };
    body.over();
    if let Some(tell) = tell {
        let (traced, trace) = fibers.recorded(end, &state, started);
        tell(traced, trace);
    }
    if end != End::Finished {
        fibers.unwind();
        fibers.start(Job { name: "unwound".to_owned(), run: Box::new(move || body.unwound()) });
        fibers.unwind();
    }
    let forgotten = fibers.give_up();
    let mut table = fibers.execution.table();
    let steps = std::mem::take(&mut table.steps);
    let run = Run { end, state, sync_points: table.points, forgotten, elapsed: started.elapsed() };
    Traced { run, steps }
}

/// The fibers of an execution.
struct Fibers {
    execution: Arc<Execution>,
    /// By task; `None` before it has started, and after it has ended.
    fibers: Vec<Option<Running>>,
}

/// A task that has started.
struct Running {
    fiber: Fiber,
    /// What the thread is while the fiber runs.
    me: Rc<Me>,
}

impl Fibers {
    /// Adds a task of the body's.
    fn start(&self, job: Job) {
        self.execution.table().add(Some(&job.name), super::task_body(job.run));
    }

    /// Lets tasks go on until none can.
    fn go_on(&mut self) {
        self.execution.table().begin();
        loop {
            let next = self.execution.table().next;
            match next {
                Some(task) => self.resume(task),
                None => return,
            }
        }
    }

    /// Unwinds all tasks, as far as they can be.
    fn unwind(&mut self) {
        self.execution.table().ending = true;
        loop {
            let next = self.execution.table().next_to_unwind();
            match next {
                Some(task) => self.resume(task),
                None => return,
            }
        }
    }

    /// Lets a task go on until it gives way.
    fn resume(&mut self, task: TaskId) {
        if self.fibers.len() <= task.0 {
            self.fibers.resize_with(task.0 + 1, || None);
        }
        let slot = &mut self.fibers[task.0];
        if slot.is_none() {
            let body = self.execution.table().tasks[task.0].body.take();
            let body = body.expect("a task that can go on has not ended");
            *slot = Some(Running::new(&self.execution, task, body));
        }
        let Some(running) = slot else { return };
        let before = seam::become_task(Some(Rc::clone(&running.me)));
        let done = running.fiber.resume();
        seam::become_task(before);
        if done && let Some(running) = slot.take() {
            running.fiber.keep();
        }
    }

    /// What was written down, with the stacks of all tasks that have not ended.
    fn recorded(&mut self, end: End, state: &State, started: Instant) -> (Traced, Trace) {
        for (task, running) in self.fibers.iter_mut().enumerate() {
            if let Some(running) = running {
                running.fiber.capture(TaskId(task));
            }
        }
        let mut table = self.execution.table();
        let recorder = table.recorder.take().expect("whoever is told has a recorder");
        let (sync_points, elapsed) = (table.points, started.elapsed());
        let run = Run { end, state: state.clone(), sync_points, forgotten: 0, elapsed };
        let traced = Traced { run, steps: table.steps.clone() };
        let stacks = stack::resolve(&stack::close_album(), state);
        (traced, Trace { stacks, ..recorder.finish() })
    }

    /// Gives up the tasks that could not be unwound; says how many.
    fn give_up(&mut self) -> usize {
        let left = self.fibers.iter_mut().filter_map(Option::take);
        left.map(|running| running.fiber.forget()).count()
    }
}

impl Running {
    fn new(execution: &Arc<Execution>, task: TaskId, body: TaskBody<'static>) -> Running {
        let me = Me::new(Arc::clone(execution) as _, task);
        let execution = Arc::clone(execution);
        let job = move || {
            let doing = match catch_unwind(AssertUnwindSafe(body)) {
                Ok(None) => Doing::Ended,
                Ok(Some(message)) => Doing::Panicked(message),
                Err(payload) if payload.is::<Abort>() => Doing::Ended,
                Err(payload) => Doing::Panicked(seam::panic_message(&*payload)),
            };
            let mut table = execution.table();
            table.tasks[task.0].doing = doing;
            table.go_on_from(task);
        };
        Running { fiber: Fiber::with(Box::new(job)), me }
    }
}
