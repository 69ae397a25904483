//! What the versions of Kubernetes' `pkg/watch/mux.go` have in common.
//!
//! A map of watchers behind a lock, a channel of incoming events, and a loop that takes each event from that
//! channel and, holding the lock, sends it to each watcher. `Shutdown` closes the incoming channel, which
//! ends the loop, which closes the channels of all watchers.
//!
//! Go visits a map in an order drawn by lot; here watchers are visited in the order they joined.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use super::gochan::Chan;
use super::{END, received};
use crate::engine::ObjectId;
use crate::oracle::{Blocking, Closed, Contract, Guarantee};
use crate::script::{Config, OpKind, OpSet, WhenFull};
use crate::subject::{Capabilities, Payload, Received, Refused, Running, Stopping, Subject, Watching};
use crate::sync::channel::TryRecvError;
use crate::sync::{Mutex, thread};

/// What a version does in its own way.
pub(super) trait Version: Send + Sync + Sized + 'static {
    /// Its name as a subject.
    const NAME: &'static str;
    /// Where it comes from.
    const PROVENANCE: &'static str;

    /// What it keeps of a watcher beside its result channel.
    type Extra: Send + Sync;

    /// That of a new watcher.
    fn extra() -> Self::Extra;

    /// Sends an event to a watcher. The lock is held.
    fn send(watcher: &Entry<Self>, event: Payload);

    /// Stops a watcher.
    fn stop(watcher: &MuxWatcher<Self>);
}

/// A version as a subject.
pub(super) struct Kubernetes<V>(PhantomData<V>);

impl<V> Kubernetes<V> {
    pub(super) const fn new() -> Kubernetes<V> {
        Kubernetes(PhantomData)
    }
}

impl<V: Version> Subject for Kubernetes<V> {
    fn name(&self) -> &str {
        V::NAME
    }

    fn provenance(&self) -> &str {
        V::PROVENANCE
    }

    fn capabilities(&self) -> Capabilities {
        // To drop a watcher is nothing in Go, and there is no closing without shutting down.
        let ops =
            [OpKind::Watch, OpKind::Action, OpKind::Recv, OpKind::TryRecv, OpKind::Stop, OpKind::Shutdown];
        Capabilities {
            ops: OpSet::of(&ops),
            incoming: 0..=u8::MAX,
            incoming_as_queue: false,
            queue: 0..=0,
            when_full: &[WhenFull::Wait],
            when_full_per_watcher: false,
            prefix: false,
            stop_from_another_task: true,
            values: true,
            closes_with_last_watcher: false,
            shares_events: false,
        }
    }

    /// The documentation says when `Action` blocks ("when queueLength is 0, Action will block until any prior
    /// event has been completely distributed"), that `Shutdown` leaves queued events to be distributed, and
    /// that `Action` must not be called after it. "New watchers will only receive new events" is read as the
    /// code did: events that were not yet distributed. Of `Stop` it says only that it stops watching; that it
    /// waits while an event is sent to *another* watcher is let pass.
    fn contract(&self) -> Contract {
        use Guarantee::{Complete, Once, Order, StopFinal};
        Contract::silent()
            .with(OpKind::Action, Blocking::Table)
            .with(OpKind::Stop, Blocking::SendingToAnother)
            .guaranteeing(&[Order, Complete, Once, StopFinal])
            .misuse_after_shutdown(OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::Shutdown]))
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        let mux = Arc::new(Mux::<V> {
            state: Mutex::new(State { watchers: BTreeMap::new(), next: 0 }).named("watchers"),
            incoming: Chan::new("incoming", config.incoming.into()),
        });
        let dispatcher = Arc::clone(&mux);
        thread::Builder::new()
            .name("dispatcher".to_owned())
            .spawn(move || dispatcher.run())
            .expect("the system can start a thread");
        Box::new(mux)
    }
}

/// `Mux`
pub(super) struct Mux<V: Version> {
    state: Mutex<State<V>>,
    incoming: Chan<Payload>,
}

struct State<V: Version> {
    watchers: BTreeMap<u64, Arc<Entry<V>>>,
    next: u64,
}

/// What the mux knows of a watcher.
pub(super) struct Entry<V: Version> {
    pub(super) result: Chan<Payload>,
    pub(super) extra: V::Extra,
}

impl<V: Version> Mux<V> {
    /// `loop`
    fn run(&self) {
        while let Some(event) = self.incoming.recv() {
            self.distribute(&event);
        }
        self.close_all();
    }

    fn distribute(&self, event: &Payload) {
        let state = self.state.lock();
        for watcher in state.watchers.values() {
            V::send(watcher, event.clone());
        }
    }

    fn close_all(&self) {
        let mut state = self.state.lock();
        for watcher in std::mem::take(&mut state.watchers).values() {
            watcher.result.close();
        }
    }

    /// `stopWatching`: a watcher that is not in the map was stopped already.
    pub(super) fn stop_watching(&self, id: u64) {
        let mut state = self.state.lock();
        if let Some(watcher) = state.watchers.remove(&id) {
            watcher.result.close();
        }
    }
}

impl<V: Version> Running for Arc<Mux<V>> {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let mut state = self.state.lock();
        let id = state.next;
        state.next += 1;
        let entry = Arc::new(Entry { result: Chan::new("watcher", 0), extra: V::extra() });
        state.watchers.insert(id, Arc::clone(&entry));
        Ok(Box::new(MuxWatcher { mux: Arc::clone(self), id, entry }))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        self.incoming.send(event);
        Ok(None)
    }

    fn shutdown(&self) {
        self.incoming.close();
    }
}

/// `muxWatcher`
pub(super) struct MuxWatcher<V: Version> {
    pub(super) mux: Arc<Mux<V>>,
    pub(super) id: u64,
    pub(super) entry: Arc<Entry<V>>,
}

impl<V: Version> Watching for MuxWatcher<V> {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.entry.result.recv().map(|event| received(Some(event))).ok_or(END)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.entry.result.try_recv() {
            Ok(event) => Ok(Some(received(Some(event)))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(END),
        }
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        let (mux, entry) = (Arc::clone(&self.mux), Arc::clone(&self.entry));
        Some(Arc::new(MuxWatcher { mux, id: self.id, entry }))
    }

    fn channel(&self) -> Option<ObjectId> {
        self.entry.result.object()
    }
}

impl<V: Version> Stopping for MuxWatcher<V> {
    fn stop(&self) {
        V::stop(self);
    }
}
