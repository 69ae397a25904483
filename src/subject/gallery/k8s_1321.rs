//! Kubernetes' Mux with #1321 fixed, by #1321 and #1327 (September 2014).
//!
//! Each watcher has a second channel that `Stop` closes *before* it takes the lock, once; the loop waits for
//! either the watcher or that.

use std::convert::Infallible;

use super::gochan::Chan;
use super::gosync::Once;
use super::locked;
use super::version::{CONTRACT_OF_2014, MUX, Version};
use super::watchers::Stop;
use crate::script::WhenFull;
use crate::subject::Payload;

/// V1.
pub(super) const VERSION: Version = Version {
    name: "k8s-1321",
    provenance: "Kubernetes' pkg/watch/mux.go as of #1321 and #1327 (Sep 2014): k8s-906 with #1321 fixed",
    capabilities: MUX,
    contract: CONTRACT_OF_2014,
    start: locked::start::<Stoppable>,
};

/// A watcher whose stop ends a send to it.
pub(super) struct Stoppable {
    stop: Once,
    pub(super) stopped: Chan<Infallible>,
}

impl Stop for Stoppable {
    fn new() -> Stoppable {
        Stoppable { stop: Once::new(), stopped: Chan::new("stopped", 0) }
    }

    fn send(&self, result: &Chan<Payload>, event: Payload, _: WhenFull) {
        let _ = result.send_or_recv(event, &self.stopped);
    }

    fn stop(&self, stop_watching: impl FnOnce()) {
        self.stop.call(|| {
            self.stopped.close();
            stop_watching();
        });
    }
}
