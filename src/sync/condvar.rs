use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::MutexGuard;
use super::seam::Tag;
use super::time::Instant;

/// A condition variable as parking_lot's.
pub struct Condvar {
    tag: Tag,
    native: parking_lot::Condvar,
}

/// Whether a wait ended because its time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[track_caller]
    pub fn new() -> Condvar {
        Condvar { tag: Tag::condvar(), native: parking_lot::Condvar::new() }
    }

    /// Gives the condition variable the name that reports call it by.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Condvar {
        self.tag.set_name(name);
        self
    }

    /// Releases the lock, waits for a notification, and takes the lock again.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_native(guard, None, Location::caller());
    }

    /// As [`Condvar::wait`], up to `timeout`.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        let deadline = Instant::now().checked_add(timeout);
        self.wait_native(guard, deadline, Location::caller())
    }

    /// As [`Condvar::wait`], until `deadline`.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitTimeoutResult {
        self.wait_native(guard, Some(deadline), Location::caller())
    }

    /// Waits for as long as the condition holds.
    #[track_caller]
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while condition(guard) {
            self.wait_native(guard, None, Location::caller());
        }
    }

    #[track_caller]
    fn wait_native<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> WaitTimeoutResult {
        let Some(inside) = self.tag.inside() else {
            let native = guard.native.as_mut().expect("a guard in use holds its lock");
            return match until {
                None => {
                    self.native.wait(native);
                    WaitTimeoutResult(false)
                }
                Some(deadline) => {
                    WaitTimeoutResult(self.native.wait_until(native, deadline.into()).timed_out())
                }
            };
        };
        inside.point_of_condvar();
        let notified = inside.await_notification(until.map(Into::into), location, &mut || guard.release());
        guard.acquire();
        WaitTimeoutResult(!notified)
    }

    /// Wakes one who waits; says whether there was one.
    #[track_caller]
    #[inline]
    pub fn notify_one(&self) -> bool {
        match self.tag.inside() {
            None => self.native.notify_one(),
            Some(inside) => inside.notify(1) > 0,
        }
    }

    /// Wakes all who wait; says how many.
    #[track_caller]
    #[inline]
    pub fn notify_all(&self) -> usize {
        match self.tag.inside() {
            None => self.native.notify_all(),
            Some(inside) => inside.notify(usize::MAX),
        }
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Condvar { .. }")
    }
}
