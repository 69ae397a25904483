//! GoBench's kernel of kubernetes#1321 (Yuan et al., CGO 2021; `goker/blocking/kubernetes/1321`).
//!
//! `k8s-906` reduced to what hangs: the loop sends a hundred valueless items by itself, there is nothing to
//! shut down, and a second, global lock guards the map from `Watch`, which leaves the lock of the mux alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gochan::Chan;
use super::{END, bugs, received};
use crate::engine::{ObjectId, Shared};
use crate::oracle::{Blocking, Closed, Contract};
use crate::script::{Config, OpKind, OpSet, WhenFull};
use crate::subject::{Bug, Capabilities, Payload, Received, Refused, Running, Stopping, Subject, Watching};
use crate::sync::channel::TryRecvError;
use crate::sync::{Mutex, thread};

/// How many items the loop sends.
const ITEMS: usize = 100;

/// The kernel as a subject.
pub(super) struct Goker1321;

impl Subject for Goker1321 {
    fn name(&self) -> &str {
        "goker-1321"
    }

    fn provenance(&self) -> &str {
        "GoBench's kernel of kubernetes#1321 (GoKer, CGO 2021): k8s-906 reduced to its bug"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            ops: OpSet::of(&[OpKind::Watch, OpKind::Recv, OpKind::TryRecv, OpKind::Stop]),
            incoming: 0..=0,
            incoming_as_queue: false,
            queue: 0..=0,
            when_full: &[WhenFull::Wait],
            when_full_per_watcher: false,
            prefix: false,
            stop_from_another_task: true,
            values: false,
            closes_with_last_watcher: false,
            shares_events: false,
        }
    }

    /// It has no documentation, and its numbering of watchers can give two of them the same number. What is
    /// left is what it was cut out for.
    fn contract(&self) -> Contract {
        Contract::silent().with(OpKind::Stop, Blocking::SendingToAnother)
    }

    fn bugs(&self) -> Vec<&'static Bug> {
        bugs::of(self.name())
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        let mux = Arc::new(Mux {
            lock: Mutex::new(()).named("lock"),
            global: Mutex::new(()).named("global lock"),
            watchers: Shared::new(BTreeMap::new()),
        });
        let dispatcher = Arc::clone(&mux);
        thread::Builder::new()
            .name("dispatcher".to_owned())
            .spawn(move || (0..ITEMS).for_each(|_| dispatcher.distribute()))
            .expect("the system can start a thread");
        Box::new(mux)
    }
}

struct Mux {
    lock: Mutex<()>,
    global: Mutex<()>,
    /// As in the kernel, no one lock guards it: `watch` holds the global one, `stop` that of the mux, the
    /// loop both.
    watchers: Shared<BTreeMap<usize, Chan<()>>>,
}

impl Mux {
    fn distribute(&self) {
        let _lock = self.lock.lock();
        let _global = self.global.lock();
        let results: Vec<Chan<()>> = self.watchers.with(|watchers| watchers.values().cloned().collect());
        for result in results {
            result.send(());
        }
    }
}

impl Running for Arc<Mux> {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let result = Chan::new("watcher", 0);
        let id = self.watchers.with(|watchers| watchers.len());
        let global = self.global.lock();
        let replaced = self.watchers.with(|watchers| watchers.insert(id, result.clone()));
        drop(global);
        drop(replaced);
        Ok(Box::new(Watcher { mux: Arc::clone(self), id, result }))
    }
}

#[derive(Clone)]
struct Watcher {
    mux: Arc<Mux>,
    id: usize,
    result: Chan<()>,
}

impl Watching for Watcher {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.result.recv().map(|()| received(None)).ok_or(END)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.result.try_recv() {
            Ok(()) => Ok(Some(received(None))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(END),
        }
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        Some(Arc::new(self.clone()))
    }

    fn channel(&self) -> Option<ObjectId> {
        self.result.object()
    }
}

impl Stopping for Watcher {
    fn stop(&self) {
        let _lock = self.mux.lock.lock();
        let removed = self.mux.watchers.with(|watchers| watchers.remove(&self.id));
        if let Some(result) = removed {
            result.close();
        }
    }
}
