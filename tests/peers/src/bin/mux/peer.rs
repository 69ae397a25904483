//! What is measured: ways to bring events from producers to watchers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

/// An event of a benchmark.
pub trait Event: Clone + Send + Sync + 'static {
    /// The next one.
    fn new(number: u64) -> Self;
}

/// A small one.
impl Event for u64 {
    fn new(number: u64) -> u64 {
        number
    }
}

/// One whose copies are cheap, and which is itself too large to be copied.
pub type Large = Arc<[u64; 32]>;

impl Event for Large {
    fn new(number: u64) -> Large {
        Arc::new([number; 32])
    }
}

/// One that knows when it was made.
impl Event for Instant {
    fn new(_: u64) -> Instant {
        Instant::now()
    }
}

/// The events of a producer.
pub type Source<E> = Box<dyn Iterator<Item = E> + Send>;

/// Where a watcher puts what it receives.
pub type Sink<E> = Box<dyn FnMut(E) + Send>;

/// What runs until the events are through: a producer, a watcher or a dispatcher.
pub enum Job {
    /// On a thread of its own.
    Thread(Box<dyn FnOnce() + Send>),
    /// On a runtime of tokio's, with as many threads as there are cores.
    Task(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Job {
    /// One that runs on a thread.
    pub fn thread(run: impl FnOnce() + Send + 'static) -> Job {
        Job::Thread(Box::new(run))
    }

    /// One that runs on tokio's runtime.
    pub fn task(run: impl Future<Output = ()> + Send + 'static) -> Job {
        Job::Task(Box::pin(run))
    }
}

/// A way to bring events from producers to watchers, and to lose none.
pub trait Peer<E> {
    /// As the tables call it.
    fn name(&self) -> &'static str;

    /// Whether it offers what the mux does: many producers, watchers that come and go while others wait, and one total
    /// order.
    fn offers_the_same(&self) -> bool;

    /// The jobs of so many producers and watchers, with queues of this length. Those of the producers are the last.
    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job>;
}
