//! What Go's package `sync` has and ours has not.

use std::convert::Infallible;

use crate::sync::Mutex;
use crate::sync::channel::{self, Receiver, Sender};

/// `sync.Once`
pub(super) struct Once(Mutex<bool>);

impl Once {
    #[track_caller]
    pub(super) fn new() -> Once {
        Once(Mutex::new(false).named("once"))
    }

    /// `Do`: calls the closure unless it was called before, also if it panicked then. Who comes second waits for who
    /// came first.
    #[track_caller]
    pub(super) fn call(&self, f: impl FnOnce()) {
        let mut done = self.0.lock();
        if !std::mem::replace(&mut *done, true) {
            f();
        }
    }
}

/// A `sync.WaitGroup` that waits for one thing, which is all that these muxes need.
pub(super) struct WaitGroup(Receiver<Infallible>);

/// What that thing has: to drop it is `Done`.
pub(super) struct Doing(Sender<Infallible>);

impl WaitGroup {
    /// A group after its `Add(1)`, with the name that reports call it by.
    #[track_caller]
    pub(super) fn new(name: &str) -> (Doing, WaitGroup) {
        let (doing, done) = channel::bounded(0);
        (Doing(doing), WaitGroup(done.named(&format!("{name} (wait group)"))))
    }

    /// `Wait`
    #[track_caller]
    pub(super) fn wait(&self) {
        let _ = self.0.recv();
    }
}

impl Doing {
    /// `Done`
    pub(super) fn done(self) {
        drop(self.0);
    }
}
