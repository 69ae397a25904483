//! What every version keeps of its watchers: a map of them by number.
//!
//! Go visits a map in an order drawn by lot; here watchers are visited in the order they joined.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gochan::Chan;
use super::{END, received};
use crate::engine::ObjectId;
use crate::oracle::Closed;
use crate::script::WhenFull;
use crate::subject::{Payload, Received, Stopping, Watching};
use crate::sync::channel::TryRecvError;

/// How a watcher is stopped, and what that does to a send to it.
pub(super) trait Stop: Send + Sync + 'static {
    /// That of a new watcher.
    fn new() -> Self;

    /// Sends an event to a watcher, through its result channel.
    fn send(&self, result: &Chan<Payload>, event: Payload, when_full: WhenFull);

    /// `Stop`, which has the mux stop watching.
    fn stop(&self, stop_watching: impl FnOnce());
}

/// `watchers` and `nextWatcher`
pub(super) struct Watchers<S> {
    entries: BTreeMap<u64, Entry<S>>,
    next: u64,
}

struct Entry<S> {
    result: Chan<Payload>,
    stop: Arc<S>,
}

impl<S: Stop> Watchers<S> {
    pub(super) fn new() -> Watchers<S> {
        Watchers { entries: BTreeMap::new(), next: 0 }
    }

    /// Adds a watcher, with its first events in its channel.
    pub(super) fn add(&mut self, capacity: usize, prefix: Vec<Payload>) -> Joined<S> {
        let id = self.next;
        self.next += 1;
        let (result, stop) = (Chan::new("watcher", capacity), Arc::new(S::new()));
        self.entries.insert(id, Entry { result: result.clone(), stop: Arc::clone(&stop) });
        prefix.into_iter().for_each(|event| result.send(event));
        Joined { id, result, stop }
    }

    /// `distribute`
    pub(super) fn distribute(&self, event: &Payload, when_full: WhenFull) {
        for Entry { result, stop } in self.entries.values() {
            stop.send(result, event.clone(), when_full);
        }
    }

    /// The end of `stopWatching`: a watcher that is not in the map was stopped already.
    pub(super) fn remove(&mut self, id: u64) {
        if let Some(Entry { result, .. }) = self.entries.remove(&id) {
            result.close();
        }
    }

    /// `closeAll`
    pub(super) fn close_all(&mut self) {
        for Entry { result, .. } in std::mem::take(&mut self.entries).values() {
            result.close();
        }
    }
}

/// What a new watcher is given.
pub(super) struct Joined<S> {
    id: u64,
    result: Chan<Payload>,
    stop: Arc<S>,
}

impl<S: Stop> Joined<S> {
    pub(super) fn of<M: StopWatching>(self, mux: &Arc<M>) -> Box<dyn Watching> {
        Box::new(Watcher { mux: Arc::clone(mux), joined: Arc::new(self) })
    }
}

/// A mux that watchers can be taken from.
pub(super) trait StopWatching: Send + Sync + 'static {
    /// `stopWatching`
    fn stop_watching(&self, id: u64);
}

/// `muxWatcher`, later `broadcasterWatcher`
struct Watcher<M, S> {
    mux: Arc<M>,
    joined: Arc<Joined<S>>,
}

impl<M: StopWatching, S: Stop> Watching for Watcher<M, S> {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.joined.result.recv().map(|event| received(Some(event))).ok_or(END)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.joined.result.try_recv() {
            Ok(event) => Ok(Some(received(Some(event)))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(END),
        }
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        Some(Arc::new(Watcher { mux: Arc::clone(&self.mux), joined: Arc::clone(&self.joined) }))
    }

    fn channel(&self) -> Option<ObjectId> {
        self.joined.result.object()
    }
}

impl<M: StopWatching, S: Stop> Stopping for Watcher<M, S> {
    fn stop(&self) {
        self.joined.stop.stop(|| self.mux.stop_watching(self.joined.id));
    }
}
