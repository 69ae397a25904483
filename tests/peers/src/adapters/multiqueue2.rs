//! `multiqueue2`: sends without waiting; streams are added to streams, so one is kept, and always read.

use std::sync::mpsc::{TryRecvError, TrySendError};
use std::sync::{Mutex, PoisonError};

use ::multiqueue2::{BroadcastReceiver, BroadcastSender, broadcast_queue};
use watchmux::oracle::{Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, TryRefused, Watching};

use super::support::{BlackBox, CLOSED, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    use OpKind::{Close, Drop, Recv, TryAction, TryRecv, Watch};
    BlackBox {
        ops: &[Watch, TryAction, Recv, TryRecv, Drop, Close],
        ..BlackBox::new(name, provenance, contract, start)
    }
}

/// "an incoming FIFO data stream that is broadcast to a set of subscribers", "for each element sent in, it is seen on each
/// stream"; "The .recv function will block until data is available", "For senders, there is only `try_send`" (crate).
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Once, Order};
    Contract::strict().guaranteeing(&[Order, Complete, NoEarlier, Once])
}

fn start(config: &Config) -> Box<dyn Running> {
    let (sender, receiver) = broadcast_queue(u64::from(config.queue) + 1);
    Box::new(Queue { sender: Mutex::new(Some(sender)), hub: Mutex::new(receiver) })
}

struct Queue {
    sender: Mutex<Option<BroadcastSender<Payload>>>,
    /// What new streams are added to. Nothing waits while it is locked.
    hub: Mutex<BroadcastReceiver<Payload>>,
}

impl Running for Queue {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().ok_or(Refused(None))?;
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Reader(hub.add_stream())))
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sender) = sender else { return Err(TryRefused::Closed(Some(event))) };
        sender.try_send(event).map_err(|error| match error {
            TrySendError::Full(event) => TryRefused::Full(Some(event)),
            TrySendError::Disconnected(event) => TryRefused::Closed(Some(event)),
        })?;
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        while hub.try_recv().is_ok() {}
        Ok(None)
    }

    fn close(&self) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(sender);
    }
}

struct Reader(BroadcastReceiver<Payload>);

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
