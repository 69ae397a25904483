//! `bus`: one producer, which its users must share behind a lock.

use std::sync::mpsc::TryRecvError;
use std::sync::{Mutex, PoisonError, TryLockError};

use ::bus::{Bus, BusReader};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, TryRefused, Watching};

use super::support::{BlackBox, CLOSED, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    BlackBox::new(name, provenance, contract, start)
}

/// "every send goes to every consumer" (crate); "will receive all *future* broadcasts" (`add_rx`); "will block until space in
/// the internal buffer becomes available" (`broadcast`); "will never block" (`try_broadcast`); when it is dropped, "receivers
/// will continue receiving any outstanding broadcast messages" and then "a disconnected error" (`Bus`).
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Once, Order};
    Contract::strict()
        // All of it takes `&mut self`, so who shares it waits for a `broadcast` that waits.
        .with(OpKind::Watch, Blocking::Silent)
        .with(OpKind::Close, Blocking::Silent)
        .with(OpKind::Action, Blocking::WatcherFull)
        .guaranteeing(&[Order, Complete, NoEarlier, Once])
}

fn start(config: &Config) -> Box<dyn Running> {
    // A mux with a queue of n for each watcher takes one event more before an action waits.
    Box::new(Shared(Mutex::new(Some(Bus::new(usize::from(config.queue) + 1)))))
}

struct Shared(Mutex<Option<Bus<Payload>>>);

impl Running for Shared {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let mut bus = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bus.as_mut().map(|bus| Box::new(Reader(bus.add_rx())) as _).ok_or(Refused(None))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bus) => bus.broadcast(event),
            None => return Err(Refused(Some(event))),
        }
        Ok(None)
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let mut bus = match self.0.try_lock() {
            Ok(bus) => bus,
            Err(TryLockError::Poisoned(bus)) => bus.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(TryRefused::Full(Some(event))),
        };
        match &mut *bus {
            Some(bus) => {
                bus.try_broadcast(event).map(|()| None).map_err(|event| TryRefused::Full(Some(event)))
            }
            None => Err(TryRefused::Closed(Some(event))),
        }
    }

    fn close(&self) {
        let bus = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(bus);
    }
}

struct Reader(BusReader<Payload>);

impl Watching for Reader {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.0.recv().map(|event| received(event, None)).map_err(|_| CLOSED)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.0.try_recv() {
            Ok(event) => Ok(Some(received(event, None))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(CLOSED),
        }
    }
}
