//! Kubernetes' first Mux, as it was merged in #906 (August 2014). It has #1321.
//!
//! The loop sends to a watcher holding the lock, and `Stop` takes the lock first: a watcher that stops
//! instead of reading waits for the lock for ever, and the loop for the watcher.

use super::gochan::Chan;
use super::locked;
use super::version::{CONTRACT_OF_2014, MUX, Version};
use super::watchers::Stop;
use crate::script::WhenFull;
use crate::subject::Payload;

/// V0.
pub(super) const VERSION: Version = Version {
    name: "k8s-906",
    provenance: "Kubernetes' pkg/watch/mux.go as of #906 (Aug 2014): sends to watchers holding the lock; has #1321",
    capabilities: MUX,
    contract: CONTRACT_OF_2014,
    start: locked::start::<Waiting>,
};

/// Nothing but the lock stops a watcher.
struct Waiting;

impl Stop for Waiting {
    fn new() -> Waiting {
        Waiting
    }

    fn send(&self, result: &Chan<Payload>, event: Payload, _: WhenFull) {
        result.send(event);
    }

    fn stop(&self, stop_watching: impl FnOnce()) {
        stop_watching();
    }
}
