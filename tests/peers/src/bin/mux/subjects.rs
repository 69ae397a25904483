//! Subjects of the suite as peers: Kubernetes' design over the native seam, and the mux with the same payloads.

use std::sync::Arc;

use watchmux::script::{Config, WhenFull};
use watchmux::subject::{Ledger, Payload, Running, Shipped, Subject, gallery};

use crate::peer::{Event, Job, Peer, Sink, Source};

/// A payload counts its copies, in a ledger of its own.
impl Event for Payload {
    fn new(_: u64) -> Payload {
        Ledger::new(None).next()
    }
}

/// A subject of the suite.
pub struct AsSubject(&'static str, Arc<dyn Subject>);

impl AsSubject {
    /// The mux of this project.
    pub fn mux() -> AsSubject {
        AsSubject("watchmux, as a subject", Arc::new(Shipped))
    }

    /// Kubernetes' Broadcaster as it is today.
    pub fn kubernetes() -> AsSubject {
        AsSubject("Kubernetes (k8s-110040)", kubernetes())
    }
}

/// Kubernetes' Broadcaster as it is today.
pub fn kubernetes() -> Arc<dyn Subject> {
    let mut gallery = gallery().into_iter();
    gallery.find(|subject| subject.name() == "k8s-110040").expect("it is in the gallery")
}

/// Ends with the last producer.
struct UntilTheLast(Box<dyn Running>);

impl Drop for UntilTheLast {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

impl Peer<Payload> for AsSubject {
    fn name(&self) -> &'static str {
        self.0
    }

    fn offers_the_same(&self) -> bool {
        true
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<Payload>>, sinks: Vec<Sink<Payload>>) -> Vec<Job> {
        let queue = u8::try_from(queue).expect("scripts have no longer queues");
        let config = Config { incoming: queue, queue, when_full: WhenFull::Wait };
        let mux = Arc::new(UntilTheLast(self.1.start(&config)));
        let watch = |mut sink: Sink<Payload>| {
            let mut watcher = mux.0.watch(Vec::new(), WhenFull::Wait).expect("it is open");
            Job::thread(move || {
                while let Ok(received) = watcher.recv() {
                    sink(received.event.expect("its events carry a value"));
                }
            })
        };
        let watchers: Vec<Job> = sinks.into_iter().map(watch).collect();
        let produce = |source: Source<Payload>| {
            let mux = Arc::clone(&mux);
            Job::thread(move || source.for_each(|event| _ = mux.0.action(event).expect("it is open")))
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}
