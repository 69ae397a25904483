//! Kubernetes' Broadcaster, which Mux became in #3381 (January 2015).
//!
//! Each watcher has a queue, and when that is full the loop waits or leaves the event out
//! (`WaitIfChannelFull`, `DropIfChannelFull`). The incoming queue is gone: its capacity is 0.

use super::gochan::Chan;
use super::k8s_1321::Stoppable;
use super::locked;
use super::version::{BROADCASTER, CONTRACT_OF_2014, Version};
use super::watchers::Stop;
use crate::script::WhenFull;
use crate::subject::Payload;

/// V2.
pub(super) const VERSION: Version = Version {
    name: "k8s-3381",
    provenance: "Kubernetes' pkg/watch/mux.go as of #3381 (Jan 2015): a queue for each watcher, which waits or drops",
    capabilities: BROADCASTER,
    contract: CONTRACT_OF_2014,
    start: locked::start::<Queued>,
};

/// A watcher that can be stopped, with a queue that can be full.
pub(super) struct Queued(Stoppable);

impl Stop for Queued {
    fn new() -> Queued {
        Queued(Stoppable::new())
    }

    fn send(&self, result: &Chan<Payload>, event: Payload, when_full: WhenFull) {
        match when_full {
            WhenFull::DropNewest => _ = result.try_send_or_recv(event, &self.0.stopped),
            _ => self.0.send(result, event, when_full),
        }
    }

    fn stop(&self, stop_watching: impl FnOnce()) {
        self.0.stop(stop_watching);
    }
}
