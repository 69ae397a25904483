use super::super::{Access, TaskId};

/// One choice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The task that went on.
    pub task: TaskId,
    /// The branch it took, if it had several, or whom of several it woke; as in an
    /// [alternative](crate::engine::strategy::Alternative).
    pub branch: Option<u32>,
    /// What it was about to do, if that is known.
    pub access: Access,
    /// Whether another could have gone on in its place, and was; or whether its wait had timed out, which only waiting for
    /// others long enough can bring about.
    pub preempts: bool,
    /// How many tasks were started before the next one: by its task, or by the body once nobody could go on.
    pub starts: u32,
}

impl Step {
    /// A choice, and nothing known besides.
    pub(in crate::engine) fn new(task: TaskId, branch: Option<u32>) -> Step {
        Step { task, branch, access: Access::default(), preempts: false, starts: 0 }
    }

    /// What was chosen.
    pub fn choice(&self) -> (TaskId, Option<u32>) {
        (self.task, self.branch)
    }
}

/// How many preemptions there are among these choices: switches away from a task that could have gone on, and time-outs.
pub fn preemptions(steps: &[Step]) -> usize {
    steps.iter().filter(|step| step.preempts).count()
}
