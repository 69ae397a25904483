use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::seam::{Inside, Tag};
use super::time::Instant;

/// A lock as parking_lot's: it has no poison.
pub struct Mutex<T: ?Sized> {
    pub(super) tag: Tag,
    native: parking_lot::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A free lock around a value.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex { tag: Tag::mutex(), native: parking_lot::Mutex::new(value) }
    }

    /// Gives the lock the name that reports call it by.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Mutex<T> {
        self.tag.set_name(name);
        self
    }

    /// Gives up the lock for its value.
    pub fn into_inner(self) -> T {
        self.native.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { native: Some(self.lock_native()), mutex: self }
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inside = self.tag.inside();
        if let Some(inside) = &inside {
            inside.point();
        }
        let native = self.native.try_lock();
        match (inside, &native) {
            (Some(inside), Some(_)) => inside.held(false),
            (Some(inside), None) => inside.saw_free(false),
            (None, _) => {}
        }
        Some(MutexGuard { native: Some(native?), mutex: self })
    }

    /// Waits for the lock up to `timeout`.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.try_lock_until(deadline),
            None => Some(self.lock()),
        }
    }

    /// Waits for the lock until `deadline`.
    #[track_caller]
    pub fn try_lock_until(&self, deadline: Instant) -> Option<MutexGuard<'_, T>> {
        let native = match self.tag.inside() {
            None => self.native.try_lock_until(deadline.into())?,
            Some(inside) => self.lock_inside(inside, Some(deadline))?,
        };
        Some(MutexGuard { native: Some(native), mutex: self })
    }

    #[track_caller]
    #[inline]
    fn lock_native(&self) -> parking_lot::MutexGuard<'_, T> {
        if self.tag.is_native() { self.native.lock() } else { self.lock_in_execution() }
    }

    #[track_caller]
    #[inline(never)]
    fn lock_in_execution(&self) -> parking_lot::MutexGuard<'_, T> {
        match self.tag.inside() {
            None => self.native.lock(),
            Some(inside) => self.lock_inside(inside, None).expect("there is no limit of time"),
        }
    }

    #[inline(always)]
    fn lock_inside(
        &self,
        inside: Inside<'_>,
        until: Option<Instant>,
    ) -> Option<parking_lot::MutexGuard<'_, T>> {
        match inside.hold_mutex(until.map(Into::into)) {
            Some(true) => Some(self.native.try_lock().expect("by the books it is free")),
            Some(false) => None,
            None => self.ask_native(inside, until),
        }
    }

    #[inline(never)]
    fn ask_native(
        &self,
        inside: Inside<'_>,
        until: Option<Instant>,
    ) -> Option<parking_lot::MutexGuard<'_, T>> {
        let mut guard = None;
        inside.acquire_mutex(until.map(Into::into), &mut || {
            guard = self.native.try_lock();
            guard.is_some()
        });
        guard
    }

    /// The value, which nobody else can be using.
    pub fn get_mut(&mut self) -> &mut T {
        self.native.get_mut()
    }

    /// Whether the lock is held.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        if let Some(inside) = self.tag.inside() {
            inside.point();
            inside.saw_free(!self.native.is_locked());
        }
        self.native.is_locked()
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Mutex { .. }")
    }
}

/// Holds a [`Mutex`] until it is dropped.
#[must_use = "the lock is released when its guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// `None` only while a condition variable has released it.
    pub(super) native: Option<parking_lot::MutexGuard<'a, T>>,
    mutex: &'a Mutex<T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Releases the lock, keeping the guard for [`MutexGuard::acquire`].
    #[inline]
    pub(super) fn release(&mut self) {
        self.native = None;
        self.mutex.tag.released();
    }

    #[track_caller]
    pub(super) fn acquire(&mut self) {
        self.native = Some(self.mutex.lock_native());
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.native.is_some() {
            self.release();
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.native.as_ref().expect("a guard in use holds its lock")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.native.as_mut().expect("a guard in use holds its lock")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
