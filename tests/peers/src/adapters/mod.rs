//! Broadcast crates as black boxes: each adapter with what the crate's documentation promises, quoted, and nothing else.

use std::sync::Arc;

use watchmux::subject::Subject;

mod async_broadcast;
mod barrage;
mod bus;
mod eventador;
mod fanout;
mod multiqueue2;
mod postage;
mod support;
mod tokio;

/// What is different in this version of tokio.
mod tokio_version {
    pub(super) use ::tokio::sync::broadcast::error::{RecvError, TryRecvError};

    /// Whether a receive after the end gives the end again.
    pub(super) const ENDS_AGAIN: bool = true;
}

/// The newest releases.
pub fn all() -> Vec<Arc<dyn Subject>> {
    vec![
        Arc::new(tokio::subject("tokio", "tokio 1.54.1, sync::broadcast")),
        Arc::new(bus::subject("bus", "bus 2.4.1, shared behind a Mutex")),
        Arc::new(async_broadcast::subject(
            "async-broadcast",
            "async-broadcast 0.7.2, with an inactive receiver kept",
        )),
        Arc::new(barrage::subject(
            "barrage",
            "barrage 0.2.3, with a receiver kept, and read after each send",
        )),
        Arc::new(eventador::subject("eventador", "eventador 0.0.18, AllSubscribers")),
        Arc::new(postage::subject("postage", "postage 0.5.0, broadcast")),
        Arc::new(multiqueue2::subject(
            "multiqueue2",
            "multiqueue2 0.2.1, with a stream kept, and read after each send",
        )),
        Arc::new(fanout::subject("fan-out", "a channel of crossbeam-channel 0.5's for each watcher")),
    ]
}
