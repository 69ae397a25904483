//! The ways to go on at a point.

use super::super::{Target, TaskId};

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
    /// These tasks go on. What they are about to do, by task, is looked up only where it is asked for.
    Tasks(&'a [TaskId], &'a [Option<Target>]),
}

impl<'a> Alternatives<'a> {
    /// That these tasks go on; all accesses are given, by task.
    #[inline(always)]
    pub(in crate::engine) fn tasks(tasks: &'a [TaskId], accesses: &'a [Option<Target>]) -> Alternatives<'a> {
        Alternatives(Ways::Tasks(tasks, accesses))
    }

    /// How many there are.
    #[inline(always)]
    #[expect(clippy::len_without_is_empty, reason = "there is at least one at a point")]
    pub fn len(self) -> usize {
        match self.0 {
            Ways::Listed(alternatives) => alternatives.len(),
            Ways::Tasks(tasks, _) => tasks.len(),
        }
    }

    /// The tasks, if it is one of several that is chosen, and what each is about to do, by task. One that is
    /// [forced](super::Strategy::forced) is not listed so.
    #[inline(always)]
    pub(super) fn of_tasks(self) -> Option<(&'a [TaskId], &'a [Option<Target>])> {
        match self.0 {
            Ways::Listed(_) => None,
            Ways::Tasks(tasks, accesses) => Some((tasks, accesses)),
        }
    }

    /// The one of this index, if there are so many.
    #[inline(always)]
    pub fn get(self, index: usize) -> Option<Alternative> {
        match self.0 {
            Ways::Listed(alternatives) => alternatives.get(index).copied(),
            Ways::Tasks(tasks, accesses) => tasks.get(index).map(|task| Alternative {
                task: *task,
                branch: None,
                access: accesses[task.0],
            }),
        }
    }

    /// All of them, one after the other.
    #[inline(always)]
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
        let accesses: Vec<_> = (0..4).map(access).collect();
        let expected =
            [3, 0, 1].map(|task| Alternative { task: TaskId(task), branch: None, access: access(task) });
        let tasks = [3, 0, 1].map(TaskId);
        for all in [Alternatives::tasks(&tasks, &accesses), Alternatives::from(&expected[..])] {
            assert_eq!(all.iter().collect::<Vec<_>>(), expected);
            assert_eq!((all.len(), all.get(2), all.get(3)), (3, Some(expected[2]), None));
        }
    }
}
