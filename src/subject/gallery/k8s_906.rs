//! Kubernetes' first Mux, as it was merged in #906 (August 2014). It has #1321.
//!
//! The loop sends to a watcher holding the lock, and `Stop` takes the lock first: a watcher that stops
//! instead of reading waits for the lock for ever, and the loop for the watcher.

use super::kubernetes::{Entry, MuxWatcher, Version};
use crate::subject::Payload;

/// V0.
pub(super) struct K8s906;

impl Version for K8s906 {
    const NAME: &'static str = "k8s-906";
    const PROVENANCE: &'static str =
        "Kubernetes' pkg/watch/mux.go as of #906 (Aug 2014): sends to watchers holding the lock; has #1321";

    type Extra = ();

    fn extra() {}

    fn send(watcher: &Entry<K8s906>, event: Payload) {
        watcher.result.send(event);
    }

    fn stop(watcher: &MuxWatcher<K8s906>) {
        watcher.mux.stop_watching(watcher.id);
    }
}
