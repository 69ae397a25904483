//! Atomics, sequentially consistent whatever ordering is asked for: inside an execution every access is a sync
//! point, outside it is std's.

use std::fmt;

pub use std::sync::atomic::Ordering;

use super::seam;

macro_rules! atomic {
    ($name:ident $(<$of:ident>)?, $value:ty $(, $operations:ident)*) => {
        /// As std's, with a sync point at each access inside an execution.
        pub struct $name$(<$of>)?(std::sync::atomic::$name$(<$of>)?);

        impl$(<$of>)? $name$(<$of>)? {
            /// An atomic of this value.
            pub const fn new(value: $value) -> Self {
                Self(std::sync::atomic::$name::new(value))
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

            /// The same, but it may fail for no reason where that is faster; never inside an execution, which would not be the
            /// same again.
            ///
            /// # Errors
            /// If it is another, or for no reason; with the value there.
            #[track_caller]
            #[inline]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                if !seam::access(&raw const *self as usize, true) {
                    return self.0.compare_exchange_weak(current, new, success, failure);
                }
                self.0.compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
            }

            /// Puts in what the closure makes of the value, asking again whenever somebody else was faster, and gives back the
            /// one before: a load, and then exchanges until one succeeds.
            ///
            /// # Errors
            /// If the closure makes nothing of the value; with that.
            #[track_caller]
            #[inline]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut there = self.load(fetch_order);
                while let Some(new) = f(there) {
                    match self.compare_exchange_weak(there, new, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(other) => there = other,
                    }
                }
                Err(there)
            }

            /// The value, which nobody else can be using.
            pub fn get_mut(&mut self) -> &mut $value {
                self.0.get_mut()
            }

            /// Gives up the atomic for its value.
            pub fn into_inner(self) -> $value {
                self.0.into_inner()
            }

            $(atomic!(@$operations $value);)*
        }

        impl$(<$of>)? Default for $name$(<$of>)? {
            fn default() -> Self {
                Self(Default::default())
            }
        }

        impl$(<$of>)? fmt::Debug for $name$(<$of>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
    (@bits $value:ty) => {
        atomic!(@each $value,
            fetch_and "Keeps the bits that are also in this value, and gives back the value before."
            fetch_nand "Keeps what is in both, turned over bit by bit, and gives back the value before."
            fetch_or "Adds the bits of this value, and gives back the value before."
            fetch_xor "Turns the bits over that are in this value, and gives back the value before."
        );
    };
    (@arithmetic $value:ty) => {
        atomic!(@each $value,
            fetch_add "Adds, wrapping around, and gives back the value before."
            fetch_sub "Subtracts, wrapping around, and gives back the value before."
            fetch_max "Puts the larger in, and gives back the value before."
            fetch_min "Puts the smaller in, and gives back the value before."
        );
    };
    (@each $value:ty, $($operation:ident $doc:literal)+) => {$(
        #[doc = $doc]
        #[track_caller]
        #[inline]
        pub fn $operation(&self, value: $value, ordering: Ordering) -> $value {
            let inside = seam::access(&raw const *self as usize, true);
            self.0.$operation(value, strengthened(ordering, inside))
        }
    )+};
}

/// An execution is sequentially consistent; outside, what was asked for is what is done.
#[inline(always)]
fn strengthened(ordering: Ordering, inside: bool) -> Ordering {
    if inside { Ordering::SeqCst } else { ordering }
}

atomic!(AtomicBool, bool, bits);
atomic!(AtomicPtr<T>, *mut T);
atomic!(AtomicU8, u8, bits, arithmetic);
atomic!(AtomicU16, u16, bits, arithmetic);
atomic!(AtomicU32, u32, bits, arithmetic);
atomic!(AtomicU64, u64, bits, arithmetic);
atomic!(AtomicUsize, usize, bits, arithmetic);
atomic!(AtomicI8, i8, bits, arithmetic);
atomic!(AtomicI16, i16, bits, arithmetic);
atomic!(AtomicI32, i32, bits, arithmetic);
atomic!(AtomicI64, i64, bits, arithmetic);
atomic!(AtomicIsize, isize, bits, arithmetic);
