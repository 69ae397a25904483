use std::sync::Arc;

use super::{Capabilities, Payload, Received, Refused, Running, Stopping, Subject, TryRefused, Watching};
use crate::mux;
use crate::oracle::{Closed, Contract, Reason};
use crate::script::{Config, OpSet, WhenFull};

/// The mux that this crate ships, as the subject `mux`.
#[derive(Clone, Copy, Debug)]
pub struct Shipped;

impl Subject for Shipped {
    fn name(&self) -> &str {
        "mux"
    }

    fn provenance(&self) -> &str {
        "watchmux::Mux, the mux that this crate ships"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            ops: OpSet::ALL,
            incoming: 0..=u8::MAX,
            incoming_as_queue: false,
            queue: 0..=u8::MAX,
            when_full: &WhenFull::ALL,
            when_full_per_watcher: true,
            prefix: true,
            stop_from_another_task: true,
            values: true,
            closes_with_last_watcher: false,
            shares_events: true,
        }
    }

    fn contract(&self) -> Contract {
        Contract::strict()
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        Box::new(mux::Mux::new(config.into()))
    }
}

impl From<&Config> for mux::Config {
    fn from(config: &Config) -> mux::Config {
        mux::Config {
            incoming: config.incoming.into(),
            queue: config.queue.into(),
            when_full: config.when_full.into(),
        }
    }
}

impl From<WhenFull> for mux::WhenFull {
    fn from(policy: WhenFull) -> mux::WhenFull {
        match policy {
            WhenFull::Wait => mux::WhenFull::Wait,
            WhenFull::DropNewest => mux::WhenFull::DropNewest,
            WhenFull::DropOldest => mux::WhenFull::DropOldest,
            WhenFull::Disconnect => mux::WhenFull::Disconnect,
        }
    }
}

impl Running for mux::Mux<Payload> {
    fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let options = mux::WatchOptions { prefix, when_full: Some(when_full.into()) };
        match self.watch_with(options) {
            Ok(watcher) => Ok(Box::new(watcher)),
            Err(_) => Err(Refused(None)),
        }
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        mux::Mux::action(self, event).map(Some).map_err(|error| Refused(Some(error.0)))
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        mux::Mux::try_action(self, event).map(Some).map_err(|error| match error {
            mux::TryActionError::Full(event) => TryRefused::Full(Some(event)),
            mux::TryActionError::Closed(event) => TryRefused::Closed(Some(event)),
        })
    }

    fn close(&self) {
        mux::Mux::close(self);
    }

    fn shutdown(&self) {
        mux::Mux::shutdown(self);
    }
}

impl Watching for mux::Watcher<Payload> {
    fn recv(&mut self) -> Result<Received, Closed> {
        mux::Watcher::recv(self).map(Received::from).map_err(Closed::from)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match mux::Watcher::try_recv(self) {
            Ok(delivery) => Ok(Some(delivery.into())),
            Err(mux::TryRecvError::Empty) => Ok(None),
            Err(mux::TryRecvError::Closed(closed)) => Err(closed.into()),
        }
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        Some(Arc::new(mux::Watcher::stopper(self)))
    }
}

impl Stopping for mux::Stopper {
    fn stop(&self) {
        mux::Stopper::stop(self);
    }
}

impl From<mux::Delivery<Payload>> for Received {
    fn from(delivery: mux::Delivery<Payload>) -> Received {
        Received { event: Some(delivery.event), seq: delivery.seq, missed: Some(delivery.missed) }
    }
}

impl From<mux::Closed> for Closed {
    fn from(closed: mux::Closed) -> Closed {
        let reason = match closed.reason {
            mux::Reason::Stopped => Reason::Stopped,
            mux::Reason::Shutdown => Reason::Shutdown,
            mux::Reason::TooSlow => Reason::TooSlow,
            mux::Reason::EventPanicked => Reason::EventPanicked,
        };
        Closed { reason: Some(reason), missed: Some(closed.missed) }
    }
}
