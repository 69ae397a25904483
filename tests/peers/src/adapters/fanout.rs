//! What is written first: a channel of crossbeam's for each watcher, and producers that send to one after the other.

use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, Watching};

use super::support::{BlackBox, CLOSED, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    use OpKind::{Action, Close, Drop, Recv, TryRecv, Watch};
    BlackBox {
        ops: &[Watch, Action, Recv, TryRecv, Drop, Close],
        ..BlackBox::new(name, provenance, contract, start)
    }
}

/// What the channels themselves promise: each event once to each watcher there was, in no one order.
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Once};
    Contract::strict().with(OpKind::Action, Blocking::WatcherFull).guaranteeing(&[Complete, NoEarlier, Once])
}

fn start(config: &Config) -> Box<dyn Running> {
    let queue = usize::from(config.queue) + 1;
    Box::new(Fanout { queue, senders: Mutex::new(Some(Vec::new())) })
}

struct Fanout {
    queue: usize,
    /// `None` once it is closed.
    senders: Mutex<Option<Vec<Sender<Payload>>>>,
}

impl Running for Fanout {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, receiver) = bounded(self.queue);
        senders.as_mut().ok_or(Refused(None))?.push(sender);
        Ok(Box::new(Reader(receiver)))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(senders) = senders else { return Err(Refused(Some(event))) };
        for sender in senders {
            // A watcher that has gone needs nothing.
            drop(sender.send(event.clone()));
        }
        Ok(None)
    }

    fn close(&self) {
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(senders);
    }
}

struct Reader(Receiver<Payload>);

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
