//! The ways to go on at a point.

use super::super::{Access, Target, TaskId, TaskSet};

/// A way to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The task that goes on.
    pub task: TaskId,
    /// The branch it takes, or the place of whom it wakes among those that wait, the one that has waited longest first;
    /// if that is what is chosen.
    pub branch: Option<u32>,
    /// What it is about to do, if that is known.
    pub access: Option<Target>,
}

/// The ways to go on at a point.
#[derive(Clone, Copy, Debug)]
pub struct Alternatives<'a>(Ways<'a>);

#[derive(Clone, Copy, Debug)]
enum Ways<'a> {
    /// These.
    Listed(&'a [Alternative]),
    /// One of these tasks goes on. What they are about to do, by task, is looked up only where it is asked for.
    Tasks { current: Option<TaskId>, ready: &'a TaskSet, accesses: &'a [Access] },
}

impl<'a> Alternatives<'a> {
    /// That one of these tasks goes on, of which the current one comes first; all accesses are given, by task.
    pub(in crate::engine) fn tasks(
        current: Option<TaskId>,
        ready: &'a TaskSet,
        accesses: &'a [Access],
    ) -> Alternatives<'a> {
        Alternatives(Ways::Tasks { current, ready, accesses })
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one at a point")]
    pub fn len(self) -> usize {
        match self.0 {
            Ways::Listed(alternatives) => alternatives.len(),
            Ways::Tasks { ready, .. } => ready.len(),
        }
    }

    /// The tasks, if it is one of several that is chosen, and what each is about to do, by task. One that is
    /// [forced](super::Strategy::forced) is not listed so.
    pub(super) fn of_tasks(self) -> Option<(&'a TaskSet, &'a [Access])> {
        match self.0 {
            Ways::Listed(_) => None,
            Ways::Tasks { ready, accesses, .. } => Some((ready, accesses)),
        }
    }

    /// The one of this index, if there are so many.
    pub fn get(self, index: usize) -> Option<Alternative> {
        match self.0 {
            Ways::Listed(alternatives) => alternatives.get(index).copied(),
            Ways::Tasks { current, ready, accesses } => ready.nth(current, index).map(|task| Alternative {
                task,
                branch: None,
                access: accesses[task.0].target(),
            }),
        }
    }

    /// The index of the first that this task takes; 0 if there is none.
    pub(super) fn index_of(self, task: TaskId) -> usize {
        self.iter().position(|alternative| alternative.task == task).unwrap_or_default()
    }

    /// All of them, one after the other.
    pub fn iter(self) -> impl Iterator<Item = Alternative> + Clone + use<'a> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

impl<'a> From<&'a [Alternative]> for Alternatives<'a> {
    fn from(alternatives: &'a [Alternative]) -> Alternatives<'a> {
        Alternatives(Ways::Listed(alternatives))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ObjectId;

    #[test]
    fn tasks_are_listed_with_what_they_are_about_to_do() {
        let access = |task| Some(Target::Recv(ObjectId(task)));
        let accesses: Vec<_> = (0..100).map(access).map(Access::from).collect();
        let alternative = |task: &TaskId| Alternative { task: *task, branch: None, access: access(task.0) };
        for last in [4, 80] {
            let tasks = [3, 0, 1, last].map(TaskId);
            let expected = tasks.each_ref().map(alternative);
            let mut ready = TaskSet::default();
            tasks.iter().for_each(|task| ready.insert(*task));
            let tasks = Alternatives::tasks(Some(TaskId(3)), &ready, &accesses);
            for all in [tasks, Alternatives::from(&expected[..])] {
                assert_eq!(all.iter().collect::<Vec<_>>(), expected);
                assert_eq!((all.len(), all.get(3), all.get(4)), (4, Some(expected[3]), None));
                assert_eq!(all.index_of(TaskId(last)), 3);
            }
            let by_number = Alternatives::tasks(None, &ready, &accesses);
            let by_number: Vec<_> = by_number.iter().map(|alternative| alternative.task.0).collect();
            assert_eq!(by_number, [0, 1, 3, last]);
        }
    }
}
