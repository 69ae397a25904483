//! Points for the tests of strategies.

use super::{Alternative, Alternatives, Choosing, Point};
use crate::engine::fibers::Step;
use crate::engine::{Access, Target, TaskId, TaskSet};

/// Calls the closure with a point at which these tasks can go on, which are given in the order of their numbers.
pub(super) fn tasks<R>(tasks: &[usize], f: impl FnOnce(&Point<'_>) -> R) -> R {
    let tasks: Vec<_> = tasks.iter().map(|task| (*task, None)).collect();
    accesses(&tasks, f)
}

/// As [`tasks`], with what each is about to do.
pub(super) fn accesses<R>(tasks: &[(usize, Option<Target>)], f: impl FnOnce(&Point<'_>) -> R) -> R {
    let most = tasks.iter().map(|(task, _)| *task).max().unwrap_or_default();
    let mut all = vec![Access::default(); most + 1];
    tasks.iter().for_each(|(task, access)| all[*task] = Access::from(*access));
    let mut ready = TaskSet::default();
    tasks.iter().for_each(|(task, _)| ready.insert(TaskId(*task)));
    let alternatives = Alternatives::tasks(None, &ready, &all);
    f(&Point { kind: Choosing::Task, current: None, alternatives })
}

/// Calls the closure with a point at which task 0 can take that many branches.
pub(super) fn branches<R>(branches: u32, f: impl FnOnce(&Point<'_>) -> R) -> R {
    let alternative = |branch| Alternative { task: TaskId(0), branch: Some(branch), access: None };
    let alternatives: Vec<_> = (0..branches).map(alternative).collect();
    f(&Point {
        kind: Choosing::Branch,
        current: Some(TaskId(0)),
        alternatives: Alternatives::from(&alternatives[..]),
    })
}

/// A step of a task.
pub(super) fn step(task: usize, access: Option<Target>) -> Step {
    Step { task: TaskId(task), branch: None, access: access.into(), preempts: false, starts: 0 }
}
