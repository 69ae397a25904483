//! Running the jobs of a peer, and timing them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Builder;

use crate::peer::{Event, Job, Peer, Sink, Source};

/// How long those who watch have to fall asleep before the first event.
const SETTLING: Duration = Duration::from_millis(5);

/// So many producers and watchers, with queues of this length.
#[derive(Clone, Copy)]
pub struct Point {
    /// Producers.
    pub producers: usize,
    /// Watchers.
    pub watchers: usize,
    /// The length of each queue that there is.
    pub queue: usize,
}

/// What it took to deliver events.
pub struct Throughput {
    /// How many were delivered a second, to all watchers together.
    pub rate: f64,
    /// The time that processors spent on a delivery, on all its threads and in the system, in nanoseconds.
    pub processor: f64,
}

/// Has each producer publish so many events as fast as it can.
///
/// # Panics
/// If one is lost.
pub fn throughput<E: Event>(peer: &dyn Peer<E>, point: Point, events: u64) -> Throughput {
    let delivered = Arc::new(AtomicU64::new(0));
    let sink = || {
        let mut own = Counted { events: 0, all: Arc::clone(&delivered) };
        Box::new(move |_| own.count()) as Sink<E>
    };
    let source = |_| Box::new((0..events).map(E::new)) as Source<E>;
    let Spent { elapsed, processor } = run(peer, point, &source, &sink, Producers::Run);
    let delivered = delivered.load(Ordering::SeqCst);
    assert_eq!(delivered, events * (point.producers * point.watchers) as u64, "{} loses events", peer.name());
    let delivered = delivered as f64;
    Throughput {
        rate: delivered / elapsed.as_secs_f64(),
        processor: processor.as_secs_f64() * 1e9 / delivered,
    }
}

/// How many events a watcher has received; added to those of the others in the end.
struct Counted {
    events: u64,
    all: Arc<AtomicU64>,
}

impl Counted {
    fn count(&mut self) {
        self.events += 1;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.all.fetch_add(self.events, Ordering::SeqCst);
    }
}

/// Has the producers publish so many events in turn, with a pause after each; says how long each was on its way to each
/// watcher, in microseconds.
pub fn latencies(peer: &dyn Peer<Instant>, point: Point, events: u64, pause: Duration) -> Vec<f64> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let sink = || {
        let mut own = Noted { latencies: Vec::new(), all: Arc::clone(&all) };
        Box::new(move |made: Instant| own.note(made.elapsed())) as Sink<Instant>
    };
    let first = Instant::now() + 2 * SETTLING;
    let source = |producer| {
        let turns = (producer as u64..events).step_by(point.producers);
        let paced = turns.map(move |turn| {
            let due = first + pause * turn as u32;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            Instant::new(turn)
        });
        Box::new(paced) as Source<Instant>
    };
    _ = run(peer, point, &source, &sink, Producers::Sleep);
    std::mem::take(&mut *all.lock().unwrap())
}

/// What a watcher has measured; added to that of the others in the end.
struct Noted {
    latencies: Vec<f64>,
    all: Arc<Mutex<Vec<f64>>>,
}

impl Noted {
    fn note(&mut self, latency: Duration) {
        self.latencies.push(latency.as_secs_f64() * 1e6);
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.all.lock().unwrap().append(&mut self.latencies);
    }
}

/// How long something took, and how much of the processors' time.
struct Spent {
    elapsed: Duration,
    processor: Duration,
}

/// The processors' time that this process has had.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What producers do between events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Producers {
    Run,
    /// Each needs a thread of its own, also if it is a task: whom it has woken last would sleep with a thread of the runtime's.
    Sleep,
}

/// Runs a peer's jobs; says what it took from when the producers began to when the last job had ended.
fn run<E: Event>(
    peer: &dyn Peer<E>,
    Point { producers, watchers, queue }: Point,
    source: &dyn Fn(usize) -> Source<E>,
    sink: &dyn Fn() -> Sink<E>,
    producers_do: Producers,
) -> Spent {
    let sources = (0..producers).map(source).collect();
    let sinks = (0..watchers).map(|_| sink()).collect();
    let mut watching = peer.jobs(queue, sources, sinks);
    let producing = watching.split_off(watching.len() - producers);

    let cores = available_parallelism().expect("the system says").get();
    let runtime = Builder::new_multi_thread().worker_threads(cores).build().expect("it starts");
    let ended = Arc::new(Mutex::new(None));
    let start = |job| -> Box<dyn FnOnce()> {
        let ended = Arc::clone(&ended);
        let end = move || *ended.lock().unwrap() = Some(Instant::now());
        match job {
            Job::Thread(run) => {
                let thread = thread::spawn(move || {
                    run();
                    end();
                });
                Box::new(|| thread.join().expect("it does not panic"))
            }
            Job::Task(run) => {
                let task = runtime.spawn(async move {
                    run.await;
                    end();
                });
                Box::new(|| runtime.block_on(task).expect("it does not panic"))
            }
        }
    };
    let mut joins: Vec<_> = watching.into_iter().map(start).collect();
    thread::sleep(SETTLING);
    let (started, before) = (Instant::now(), processor_time());
    let handle = runtime.handle();
    let alone = |job| match job {
        Job::Task(run) if producers_do == Producers::Sleep => {
            let handle = handle.clone();
            Job::thread(move || handle.block_on(run))
        }
        job => job,
    };
    joins.extend(producing.into_iter().map(alone).map(start));
    joins.into_iter().for_each(|join| join());
    let ended = ended.lock().unwrap().expect("there is a job");
    Spent { elapsed: ended - started, processor: processor_time() - before }
}
