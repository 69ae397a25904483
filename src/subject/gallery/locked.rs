//! The muxes of 2014 and 2015: a map of watchers behind a lock, and a loop that sends holding it.
//!
//! The loop takes each event from a channel and, holding the lock, sends it to each watcher. `Shutdown` closes the
//! incoming channel, which ends the loop, which closes the channels of all watchers. To join or to leave takes the lock.

use std::sync::Arc;

use super::gochan::Chan;
use super::k8s_5270;
use super::version::dispatch;
use super::watchers::{Joined, Stop, StopWatching, Watchers};
use crate::script::{Config, WhenFull};
use crate::subject::{Payload, Refused, Running, Watching};
use crate::sync::Mutex;

/// `Mux`, later `Broadcaster`
pub(super) struct Mux<S> {
    watchers: Mutex<Watchers<S>>,
    incoming: Chan<Payload>,
    queue: usize,
    when_full: WhenFull,
}

/// Makes a mux, and starts its loop.
pub(super) fn start<S: Stop>(config: &Config) -> Box<dyn Running> {
    let mux = Arc::new(Mux::<S>::new(config));
    let dispatcher = Arc::clone(&mux);
    dispatch(move || dispatcher.run());
    Box::new(mux)
}

impl<S: Stop> Mux<S> {
    pub(super) fn new(config: &Config) -> Mux<S> {
        Mux {
            watchers: Mutex::new(Watchers::new()).named("watchers"),
            incoming: Chan::new("incoming", config.incoming.into()),
            queue: config.queue.into(),
            when_full: config.when_full,
        }
    }

    /// `loop`
    pub(super) fn run(&self) {
        while let Some(event) = self.incoming.recv() {
            self.distribute(&event);
        }
        self.close_all();
    }

    fn distribute(&self, event: &Payload) {
        self.watchers.lock().distribute(event, self.when_full);
    }

    fn close_all(&self) {
        self.watchers.lock().close_all();
    }

    /// `Watch`, and `WatchWithPrefix` in the versions that have it
    pub(super) fn watch(&self, prefix: Vec<Payload>) -> Joined<S> {
        self.watchers.lock().add(k8s_5270::capacity(self.queue, &prefix), prefix)
    }

    /// `Action`
    pub(super) fn action(&self, event: Payload) {
        self.incoming.send(event);
    }

    /// `Shutdown`
    pub(super) fn shutdown(&self) {
        self.incoming.close();
    }
}

impl<S: Stop> StopWatching for Mux<S> {
    fn stop_watching(&self, id: u64) {
        self.watchers.lock().remove(id);
    }
}

impl<S: Stop> Running for Arc<Mux<S>> {
    fn watch(&self, prefix: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Ok(Mux::watch(self, prefix).of(self))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        Mux::action(self, event);
        Ok(None)
    }

    fn shutdown(&self) {
        Mux::shutdown(self);
    }
}
