//! Kubernetes' Mux with #1321 fixed, by #1321 and #1327 (September 2014).
//!
//! Each watcher has a second channel that `Stop` closes *before* it takes the lock, once; the loop waits for
//! either the watcher or that.

use std::convert::Infallible;

use super::gochan::Chan;
use super::kubernetes::{Entry, MuxWatcher, Version};
use crate::subject::Payload;
use crate::sync::Mutex;

/// V1.
pub(super) struct K8s1321;

/// What stops a watcher.
pub(super) struct Stop {
    /// Go's `sync.Once`: whether it is done. Who comes second waits for who came first.
    done: Mutex<bool>,
    stopped: Chan<Infallible>,
}

impl Version for K8s1321 {
    const NAME: &'static str = "k8s-1321";
    const PROVENANCE: &'static str =
        "Kubernetes' pkg/watch/mux.go as of #1321 and #1327 (Sep 2014): k8s-906 with #1321 fixed";

    type Extra = Stop;

    fn extra() -> Stop {
        Stop { done: Mutex::new(false).named("once"), stopped: Chan::new("stopped", 0) }
    }

    fn send(watcher: &Entry<K8s1321>, event: Payload) {
        let _ = watcher.result.send_or_recv(event, &watcher.extra.stopped);
    }

    fn stop(watcher: &MuxWatcher<K8s1321>) {
        let stop = &watcher.entry.extra;
        let mut done = stop.done.lock();
        if !*done {
            stop.stopped.close();
            watcher.mux.stop_watching(watcher.id);
            *done = true;
        }
    }
}
