//! A version of Kubernetes' mux as a subject, and what the documentation of each promises.

use super::bugs;
use crate::oracle::{Blocking, Contract, Guarantee};
use crate::script::{Config, OpKind, OpSet, WhenFull};
use crate::subject::{Bug, Capabilities, Running, Subject};
use crate::sync::thread;

/// A version, as data.
pub(super) struct Version {
    /// Its name as a subject.
    pub(super) name: &'static str,
    /// Where it comes from.
    pub(super) provenance: &'static str,
    /// What it supports.
    pub(super) capabilities: Capabilities,
    /// What its documentation promises.
    pub(super) contract: Contract,
    /// Starts it.
    pub(super) start: fn(&Config) -> Box<dyn Running>,
}

impl Subject for Version {
    fn name(&self) -> &str {
        self.name
    }

    fn provenance(&self) -> &str {
        self.provenance
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn contract(&self) -> Contract {
        self.contract.clone()
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        (self.start)(config)
    }

    fn bugs(&self) -> Vec<&'static Bug> {
        bugs::of(self.name)
    }
}

/// Runs a mux's loop.
pub(super) fn dispatch(run: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name("dispatcher".to_owned()).spawn(run).expect("the system can start a thread");
}

/// To drop a watcher is nothing in Go, and there is no closing without shutting down.
const OPS: [OpKind; 6] =
    [OpKind::Watch, OpKind::Action, OpKind::Recv, OpKind::TryRecv, OpKind::Stop, OpKind::Shutdown];

/// `NewMux(queueLength)`: the length is that of the incoming queue.
pub(super) const MUX: Capabilities = Capabilities {
    ops: OpSet::of(&OPS),
    incoming: 0..=u8::MAX,
    incoming_as_queue: false,
    queue: 0..=0,
    when_full: &[WhenFull::Wait],
    when_full_per_watcher: false,
    prefix: false,
    stop_from_another_task: true,
    values: true,
    closes_with_last_watcher: false,
    shares_events: false,
};

/// `NewBroadcaster(queueLength, fullChannelBehavior)`: the length is that of each watcher's queue.
pub(super) const BROADCASTER: Capabilities = Capabilities {
    incoming: 0..=0,
    queue: 0..=u8::MAX,
    when_full: &[WhenFull::Wait, WhenFull::DropNewest],
    ..MUX
};

/// That with `incomingQueueLength` and `WatchWithPrefix`.
pub(super) const WITH_PREFIX: Capabilities = Capabilities { incoming: 25..=25, prefix: true, ..BROADCASTER };

/// That with `ActionOrDrop` and `NewLongQueueBroadcaster`.
pub(super) const LONG_QUEUE: Capabilities =
    Capabilities { ops: OPS_AND_TRY_ACTION, incoming_as_queue: true, ..WITH_PREFIX };

const OPS_AND_TRY_ACTION: OpSet =
    OpSet::of(&[OPS[0], OPS[1], OpKind::TryAction, OPS[2], OPS[3], OPS[4], OPS[5]]);

/// What the Mux of 2014 and the Broadcasters up to #13058 promise.
///
/// Events are distributed in the order in which they occur, to every watcher, and `Shutdown` leaves those that are
/// queued to be distributed. "New watchers will only receive new events" is read as the code did: events that were not
/// yet distributed. `Action` blocks "until any prior event has been completely distributed", or, later, for the incoming
/// queue to have room. Of `Stop` it is said only that it stops watching; that it waits while an event is sent to
/// *another* watcher is let pass. `Action` must not be called after `Shutdown`, and nobody would expect more of the
/// other calls.
pub(super) const CONTRACT_OF_2014: Contract = {
    use Guarantee::{Complete, Once, Order, StopFinal};
    Contract::silent()
        .with(OpKind::Action, Blocking::BackPressure)
        .with(OpKind::Stop, Blocking::SendingToAnother)
        .guaranteeing(&[Order, Complete, Once, StopFinal])
        .misuse_after_shutdown(OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::Shutdown]))
};

/// That with "sends queuedEvents down the new watch before beginning to send ordinary events" (#5270), whose "queue length
/// \[…\] is at least large enough to accommodate all of the items in queuedEvents".
pub(super) const CONTRACT_WITH_PREFIX: Contract = {
    use Guarantee::{Complete, Once, Order, Prefix, StopFinal};
    CONTRACT_OF_2014.guaranteeing(&[Order, Complete, Once, StopFinal, Prefix]).with_prefix_in_queue()
};

/// That with a `Shutdown` that "blocks until all events have been distributed" (#13058).
pub(super) const CONTRACT_WITH_WAITING_SHUTDOWN: Contract = {
    use Guarantee::{Complete, Once, Order, Prefix, ShutdownFinal, StopFinal};
    CONTRACT_WITH_PREFIX.with(OpKind::Shutdown, Blocking::Table).guaranteeing(&[
        Order,
        Complete,
        Once,
        StopFinal,
        Prefix,
        ShutdownFinal,
    ])
};

/// That with "watchers added after an event won't ever see that event" (#14881).
pub(super) const CONTRACT_WITH_QUEUED_WATCH: Contract = {
    use Guarantee::{Complete, NoEarlier, Once, Order, Prefix, ShutdownFinal, StopFinal};
    CONTRACT_WITH_WAITING_SHUTDOWN.guaranteeing(&[
        Order,
        Complete,
        NoEarlier,
        Once,
        StopFinal,
        Prefix,
        ShutdownFinal,
    ])
};

/// That with a `Stop` that "will block until the watcher stop request is actually executed" (#91602).
pub(super) const CONTRACT_WITH_QUEUED_STOP: Contract =
    CONTRACT_WITH_QUEUED_WATCH.with(OpKind::Stop, Blocking::Silent);

/// That with an `ActionOrDrop` that drops an event "on the floor if too many incoming actions are queued up" (#95664).
pub(super) const CONTRACT_WITH_TRY_ACTION: Contract = CONTRACT_WITH_QUEUED_STOP
    .with(OpKind::TryAction, Blocking::Never)
    .misuse_after_shutdown(OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::TryAction, OpKind::Shutdown]));

/// That with errors in place of panics (#108080). Of what must not be called after `Shutdown`, `Watch` alone is not yet
/// safe, so it is still the caller's to mind.
pub(super) const CONTRACT_WITH_ERRORS: Contract =
    CONTRACT_WITH_TRY_ACTION.misuse_after_shutdown(OpSet::of(&[OpKind::Watch]));

/// That with a `Watch` that is as safe (#110040).
pub(super) const CONTRACT_OF_TODAY: Contract = CONTRACT_WITH_ERRORS.misuse_after_shutdown(OpSet::NONE);
