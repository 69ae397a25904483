//! Kubernetes' Broadcaster with a `Watch` that waits its turn, by #14881 (October 2015).
//!
//! A function that adds the watcher is queued behind the events, and waited for. The loop runs it, and takes the lock
//! for it; `Stop` takes the lock by itself, as before.

use std::sync::Arc;

use super::gochan::Chan;
use super::gosync::WaitGroup;
use super::k8s_3381::Queued;
use super::queue::{self, Item};
use super::version::{CONTRACT_WITH_QUEUED_WATCH, Version, WITH_PREFIX, dispatch};
use super::watchers::{StopWatching, Watchers};
use crate::script::{Config, WhenFull};
use crate::subject::{Payload, Refused, Running, Watching};
use crate::sync::Mutex;

/// V5.
pub(super) const VERSION: Version = Version {
    name: "k8s-14881",
    provenance: "Kubernetes' pkg/watch/mux.go as of #14881 (Oct 2015): Watch is queued behind the events",
    capabilities: WITH_PREFIX,
    contract: CONTRACT_WITH_QUEUED_WATCH,
    start,
};

struct Broadcaster {
    watchers: Mutex<Watchers<Queued>>,
    distributing: WaitGroup,
    incoming: Chan<Item>,
    queue: usize,
    when_full: WhenFull,
}

fn start(config: &Config) -> Box<dyn Running> {
    let (loops, distributing) = WaitGroup::new("distributing");
    let broadcaster = Arc::new(Broadcaster {
        watchers: Mutex::new(Watchers::new()).named("watchers"),
        distributing,
        incoming: Chan::new("incoming", config.incoming.into()),
        queue: config.queue.into(),
        when_full: config.when_full,
    });
    let dispatcher = Arc::clone(&broadcaster);
    dispatch(move || {
        dispatcher.run();
        loops.done();
    });
    Box::new(broadcaster)
}

impl Broadcaster {
    /// `loop`
    fn run(&self) {
        while let Some(item) = self.incoming.recv() {
            match item {
                Item::Event(event) => self.distribute(&event),
                Item::Function(function) => function(&mut self.watchers.lock()),
            }
        }
        self.watchers.lock().close_all();
    }

    fn distribute(&self, event: &Payload) {
        self.watchers.lock().distribute(event, self.when_full);
    }
}

impl StopWatching for Broadcaster {
    fn stop_watching(&self, id: u64) {
        self.watchers.lock().remove(id);
    }
}

impl Running for Arc<Broadcaster> {
    fn watch(&self, prefix: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let block_queue = |function| queue::block_queue(&self.incoming, function);
        let joined = queue::watch(self.queue, prefix, block_queue);
        Ok(joined.expect("the loop has run the function").of(self))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        self.incoming.send(Item::Event(event));
        Ok(None)
    }

    fn shutdown(&self) {
        self.incoming.close();
        self.distributing.wait();
    }
}
