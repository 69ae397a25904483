//! A mux for each fault that no mux of the gallery has.

use std::sync::Arc;

use watchmux::oracle::{Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, OpSet, WhenFull};
use watchmux::subject::{Capabilities, Payload, Received, Refused, Running, Subject, Watching};
use watchmux::sync::{Condvar, Mutex, thread};

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
    /// A watcher receives its first event again and again.
    Repeat,
    /// As `DoubleLock`, and what is unwound then panics.
    Loud,
    /// As `DoubleLock`, and what is unwound then ends the process.
    Fatal,
    /// As `DoubleLock`, and what is unwound then never returns.
    Endless,
}

pub(crate) struct Faulty(pub(crate) Fault);

impl Subject for Faulty {
    fn name(&self) -> &str {
        match self.0 {
            Fault::AbBa => "ab-ba",
            Fault::DoubleLock => "double-lock",
            Fault::LostWakeUp => "lost-wake-up",
            Fault::Panic => "panicking",
            Fault::Repeat => "repeating",
            Fault::Loud => "loud",
            Fault::Fatal => "fatal",
            Fault::Endless => "endless",
        }
    }

    fn provenance(&self) -> &str {
        "made for a test"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            ops: OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::TryRecv, OpKind::Shutdown]),
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
        let guarantees: &[Guarantee] = if self.0 == Fault::Repeat { &[Guarantee::Once] } else { &[] };
        Contract::strict().guaranteeing(guarantees)
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        let queue = Arc::new(Mutex::new(Vec::new()).named("queue"));
        let watchers = Mutex::new(0).named("watchers");
        let flushed = Arc::new((Mutex::new(false).named("flushed"), Condvar::new().named("all flushed")));
        Box::new(FaultyMux { fault: self.0, queue, watchers, flushed })
    }
}

struct FaultyMux {
    fault: Fault,
    queue: Arc<Mutex<Vec<Payload>>>,
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
        Ok(Box::new(FaultyWatcher(self.queue.clone())))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        match self.fault {
            Fault::AbBa => {
                let mut queue = self.queue.lock();
                if *self.watchers.lock() > 0 {
                    queue.push(event);
                }
            }
            Fault::DoubleLock | Fault::Loud | Fault::Fatal | Fault::Endless => {
                let _doom = Doom(self.fault);
                let mut queue = self.queue.lock();
                if self.len() < 9 {
                    queue.push(event);
                }
            }
            Fault::Panic => assert!(*self.watchers.lock() > 0, "nobody watches"),
            Fault::Repeat => self.queue.lock().push(event),
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

struct FaultyWatcher(Arc<Mutex<Vec<Payload>>>);

impl Watching for FaultyWatcher {
    fn recv(&mut self) -> Result<Received, Closed> {
        Err(Closed { reason: None, missed: None })
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        let first = self.0.lock().first().cloned();
        Ok(first.map(|event| Received { event: Some(event), seq: None, missed: None }))
    }
}

/// Must not be dropped before `action` is done, as if that could not happen.
struct Doom(Fault);

impl Drop for Doom {
    fn drop(&mut self) {
        match self.0 {
            _ if !std::thread::panicking() => {}
            Fault::Loud => panic!("dropped in the middle of it"),
            Fault::Fatal => std::process::abort(),
            Fault::Endless => loop {
                std::thread::park();
            },
            _ => {}
        }
    }
}
