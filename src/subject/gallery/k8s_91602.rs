//! Kubernetes' Broadcaster without a lock, by #91602 (August 2020).
//!
//! `Stop` and `Shutdown` go through the queue as well, so the loop alone touches the watchers. What is called once the
//! broadcaster is stopped does nothing, and `Watch` panics.

use std::sync::Arc;

use super::queue::Item;
use super::unlocked::{Broadcaster, Unlocked};
use super::version::{CONTRACT_WITH_QUEUED_STOP, Version, WITH_PREFIX};
use crate::script::{Config, WhenFull};
use crate::subject::{Payload, Refused, Running, Watching};

/// V6.
pub(super) const VERSION: Version = Version {
    name: "k8s-91602",
    provenance: "Kubernetes' pkg/watch/mux.go as of #91602 (Aug 2020): no lock, Stop and Shutdown are queued too",
    capabilities: WITH_PREFIX,
    contract: CONTRACT_WITH_QUEUED_STOP,
    start: |config| Box::new(Unguarded::start(config)),
};

/// Nothing keeps others from sending while `Shutdown` closes what they send to.
pub(super) struct Unguarded(pub(super) Broadcaster);

impl Unguarded {
    pub(super) fn start(config: &Config) -> Arc<Unguarded> {
        Arc::new(Unguarded(Broadcaster::start(config)))
    }
}

impl Unlocked for Unguarded {
    fn broadcaster(&self) -> &Broadcaster {
        &self.0
    }
}

impl Running for Arc<Unguarded> {
    fn watch(&self, prefix: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Ok(Unlocked::watch(self, prefix).expect("broadcaster already stopped"))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        self.0.incoming.send(Item::Event(event));
        Ok(None)
    }

    fn shutdown(&self) {
        Unlocked::shutdown(&**self);
    }
}
