//! Kubernetes' Broadcaster with `ActionOrDrop` and `NewLongQueueBroadcaster`, by #95664 (January 2021).
//!
//! An event that would have to wait for the incoming queue can be dropped, and that queue can be as long as those of the
//! watchers.

use std::sync::Arc;

use super::k8s_91602::Unguarded;
use super::version::{CONTRACT_WITH_TRY_ACTION, LONG_QUEUE, Version};
use crate::script::WhenFull;
use crate::subject::{Payload, Refused, Running, TryRefused, Watching};

/// V7.
pub(super) const VERSION: Version = Version {
    name: "k8s-95664",
    provenance: "Kubernetes' pkg/watch/mux.go as of #95664 (Jan 2021): ActionOrDrop, and a long incoming queue",
    capabilities: LONG_QUEUE,
    contract: CONTRACT_WITH_TRY_ACTION,
    start: |config| Box::new(WithTryAction(Unguarded::start(config))),
};

struct WithTryAction(Arc<Unguarded>);

impl Running for WithTryAction {
    fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Running::watch(&self.0, prefix, when_full)
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        self.0.action(event)
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        self.0.0.try_send(event)
    }

    fn shutdown(&self) {
        Running::shutdown(&self.0);
    }
}
