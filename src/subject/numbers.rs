use std::sync::Arc;

use super::{
    Capabilities, Payload, Received, Refused, Running, Shipped, Stopping, Subject, TryRefused, Watching,
};
use crate::engine::Shared;
use crate::mux::{Delivery, Mux, TryActionError, TryRecvError, WatchOptions, Watcher};
use crate::oracle::{Closed, Contract};
use crate::script::{Config, WhenFull};

/// The mux that this crate ships, with events that need no drop, as the subject `mux-numbers`: it shares them in blocks.
///
/// Its events are numbers, each of which stands for a payload.
#[derive(Clone, Copy, Debug)]
pub struct Numbers;

impl Subject for Numbers {
    fn name(&self) -> &str {
        "mux-numbers"
    }

    fn provenance(&self) -> &str {
        "watchmux::Mux, with events that need no drop"
    }

    fn capabilities(&self) -> Capabilities {
        Shipped.capabilities()
    }

    fn contract(&self) -> Contract {
        Shipped.contract()
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        Box::new(Numbered { it: Mux::new(config.into()), payloads: Payloads::default() })
    }
}

/// A mux or a watcher, and the payloads.
struct Numbered<T> {
    it: T,
    payloads: Payloads,
}

#[derive(Clone)]
struct Payloads(Arc<Shared<Vec<Payload>>>);

impl Default for Payloads {
    fn default() -> Payloads {
        Payloads(Arc::new(Shared::new(Vec::new())))
    }
}

impl Payloads {
    fn number(&self, payload: Payload) -> usize {
        self.0.with(|payloads| {
            payloads.push(payload);
            payloads.len() - 1
        })
    }

    fn get(&self, number: usize) -> Option<Payload> {
        self.0.with(|payloads| payloads.get(number).cloned())
    }

    fn received(&self, delivery: Delivery<usize>) -> Received {
        let Delivery { event, seq, missed } = delivery;
        Received { event: self.get(event), seq, missed: Some(missed) }
    }
}

impl Running for Numbered<Mux<usize>> {
    fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let prefix = prefix.into_iter().map(|payload| self.payloads.number(payload)).collect();
        let options = WatchOptions { prefix, when_full: Some(when_full.into()) };
        match self.it.watch_with(options) {
            Ok(it) => Ok(Box::new(Numbered { it, payloads: self.payloads.clone() })),
            Err(_) => Err(Refused(None)),
        }
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let accepted = self.it.action(self.payloads.number(event));
        accepted.map(Some).map_err(|error| Refused(self.payloads.get(error.0)))
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let accepted = self.it.try_action(self.payloads.number(event));
        accepted.map(Some).map_err(|error| match error {
            TryActionError::Full(number) => TryRefused::Full(self.payloads.get(number)),
            TryActionError::Closed(number) => TryRefused::Closed(self.payloads.get(number)),
        })
    }

    fn close(&self) {
        self.it.close();
    }

    fn shutdown(&self) {
        self.it.shutdown();
    }
}

impl Watching for Numbered<Watcher<usize>> {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.it.recv().map(|delivery| self.payloads.received(delivery)).map_err(Closed::from)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.it.try_recv() {
            Ok(delivery) => Ok(Some(self.payloads.received(delivery))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Closed(closed)) => Err(closed.into()),
        }
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        Some(Arc::new(self.it.stopper()))
    }
}
