use super::super::TaskId;

/// How many tasks need no memory.
const FIRST: usize = u64::BITS as usize;

/// Memory for a list of tasks.
pub(super) struct List(Vec<TaskId>);

impl Default for List {
    fn default() -> List {
        List(vec![TaskId(0); FIRST])
    }
}

/// A set of tasks: a bit for each, of which the first 64 need no memory.
#[derive(Default)]
pub(super) struct TaskSet {
    first: u64,
    /// The last of them is not 0.
    others: Vec<u64>,
}

impl TaskSet {
    #[inline(always)]
    pub(super) fn insert(&mut self, task: TaskId) {
        match task.0 / 64 {
            0 => self.first |= bit(task),
            word => self.insert_other(word, task),
        }
    }

    #[inline(always)]
    pub(super) fn remove(&mut self, task: TaskId) {
        match task.0 / 64 {
            0 => self.first &= !bit(task),
            word => self.remove_other(word, task),
        }
    }

    /// Whether it is in it.
    pub(super) fn contains(&self, task: TaskId) -> bool {
        self.next(task.0) == Some(task)
    }

    /// Inserts it, or removes it.
    #[inline]
    pub(super) fn set(&mut self, task: TaskId, is_in: bool) {
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
    pub(super) fn clear(&mut self) {
        self.first = 0;
        self.others.clear();
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == 0 && self.others.is_empty()
    }

    /// Whether this task, which is in it, is the only one.
    #[inline(always)]
    pub(super) fn is_only(&self, task: TaskId) -> bool {
        self.first == bit(task) && self.others.is_empty()
    }

    /// Does this with each, in the order of their numbers.
    #[inline(always)]
    pub(super) fn for_each(&self, mut f: impl FnMut(TaskId)) {
        let mut each = |word: usize, mut bits: u64| {
            while bits != 0 {
                f(TaskId(word * 64 + bits.trailing_zeros() as usize));
                bits &= bits - 1;
            }
        };
        each(0, self.first);
        (1..).zip(&self.others).for_each(|(word, bits)| each(word, *bits));
    }

    /// The first of them from this number on.
    #[inline]
    pub(super) fn next(&self, from: usize) -> Option<TaskId> {
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

    /// All of them in the order of their numbers, but first that one, which is in it.
    #[inline(always)]
    pub(super) fn list<'a>(&self, leader: Option<TaskId>, memory: &'a mut List) -> &'a [TaskId] {
        if !self.others.is_empty() {
            return self.list_many(leader, memory);
        }
        let (list, mut length, mut bits) = (&mut memory.0[..FIRST], 0, self.first);
        if let Some(leader) = leader {
            (list[0], length) = (leader, 1);
            bits &= !bit(leader);
        }
        while bits != 0 {
            list[length] = TaskId(bits.trailing_zeros() as usize);
            length += 1;
            bits &= bits - 1;
        }
        &list[..length]
    }

    #[cold]
    fn list_many<'a>(&self, leader: Option<TaskId>, memory: &'a mut List) -> &'a [TaskId] {
        let others = self.iter().filter(|task| Some(*task) != leader);
        let all: Vec<TaskId> = leader.into_iter().chain(others).collect();
        memory.0.resize(all.len().max(FIRST), TaskId(0));
        memory.0[..all.len()].copy_from_slice(&all);
        &memory.0[..all.len()]
    }

    pub(super) fn last(&self) -> Option<TaskId> {
        self.iter().last()
    }

    /// In the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = TaskId> {
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
        assert_eq!(set.last(), Some(TaskId(130)));
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
}
