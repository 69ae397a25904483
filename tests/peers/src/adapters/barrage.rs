//! `barrage`: receivers are cloned from receivers, so one is kept, and always read.

use std::sync::{Mutex, PoisonError, RwLock};

use ::barrage::{Disconnected, Receiver, SendError, Sender, TrySendError, bounded};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, TryRefused, Watching};

use super::support::{BlackBox, CLOSED, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    BlackBox::new(name, provenance, contract, start)
}

/// "Each message sent will be received by every receiver. When the channel reaches its cap, send operations will block […].
/// Cloned receivers will only receive messages sent after they are cloned." (crate); "this will block until the queue is no
/// longer full" (`send`). It does not say that all receivers see one order.
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Once};
    Contract::strict().with(OpKind::Action, Blocking::WatcherFull).guaranteeing(&[Complete, NoEarlier, Once])
}

fn start(config: &Config) -> Box<dyn Running> {
    let (sender, receiver) = bounded(usize::from(config.queue) + 1);
    Box::new(Channel { sender: RwLock::new(Some(sender)), hub: Mutex::new(receiver) })
}

struct Channel {
    sender: RwLock<Option<Sender<Payload>>>,
    /// What new receivers come from. Nothing waits while it is locked.
    hub: Mutex<Receiver<Payload>>,
}

impl Channel {
    fn sender(&self) -> Option<Sender<Payload>> {
        self.sender.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn drain(&self) {
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(Some(_)) = hub.try_recv() {}
    }
}

impl Running for Channel {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        self.sender().ok_or(Refused(None))?;
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Reader(Receiver::clone(&hub))))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let Some(sender) = self.sender() else { return Err(Refused(Some(event))) };
        sender.send(event).map_err(|SendError(event)| Refused(Some(event)))?;
        self.drain();
        Ok(None)
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let Some(sender) = self.sender() else { return Err(TryRefused::Closed(Some(event))) };
        sender.try_send(event).map_err(|error| match error {
            TrySendError::Full(event) => TryRefused::Full(Some(event)),
            TrySendError::Disconnected(event) => TryRefused::Closed(Some(event)),
        })?;
        self.drain();
        Ok(None)
    }

    fn close(&self) {
        let sender = self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(sender);
    }
}

struct Reader(Receiver<Payload>);

impl Watching for Reader {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.0.recv().map(|event| received(event, None)).map_err(|Disconnected| CLOSED)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        let event = self.0.try_recv().map_err(|Disconnected| CLOSED)?;
        Ok(event.map(|event| received(event, None)))
    }
}
