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
        if self.used == self.entries.len() {
            self.entries.push(new());
        }
        self.used += 1;
        &mut self.entries[self.used - 1]
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
