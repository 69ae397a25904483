//! Schedules: the choices made at the sync points of one execution, as tasks by name.

use std::fmt;

use super::fibers;
use super::{Task, TaskId, name};

/// What goes between a task's name and its branch, between these and a run's length, and before a
/// comment.
const MARKS: [char; 3] = ['/', '*', '#'];

/// Who went on at each sync point of an execution, run-length encoded.
///
/// As text, `setup*2 lane0 lane1/1*3`: two steps of `setup`, one of `lane0`, and three of `lane1` that took the
/// second branch of a select. Whom a notification wakes is written as a branch as well, of the task that notifies, where
/// several wait: `lane1/0` wakes the one that has waited longest. The encoding is canonical: equal schedules have equal
/// texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schedule {
    steps: Vec<Step>,
}

/// A run of equal choices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The task that goes on, by its [name in schedules](task_name).
    pub task: String,
    /// The branch it takes, if it is at a select, or the place of whom it wakes among those that wait for its notification;
    /// counted from 0.
    pub branch: Option<u32>,
    /// How many times in a row; at least 1.
    pub times: u32,
}

impl Schedule {
    /// The runs, in order; no two neighbours are of the same task and branch.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Adds a run at the end, which makes the last one longer if it is of the same task and branch. A run of
    /// no times adds nothing.
    pub fn push(&mut self, step: Step) {
        let step = Step { task: task_name(&step.task), ..step };
        if step.times == 0 {
            return;
        }
        match self.steps.last_mut() {
            // A run too long for its counter goes on as a second one.
            Some(last) if (&last.task, last.branch) == (&step.task, step.branch) => {
                let times = u64::from(last.times) + u64::from(step.times);
                last.times = u32::try_from(times).unwrap_or(u32::MAX);
                let rest = times - u64::from(last.times);
                if rest > 0 {
                    self.steps.push(Step { times: rest as u32, ..step });
                }
            }
            _ => self.steps.push(step),
        }
    }
}

/// A task's name as schedules write it: what would not be one word of text (spaces, controls, `/`, `*`, `#`)
/// becomes `_`, and so does a name that is empty.
pub fn task_name(name: &str) -> String {
    if name.is_empty() {
        return "_".to_owned();
    }
    name.chars().map(|c| if is_name_char(c) { c } else { '_' }).collect()
}

fn is_name_char(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !MARKS.contains(&c)
}

impl Step {
    /// Reads `lane0`, `lane0*3`, `lane0/1` or `lane0/1*3`; nothing else.
    pub(crate) fn parse(word: &str) -> Option<Step> {
        let (choice, times) = match word.split_once('*') {
            Some((choice, times)) => (choice, number(times)?),
            None => (word, 1),
        };
        let (task, branch) = match choice.split_once('/') {
            Some((task, branch)) => (task, Some(number(branch)?)),
            None => (choice, None),
        };
        let named = !task.is_empty() && task.chars().all(is_name_char);
        (named && times > 0).then(|| Step { task: task.to_owned(), branch, times })
    }
}

/// A number in digits alone.
fn number(word: &str) -> Option<u32> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.task)?;
        if let Some(branch) = self.branch {
            write!(f, "/{branch}")?;
        }
        if self.times > 1 {
            write!(f, "*{}", self.times)?;
        }
        Ok(())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{step}")?;
        }
        Ok(())
    }
}

/// The names of tasks in schedules, each of them a word, and no two the same.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// Adds the next task.
    pub(super) fn add(&mut self, name: &str) {
        let taken = |name: &str| self.0.iter().any(|other| other == name);
        let name = name::unique(Some(&task_name(name)), TaskId(self.0.len()), taken);
        self.0.push(name);
    }

    pub(super) fn find(&self, name: &str) -> Option<TaskId> {
        self.0.iter().position(|other| other == name).map(TaskId)
    }

    /// A choice in the words of a schedule.
    pub(super) fn choice(&self, task: TaskId, branch: Option<u32>) -> String {
        Step { task: self.0[task.0].clone(), branch, times: 1 }.to_string()
    }
}

/// The choices of an execution of these tasks as a schedule: the same body does the same again if it is followed.
pub fn schedule_of(steps: &[fibers::Step], tasks: &[Task]) -> Schedule {
    let mut names = Names::default();
    tasks.iter().for_each(|task| names.add(&task.name));
    let mut schedule = Schedule::default();
    let same = |one: &fibers::Step, other: &fibers::Step| one.choice() == other.choice();
    for run in steps.chunk_by(same) {
        let (task, branch) = run[0].choice();
        let times = u32::try_from(run.len()).unwrap_or(u32::MAX);
        schedule.push(Step { task: names.0[task.0].clone(), branch, times });
    }
    schedule
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(task: &str, branch: Option<u32>, times: u32) -> Step {
        Step { task: task.to_owned(), branch, times }
    }

    #[test]
    fn equal_neighbours_become_one_run() {
        let mut schedule = Schedule::default();
        for next in [
            step("setup", None, 1),
            step("setup", None, 1),
            step("lane0", None, 0),
            step("lane0", Some(0), 1),
            step("lane0", Some(1), 2),
            step("lane0", Some(1), 1),
            step("lane0", None, 1),
        ] {
            schedule.push(next);
        }
        assert_eq!(schedule.to_string(), "setup*2 lane0/0 lane0/1*3 lane0");
    }

    #[test]
    fn a_run_too_long_for_its_counter_is_split_and_loses_nothing() {
        let mut schedule = Schedule::default();
        schedule.push(step("a", None, u32::MAX - 1));
        schedule.push(step("a", None, 3));
        assert_eq!(schedule.steps(), [step("a", None, u32::MAX), step("a", None, 2)]);
    }

    #[test]
    fn any_name_becomes_a_word() {
        assert_eq!(task_name("my worker #1*2/3\n"), "my_worker__1_2_3_");
        assert_eq!(task_name(""), "_");
        assert_eq!(task_name("dispatcher"), "dispatcher");
    }

    #[test]
    fn only_whole_steps_are_read() {
        assert_eq!(Step::parse("lane0/1*3"), Some(step("lane0", Some(1), 3)));
        assert_eq!(Step::parse("lane0*1"), Some(step("lane0", None, 1)));
        for word in
            ["", "*2", "/1", "a*", "a*0", "a*+2", "a/", "a/-1", "a*2/1", "a/1/2", "a*4294967296", "a*2*2"]
        {
            assert_eq!(Step::parse(word), None, "{word}");
        }
    }
}
