//! Who is measured.

use watchmux::subject::Payload;

use crate::on_tasks::{Awaited, Broadcast, DispatchedMpsc, Mpsc};
use crate::on_threads::{AsyncBroadcast, Crossbeam, Dispatched, OneBus, Watchmux};
use crate::peer::{Event, Peer};
use crate::subjects::AsSubject;

/// The mux of this project, and then the others.
pub fn all<E: Event>() -> Vec<Box<dyn Peer<E>>> {
    vec![
        Box::new(Watchmux),
        Box::new(Awaited),
        Box::new(Dispatched { peer: Crossbeam, name: "crossbeam, dispatcher", offers_the_same: true }),
        // Who joins waits while a watcher is full.
        Box::new(Dispatched { peer: OneBus, name: "bus, dispatcher", offers_the_same: false }),
        Box::new(AsyncBroadcast),
        Box::new(Dispatched {
            peer: AsyncBroadcast,
            name: "async-broadcast, dispatcher",
            offers_the_same: true,
        }),
        Box::new(DispatchedMpsc),
        Box::new(Broadcast),
        Box::new(Crossbeam),
        Box::new(OneBus),
        Box::new(Mpsc),
    ]
}

/// The mux of this project, and Kubernetes' design.
pub fn subjects() -> Vec<Box<dyn Peer<Payload>>> {
    vec![Box::new(AsSubject::mux()), Box::new(AsSubject::kubernetes())]
}
