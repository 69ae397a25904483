//! Kubernetes' Broadcaster that says when it is stopped, by #108080 (May 2022).
//!
//! `Action`, `ActionOrDrop` and `Shutdown` hold a lock, `incomingBlock`, so that nobody sends while the channel is
//! closed; what comes too late gets an error in place of a panic. `Watch` and `Stop` do not hold it.

use std::sync::Arc;

use super::queue::Item;
use super::unlocked::{Broadcaster, Unlocked};
use super::version::{CONTRACT_WITH_ERRORS, LONG_QUEUE, Version};
use crate::script::{Config, WhenFull};
use crate::subject::{Payload, Refused, Running, TryRefused, Watching};
use crate::sync::Mutex;

/// V8.
pub(super) const VERSION: Version = Version {
    name: "k8s-108080",
    provenance: "Kubernetes' pkg/watch/mux.go as of #108080 (May 2022): a lock around Action and Shutdown; errors",
    capabilities: LONG_QUEUE,
    contract: CONTRACT_WITH_ERRORS,
    start: |config| Box::new(Arc::new(HalfGuarded(Guarded::start(config)))),
};

/// A broadcaster with `incomingBlock`.
pub(super) struct Guarded {
    pub(super) broadcaster: Broadcaster,
    pub(super) incoming_block: Mutex<()>,
}

impl Guarded {
    pub(super) fn start(config: &Config) -> Guarded {
        let incoming_block = Mutex::new(()).named("incomingBlock");
        Guarded { broadcaster: Broadcaster::start(config), incoming_block }
    }

    /// `Action`
    pub(super) fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let _block = self.incoming_block.lock();
        if self.broadcaster.is_stopped() {
            return Err(Refused(None));
        }
        self.broadcaster.incoming.send(Item::Event(event));
        Ok(None)
    }

    /// `ActionOrDrop`
    pub(super) fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let _block = self.incoming_block.lock();
        if self.broadcaster.is_stopped() {
            return Err(TryRefused::Closed(None));
        }
        self.broadcaster.try_send(event)
    }
}

/// That lock, but not in `blockQueue`.
struct HalfGuarded(Guarded);

impl Unlocked for HalfGuarded {
    fn broadcaster(&self) -> &Broadcaster {
        &self.0.broadcaster
    }
}

impl Running for Arc<HalfGuarded> {
    fn watch(&self, prefix: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Unlocked::watch(self, prefix).ok_or(Refused(None))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        self.0.action(event)
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        self.0.try_action(event)
    }

    fn shutdown(&self) {
        let _block = self.0.incoming_block.lock();
        Unlocked::shutdown(&**self);
    }
}
