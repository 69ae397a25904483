//! The engine of fibers: each task a stackful coroutine, one running at a time, every sync point a choice.
//!
//! It is deterministic: the same body under the same choices does the same, always. Deadlock is seen at once, for nobody
//! can go on; time is virtual and passes only when nobody can. What never comes to rest is ended by a limit of sync
//! points.
//!
//! A sync point is where a task begins to send, receive or select, to take or look at a lock or a channel, to wait or notify, to
//! access an atomic, to start or join a task, to yield or sleep. The release of a lock, the clone or drop of a handle and a look at
//! the clock are none: nobody comes between them and what the task did before.
//!
//! The subject's code is the same compiled code that runs on threads. Channels are modelled. Locks are the native ones, which
//! are never waited for: a mutex is taken where the books say that it is free, the others are tried.
//!
//! All that an execution needs is kept by its thread for the next one: stacks, tables and lists cost nothing after the
//! first. What an operation does to the table is one function until its task first gives way, and one for each time that it
//! goes on (`operations`, `children`); only the switch between them is compiled into whoever calls it, for after a switch
//! the processor takes each return for another than it is.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread::Result;

use super::last_words::Unwinding;
use super::stack::Album;
use super::strategy::Strategy;
use super::trace::Trace;
use super::{After, Body, End, Job, Next, Quiescence, Run, Stacks, State, TaskId};
use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{self, Value};

mod children;
mod choices;
mod execution;
mod fiber;
mod operations;
mod passing;
mod readiness;
mod recorder;
mod recycled;
mod step;
mod table;
mod task;
mod timers;
mod waits;

use children::New;
use execution::{put, table};
use fiber::{Ask, Fiber, Running, Way};
use recorder::Recorder;
pub(crate) use table::Table;
use task::Doing;

pub(crate) use children::{claim, has_ended, join, spawn};
pub(crate) use execution::{
    Fibers, abandon, add_object, change, look, new_queue, note, own, release, remove_handle,
};
pub(crate) use operations::{Limit, Odd, lock, pass, pass_after_point};
pub(crate) use passing::{Operation, Passage};
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
    with_engine(|engine| {
        let end = engine.run(&body, strategy, most_points);
        engine.traced(end)
    })
}

/// Runs the body once, as [`run`] does, and writes down all that it does. It does the same.
pub fn record(body: Arc<dyn Body>, strategy: Box<dyn Strategy>, most_points: u64) -> (Traced, Trace) {
    with_engine(|engine| {
        let album = Arc::<Album>::default();
        let _open = album.open();
        let mut recording = (Some(Recorder::new(Arc::clone(&body), album)), Trace::default());
        let end = engine.run_recorded(&body, strategy, most_points, Some(&mut recording));
        (engine.traced(end), recording.1)
    })
}

/// What writes down all that an execution does, until it is over; and then all that it did.
type Recording = (Option<Recorder>, Trace);

/// Uses an engine that the calling thread keeps.
pub(crate) fn with_engine<R>(f: impl FnOnce(&mut Engine) -> R) -> R {
    thread_local! {
        /// Several, where executions run others.
        static IDLE: RefCell<Vec<Engine>> = const { RefCell::new(Vec::new()) };
    }
    let mut engine = IDLE.with_borrow_mut(Vec::pop).unwrap_or_default();
    let result = f(&mut engine);
    IDLE.with_borrow_mut(|idle| idle.push(engine));
    result
}

/// Runs one execution after the other, in the memory of the one before.
#[derive(Default)]
pub(crate) struct Engine {
    table: Option<Box<Table>>,
    /// By task. None is in the middle of one between executions.
    fibers: Vec<Fiber>,
    state: Option<State>,
    forgotten: usize,
}

/// The most fibers that an engine keeps.
const MOST_KEPT: usize = 256;

impl Engine {
    /// Runs the body once, and says how it ended. What else is known of the execution can be asked until the next.
    pub(crate) fn run(&mut self, body: &Arc<dyn Body>, strategy: Box<dyn Strategy>, most_points: u64) -> End {
        self.run_recorded(body, strategy, most_points, None)
    }

    fn run_recorded(
        &mut self,
        body: &Arc<dyn Body>,
        strategy: Box<dyn Strategy>,
        most_points: u64,
        recording: Option<&mut Recording>,
    ) -> End {
        super::quiet_panics();
        let id = seam::Turn::next_execution();
        let mut own = self.table.take().unwrap_or_default();
        let (recorder, trace) = recording.map(|(recorder, trace)| (recorder.take(), trace)).unzip();
        own.renew(id, strategy, most_points, recorder.flatten().map(Box::new));
        let before = Before {
            table: put(Some(own)),
            turn: seam::Turn::current(),
            _writes: footprint::Another::begin(),
        };
        seam::Turn::default().begin();
        let end = self.go(id, body, trace);
        table(Table::forget_outcomes);
        self.table = put(None);
        drop(before);
        self.fibers.truncate(MOST_KEPT);
        end
    }

    fn go(&mut self, id: NonZeroU64, body: &Arc<dyn Body>, trace: Option<&mut Trace>) -> End {
        (self.state, self.forgotten) = (None, 0);
        start(Arc::clone(body).first());
        let end = loop {
            let mut next = table(Table::begin);
            let running = Running::begin(Ask::GoOn);
            while let Some(task) = next {
                next = self.resume(&running, id, task);
            }
            drop(running);
            footprint::touch(Place::Rest, What::Rests);
            seam::Turn::default().begin();
            let (exhausted, alive, blocked) = table(|table| {
                table.rest();
                (table.is_exhausted(), table.alive > 0, table.is_anyone_blocked())
            });
            if exhausted {
                break End::Exhausted;
            }
            if !alive && body.ends_with_its_tasks() {
                break End::Finished;
            }
            let state = || table(Table::state);
            let is_blocked = |task| table(|table| table.is_blocked(task));
            let quiescence = Quiescence::new(blocked, &is_blocked, &state);
            match Arc::clone(body).quiescent(&quiescence) {
                Next::Start(jobs) => jobs.into_iter().for_each(start),
                Next::End => break if alive { End::Quiescent } else { End::Finished },
            }
        };
        let after = body.over();
        if let Some(trace) = trace {
            *trace = self.recorded(id);
        }
        if end != End::Finished {
            self.state = Some(table(Table::state));
            if after == After::Unwind {
                let _unwinding = Unwinding::of(id.get(), body);
                self.unwind(id);
                let body = Arc::clone(body);
                start(Job::new("unwound", move || body.unwound()));
                self.unwind(id);
            }
            self.forget();
        }
        end
    }

    /// What was written down, with the stacks of all tasks that have not ended.
    fn recorded(&mut self, id: NonZeroU64) -> Trace {
        let running = Running::begin(Ask::Stack);
        for task in table(|table| table.started()) {
            self.resume(&running, id, task);
        }
        drop(running);
        seam::Turn::default().begin();
        table(|table| {
            let recorder = table.recorder.take().expect("what is recorded has a recorder");
            recorder.finish(&table.state())
        })
    }

    /// Unwinds all tasks, as far as they can be.
    fn unwind(&mut self, id: NonZeroU64) {
        table(Table::end_all);
        let running = Running::begin(Ask::Unwind);
        while let Some(task) = table(Table::next_to_unwind) {
            self.resume(&running, id, task);
        }
        drop(running);
        seam::Turn::default().begin();
    }

    /// Gives up what tasks that will never end have, on their fibers or, if they were never started, as what they should have
    /// run: it may borrow from the others, or use objects, and outlives neither.
    fn forget(&mut self) {
        let started = table(|table| table.started());
        self.forgotten = started.len() + table(Table::forget_bodies);
        // The last comes first: what then takes its place is idle.
        started.into_iter().rev().for_each(|task| drop(self.fibers.swap_remove(task.0)));
    }

    /// Lets a task go on until it gives way; says who is to go on then.
    #[inline(always)]
    fn resume(&mut self, running: &Running, id: NonZeroU64, task: TaskId) -> Option<TaskId> {
        let fiber = match self.fibers.get_mut(task.0) {
            Some(fiber) => fiber,
            None => self.add_fibers(task),
        };
        seam::Me { execution: id, task }.begin();
        fiber.resume(running)
    }

    /// Adds fibers for all tasks up to this one, and gives its own.
    #[cold]
    fn add_fibers(&mut self, task: TaskId) -> &mut Fiber {
        self.fibers.resize_with(task.0 + 1, || Fiber::new(do_current));
        &mut self.fibers[task.0]
    }

    /// The execution, ended like that, and the choices that were made.
    pub(crate) fn traced(&mut self, end: End) -> Traced {
        let (state, sync_points) = (self.take_state(), self.sync_points());
        let run = Run { end, state, sync_points, forgotten: self.forgotten, stacks: Stacks::default() };
        Traced { run, steps: self.steps().to_vec() }
    }

    /// The strategy of the last execution.
    pub(crate) fn take_strategy(&mut self) -> Option<Box<dyn Strategy>> {
        self.table.as_mut().map(|table| table.take_strategy())
    }

    /// Who went on at each point.
    pub(crate) fn steps(&self) -> &[Step] {
        self.table.as_ref().map_or(&[], |table| &table.steps)
    }

    /// How many sync points were passed.
    pub(crate) fn sync_points(&self) -> u64 {
        self.table.as_ref().map_or(0, |table| table.points)
    }

    /// Whether any task has panicked; not while it was unwound, where a channel that is found closed may well do that.
    pub(crate) fn has_anyone_panicked(&self) -> bool {
        self.table.as_ref().is_some_and(|table| table.has_panicked)
    }

    /// The state at the last quiescence, or when there were too many sync points.
    pub(crate) fn take_state(&mut self) -> State {
        // Where all tasks have ended nothing has changed since.
        let state = self.state.take().or_else(|| Some(self.table.as_mut()?.state()));
        state.unwrap_or_default()
    }
}

/// What the calling thread was in the middle of, and is again when this is dropped.
struct Before {
    table: Option<Box<Table>>,
    turn: seam::Turn,
    _writes: footprint::Another,
}

impl Drop for Before {
    fn drop(&mut self) {
        put(self.table.take());
        self.turn.begin();
    }
}

/// Adds a task of the body's.
fn start(job: Job) {
    table(|table| table.add(New { given: Some(job.name), body: job.body }));
}

/// What a fiber does: the current task, to its end. Says who is to go on then.
fn do_current() -> Way {
    seam::Unwound::default().begin();
    let me = seam::me().expect("a fiber is resumed as a task").task;
    let body = table(|table| table.tasks[me.0].body.take()).expect("a task is started once");
    let result = seam::run(body);
    let ended = match result {
        Ok(value) => table(|table| match table.tasks[me.0].outcome.leave(Ok(value)) {
            None => Ok(table.end(me, Doing::Ended)),
            Some(unwanted) => Err(unwanted),
        }),
        Err(payload) => Err(Err(payload)),
    };
    ended.unwrap_or_else(|result| end_oddly(me, result))
}

/// Ends a task that has panicked or was unwound, or whose value nobody wants. Says who is to go on then.
#[cold]
fn end_oddly(me: TaskId, result: Result<Value>) -> Way {
    let panic = seam::leave(result, |result| table(|table| table.tasks[me.0].outcome.leave(result)));
    table(|table| match panic {
        None => table.end(me, Doing::Ended),
        Some(message) => table.panic(me, message),
    })
}
