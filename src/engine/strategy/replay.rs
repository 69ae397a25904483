use std::fmt;
use std::sync::Arc;

use super::super::fibers::Step;
use super::super::{Shared, Task, TaskId, name};
use super::{Alternative, Point, Strategy};
use crate::script::schedule::{self, Schedule, task_name};

/// Makes the choices of a schedule, strictly: one that does not fit is a [`Divergence`].
///
/// A schedule is a prefix: after its end, as after a divergence, it goes on with alternative 0. One that has choices left when
/// the execution has ended has diverged as well.
///
/// Clones share what they have seen: one of them is given to the engine, and another is asked afterwards.
#[derive(Clone, Debug)]
pub struct Replay(Arc<Shared<Following>>);

/// How far a schedule was followed.
#[derive(Debug)]
struct Following {
    schedule: Schedule,
    names: Names,
    /// The run of the schedule that is next, and how many choices of it were made.
    run: usize,
    times: u32,
    /// Whose run it is, if there is such a task; looked up when the run begins.
    task: Option<TaskId>,
    made: u64,
    divergence: Option<Divergence>,
}

/// Where an execution could not follow its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Which choice it was, counted from 1.
    pub at: u64,
    /// What the schedule says.
    pub expected: String,
    /// What could go on, in the words of a schedule; nothing, if the execution had ended.
    pub could: Vec<String>,
}

impl Replay {
    /// Follows that schedule.
    pub fn new(schedule: &Schedule) -> Replay {
        Replay(Arc::new(Shared::new(Following {
            schedule: schedule.clone(),
            names: Names::default(),
            run: 0,
            times: 0,
            task: None,
            made: 0,
            divergence: None,
        })))
    }

    /// Where the execution, which is over, diverged from the schedule, if it did.
    pub fn divergence(&self) -> Option<Divergence> {
        self.0.with(|following| following.divergence.clone().or_else(|| following.diverge(Vec::new())))
    }
}

impl Strategy for Replay {
    fn started(&mut self, _: TaskId, name: &str) {
        self.0.with(|following| following.names.add(name));
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.0.with(|following| following.choose(point))
    }
}

impl Following {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        if self.divergence.is_some() {
            return 0;
        }
        let Some(run) = self.schedule.steps().get(self.run) else { return 0 };
        if self.times == 0 {
            self.task = self.names.find(&run.task);
        }
        let is_expected = |alternative: &Alternative| {
            Some(alternative.task) == self.task && alternative.branch == run.branch
        };
        let Some(index) = point.alternatives.iter().position(is_expected) else {
            let could = point.alternatives.iter();
            let could = could.map(|alternative| self.names.choice(alternative.task, alternative.branch));
            self.divergence = self.diverge(could.collect());
            return 0;
        };
        self.made += 1;
        self.times += 1;
        if self.times == run.times {
            (self.run, self.times) = (self.run + 1, 0);
        }
        index
    }

    /// The divergence from the run that is next, if one is.
    fn diverge(&self, could: Vec<String>) -> Option<Divergence> {
        let run = self.schedule.steps().get(self.run)?;
        let expected = schedule::Step { times: 1, ..run.clone() }.to_string();
        Some(Divergence { at: self.made + 1, expected, could })
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Divergence { at, expected, could } = self;
        write!(f, "at sync point {at}: `{expected}` was expected, and ")?;
        match could.as_slice() {
            [] => write!(f, "the execution had ended"),
            could => write!(f, "`{}` could go on", could.join("`, `")),
        }
    }
}

/// The names of tasks in schedules, each of them a word, and no two the same.
#[derive(Debug, Default)]
struct Names(Vec<String>);

impl Names {
    /// Adds the next task.
    fn add(&mut self, name: &str) {
        let taken = |name: &str| self.0.iter().any(|other| other == name);
        let name = name::unique(Some(&task_name(name)), TaskId(self.0.len()), taken);
        self.0.push(name);
    }

    fn find(&self, name: &str) -> Option<TaskId> {
        self.0.iter().position(|other| other == name).map(TaskId)
    }

    /// A choice in the words of a schedule.
    fn choice(&self, task: TaskId, branch: Option<u32>) -> String {
        schedule::Step { task: self.0[task.0].clone(), branch, times: 1 }.to_string()
    }
}

/// The choices of an execution of these tasks as a schedule, which [`Replay`] makes again.
pub fn schedule_of(steps: &[Step], tasks: &[Task]) -> Schedule {
    let mut names = Names::default();
    tasks.iter().for_each(|task| names.add(&task.name));
    let mut schedule = Schedule::default();
    let same = |one: &Step, other: &Step| (one.task, one.branch) == (other.task, other.branch);
    for run in steps.chunk_by(same) {
        let Step { task, branch, .. } = run[0];
        let times = u32::try_from(run.len()).unwrap_or(u32::MAX);
        schedule.push(schedule::Step { task: names.0[task.0].clone(), branch, times });
    }
    schedule
}
