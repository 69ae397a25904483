//! `eventador`: a ring that waits for all subscribers. It cannot be closed.

use ::eventador::{Eventador, Subscriber};
use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, WhenFull};
use watchmux::subject::{Payload, Received, Refused, Running, Watching};

use super::support::{BlackBox, received};

/// The subject of this name.
pub const fn subject(name: &'static str, provenance: &'static str) -> BlackBox {
    use OpKind::{Action, Drop, Recv, Watch};
    BlackBox {
        ops: &[Watch, Action, Recv, Drop],
        smallest_queue: 1,
        ..BlackBox::new(name, provenance, contract, start)
    }
}

/// It "will ensure a publisher can't overwrite an event in the ring until all subscribers have read it" (`Eventador::new`); a
/// subscriber "will not receive subscribed events that were published to the event-bus before time of subscription. It will
/// only receive events that are published after time of subscription" (`subscribe`). It does not say what becomes of the
/// events of a subscriber that was dropped, so a publisher may wait for it; and events are freed when the memory is
/// reclaimed, which is no promise.
fn contract() -> Contract {
    use Guarantee::{Complete, NoEarlier, Order};
    Contract::strict().with(OpKind::Action, Blocking::Silent).guaranteeing(&[Order, Complete, NoEarlier])
}

fn start(config: &Config) -> Box<dyn Running> {
    // "The capacity is required to be a power of 2", and it must be more than 1.
    let capacity = (u64::from(config.queue) + 1).next_power_of_two();
    Box::new(Bus(Eventador::new(capacity).expect("a power of two, and more than 1")))
}

struct Bus(Eventador);

impl Running for Bus {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Ok(Box::new(Reader(self.0.subscribe())))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        self.0.publish(event);
        Ok(None)
    }
}

struct Reader(Subscriber<Payload>);

impl Watching for Reader {
    fn recv(&mut self) -> Result<Received, Closed> {
        Ok(received(self.0.recv().clone(), None))
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        unreachable!("the capabilities do not name it")
    }
}
