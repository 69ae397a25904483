//! Kubernetes' Broadcaster with a `Shutdown` that waits, by #13058 (September 2015).
//!
//! A wait group is done when the loop has ended.

use std::sync::Arc;

use super::gosync::WaitGroup;
use super::k8s_3381::Queued;
use super::locked::Mux;
use super::version::{CONTRACT_WITH_WAITING_SHUTDOWN, Version, WITH_PREFIX, dispatch};
use crate::script::{Config, WhenFull};
use crate::subject::{Payload, Refused, Running, Watching};

/// V4.
pub(super) const VERSION: Version = Version {
    name: "k8s-13058",
    provenance: "Kubernetes' pkg/watch/mux.go as of #13058 (Sep 2015): Shutdown waits for the loop",
    capabilities: WITH_PREFIX,
    contract: CONTRACT_WITH_WAITING_SHUTDOWN,
    start,
};

struct Broadcaster {
    mux: Arc<Mux<Queued>>,
    distributing: WaitGroup,
}

fn start(config: &Config) -> Box<dyn Running> {
    let mux = Arc::new(Mux::new(config));
    let (loops, distributing) = WaitGroup::new("distributing");
    let dispatcher = Arc::clone(&mux);
    dispatch(move || {
        dispatcher.run();
        loops.done();
    });
    Box::new(Broadcaster { mux, distributing })
}

impl Running for Broadcaster {
    fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Running::watch(&self.mux, prefix, when_full)
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        Running::action(&self.mux, event)
    }

    fn shutdown(&self) {
        self.mux.shutdown();
        self.distributing.wait();
    }
}
