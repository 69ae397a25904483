//! `tokio::sync::broadcast`: never waits for a watcher, and tells it how many events it has missed.

use std::sync::{PoisonError, RwLock};

use ::tokio::sync::broadcast::{Receiver, Sender, channel};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, Watching};

use super::support::{BlackBox, CLOSED, received};
use super::tokio_version::{ENDS_AGAIN, RecvError, TryRecvError};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    use OpKind::{Action, Close, Drop, Recv, TryRecv, Watch};
    BlackBox {
        ops: &[Watch, Action, Recv, TryRecv, Drop, Close],
        when_full: &[WhenFull::DropOldest],
        smallest_queue: 1,
        ..BlackBox::new(name, provenance, contract, start)
    }
}

/// "Each sent value is seen by all consumers"; a receiver "will receive values sent **after** the call to `subscribe`"; "the
/// oldest value currently held by the channel is overwritten", and the error carries how many; "Once a receiver has received
/// all values retained by the channel, the next call to `recv` will return with `RecvError::Closed`" (module). Nothing but
/// `recv` is said to wait.
fn contract() -> Contract {
    use Guarantee::{Complete, Missed, NoEarlier, Once, Order};
    Contract::strict()
        .with(OpKind::Action, Blocking::Never)
        .guaranteeing(&[Order, Complete, NoEarlier, Once, Missed])
}

fn start(config: &Config) -> Box<dyn Running> {
    Box::new(Channel(RwLock::new(Some(channel(config.queue.into()).0))))
}

struct Channel(RwLock<Option<Sender<Payload>>>);

impl Running for Channel {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or(Refused(None))?;
        Ok(Box::new(Lagging { receiver: sender.subscribe(), missed: 0, ended: false }))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            // Without a receiver it gives the event back, and the next one may go through: nobody was to see it.
            Some(sender) => drop(sender.send(event)),
            None => return Err(Refused(Some(event))),
        }
        Ok(None)
    }

    fn close(&self) {
        let sender = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(sender);
    }
}

struct Lagging {
    receiver: Receiver<Payload>,
    /// How many it was told to have missed since the last event.
    missed: u64,
    /// Whether it has come to its end, and must not be asked again.
    ended: bool,
}

impl Lagging {
    fn received(&mut self, event: Payload) -> Received {
        received(event, Some(std::mem::take(&mut self.missed)))
    }

    fn end(&mut self) -> Closed {
        self.ended = !ENDS_AGAIN;
        CLOSED
    }
}

impl Watching for Lagging {
    fn recv(&mut self) -> Result<Received, Closed> {
        while !self.ended {
            match pollster::block_on(self.receiver.recv()) {
                Ok(event) => return Ok(self.received(event)),
                Err(RecvError::Lagged(missed)) => self.missed += missed,
                Err(RecvError::Closed) => return Err(self.end()),
            }
        }
        Err(CLOSED)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        while !self.ended {
            match self.receiver.try_recv() {
                Ok(event) => return Ok(Some(self.received(event))),
                Err(TryRecvError::Lagged(missed)) => self.missed += missed,
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Closed) => return Err(self.end()),
            }
        }
        Err(CLOSED)
    }
}
