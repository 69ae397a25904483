use std::ops::{Deref, DerefMut, Index, IndexMut};

/// A list whose entries keep their memory when it is cleared, for those that are added next.
pub(super) struct Recycled<T> {
    entries: Vec<T>,
    used: usize,
}

impl<T> Default for Recycled<T> {
    fn default() -> Recycled<T> {
        Recycled { entries: Vec::new(), used: 0 }
    }
}

impl<T> Recycled<T> {
    /// Clears the list.
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// Adds an entry, which may be an old one to be made anew.
    #[inline]
    pub(super) fn add(&mut self, new: impl FnOnce() -> T) -> &mut T {
        let index = self.used;
        if index == self.entries.len() {
            self.grow(new);
        }
        self.used = index + 1;
        &mut self.entries[index]
    }

    /// How many there are; that of the slice would have it checked first.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// The entry of a number, if it was ever given out.
    #[inline(always)]
    pub(super) fn entry(&mut self, index: usize) -> Option<&mut T> {
        self.entries.get_mut(index)
    }

    // Apart, for a list that has grown once seldom does again.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, new: impl FnOnce() -> T) {
        self.entries.push(new());
    }
}

/// The entry of a number that was given out since the list was cleared; nobody keeps others.
impl<T> Index<usize> for Recycled<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, index: usize) -> &T {
        debug_assert!(index < self.used);
        &self.entries[index]
    }
}

impl<T> IndexMut<usize> for Recycled<T> {
    #[inline(always)]
    fn index_mut(&mut self, index: usize) -> &mut T {
        debug_assert!(index < self.used);
        &mut self.entries[index]
    }
}

impl<T> Deref for Recycled<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.entries[..self.used]
    }
}

impl<T> DerefMut for Recycled<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.entries[..self.used]
    }
}
