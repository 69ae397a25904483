use super::schedule::{Names, Schedule, Step};
use super::{Divergence, TaskId};

/// How far a schedule was followed.
#[derive(Debug)]
pub(super) struct Following {
    schedule: Schedule,
    names: Names,
    /// The run of the schedule that is next, and how many choices of it were made.
    run: usize,
    times: u32,
    made: u64,
}

impl Following {
    pub(super) fn new(schedule: &Schedule) -> Following {
        Following { schedule: schedule.clone(), names: Names::default(), run: 0, times: 0, made: 0 }
    }

    /// Notes the name of the next task.
    pub(super) fn started(&mut self, name: &str) {
        self.names.add(name);
    }

    fn run(&self) -> Option<&Step> {
        self.schedule.steps().get(self.run)
    }

    /// Whether all of its choices were made.
    pub(super) fn is_over(&self) -> bool {
        self.run().is_none()
    }

    /// The choice that comes next, if there is one and there is such a task.
    pub(super) fn next(&self) -> Option<(TaskId, Option<u32>)> {
        let run = self.run()?;
        Some((self.names.find(&run.task)?, run.branch))
    }

    /// Notes that it was made, or after the end that any was.
    pub(super) fn advance(&mut self) {
        self.made += 1;
        self.times += 1;
        if self.run().is_none_or(|run| self.times == run.times) {
            (self.run, self.times) = (self.run + 1, 0);
        }
    }

    /// The divergence from what comes next, where it is these that could go on.
    pub(super) fn diverge(&self, could: impl IntoIterator<Item = (TaskId, Option<u32>)>) -> Divergence {
        let expected = self.run().map(|run| Step { times: 1, ..run.clone() }.to_string());
        let could = could.into_iter().map(|(task, branch)| self.names.choice(task, branch)).collect();
        Divergence { at: self.made + 1, expected, could }
    }
}
