//! Kubernetes' Broadcaster with a longer incoming queue (#3381) and `WatchWithPrefix` (#5270, March 2015).
//!
//! `incomingQueueLength` is 25, whatever is asked for. A watcher can be given events of its own first: they take room in
//! its queue, which is longer for them only where they would not fit.

use super::k8s_3381::Queued;
use super::locked;
use super::version::{CONTRACT_WITH_PREFIX, Version, WITH_PREFIX};
use crate::subject::Payload;

/// V3.
pub(super) const VERSION: Version = Version {
    name: "k8s-5270",
    provenance: "Kubernetes' pkg/watch/mux.go as of #5270 (Mar 2015): an incoming queue of 25, and prefixes",
    capabilities: WITH_PREFIX,
    contract: CONTRACT_WITH_PREFIX,
    start: locked::start::<Queued>,
};

/// The capacity of the channel of a watcher with this prefix; `Watch` is not `WatchWithPrefix` of nothing.
pub(super) fn capacity(queue: usize, prefix: &[Payload]) -> usize {
    if prefix.is_empty() { queue } else { queue.max(prefix.len() + 1) }
}
