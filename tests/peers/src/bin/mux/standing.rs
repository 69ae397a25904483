//! What watchers cost that only stand by: joining and leaving, memory, and the processor's time while nothing happens.

use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use watchmux::script::{self, WhenFull};
use watchmux::subject::{Ledger, Running, Watching};
use watchmux::{Config, Mux, Watcher};
use watchmux_peers::statistics::median;

use crate::subjects::kubernetes;

/// The argument with which this program runs itself to measure one peer, so that what another has left behind in memory does
/// not count.
pub const MEASURE: &str = "measure";

/// What stands by.
struct Peer {
    name: &'static str,
    /// Makes one, with queues of this length.
    open: fn(usize) -> Box<dyn Open>,
    has_long_queues: bool,
}

/// One that is open.
trait Open {
    fn watch(&self) -> Box<dyn Waiting>;
    fn action(&self, event: u64);
}

/// A watcher, which leaves when it is dropped.
trait Waiting: Send {
    fn wait(&mut self);
}

const PEERS: [Peer; 6] = [
    Peer {
        name: "watchmux",
        open: |queue| Box::new(Mux::<u64>::new(Config { queue, incoming: queue, ..Config::default() })),
        has_long_queues: true,
    },
    Peer {
        name: "a channel of crossbeam's each",
        open: |queue| Box::new(Arc::new(Channels { queue, senders: Mutex::default() })),
        has_long_queues: true,
    },
    Peer {
        name: "bus",
        open: |queue| Box::new(Mutex::new(bus::Bus::<u64>::new(queue))),
        has_long_queues: true,
    },
    Peer {
        name: "async-broadcast",
        open: |queue| {
            let (sender, receiver) = async_broadcast::broadcast(queue);
            Box::new((sender, receiver.deactivate()))
        },
        has_long_queues: true,
    },
    Peer {
        name: "tokio broadcast",
        open: |queue| Box::new(tokio::sync::broadcast::channel::<u64>(queue).0),
        has_long_queues: true,
    },
    Peer {
        name: "Kubernetes (k8s-110040)",
        open: |queue| {
            let queue = u8::try_from(queue).expect("scripts have no longer queues");
            let config = script::Config { incoming: queue, queue, when_full: WhenFull::Wait };
            Box::new(Kubernetes(kubernetes().start(&config)))
        },
        has_long_queues: false,
    },
];

/// The watchers that there are while one more joins and leaves, and how many of them then wait.
const THERE: usize = 1000;
const WAITING: usize = 100;

/// The watchers, and the events, whose memory is measured.
const MANY: usize = 20_000;
const EVENTS: usize = 1_000_000;

const QUEUE: usize = 25;

/// Prints the table.
pub fn print() -> io::Result<()> {
    println!(
        "\n## With {THERE} watchers, queue {QUEUE}\n\n| | watch, µs | stop, µs | bytes a watcher | bytes a queued `u64` | the \
         processor's time while nothing happens |\n|{}",
        " --- |".repeat(6)
    );
    for peer in PEERS {
        let status = Command::new(std::env::current_exe()?).args([MEASURE, peer.name]).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{}: {status}", peer.name)));
        }
    }
    Ok(())
}

/// Measures a peer, and prints its row.
pub fn measure(name: &str) -> ExitCode {
    let Some(peer) = PEERS.iter().find(|peer| peer.name == name) else {
        eprintln!("read `{name}`, expected a peer");
        return ExitCode::from(2);
    };
    let (watcher, event) = memory(peer);
    let open = (peer.open)(QUEUE);
    let there: Vec<_> = (0..THERE).map(|_| open.watch()).collect();
    let (watch, stop) = comings_and_goings(&*open);
    let idle = idle(there);
    let event = event.map_or("–".to_owned(), |event| event.to_string());
    println!("| {name} | {watch:.2} | {stop:.2} | {watcher} | {event} | {:.2} % |", idle * 100.0);
    ExitCode::SUCCESS
}

/// How long it takes one to join, and to leave, in microseconds.
fn comings_and_goings(open: &dyn Open) -> (f64, f64) {
    let times = |_| {
        let start = Instant::now();
        let watcher = open.watch();
        let joined = Instant::now();
        drop(watcher);
        ((joined - start).as_secs_f64() * 1e6, joined.elapsed().as_secs_f64() * 1e6)
    };
    let (watch, stop): (Vec<f64>, Vec<f64>) = (0..THERE).map(times).unzip();
    (median(&watch), median(&stop))
}

/// How many bytes a watcher takes, and an event that is queued for one, if it can have a queue so long.
fn memory(peer: &Peer) -> (usize, Option<usize>) {
    let open = (peer.open)(QUEUE);
    let before = resident();
    let watchers: Vec<_> = (0..MANY).map(|_| open.watch()).collect();
    let watcher = (resident() - before) / MANY;
    // What they leave behind is not to be used again by what follows.
    std::mem::forget((watchers, open));

    let event = peer.has_long_queues.then(|| {
        let before = resident();
        let open = (peer.open)(EVENTS);
        let _watcher = open.watch();
        (1..EVENTS as u64).for_each(|event| open.action(event));
        (resident() - before) / EVENTS
    });
    (watcher, event)
}

/// How many bytes of this process are in memory.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").expect("it is Linux");
    let pages: usize = pages.split(' ').nth(1).expect("of these").parse().expect("a number");
    pages * 4096
}

/// How much of a core is used while watchers wait and nothing happens.
fn idle(watchers: Vec<Box<dyn Waiting>>) -> f64 {
    for mut watcher in watchers.into_iter().take(WAITING) {
        thread::spawn(move || watcher.wait());
    }
    thread::sleep(Duration::from_millis(500));
    let (start, used) = (Instant::now(), processor_time());
    thread::sleep(Duration::from_secs(2));
    (processor_time() - used).as_secs_f64() / start.elapsed().as_secs_f64()
}

/// The processor's time that all threads of this process have had but the one that asks, for to ask takes longer than to wait.
fn processor_time() -> Duration {
    let asks = std::process::id().to_string();
    let tasks = fs::read_dir("/proc/self/task").expect("it is Linux").map(|task| task.expect("a thread"));
    let nanoseconds = tasks.filter(|task| *task.file_name() != *asks).map(|task| {
        let path = task.path().join("schedstat");
        let text = fs::read_to_string(path).expect("no thread ends");
        text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanoseconds.sum())
}

impl Open for Mux<u64> {
    fn watch(&self) -> Box<dyn Waiting> {
        Box::new(Mux::watch(self).expect("it is open"))
    }

    fn action(&self, event: u64) {
        Mux::action(self, event).expect("it is open");
    }
}

impl Waiting for Watcher<u64> {
    fn wait(&mut self) {
        _ = self.recv();
    }
}

/// A channel of crossbeam's for each watcher.
struct Channels {
    queue: usize,
    senders: Mutex<Vec<crossbeam_channel::Sender<u64>>>,
}

impl Open for Arc<Channels> {
    fn watch(&self) -> Box<dyn Waiting> {
        let (sender, receiver) = crossbeam_channel::bounded(self.queue);
        self.senders.lock().unwrap().push(sender.clone());
        Box::new(Leaving { sender, receiver, channels: Arc::clone(self) })
    }

    fn action(&self, event: u64) {
        self.senders.lock().unwrap().iter().for_each(|sender| sender.send(event).expect("all watch"));
    }
}

struct Leaving {
    sender: crossbeam_channel::Sender<u64>,
    receiver: crossbeam_channel::Receiver<u64>,
    channels: Arc<Channels>,
}

impl Waiting for Leaving {
    fn wait(&mut self) {
        _ = self.receiver.recv();
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.channels.senders.lock().unwrap().retain(|sender| !sender.same_channel(&self.sender));
    }
}

impl Open for Mutex<bus::Bus<u64>> {
    fn watch(&self) -> Box<dyn Waiting> {
        Box::new(self.lock().unwrap().add_rx())
    }

    fn action(&self, event: u64) {
        self.lock().unwrap().broadcast(event);
    }
}

impl Waiting for bus::BusReader<u64> {
    fn wait(&mut self) {
        _ = self.recv();
    }
}

impl Open for (async_broadcast::Sender<u64>, async_broadcast::InactiveReceiver<u64>) {
    fn watch(&self) -> Box<dyn Waiting> {
        Box::new(self.1.activate_cloned())
    }

    fn action(&self, event: u64) {
        self.0.broadcast_blocking(event).expect("it is open");
    }
}

impl Waiting for async_broadcast::Receiver<u64> {
    fn wait(&mut self) {
        _ = self.recv_blocking();
    }
}

impl Open for tokio::sync::broadcast::Sender<u64> {
    fn watch(&self) -> Box<dyn Waiting> {
        Box::new(self.subscribe())
    }

    fn action(&self, event: u64) {
        self.send(event).expect("one watches");
    }
}

impl Waiting for tokio::sync::broadcast::Receiver<u64> {
    fn wait(&mut self) {
        _ = self.blocking_recv();
    }
}

/// Kubernetes' Broadcaster as it is today, over the native seam.
struct Kubernetes(Box<dyn Running>);

impl Open for Kubernetes {
    fn watch(&self) -> Box<dyn Waiting> {
        Box::new(Stopped(self.0.watch(Vec::new(), WhenFull::Wait).expect("it is open")))
    }

    fn action(&self, _: u64) {
        self.0.action(Ledger::new(None).next()).expect("it is open");
    }
}

/// Its watchers are stopped, for to drop one is nothing there.
struct Stopped(Box<dyn Watching>);

impl Waiting for Stopped {
    fn wait(&mut self) {
        _ = self.0.recv();
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.stopper().expect("it has one").stop();
    }
}
