//! Peers whose producers and watchers are tasks of tokio's: to go on with another one is no matter of the system's.

use std::sync::{Arc, Mutex};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::task::yield_now;
use watchmux::{Config, Mux};

use crate::peer::{Event, Job, Peer, Sink, Source};

/// The mux of this project, awaited.
pub struct Awaited;

impl<E: Event> Peer<E> for Awaited {
    fn name(&self) -> &'static str {
        "watchmux, awaited"
    }

    fn offers_the_same(&self) -> bool {
        true
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let mux = Mux::new(Config { queue, incoming: queue, ..Config::default() });
        let watch = |mut sink: Sink<E>| {
            let mut watcher = mux.watch().expect("it is open");
            Job::task(async move {
                while let Ok(delivery) = watcher.recv_async().await {
                    sink(delivery.event);
                }
            })
        };
        let watchers: Vec<Job> = sinks.into_iter().map(watch).collect();
        let produce = |source: Source<E>| {
            let mux = mux.clone();
            Job::task(async move {
                for event in source {
                    mux.action_async(event).await.expect("it is open");
                }
            })
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}

/// A channel for each watcher, and each producer sends to one after the other: there is no order among producers, and
/// nobody can join or leave.
pub struct Mpsc;

impl<E: Event> Peer<E> for Mpsc {
    fn name(&self) -> &'static str {
        "tokio mpsc"
    }

    fn offers_the_same(&self) -> bool {
        false
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let (senders, watchers) = channels(queue, sinks);
        let produce = |source: Source<E>| {
            let senders = senders.clone();
            Job::task(async move {
                for event in source {
                    send_to_all(&senders, event).await;
                }
            })
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}

/// The same behind a dispatcher.
pub struct DispatchedMpsc;

impl<E: Event> Peer<E> for DispatchedMpsc {
    fn name(&self) -> &'static str {
        "tokio mpsc, dispatcher"
    }

    fn offers_the_same(&self) -> bool {
        true
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let (senders, mut jobs) = channels(queue, sinks);
        let (incoming, mut queued) = mpsc::channel(queue);
        jobs.push(Job::task(async move {
            while let Some(event) = queued.recv().await {
                send_to_all(&senders, event).await;
            }
        }));
        let produce = |source: Source<E>| {
            let incoming = incoming.clone();
            Job::task(async move {
                for event in source {
                    incoming.send(event).await.expect("the dispatcher runs");
                }
            })
        };
        jobs.extend(sources.into_iter().map(produce));
        jobs
    }
}

fn channels<E: Event>(queue: usize, sinks: Vec<Sink<E>>) -> (Vec<mpsc::Sender<E>>, Vec<Job>) {
    let watch = |mut sink: Sink<E>| {
        let (sender, mut receiver) = mpsc::channel(queue);
        let watcher = Job::task(async move {
            while let Some(event) = receiver.recv().await {
                sink(event);
            }
        });
        (sender, watcher)
    };
    sinks.into_iter().map(watch).unzip()
}

async fn send_to_all<E: Event>(senders: &[mpsc::Sender<E>], event: E) {
    for sender in senders {
        sender.send(event.clone()).await.expect("all watch");
    }
}

/// The broadcast channel, which overwrites what was not read: so producers look under a lock whether there is room, and let
/// others go on while there is none.
pub struct Broadcast;

impl<E: Event> Peer<E> for Broadcast {
    fn name(&self) -> &'static str {
        "tokio broadcast, polled for room"
    }

    fn offers_the_same(&self) -> bool {
        true
    }

    fn jobs(&self, queue: usize, sources: Vec<Source<E>>, sinks: Vec<Sink<E>>) -> Vec<Job> {
        let sender = Arc::new(Mutex::new(broadcast::channel(queue).0));
        let watch = |mut sink: Sink<E>| {
            let mut receiver = sender.lock().unwrap().subscribe();
            Job::task(async move {
                loop {
                    match receiver.recv().await {
                        Ok(event) => sink(event),
                        Err(RecvError::Closed) => break,
                        Err(RecvError::Lagged(events)) => panic!("{events} events were overwritten"),
                    }
                }
            })
        };
        let watchers: Vec<Job> = sinks.into_iter().map(watch).collect();
        let produce = |source: Source<E>| {
            let sender = Arc::clone(&sender);
            Job::task(async move {
                for event in source {
                    while !send_if_room(&sender, queue, &event) {
                        yield_now().await;
                    }
                }
            })
        };
        watchers.into_iter().chain(sources.into_iter().map(produce)).collect()
    }
}

fn send_if_room<E: Event>(sender: &Mutex<broadcast::Sender<E>>, queue: usize, event: &E) -> bool {
    let sender = sender.lock().unwrap();
    let has_room = sender.len() < queue;
    if has_room {
        sender.send(event.clone()).ok().expect("all watch");
    }
    has_room
}
