//! A mux for each fault that no mux of the gallery has.

use std::sync::Arc;

use watchmux::oracle::{Closed, Contract};
use watchmux::script::{Config, OpKind, OpSet, WhenFull};
use watchmux::subject::{Capabilities, Payload, Received, Refused, Running, Subject, Watching};
use watchmux::sync::{Condvar, Mutex, thread};

use super::lost::Witness;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `action` and `watch` take two locks in opposite orders.
    AbBa,
    /// `action` calls what takes the lock that it holds.
    DoubleLock,
    /// `shutdown` looks whether all is flushed, and only then begins to wait for the notification.
    LostWakeUp,
    /// `action` relies on a watcher.
    Panic,
    /// As `DoubleLock`, and what is unwound then panics.
    Loud,
}

pub(crate) struct Faulty(pub(crate) Fault);

impl Subject for Faulty {
    fn name(&self) -> &str {
        match self.0 {
            Fault::AbBa => "ab-ba",
            Fault::DoubleLock => "double-lock",
            Fault::LostWakeUp => "lost-wake-up",
            Fault::Panic => "panicking",
            Fault::Loud => "loud",
        }
    }

    fn provenance(&self) -> &str {
        "made for a test"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            ops: OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::Shutdown]),
            incoming: 0..=0,
            incoming_as_queue: false,
            queue: 0..=0,
            when_full: &[WhenFull::Wait],
            when_full_per_watcher: false,
            prefix: false,
            stop_from_another_task: false,
            values: true,
            closes_with_last_watcher: false,
            shares_events: false,
        }
    }

    fn contract(&self) -> Contract {
        Contract::strict().guaranteeing(&[])
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        let (queue, watchers) = (Mutex::new(Vec::new()).named("queue"), Mutex::new(0).named("watchers"));
        let flushed = Arc::new((Mutex::new(false).named("flushed"), Condvar::new().named("all flushed")));
        Box::new(FaultyMux { fault: self.0, queue, watchers, flushed })
    }
}

struct FaultyMux {
    fault: Fault,
    queue: Mutex<Vec<Payload>>,
    watchers: Mutex<usize>,
    flushed: Arc<(Mutex<bool>, Condvar)>,
}

impl FaultyMux {
    fn len(&self) -> usize {
        self.queue.lock().len()
    }

    fn flush(&self) {
        let flushed = Arc::clone(&self.flushed);
        let flush = move || {
            *flushed.0.lock() = true;
            flushed.1.notify_all();
        };
        thread::Builder::new().name("flusher".to_owned()).spawn(flush).unwrap();
    }
}

impl Running for FaultyMux {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let mut watchers = self.watchers.lock();
        if self.fault == Fault::AbBa {
            *watchers += self.len();
        }
        *watchers += 1;
        Ok(Box::new(FaultyWatcher))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        match self.fault {
            Fault::AbBa => {
                let mut queue = self.queue.lock();
                if *self.watchers.lock() > 0 {
                    queue.push(event);
                }
            }
            Fault::DoubleLock | Fault::Loud => {
                let _loud = (self.fault == Fault::Loud).then_some(Loud);
                let _witness = (self.fault == Fault::DoubleLock).then_some(Witness);
                let mut queue = self.queue.lock();
                if self.len() < 9 {
                    queue.push(event);
                }
            }
            Fault::Panic => assert!(*self.watchers.lock() > 0, "nobody watches"),
            Fault::LostWakeUp => {}
        }
        Ok(None)
    }

    fn shutdown(&self) {
        self.flush();
        if self.fault == Fault::LostWakeUp {
            let is_flushed = *self.flushed.0.lock();
            if !is_flushed {
                self.flushed.1.wait(&mut self.flushed.0.lock());
            }
        }
    }
}

struct FaultyWatcher;

impl Watching for FaultyWatcher {
    fn recv(&mut self) -> Result<Received, Closed> {
        Err(Closed { reason: None, missed: None })
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        Err(Closed { reason: None, missed: None })
    }
}

/// Must not be dropped before `action` is done, as if that could not happen.
struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        assert!(!std::thread::panicking(), "dropped in the middle of it");
    }
}
