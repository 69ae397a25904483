//! The seam: what concurrent code uses, under the names it knows.
//!
//! Channels as in crossbeam-channel, locks as in parking_lot, threads and time as in std. Code is put under
//! the suite by changing its imports:
//!
//! ```
//! use watchmux::sync::{Mutex, channel, thread};
//!
//! let total = Mutex::new(0);
//! let (tx, rx) = channel::bounded(0);
//! thread::spawn(move || tx.send(21));
//! *total.lock() += 2 * rx.recv().unwrap();
//! assert_eq!(*total.lock(), 42);
//! ```
//!
//! Outside an execution of the suite every call passes straight through to crossbeam-channel, parking_lot and
//! std. Inside one, each wait tells the engine who waits, for which object and where, and a hang can be
//! unwound. One compiled program does both: there is no `--cfg` and nothing to rebuild.
//!
//! An object belongs to the execution it was made in, or to none, and panics where it is used in another.
//! Atomics alone belong nowhere, so that they can be statics.
//!
//! Locks and channels can be [named](Mutex::named), so that reports call them what the code calls them;
//! those without a name are called by where they were made.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the seam is where these are wrapped; everybody else uses it"
)]

#[cfg(not(feature = "suite"))]
#[path = "absent.rs"]
mod seam;
#[cfg(feature = "suite")]
pub(crate) mod seam;

pub mod atomic;
mod backoff;
pub mod channel;
mod condvar;
mod mutex;
mod rwlock;
pub mod thread;
pub mod time;

pub use crate::select;
pub use backoff::Backoff;
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Invokes a closure and catches the panic it may end with, as [`std::panic::catch_unwind`] does.
///
/// Code under the suite catches panics with this and nothing else: the payload with which an engine unwinds
/// a hung task passes through.
///
/// # Errors
/// The payload of the panic.
pub fn catch_unwind<R>(f: impl FnOnce() -> R) -> thread::Result<R> {
    let result = seam::catching(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)));
    if let Err(payload) = result {
        return Err(seam::pass_abort(payload));
    }
    result
}

/// Goes on with a panic that was caught, or that another thread ended with, as [`std::panic::resume_unwind`] does.
///
/// Code under the suite goes on with panics by this and nothing else: an engine cannot see that the other unwinds, for no hook is
/// called. Should the execution end while a destructor waits, it would be unwound by a second panic, which ends the process.
pub fn resume_unwind(payload: Box<dyn std::any::Any + Send>) -> ! {
    seam::note_unwinding();
    std::panic::resume_unwind(payload)
}

#[cfg(all(test, feature = "suite"))]
mod tests;
