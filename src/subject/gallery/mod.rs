//! The gallery: known-bad muxes, which the suite must catch, and their fixed versions, which must pass.
//!
//! Each is the mechanism of a real one, written afresh over [`sync`](crate::sync): ten versions of Kubernetes'
//! `pkg/watch/mux.go`, from 2014 to today's, and GoBench's kernel of its first bug. A version's file has what it does
//! differently from the one before it; what versions share is in `locked` (a map of watchers behind a lock), `unlocked`
//! (the loop's own map), `queue` (functions queued behind the events), `watchers`, `gochan` and `gosync` (what Go's channels
//! and package `sync` have and ours have not). Their contracts, from the documentation of each, are in `version`.
//!
//! The table in `bugs` says what each version shows, under which contract and by which signatures; the tests hold every
//! hunt against it, and so does `watchmux hunt --subject all`. B1 to B7 are bugs that upstream has fixed, H1 to H4 hazards
//! that today's code still has. What follows was on no list, and was found by hunting V5 to V9 under both contracts. Each
//! was then read in upstream's code; each has a script in `tests/corpus`.
//!
//! - **H5, V6–V9, both contracts.** `Stop` queues a function that closes the watcher, unless the broadcaster is stopped: then
//!   it returns at once, for the loop will close all watchers. But `stopped` is closed by `Shutdown`'s function, and the loop
//!   closes the watchers only after it, once it has distributed what is left. A `Stop` in between returns with its watcher
//!   open: a receive tells neither an event nor the end, and an event that is published even later can still come (V6, V7).
//!   `Stop` is documented to "block until the watcher stop request is actually executed".
//! - **H6, V3–V9, strict.** `WatchWithPrefix` makes a channel as long as the queue or the prefix and one, whichever is
//!   longer, so a prefix takes the room of events: with a queue of 2 and a prefix of one the loop waits at the second event,
//!   or drops it. Upstream promises only that the prefix fits.
//! - **H7, V7–V9, strict.** With a short incoming queue (`NewLongQueueBroadcaster` of a small length) an `Action` that waits
//!   for room is not woken by `Shutdown`, which waits behind it: in the queue, or for the lock that `Action` holds.
//! - **K1, the kernel, strict.** It numbers a watcher by how many there are, so after a stop the next one takes the place of
//!   another: stopping that closes the wrong channel. Kubernetes itself counts on.
//!
//! A panic of the loop, which in Go ends the process, ends only its task here. What then waits for ever is counted with the
//! panic (B6).

use std::sync::Arc;

use super::{Payload, Received, Subject};
use crate::oracle::Closed;

mod bugs;
pub(crate) mod gochan;
mod goker_1321;
mod gosync;
mod k8s_108080;
mod k8s_110040;
mod k8s_13058;
mod k8s_1321;
mod k8s_14881;
mod k8s_3381;
mod k8s_5270;
mod k8s_906;
mod k8s_91602;
mod k8s_95664;
mod locked;
mod queue;
mod unlocked;
mod version;
mod watchers;

/// The gallery, oldest first.
pub fn gallery() -> Vec<Arc<dyn Subject>> {
    let versions = [
        k8s_906::VERSION,
        k8s_1321::VERSION,
        k8s_3381::VERSION,
        k8s_5270::VERSION,
        k8s_13058::VERSION,
        k8s_14881::VERSION,
        k8s_91602::VERSION,
        k8s_95664::VERSION,
        k8s_108080::VERSION,
        k8s_110040::VERSION,
    ];
    let versions = versions.into_iter().map(|version| Arc::new(version) as Arc<dyn Subject>);
    versions.chain([Arc::new(goker_1321::Goker1321) as Arc<dyn Subject>]).collect()
}

/// The end of a stream, of which Go's channels say no more.
const END: Closed = Closed { reason: None, missed: None };

/// What a Go channel delivers: the event, if it has a value, and no more.
fn received(event: Option<Payload>) -> Received {
    Received { event, seq: None, missed: None }
}
