use super::TaskId;

/// A set of tasks: a bit for each, of which the first 64 need no memory.
#[derive(Clone, Debug, Default)]
pub struct TaskSet {
    first: u64,
    /// The last of them is not 0.
    others: Vec<u64>,
}

/// Who can be chosen from a set.
pub(in crate::engine) enum Among {
    Nobody,
    /// This task alone.
    One(TaskId),
    Several,
}

impl TaskSet {
    #[inline(always)]
    pub(in crate::engine) fn insert(&mut self, task: TaskId) {
        match task.0 / 64 {
            0 => self.first |= bit(task),
            word => self.insert_other(word, task),
        }
    }

    #[inline(always)]
    pub(in crate::engine) fn remove(&mut self, task: TaskId) {
        match task.0 / 64 {
            0 => self.first &= !bit(task),
            word => self.remove_other(word, task),
        }
    }

    /// Inserts it, or removes it.
    #[inline]
    pub(in crate::engine) fn set(&mut self, task: TaskId, is_in: bool) {
        if is_in { self.insert(task) } else { self.remove(task) }
    }

    #[cold]
    fn insert_other(&mut self, word: usize, task: TaskId) {
        if self.others.len() < word {
            self.others.resize(word, 0);
        }
        self.others[word - 1] |= bit(task);
    }

    #[cold]
    fn remove_other(&mut self, word: usize, task: TaskId) {
        if let Some(bits) = self.others.get_mut(word - 1) {
            *bits &= !bit(task);
        }
        // So that a look at the length tells whether there is any.
        while self.others.last() == Some(&0) {
            self.others.pop();
        }
    }

    #[inline]
    pub(in crate::engine) fn clear(&mut self) {
        self.first = 0;
        self.others.clear();
    }

    /// Whether nobody is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first == 0 && self.others.is_empty()
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        let others = self.others.iter().map(|word| word.count_ones() as usize);
        self.first.count_ones() as usize + others.sum::<usize>()
    }

    /// Whether this task is in it.
    #[inline]
    pub fn contains(&self, task: TaskId) -> bool {
        let word = match task.0 / 64 {
            0 => self.first,
            word => self.others.get(word - 1).copied().unwrap_or_default(),
        };
        word & bit(task) != 0
    }

    /// Whether this task, which is in it, is the only one.
    pub(in crate::engine) fn is_only(&self, task: TaskId) -> bool {
        self.contains(task) && self.iter().nth(1).is_none()
    }

    /// The same, where none that there is has a number above 63.
    #[inline(always)]
    pub(in crate::engine) fn is_only_of_first(&self, task: TaskId) -> bool {
        debug_assert!(self.others.is_empty());
        self.first == bit(task)
    }

    /// Who can be chosen.
    #[inline(always)]
    pub(in crate::engine) fn among(&self) -> Among {
        match self.bits() {
            Some(0) => Among::Nobody,
            Some(bits) if bits & (bits - 1) == 0 => Among::One(TaskId(bits.trailing_zeros() as usize)),
            Some(_) => Among::Several,
            None => self.among_many(),
        }
    }

    #[cold]
    fn among_many(&self) -> Among {
        match (self.next(0), self.len()) {
            (None, _) => Among::Nobody,
            (Some(task), 1) => Among::One(task),
            _ => Among::Several,
        }
    }

    /// A bit for each, unless one has a number above 63.
    #[inline(always)]
    pub(in crate::engine) fn bits(&self) -> Option<u64> {
        self.others.is_empty().then_some(self.first)
    }

    /// Does this with each, in the order of their numbers.
    #[inline(always)]
    pub(in crate::engine) fn for_each(&self, mut f: impl FnMut(TaskId)) {
        let mut each = |word: usize, mut bits: u64| {
            while bits != 0 {
                f(TaskId(word * 64 + bits.trailing_zeros() as usize));
                bits &= bits - 1;
            }
        };
        each(0, self.first);
        (1..).zip(&self.others).for_each(|(word, bits)| each(word, *bits));
    }

    /// The one of this index, in the order of their numbers, but first that one, if it is given, which is in it.
    pub(in crate::engine) fn nth(&self, leader: Option<TaskId>, index: usize) -> Option<TaskId> {
        let others = self.iter().filter(|task| Some(*task) != leader);
        leader.into_iter().chain(others).nth(index)
    }

    /// One of them, of whom there is at least one, by what this makes of their number: an index as in [`nth`](TaskSet::nth).
    #[inline(always)]
    pub(in crate::engine) fn pick(
        &self,
        leader: Option<TaskId>,
        index: impl FnOnce(usize) -> usize,
    ) -> TaskId {
        let Some(bits) = self.bits() else { return self.pick_of_many(leader, index) };
        // Most sets are small, and many processors could not be told to count bits.
        let (mut left, mut len) = (bits & bits.wrapping_sub(1), 1);
        while left != 0 {
            left &= left - 1;
            len += 1;
        }
        let (mut left, mut index) = (bits, index(len));
        if let Some(leader) = leader {
            if index == 0 {
                return leader;
            }
            left &= !bit(leader);
            index -= 1;
        }
        while index > 0 && left != 0 {
            left &= left - 1;
            index -= 1;
        }
        TaskId(left.trailing_zeros() as usize)
    }

    #[cold]
    #[inline(never)]
    fn pick_of_many(&self, leader: Option<TaskId>, index: impl FnOnce(usize) -> usize) -> TaskId {
        self.nth(leader, index(self.len())).expect("the index is below their number")
    }

    /// The first of them from this number on.
    #[inline]
    pub(in crate::engine) fn next(&self, from: usize) -> Option<TaskId> {
        if self.others.is_empty() {
            let bits = self.first & u64::MAX.checked_shl(from as u32).unwrap_or_default();
            return (bits != 0).then(|| TaskId(bits.trailing_zeros() as usize));
        }
        self.next_of_many(from)
    }

    #[cold]
    fn next_of_many(&self, from: usize) -> Option<TaskId> {
        let mut left = u64::MAX.checked_shl(from as u32 % 64).unwrap_or_default();
        for word in from / 64..=self.others.len() {
            let bits = left & if word == 0 { self.first } else { self.others[word - 1] };
            if bits != 0 {
                return Some(TaskId(word * 64 + bits.trailing_zeros() as usize));
            }
            left = u64::MAX;
        }
        None
    }

    pub(in crate::engine) fn last(&self) -> Option<TaskId> {
        self.iter().last()
    }

    /// In the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = TaskId> {
        std::iter::successors(self.next(0), |task| self.next(task.0 + 1))
    }
}

fn bit(task: TaskId) -> u64 {
    1 << (task.0 % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_any_number_of_tasks_in_order() {
        let mut set = TaskSet::default();
        assert!(set.is_empty());
        for task in [130, 0, 63, 64, 5, 127] {
            set.insert(TaskId(task));
        }
        set.remove(TaskId(5));
        set.set(TaskId(300), false);
        assert_eq!(set.iter().map(|task| task.0).collect::<Vec<_>>(), [0, 63, 64, 127, 130]);
        assert_eq!((set.next(64), set.next(65)), (Some(TaskId(64)), Some(TaskId(127))));
        assert_eq!((set.last(), set.len()), (Some(TaskId(130)), 5));
        assert!(set.contains(TaskId(127)) && set.contains(TaskId(0)) && !set.contains(TaskId(5)));
        assert!(!set.contains(TaskId(1000)));
        let mut each = Vec::new();
        set.for_each(|task| each.push(task.0));
        assert_eq!(each, [0, 63, 64, 127, 130]);
        set.clear();
        assert!(set.is_empty() && set.next(0).is_none());
        set.insert(TaskId(3));
        assert!(set.is_only(TaskId(3)));
        set.insert(TaskId(4));
        assert!(!set.is_only(TaskId(3)));
    }

    #[test]
    fn a_task_of_any_number_can_be_the_only_one() {
        for task in [0, 6, 63, 64, 70, 200] {
            let mut set = TaskSet::default();
            set.insert(TaskId(task));
            assert!(set.is_only(TaskId(task)), "{task}");
            for other in [1, 7, 65, 300] {
                set.insert(TaskId(other));
                assert!(!set.is_only(TaskId(task)), "{task} and {other}");
                set.remove(TaskId(other));
            }
            assert!(set.is_only(TaskId(task)), "{task} again");
        }
    }

    #[test]
    fn one_of_them_is_picked_by_its_index() {
        for last in [9, 90] {
            let mut set = TaskSet::default();
            assert!(matches!(set.among(), Among::Nobody));
            set.insert(TaskId(last));
            assert!(matches!(set.among(), Among::One(TaskId(task)) if task == last));
            set.insert(TaskId(2));
            set.insert(TaskId(5));
            assert!(matches!(set.among(), Among::Several));
            for (leader, order) in [(None, [2, 5, last]), (Some(TaskId(5)), [5, 2, last])] {
                for (index, task) in order.into_iter().enumerate() {
                    let picked = set.pick(leader, |several| {
                        assert_eq!(several, 3);
                        index
                    });
                    assert_eq!((picked, set.nth(leader, index)), (TaskId(task), Some(TaskId(task))));
                }
                assert_eq!(set.nth(leader, 3), None);
            }
        }
    }
}
