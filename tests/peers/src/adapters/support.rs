//! What adapters have in common.

use watchmux::oracle::{Closed, Contract};
use watchmux::script::{Config, OpKind, OpSet, WhenFull};
use watchmux::subject::{Capabilities, Payload, Received, Running, Subject};

/// A crate as a black box: what its documentation says of it, and how it is started.
pub struct BlackBox {
    /// The name of the subject.
    pub name: &'static str,
    /// The crate, its version, and how it is used here.
    pub provenance: &'static str,
    /// The ops it has.
    pub ops: &'static [OpKind],
    /// What becomes of an event for a full watcher.
    pub when_full: &'static [WhenFull],
    /// The smallest queue of a watcher.
    pub smallest_queue: u8,
    /// What its documentation promises. Of an event that panics in `Clone` or `Drop` none says anything.
    pub contract: fn() -> Contract,
    /// Starts it.
    pub start: fn(&Config) -> Box<dyn Running>,
}

impl BlackBox {
    /// One as most are: it has all ops but those of a watcher that is stopped without being dropped, and of a shutdown that
    /// waits, and it waits for watchers that are full.
    pub const fn new(
        name: &'static str,
        provenance: &'static str,
        contract: fn() -> Contract,
        start: fn(&Config) -> Box<dyn Running>,
    ) -> BlackBox {
        use OpKind::{Action, Close, Drop, Recv, TryAction, TryRecv, Watch};
        BlackBox {
            name,
            provenance,
            ops: &[Watch, Action, TryAction, Recv, TryRecv, Drop, Close],
            when_full: &[WhenFull::Wait],
            smallest_queue: 0,
            contract,
            start,
        }
    }
}

impl Subject for BlackBox {
    fn name(&self) -> &str {
        self.name
    }

    fn provenance(&self) -> &str {
        self.provenance
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            ops: OpSet::of(self.ops),
            // None of them has a queue before the watchers'.
            incoming: 0..=0,
            incoming_as_queue: false,
            queue: self.smallest_queue..=16,
            when_full: self.when_full,
            when_full_per_watcher: false,
            prefix: false,
            stop_from_another_task: false,
            values: true,
            closes_with_last_watcher: false,
            shares_events: true,
        }
    }

    fn contract(&self) -> Contract {
        (self.contract)()
    }

    fn is_black_box(&self) -> bool {
        true
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        (self.start)(config)
    }
}

/// An event, with the number of those left out just before it, where that is told.
pub fn received(event: Payload, missed: Option<u64>) -> Received {
    Received { event: Some(event), seq: None, missed }
}

/// The end of a stream.
pub const CLOSED: Closed = Closed { reason: None, missed: None };
