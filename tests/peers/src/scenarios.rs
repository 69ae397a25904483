//! The mux and what is done to it, once for all peers: each brings a module `sync` of its own beside this one.
//!
//! The mux has a lock-protected map of watchers, an incoming channel and a dispatcher. The *correct* one clones the
//! senders under the lock and sends outside it; the *buggy* one, as kubernetes#1321, holds the lock while it sends,
//! and its `stop` takes that lock while the receiver it no longer reads is still alive.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sync::{JoinHandle, Mutex, Receiver, Sender, channel, spawn};
use crate::scenario::{Kind, Scenario};

type Watchers = Arc<Mutex<BTreeMap<usize, Sender<u32>>>>;

/// What a client of the mux has of it.
#[derive(Clone)]
struct Client {
    watchers: Watchers,
    incoming: Sender<u32>,
    queue: usize,
}

struct Mux {
    client: Client,
    dispatcher: JoinHandle<()>,
}

struct Watcher {
    id: usize,
    events: Receiver<u32>,
    watchers: Watchers,
}

impl Mux {
    fn new(incoming: usize, queue: usize, buggy: bool) -> Mux {
        let watchers: Watchers = Arc::new(Mutex::new(BTreeMap::new()));
        let (sender, receiver) = channel(incoming);
        let shared = Arc::clone(&watchers);
        let dispatcher = spawn(move || dispatch(&receiver, &shared, buggy));
        Mux { client: Client { watchers, incoming: sender, queue }, dispatcher }
    }

    /// Closes and waits for the dispatcher. Other clients have to be gone.
    fn close(self) {
        drop(self.client);
        self.dispatcher.join().unwrap();
    }
}

fn dispatch(incoming: &Receiver<u32>, watchers: &Watchers, buggy: bool) {
    while let Ok(event) = incoming.recv() {
        if buggy {
            for watcher in watchers.lock().values() {
                let _ = watcher.send(event);
            }
        } else {
            let senders: Vec<_> = watchers.lock().values().cloned().collect();
            for watcher in senders {
                let _ = watcher.send(event);
            }
        }
    }
}

impl Client {
    fn watch(&self) -> Watcher {
        let (sender, events) = channel(self.queue);
        let mut watchers = self.watchers.lock();
        let id = watchers.last_key_value().map_or(0, |(last, _)| last + 1);
        watchers.insert(id, sender);
        drop(watchers);
        Watcher { id, events, watchers: Arc::clone(&self.watchers) }
    }

    fn action(&self, event: u32) {
        self.incoming.send(event).unwrap();
    }
}

impl Watcher {
    /// Leaves. The receiver lives until the lock was had.
    fn stop(self) {
        let sender = self.watchers.lock().remove(&self.id);
        drop((sender, self.events));
    }
}

/// Runs the scenario once; `draw` is what it draws its ops from, if it does.
pub fn run(scenario: Scenario, draw: u64) {
    let Scenario { kind, queue, buggy } = scenario;
    match kind {
        Kind::F1 => f1(queue, buggy),
        Kind::F2 => f2(queue, buggy),
        Kind::F3 => f3(queue, buggy),
        Kind::F4 => f4(queue, buggy),
        Kind::R => r(queue, buggy, 8, draw),
        Kind::R3 => r(queue, buggy, 3, draw),
    }
}

/// A client receives one event from the first watcher, then stops the second, then the first.
fn f1(queue: usize, buggy: bool) {
    let mux = Mux::new(0, queue, buggy);
    let (first, second) = (mux.client.watch(), mux.client.watch());
    let client = spawn(move || {
        let _ = first.events.recv();
        second.stop();
        first.stop();
    });
    mux.client.action(1);
    mux.close();
    client.join().unwrap();
}

/// Client A receives one event from the first watcher and stops it; client B stops the second without reading.
fn f2(queue: usize, buggy: bool) {
    let mux = Mux::new(0, queue, buggy);
    let (first, second) = (mux.client.watch(), mux.client.watch());
    let a = spawn(move || {
        let _ = first.events.recv();
        first.stop();
    });
    let b = spawn(move || second.stop());
    mux.client.action(1);
    mux.close();
    a.join().unwrap();
    b.join().unwrap();
}

/// A client receives three events, then stops.
fn f3(queue: usize, buggy: bool) {
    let mux = Mux::new(25, queue, buggy);
    let watcher = mux.client.watch();
    let client = spawn(move || {
        for _ in 0..3 {
            let _ = watcher.events.recv();
        }
        watcher.stop();
    });
    (0..queue as u32 + 4).for_each(|event| mux.client.action(event));
    mux.close();
    client.join().unwrap();
}

/// A producer acts, while main watches and at once stops.
fn f4(queue: usize, buggy: bool) {
    let mux = Mux::new(25, queue, buggy);
    let client = mux.client.clone();
    let producer = spawn(move || (0..queue as u32 + 4).for_each(|event| client.action(event)));
    mux.client.watch().stop();
    mux.close();
    producer.join().unwrap();
}

/// Three clients of so many drawn ops each; each stops what it has left.
fn r(queue: usize, buggy: bool, ops: u32, draw: u64) {
    let mux = Mux::new(25, queue, buggy);
    let clients: Vec<_> = (0..3)
        .map(|number| {
            let client = mux.client.clone();
            let mut draw = Draw(draw.wrapping_mul(3).wrapping_add(number));
            spawn(move || {
                let mut watchers: Vec<Watcher> = Vec::new();
                for op in 0..ops {
                    let any = |draw: &mut Draw, watchers: &[Watcher]| draw.next() as usize % watchers.len();
                    match draw.next() % 8 {
                        0 | 1 => watchers.push(client.watch()),
                        2..=4 => client.action(op),
                        _ if watchers.is_empty() => {}
                        5 | 6 => _ = watchers[any(&mut draw, &watchers)].events.try_recv(),
                        _ => watchers.swap_remove(any(&mut draw, &watchers)).stop(),
                    }
                }
                watchers.into_iter().for_each(Watcher::stop);
            })
        })
        .collect();
    mux.close();
    clients.into_iter().for_each(|client| client.join().unwrap());
}

/// Draws numbers (SplitMix64, Steele et al., 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
