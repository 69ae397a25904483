//! The Broadcasters from #91602 on: the watchers are the loop's alone, and need no lock.
//!
//! `Watch`, `Stop` and `Shutdown` queue a function for the loop and wait for it, unless the broadcaster is stopped, which
//! a channel tells that `Shutdown`'s function closes.

use std::convert::Infallible;
use std::sync::Arc;

use super::gochan::Chan;
use super::gosync::WaitGroup;
use super::k8s_3381::Queued;
use super::queue::{self, Item};
use super::version::dispatch;
use super::watchers::{StopWatching, Watchers};
use crate::script::{Config, WhenFull};
use crate::subject::{Payload, TryRefused, Watching};
use crate::sync::channel::TryRecvError;

/// `Broadcaster`
pub(super) struct Broadcaster {
    distributing: WaitGroup,
    pub(super) incoming: Chan<Item>,
    stopped: Chan<Infallible>,
    queue: usize,
}

/// A version of it.
pub(super) trait Unlocked: Send + Sync + 'static {
    /// What all versions have.
    fn broadcaster(&self) -> &Broadcaster;

    /// `blockQueue`
    fn block_queue(&self, f: impl FnOnce(&mut Watchers<Queued>) + Send + 'static) {
        self.broadcaster().block_queue(f);
    }

    /// `Watch`, `WatchWithPrefix`; `None` if the broadcaster is stopped.
    fn watch(self: &Arc<Self>, prefix: Vec<Payload>) -> Option<Box<dyn Watching>>
    where
        Self: Sized,
    {
        let block_queue = |function| self.block_queue(function);
        queue::watch(self.broadcaster().queue, prefix, block_queue).map(|joined| joined.of(self))
    }

    /// `Shutdown`
    fn shutdown(&self) {
        let Broadcaster { distributing, incoming, stopped, .. } = self.broadcaster();
        let (incoming, stopped) = (incoming.clone(), stopped.clone());
        self.block_queue(move |_| {
            stopped.close();
            incoming.close();
        });
        distributing.wait();
    }
}

impl<U: Unlocked> StopWatching for U {
    fn stop_watching(&self, id: u64) {
        self.block_queue(move |watchers| watchers.remove(id));
    }
}

impl Broadcaster {
    /// Makes one, and starts its loop.
    pub(super) fn start(config: &Config) -> Broadcaster {
        let (loops, distributing) = WaitGroup::new("distributing");
        let incoming = Chan::new("incoming", config.incoming.into());
        let (events, when_full) = (incoming.clone(), config.when_full);
        dispatch(move || {
            run(&events, when_full);
            loops.done();
        });
        Broadcaster { distributing, incoming, stopped: Chan::new("stopped", 0), queue: config.queue.into() }
    }

    /// `select { case <-m.stopped: … default: }`
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// The send of `ActionOrDrop`
    pub(super) fn try_send(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        self.incoming.try_send(Item::Event(event)).map(|()| None).map_err(|_| TryRefused::Full(None))
    }

    /// `blockQueue`
    pub(super) fn block_queue(&self, f: impl FnOnce(&mut Watchers<Queued>) + Send + 'static) {
        if !self.is_stopped() {
            queue::block_queue(&self.incoming, f);
        }
    }
}

/// `loop`
fn run(incoming: &Chan<Item>, when_full: WhenFull) {
    let mut watchers = Watchers::new();
    while let Some(item) = incoming.recv() {
        match item {
            Item::Event(event) => watchers.distribute(&event, when_full),
            Item::Function(function) => function(&mut watchers),
        }
    }
    watchers.close_all();
}
