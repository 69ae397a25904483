//! `postage::broadcast`: many producers, back-pressure, and senders that subscribe.

use std::sync::{PoisonError, RwLock};

use ::postage::broadcast::{Receiver, Sender, channel};
use ::postage::sink::{Sink, TrySendError};
use ::postage::stream::{Stream, TryRecvError};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, TryRefused, Watching};

use super::support::{BlackBox, CLOSED, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    BlackBox { smallest_queue: 1, ..BlackBox::new(name, provenance, contract, start) }
}

/// "Provides a lossless, MPMC channel. All receivers are guaranteed to recieve each message" (module `broadcast`); a receiver
/// "will observe all messages sent after the call to subscribe. Messages currently in the buffer are not received"
/// (`Sender::subscribe`); "The sender task is suspended when the internal buffer is filled" (`Sender`).
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Once, Order};
    Contract::strict()
        .with(OpKind::Action, Blocking::WatcherFull)
        .guaranteeing(&[Order, Complete, NoEarlier, Once])
}

fn start(config: &Config) -> Box<dyn Running> {
    Box::new(Channel(RwLock::new(Some(channel(usize::from(config.queue) + 1).0))))
}

struct Channel(RwLock<Option<Sender<Payload>>>);

impl Channel {
    fn sender(&self) -> Option<Sender<Payload>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Running for Channel {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Ok(Box::new(Reader(self.sender().ok_or(Refused(None))?.subscribe())))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let Some(mut sender) = self.sender() else { return Err(Refused(Some(event))) };
        // Without a receiver it gives the event back, and one may subscribe later: nobody was to see it.
        drop(sender.blocking_send(event));
        Ok(None)
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let Some(mut sender) = self.sender() else { return Err(TryRefused::Closed(Some(event))) };
        match sender.try_send(event) {
            Ok(()) | Err(TrySendError::Rejected(_)) => Ok(None),
            Err(TrySendError::Pending(event)) => Err(TryRefused::Full(Some(event))),
        }
    }

    fn close(&self) {
        let sender = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(sender);
    }
}

struct Reader(Receiver<Payload>);

impl Watching for Reader {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.0.blocking_recv().map(|event| received(event, None)).ok_or(CLOSED)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.0.try_recv() {
            Ok(event) => Ok(Some(received(event, None))),
            Err(TryRecvError::Pending) => Ok(None),
            Err(TryRecvError::Closed) => Err(CLOSED),
        }
    }
}
