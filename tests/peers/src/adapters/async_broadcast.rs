//! `async-broadcast`: many producers, back-pressure, and inactive receivers that keep it open.

use std::sync::{Arc, PoisonError, RwLock};

use ::async_broadcast::{InactiveReceiver, Receiver, Sender, broadcast};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, TryRefused, Watching};

use super::support::{BlackBox, CLOSED, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    BlackBox::new(name, provenance, contract, start)
}

/// "each consumer gets a clone of every message sent on the channel"; "When all `Sender`s or all `Receiver`s are dropped, the
/// channel becomes closed. When a channel is closed, no more messages can be sent, but remaining messages can still be
/// received" (crate). `broadcast` "waits until there is space", and for an active receiver as well (`await_active`): so it
/// may wait at any time, but not once all receivers are gone, for then "this method returns an error".
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Once, Order};
    Contract::strict()
        .with(OpKind::Action, Blocking::UntilTheEnd)
        .guaranteeing(&[Order, Complete, NoEarlier, Once])
}

fn start(config: &Config) -> Box<dyn Running> {
    let (sender, receiver) = broadcast(usize::from(config.queue) + 1);
    let open = Open { sender: Arc::new(sender), hub: receiver.deactivate() };
    Box::new(Channel(RwLock::new(Some(open))))
}

struct Channel(RwLock<Option<Open>>);

struct Open {
    sender: Arc<Sender<Payload>>,
    /// What new receivers come from.
    hub: InactiveReceiver<Payload>,
}

impl Channel {
    fn sender(&self) -> Option<Arc<Sender<Payload>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|open| Arc::clone(&open.sender))
    }
}

impl Running for Channel {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_ref().ok_or(Refused(None))?;
        Ok(Box::new(Reader(open.hub.activate_cloned())))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let Some(sender) = self.sender() else { return Err(Refused(Some(event))) };
        match pollster::block_on(sender.broadcast(event)) {
            Ok(_) => Ok(None),
            Err(error) => Err(Refused(Some(error.into_inner()))),
        }
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let Some(sender) = self.sender() else { return Err(TryRefused::Closed(Some(event))) };
        match sender.try_broadcast(event) {
            Ok(_) => Ok(None),
            Err(error) if error.is_closed() => Err(TryRefused::Closed(Some(error.into_inner()))),
            // There is no room, or nobody to send to yet.
            Err(error) => Err(TryRefused::Full(Some(error.into_inner()))),
        }
    }

    fn close(&self) {
        let open = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(open);
    }
}

struct Reader(Receiver<Payload>);

impl Watching for Reader {
    fn recv(&mut self) -> Result<Received, Closed> {
        pollster::block_on(self.0.recv()).map(|event| received(event, None)).map_err(|_| CLOSED)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.0.try_recv() {
            Ok(event) => Ok(Some(received(event, None))),
            Err(error) if error.is_empty() => Ok(None),
            Err(_) => Err(CLOSED),
        }
    }
}
