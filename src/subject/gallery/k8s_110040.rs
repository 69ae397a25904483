//! Kubernetes' Broadcaster as it is today, since #110040 (May 2022).
//!
//! `incomingBlock` is taken in `blockQueue`, so that `Watch` and `Stop` hold it too, for as long as they wait for the
//! loop; `Shutdown` lets go of it once its function has run.

use std::sync::Arc;

use super::k8s_3381::Queued;
use super::k8s_108080::Guarded;
use super::unlocked::{Broadcaster, Unlocked};
use super::version::{CONTRACT_OF_TODAY, LONG_QUEUE, Version};
use super::watchers::Watchers;
use crate::script::WhenFull;
use crate::subject::{Payload, Refused, Running, TryRefused, Watching};

/// V9.
pub(super) const VERSION: Version = Version {
    name: "k8s-110040",
    provenance: "Kubernetes' pkg/watch/mux.go as of #110040 (May 2022), and today: Watch and Stop hold that lock too",
    capabilities: LONG_QUEUE,
    contract: CONTRACT_OF_TODAY,
    start: |config| Box::new(Arc::new(WhollyGuarded(Guarded::start(config)))),
};

/// The lock, in `blockQueue` too.
struct WhollyGuarded(Guarded);

impl Unlocked for WhollyGuarded {
    fn broadcaster(&self) -> &Broadcaster {
        &self.0.broadcaster
    }

    fn block_queue(&self, f: impl FnOnce(&mut Watchers<Queued>) + Send + 'static) {
        let _block = self.0.incoming_block.lock();
        self.0.broadcaster.block_queue(f);
    }
}

impl Running for Arc<WhollyGuarded> {
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
        Unlocked::shutdown(&**self);
    }
}
