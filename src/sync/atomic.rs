//! Atomics, sequentially consistent whatever ordering is asked for: inside an execution every access is a sync
//! point, outside it is std's.

use std::fmt;

pub use std::sync::atomic::Ordering;

use super::seam;

macro_rules! atomic {
    ($name:ident, $native:ident, $value:ty $(, $arithmetic:ident)?) => {
        /// As std's, with a sync point at each access inside an execution.
        #[derive(Default)]
        pub struct $name(std::sync::atomic::$native);

        impl $name {
            /// An atomic of this value.
            pub const fn new(value: $value) -> $name {
                $name(std::sync::atomic::$native::new(value))
            }

            /// The value.
            #[track_caller]
            #[inline]
            pub fn load(&self, ordering: Ordering) -> $value {
                let inside = seam::access(&raw const *self as usize, false);
                self.0.load(strengthened(ordering, inside))
            }

            /// Puts a value in.
            #[track_caller]
            #[inline]
            pub fn store(&self, value: $value, ordering: Ordering) {
                let inside = seam::access(&raw const *self as usize, true);
                self.0.store(value, strengthened(ordering, inside));
            }

            /// Puts a value in, and gives back the one before.
            #[track_caller]
            #[inline]
            pub fn swap(&self, value: $value, ordering: Ordering) -> $value {
                let inside = seam::access(&raw const *self as usize, true);
                self.0.swap(value, strengthened(ordering, inside))
            }

            /// Puts a value in if the one there is `current`.
            ///
            /// # Errors
            /// If it is another; with that.
            #[track_caller]
            #[inline]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let inside = seam::access(&raw const *self as usize, true);
                let (success, failure) = (strengthened(success, inside), strengthened(failure, inside));
                self.0.compare_exchange(current, new, success, failure)
            }

            /// The value, which nobody else can be using.
            pub fn get_mut(&mut self) -> &mut $value {
                self.0.get_mut()
            }

            /// Gives up the atomic for its value.
            pub fn into_inner(self) -> $value {
                self.0.into_inner()
            }

            $(atomic!(@$arithmetic $value);)?
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
    (@arithmetic $value:ty) => {
        /// Adds, wrapping around, and gives back the value before.
        #[track_caller]
        #[inline]
        pub fn fetch_add(&self, value: $value, ordering: Ordering) -> $value {
            let inside = seam::access(&raw const *self as usize, true);
            self.0.fetch_add(value, strengthened(ordering, inside))
        }

        /// Subtracts, wrapping around, and gives back the value before.
        #[track_caller]
        #[inline]
        pub fn fetch_sub(&self, value: $value, ordering: Ordering) -> $value {
            let inside = seam::access(&raw const *self as usize, true);
            self.0.fetch_sub(value, strengthened(ordering, inside))
        }

        /// Puts the larger in, and gives back the value before.
        #[track_caller]
        #[inline]
        pub fn fetch_max(&self, value: $value, ordering: Ordering) -> $value {
            let inside = seam::access(&raw const *self as usize, true);
            self.0.fetch_max(value, strengthened(ordering, inside))
        }

        /// Puts the smaller in, and gives back the value before.
        #[track_caller]
        #[inline]
        pub fn fetch_min(&self, value: $value, ordering: Ordering) -> $value {
            let inside = seam::access(&raw const *self as usize, true);
            self.0.fetch_min(value, strengthened(ordering, inside))
        }
    };
}

/// An execution is sequentially consistent; outside, what was asked for is what is done.
#[inline(always)]
fn strengthened(ordering: Ordering, inside: bool) -> Ordering {
    if inside { Ordering::SeqCst } else { ordering }
}

atomic!(AtomicBool, AtomicBool, bool);
atomic!(AtomicU8, AtomicU8, u8, arithmetic);
atomic!(AtomicU32, AtomicU32, u32, arithmetic);
atomic!(AtomicU64, AtomicU64, u64, arithmetic);
atomic!(AtomicUsize, AtomicUsize, usize, arithmetic);
atomic!(AtomicI32, AtomicI32, i32, arithmetic);
atomic!(AtomicI64, AtomicI64, i64, arithmetic);
atomic!(AtomicIsize, AtomicIsize, isize, arithmetic);
