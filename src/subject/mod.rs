//! Subjects: muxes under test.
//!
//! Implement [`Subject`] to put a broadcaster of your own under the suite.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::engine::ObjectId;
use crate::oracle::{Closed, Contract};
use crate::script::{Config, Op, OpKind, OpSet, Script, WhenFull};

mod awaited;
mod bug;
pub mod gallery;
mod numbers;
mod payload;
mod shipped;

pub use awaited::Awaited;
pub use bug::{Bug, Sign};
pub use gallery::gallery;
pub use numbers::Numbers;
pub use payload::{Ledger, Payload};
pub use shipped::Shipped;

/// The shipped mux, as threads and as tasks use it, and with events that need no drop; and the gallery: what the command
/// offers.
pub fn all() -> Vec<Arc<dyn Subject>> {
    let mut subjects: Vec<Arc<dyn Subject>> = vec![Arc::new(Shipped), Arc::new(Awaited), Arc::new(Numbers)];
    subjects.extend(gallery());
    subjects
}

/// A mux under test: its description, and how to start one.
pub trait Subject: Send + Sync {
    /// The name `--subject` and scripts know it by: lower-case letters, digits and `-`.
    fn name(&self) -> &str;

    /// Where it comes from and what is known of it, in a line or two.
    fn provenance(&self) -> &str;

    /// What it supports.
    fn capabilities(&self) -> Capabilities;

    /// What its documentation promises, and what that lets block.
    fn contract(&self) -> Contract;

    /// What it is known to do wrong: a hunt of all subjects compares what it finds with that.
    fn bugs(&self) -> Vec<&'static Bug> {
        Vec::new()
    }

    /// Whether it is a black box: code that is not written over [`sync`](crate::sync).
    ///
    /// It is run on free threads alone, in a child process: it may hang, abort or leak there. What it waits for cannot be
    /// seen, so a hang is called one when nothing has moved for ten times the deadline.
    fn is_black_box(&self) -> bool {
        false
    }

    /// Starts a mux. The configuration is one that [`Capabilities::clamp`] leaves as it is.
    ///
    /// Called on the setup task of an execution: what it makes over [`sync`](crate::sync) belongs to that.
    fn start(&self, config: &Config) -> Box<dyn Running>;
}

/// A mux that runs.
///
/// The ops that a subject may lack have a body that is never called: what its capabilities do not name is
/// skipped.
pub trait Running: Send + Sync {
    /// Joins.
    ///
    /// # Errors
    /// If the mux is closed.
    fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused>;

    /// Publishes an event, and says its place in the total order if it knows.
    ///
    /// # Errors
    /// If the mux is closed; with the event given back, if it gives it back.
    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let _ = event;
        lacking(OpKind::Action)
    }

    /// Publishes an event unless that would wait.
    ///
    /// # Errors
    /// If the mux is closed, or there is no room.
    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        let _ = event;
        lacking(OpKind::TryAction)
    }

    /// No new actions.
    fn close(&self) {
        lacking(OpKind::Close)
    }

    /// No new actions, and all that is queued is distributed first.
    fn shutdown(&self) {
        lacking(OpKind::Shutdown)
    }
}

fn lacking(op: OpKind) -> ! {
    unreachable!("the capabilities name `{op}`, and it is not implemented")
}

/// A watcher.
pub trait Watching: Send {
    /// The next delivery, waiting for it.
    ///
    /// # Errors
    /// At the end of the stream.
    fn recv(&mut self) -> Result<Received, Closed>;

    /// The next delivery, if there is one.
    ///
    /// # Errors
    /// At the end of the stream.
    fn try_recv(&mut self) -> Result<Option<Received>, Closed>;

    /// What stops this watcher, also from another task; `None` if only its owner can, while not receiving.
    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        None
    }

    /// Stops this watcher, as its owner. Called only where there is no [`stopper`](Watching::stopper).
    fn stop(&mut self) {
        lacking(OpKind::Stop)
    }

    /// The channel it reads from, so that reports can name the watcher; `None` if it is not over
    /// [`sync`](crate::sync).
    fn channel(&self) -> Option<ObjectId> {
        None
    }
}

/// Stops a watcher from another task.
pub trait Stopping: Send + Sync {
    /// Stops it.
    fn stop(&self);
}

/// What a watcher received.
#[derive(Debug)]
pub struct Received {
    /// The event; `None` if the subject's events carry no value.
    pub event: Option<Payload>,
    /// Its place in the total order; `None` for a prefix event, or if the subject does not say.
    pub seq: Option<u64>,
    /// How many events were left out just before it; `None` if the subject does not say.
    pub missed: Option<u64>,
}

/// An op refused because the mux is closed, with the event given back, if it is.
#[derive(Debug)]
pub struct Refused(pub Option<Payload>);

/// A `try-action` refused.
#[derive(Debug)]
pub enum TryRefused {
    /// There is no room.
    Full(Option<Payload>),
    /// The mux is closed.
    Closed(Option<Payload>),
}

/// What a subject supports.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The ops it has.
    pub ops: OpSet,
    /// The capacities its incoming queue can have.
    pub incoming: RangeInclusive<u8>,
    /// Whether its incoming queue can also have the capacity of a watcher's queue, whatever that is.
    pub incoming_as_queue: bool,
    /// The capacities a watcher's queue can have.
    pub queue: RangeInclusive<u8>,
    /// The policies it has for a full queue. Not empty.
    pub when_full: &'static [WhenFull],
    /// Whether a `watch` can have a policy of its own.
    pub when_full_per_watcher: bool,
    /// Whether a `watch` can have a prefix.
    pub prefix: bool,
    /// Whether a watcher can be stopped by another task while it is being read.
    pub stop_from_another_task: bool,
    /// Whether its events carry a value.
    pub values: bool,
    /// Whether the mux closes with its last watcher.
    pub closes_with_last_watcher: bool,
    /// Whether it takes only events that are `Sync`, so that two tasks may copy one at the same time.
    pub shares_events: bool,
}

impl Capabilities {
    /// The script as this subject can run it: configuration and arguments clamped, ops it has not left as
    /// they are (they are skipped).
    pub fn clamp(&self, script: &Script) -> Script {
        let policy = |policy: WhenFull| {
            if self.when_full.contains(&policy) { policy } else { self.when_full[0] }
        };
        let mut script = script.clone();
        let queue = script.config.queue.clamp(*self.queue.start(), *self.queue.end());
        let incoming = match script.config.incoming {
            incoming if self.incoming_as_queue && incoming == queue => queue,
            incoming => incoming.clamp(*self.incoming.start(), *self.incoming.end()),
        };
        script.config = Config { incoming, queue, when_full: policy(script.config.when_full) };
        for op in script.setup.iter_mut().chain(script.lanes.iter_mut().flatten()) {
            if let Op::Watch { prefix, when_full, .. } = op {
                if !self.prefix {
                    *prefix = 0;
                }
                *when_full = if self.when_full_per_watcher { when_full.map(policy) } else { None };
            }
        }
        script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incoming_queue_can_be_as_long_as_a_watchers() {
        let capabilities = Capabilities {
            incoming: 25..=25,
            incoming_as_queue: true,
            queue: 0..=3,
            ..Shipped.capabilities()
        };
        for (asked, clamped) in [((25, 1), (25, 1)), ((1, 1), (1, 1)), ((2, 1), (25, 1)), ((3, 9), (3, 3))] {
            let script = format!("mux incoming={} queue={} when-full=wait", asked.0, asked.1);
            let config = capabilities.clamp(&script.parse().expect("it is a script")).config;
            assert_eq!((config.incoming, config.queue), clamped, "{script}");
        }
    }
}
