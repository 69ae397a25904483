use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::seam::{Inside, Tag};

/// A reader-writer lock as parking_lot's: it has no poison, and a waiting writer keeps new readers out.
pub struct RwLock<T: ?Sized> {
    tag: Tag,
    native: parking_lot::RwLock<T>,
}

impl<T> RwLock<T> {
    /// A free lock around a value.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        RwLock { tag: Tag::rwlock(), native: parking_lot::RwLock::new(value) }
    }

    /// Gives the lock the name that reports call it by.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> RwLock<T> {
        self.tag.set_name(name);
        self
    }

    /// Gives up the lock for its value.
    pub fn into_inner(self) -> T {
        self.native.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits to share the lock with other readers.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        let native = match self.tag.inside() {
            None => self.native.read(),
            Some(inside) => self.read_inside(inside),
        };
        RwLockReadGuard { native, _release: Release(&self.tag) }
    }

    #[inline(never)]
    fn read_inside(&self, inside: Inside<'_>) -> parking_lot::RwLockReadGuard<'_, T> {
        let mut guard = None;
        inside.acquire_rwlock(true, &mut || {
            if !inside.writer_waits() {
                guard = self.native.try_read();
            }
            guard.is_some()
        });
        guard.expect("acquired")
    }

    /// Shares the lock if no writer holds it or waits for it.
    #[track_caller]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let inside = self.tag.inside();
        if let Some(inside) = &inside {
            inside.point();
            if inside.writer_waits() {
                inside.saw_free(false);
                return None;
            }
        }
        let native = self.native.try_read();
        match (inside, &native) {
            (Some(inside), Some(_)) => inside.held(true),
            (Some(inside), None) => inside.saw_free(false),
            (None, _) => {}
        }
        Some(RwLockReadGuard { native: native?, _release: Release(&self.tag) })
    }

    /// Waits to hold the lock alone.
    #[track_caller]
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        let native = match self.tag.inside() {
            None => self.native.write(),
            Some(inside) => self.write_inside(inside),
        };
        RwLockWriteGuard { native, _release: Release(&self.tag) }
    }

    #[inline(never)]
    fn write_inside(&self, inside: Inside<'_>) -> parking_lot::RwLockWriteGuard<'_, T> {
        let mut guard = None;
        inside.acquire_rwlock(false, &mut || {
            guard = self.native.try_write();
            guard.is_some()
        });
        guard.expect("acquired")
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let inside = self.tag.inside();
        if let Some(inside) = &inside {
            inside.point();
        }
        let native = self.native.try_write();
        match (inside, &native) {
            (Some(inside), Some(_)) => inside.held(false),
            (Some(inside), None) => inside.saw_free(false),
            (None, _) => {}
        }
        Some(RwLockWriteGuard { native: native?, _release: Release(&self.tag) })
    }

    /// The value, which nobody else can be using.
    pub fn get_mut(&mut self) -> &mut T {
        self.native.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("RwLock { .. }")
    }
}

/// Tells the seam of the release, after the native guard before it is dropped.
struct Release<'a>(&'a Tag);

impl Drop for Release<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.released();
    }
}

/// Shares a [`RwLock`] until it is dropped.
#[must_use = "the lock is released when its guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    native: parking_lot::RwLockReadGuard<'a, T>,
    _release: Release<'a>,
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.native
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Holds a [`RwLock`] alone until it is dropped.
#[must_use = "the lock is released when its guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    native: parking_lot::RwLockWriteGuard<'a, T>,
    _release: Release<'a>,
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.native
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.native
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
