//! What Go's package `sync` has and ours has not.

use std::convert::Infallible;
use std::sync::Arc;

use crate::engine::Shared;
use crate::engine::words::WAIT_GROUP;
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
pub(super) struct WaitGroup {
    done: Receiver<Infallible>,
    /// Kept, so that a wait for what is never done never ends.
    _doing: Doing,
}

/// What that thing has. If it is dropped, nothing is done.
#[derive(Clone)]
pub(super) struct Doing(Arc<Shared<Option<Sender<Infallible>>>>);

impl WaitGroup {
    /// A group after its `Add(1)`, with the name that reports call it by.
    #[track_caller]
    pub(super) fn new(name: &str) -> (Doing, WaitGroup) {
        let (sender, done) = channel::bounded(0);
        let doing = Doing(Arc::new(Shared::new(Some(sender))));
        let name = format!("{name}{WAIT_GROUP}");
        (doing.clone(), WaitGroup { done: done.named(name), _doing: doing })
    }

    /// `Wait`
    #[track_caller]
    pub(super) fn wait(&self) {
        let _ = self.done.recv();
    }
}

impl Doing {
    /// `Done`
    pub(super) fn done(&self) {
        let sender = self.0.with(Option::take);
        drop(sender);
    }

    /// `defer Done`: does it at the end of the scope, also if that is a panic.
    pub(super) fn defer(&self) -> impl Drop {
        struct Deferred<'a>(&'a Doing);
        impl Drop for Deferred<'_> {
            fn drop(&mut self) {
                self.0.done();
            }
        }
        Deferred(self)
    }
}
