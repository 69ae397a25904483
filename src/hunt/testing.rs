//! A subject for tests of the hunt: it panics at the third action and at the fourth, whatever else happens, and at
//! nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::Trial;
use crate::engine;
use crate::oracle::{Closed, Contract};
use crate::script::{Config, ContractKind, OpKind, OpSet, WhenFull};
use crate::subject::{Capabilities, Payload, Received, Refused, Running, Stopping, Subject, Watching};

struct Brittle {
    /// How many executions are left before this is set.
    stop: Option<(AtomicU32, Arc<AtomicBool>)>,
    /// How many executions have begun, if each second one is to have a sync point more.
    moods: Option<AtomicU32>,
}

impl Subject for Brittle {
    fn name(&self) -> &str {
        "brittle"
    }

    fn provenance(&self) -> &str {
        "a test"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            ops: OpSet::of(&[OpKind::Action, OpKind::Watch, OpKind::Stop]),
            incoming: 0..=3,
            incoming_as_queue: false,
            queue: 0..=3,
            when_full: &[WhenFull::Wait],
            when_full_per_watcher: false,
            prefix: false,
            stop_from_another_task: true,
            values: false,
            closes_with_last_watcher: false,
            shares_events: false,
        }
    }

    fn contract(&self) -> Contract {
        Contract::silent()
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        if let Some((left, stop)) = &self.stop
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            stop.store(true, Ordering::Relaxed);
        }
        if let Some(moods) = &self.moods
            && moods.fetch_add(1, Ordering::Relaxed) % 2 == 1
        {
            engine::point();
        }
        Box::new(Counter(AtomicU32::new(0)))
    }
}

struct Counter(AtomicU32);

impl Running for Counter {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Ok(Box::new(Idle))
    }

    fn action(&self, _: Payload) -> Result<Option<u64>, Refused> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            2 => panic!("the third action"),
            3 => panic!("the fourth action"),
            _ => Ok(None),
        }
    }
}

struct Idle;

impl Watching for Idle {
    fn recv(&mut self) -> Result<Received, Closed> {
        Err(Closed { reason: None, missed: None })
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        self.recv().map(Some)
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        Some(Arc::new(Idle))
    }
}

impl Stopping for Idle {
    fn stop(&self) {}
}

pub(super) fn trial() -> Trial {
    Trial::new(Arc::new(Brittle { stop: None, moods: None }), ContractKind::Own, Duration::from_secs(60))
}

/// Of which no execution is like the one before.
pub(super) fn moody() -> Trial {
    let subject = Brittle { stop: None, moods: Some(AtomicU32::new(0)) };
    Trial::new(Arc::new(subject), ContractKind::Own, Duration::from_secs(60))
}

/// With what is set once it has begun that many executions.
pub(super) fn stopping(executions: u32, deadline: Duration) -> (Trial, Arc<AtomicBool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let subject = Brittle { stop: Some((AtomicU32::new(executions), Arc::clone(&stop))), moods: None };
    (Trial::new(Arc::new(subject), ContractKind::Own, deadline), stop)
}
