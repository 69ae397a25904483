use super::super::fibers::Step;
use super::super::{ObjectId, TaskId};

/// How many tasks are told apart by estimates; those of higher numbers share their places.
pub(super) const TASKS: usize = 16;

/// What an execution is expected to be like, learned from an earlier one of the same body.
///
/// They only guide: a strategy that is given wrong ones finds less, and is as valid.
#[derive(Clone, Debug, Default)]
pub struct Estimates {
    /// How many choices of a task there are.
    pub(super) length: u32,
    /// How many of them are each task's.
    pub(super) tasks: [u32; TASKS],
    /// And how many of each task's, of those that it starts, and of those that they start.
    pub(super) families: [u32; TASKS],
    pub(super) parents: Parents,
    /// A bit for each place at which there are any.
    pub(super) places: u16,
    /// The objects that more than one task uses.
    pub(super) shared: Vec<Uses>,
    /// All others. Kept only for their memory.
    private: Vec<Uses>,
}

/// How often each task uses an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uses {
    pub(super) object: ObjectId,
    pub(super) tasks: [u32; TASKS],
    /// A bit for each that does.
    users: u16,
}

/// The place of who starts each of the first tasks, four bits for each; its own where nobody does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parents(u64);

impl Default for Parents {
    fn default() -> Parents {
        Parents(0xfedc_ba98_7654_3210)
    }
}

impl Parents {
    #[inline(always)]
    pub(super) fn of(self, place: usize) -> usize {
        (self.0 >> (4 * place) & 0xf) as usize
    }

    /// That of the task of this number is at that place.
    fn set(&mut self, task: usize, place: usize) {
        if task < TASKS {
            self.0 ^= ((self.of(task) ^ place) as u64) << (4 * task);
        }
    }
}

/// The place of a task among the estimates.
pub(super) fn place(task: TaskId) -> usize {
    task.0 % TASKS
}

impl Estimates {
    /// Learns from the choices of an execution; what was learned before is forgotten.
    pub fn learn(&mut self, steps: &[Step]) {
        let mut uses = std::mem::take(&mut self.private);
        uses.clear();
        (self.length, self.tasks) = (0, [0; TASKS]);
        self.parents = Parents::default();
        // Nobody starts the first.
        let mut started = 1;
        for step in steps {
            for _ in 0..step.starts {
                self.parents.set(started, place(step.task));
                started += 1;
            }
            if step.branch.is_some() {
                // Which one a task takes, and whom it wakes, is drawn, and strategies do not count it.
                continue;
            }
            self.length += 1;
            self.tasks[place(step.task)] += 1;
            if let Some(object) = step.access.object() {
                for index in uses.len()..object.0 + 1 {
                    uses.push(Uses { object: ObjectId(index), tasks: [0; TASKS], users: 0 });
                }
                let (uses, place) = (&mut uses[object.0], place(step.task));
                uses.tasks[place] += 1;
                uses.users |= 1 << place;
            }
        }
        self.families = self.tasks;
        // Whoever starts a task has a lower number.
        for task in (1..started.min(TASKS)).rev() {
            self.families[self.parents.of(task)] += self.families[task];
        }
        self.places = 0;
        for (place, choices) in self.tasks.iter().enumerate() {
            self.places |= u16::from(*choices > 0) << place;
        }
        let is_shared = |uses: &&Uses| !uses.users.is_power_of_two() && uses.users > 0;
        self.shared.clear();
        self.shared.extend(uses.iter().filter(is_shared));
        self.private = uses;
    }

    /// The place of this index among those at which there are choices.
    pub(super) fn place(&self, index: u32) -> usize {
        let mut left = self.places;
        for _ in 0..index {
            left &= left.wrapping_sub(1);
        }
        left.trailing_zeros() as usize
    }

    /// After how many choices a strategy that can starve a task must not any more: a task that spins until another has
    /// done its part would otherwise never end.
    pub(super) fn patience(&self) -> u32 {
        1000 + self.length.saturating_mul(4)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::step;
    use super::*;
    use crate::engine::Target;

    #[test]
    fn they_know_length_tasks_and_the_objects_that_tasks_share() {
        let (lock, own) = (ObjectId(3), ObjectId(1));
        let first = [
            step(0, Some(Target::Lock(lock))),
            step(0, Some(Target::Lock(own))),
            step(0, None),
            step(1, Some(Target::Lock(lock))),
            step(0, Some(Target::Lock(lock))),
        ];
        let mut estimates = Estimates::default();
        for _ in 0..2 {
            estimates.learn(&first);
            assert_eq!((estimates.length, &estimates.tasks[..3]), (5, &[4, 1, 0][..]));
            let shared: Vec<_> =
                estimates.shared.iter().map(|uses| (uses.object, uses.tasks[0], uses.tasks[1])).collect();
            assert_eq!(shared, [(lock, 2, 1)]);
        }
        estimates.learn(&first[..1]);
        assert_eq!(
            (estimates.length, estimates.shared.len()),
            (1, 0),
            "what was learned before is forgotten"
        );
        estimates.learn(&[step(TASKS + 2, None)]);
        assert_eq!(estimates.tasks[2], 1, "tasks of high numbers share places");
    }

    #[test]
    fn they_know_families() {
        let starting = |task, starts| Step { starts, ..step(task, None) };
        let mut estimates = Estimates::default();
        let steps =
            [starting(0, 1), starting(1, 2), step(3, None), step(0, None), starting(2, 1), step(4, None)];
        estimates.learn(&steps);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|task| estimates.parents.of(task)), [0, 0, 1, 1, 2, 5]);
        assert_eq!(estimates.families[..6], [6, 4, 2, 1, 1, 0]);
        estimates.learn(&[starting(0, 20), step(TASKS + 3, None)]);
        assert_eq!(
            (estimates.parents.of(TASKS - 1), estimates.families[0]),
            (0, 2),
            "of as many as there are"
        );
        estimates.learn(&steps[3..4]);
        assert_eq!((estimates.parents.of(1), estimates.families[0]), (1, 1), "they are forgotten");
    }
}
