//! Peers whose producers and watchers are threads.

use std::sync::{Arc, Mutex};

use async_broadcast::broadcast;
use bus::{Bus, BusReader};
use crossbeam_channel::{Receiver, Sender, bounded};
use watchmux::{Config, Mux};

use crate::peer::{Event, Job, Peer, Sink, Source};

/// The mux of this project.
pub struct Watchmux;

impl<E: Event> Peer<E> for Watchmux {
    fn name(&self) -> &'static str {
        "watchmux"
    }

    fn offers_the_same(&self) -> bool {
        true
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let mux = Mux::new(Config { queue, incoming: queue, ..Config::default() });
        let watch = |mut sink: Sink<E>| {
            let watcher = mux.watch().expect("it is open");
            Job::thread(move || watcher.iter().for_each(|delivery| sink(delivery.event)))
        };
        let watchers: Vec<Job> = sinks.into_iter().map(watch).collect();
        let produce = |source: Source<E>| {
            let mux = mux.clone();
            Job::thread(move || source.for_each(|event| _ = mux.action(event).expect("it is open")))
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}

/// A channel of crossbeam's for each watcher, and each producer sends to one after the other: there is no order among
/// producers, and nobody can join or leave.
pub struct Crossbeam;

impl<E: Event> Peer<E> for Crossbeam {
    fn name(&self) -> &'static str {
        "crossbeam"
    }

    fn offers_the_same(&self) -> bool {
        false
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let (senders, receivers): (Vec<Sender<E>>, Vec<Receiver<E>>) =
            sinks.iter().map(|_| bounded(queue)).unzip();
        let watch =
            |(receiver, sink): (Receiver<E>, Sink<E>)| Job::thread(move || receiver.iter().for_each(sink));
        let watchers: Vec<Job> = receivers.into_iter().zip(sinks).map(watch).collect();
        let produce = |source: Source<E>| {
            let senders = senders.clone();
            Job::thread(move || {
                for event in source {
                    senders.iter().for_each(|sender| sender.send(event.clone()).expect("all watch"));
                }
            })
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}

/// `bus`, which has one producer: several share it behind a lock, and who joins waits for a producer that waits.
pub struct OneBus;

impl<E: Event> Peer<E> for OneBus {
    fn name(&self) -> &'static str {
        "bus"
    }

    fn offers_the_same(&self) -> bool {
        false
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let mut bus = Bus::new(queue);
        let watch = |sink: Sink<E>| {
            let mut reader: BusReader<E> = bus.add_rx();
            Job::thread(move || reader.iter().for_each(sink))
        };
        let mut jobs: Vec<Job> = sinks.into_iter().map(watch).collect();
        match <[Source<E>; 1]>::try_from(sources) {
            Ok([source]) => jobs.push(Job::thread(move || source.for_each(|event| bus.broadcast(event)))),
            Err(sources) => {
                let bus = Arc::new(Mutex::new(bus));
                let produce = |source: Source<E>| {
                    let bus = Arc::clone(&bus);
                    Job::thread(move || source.for_each(|event| bus.lock().unwrap().broadcast(event)))
                };
                jobs.extend(sources.into_iter().map(produce));
            }
        }
        jobs
    }
}

/// `async-broadcast`, by its calls that block a thread.
pub struct AsyncBroadcast;

impl<E: Event> Peer<E> for AsyncBroadcast {
    fn name(&self) -> &'static str {
        "async-broadcast"
    }

    fn offers_the_same(&self) -> bool {
        true
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let (sender, receiver) = broadcast(queue);
        let watch = |mut sink: Sink<E>| {
            let mut receiver = receiver.new_receiver();
            Job::thread(move || {
                while let Ok(event) = receiver.recv_blocking() {
                    sink(event);
                }
            })
        };
        let watchers: Vec<Job> = sinks.into_iter().map(watch).collect();
        let produce = |source: Source<E>| {
            let sender = sender.clone();
            Job::thread(move || {
                source.for_each(|event| _ = sender.broadcast_blocking(event).expect("all watch"));
            })
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}

/// Another one behind a dispatcher, as Kubernetes has it: a queue for all producers, and a thread that takes the events from
/// there and is the only producer. So there is one total order, and watchers come and go by way of that thread.
pub struct Dispatched<P> {
    pub peer: P,
    pub name: &'static str,
    pub offers_the_same: bool,
}

impl<E: Event, P: Peer<E>> Peer<E> for Dispatched<P> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn offers_the_same(&self) -> bool {
        self.offers_the_same
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let (sender, receiver) = bounded(queue);
        let mut jobs = self.peer.jobs(queue, vec![Box::new(receiver.into_iter())], sinks);
        let produce = |source: Source<E>| {
            let sender = sender.clone();
            Job::thread(move || source.for_each(|event| sender.send(event).expect("the dispatcher runs")))
        };
        jobs.extend(sources.into_iter().map(produce));
        jobs
    }
}
