//! How a schedule does not fit.

use std::error::Error;
use std::fmt;

use super::super::fibers::Step;
use super::super::{State, TaskId};

/// Where an execution and its schedule part.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// How many steps were taken before.
    pub at: usize,
    /// The step that comes next in the schedule; `None` if it is over.
    pub expected: Option<Step>,
    /// The steps that could have been taken; none if only the schedule goes on.
    pub possible: Vec<Step>,
    /// The tasks and objects, as they were.
    pub state: State,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |step: &Step| {
            let TaskId(task) = step.task;
            let name =
                self.state.tasks.get(task).map_or_else(|| format!("task {task}"), |task| task.name.clone());
            step.branch.map_or(name.clone(), |branch| format!("{name}/{branch}"))
        };
        let expected = self.expected.as_ref().map_or_else(|| "the end".to_owned(), name);
        let possible: Vec<String> = self.possible.iter().map(name).collect();
        let possible = if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") };
        write!(f, "after {} steps: expected {expected}, could run: {possible}", self.at)
    }
}

impl Error for Divergence {}
