//! The mux: its guarantees, its ops and its policies, on plain threads.

mod awaiting;
mod closing;
mod executor;
#[cfg(feature = "suite")]
mod idle;
mod order;
mod panics;
mod policies;
mod probe;
mod progress;
mod reentrancy;
mod selecting;
mod stopping;
mod watchdog;
mod words;

use watchmux::{Config, Mux, WatchOptions, Watcher, WhenFull};

/// A mux that waits for full watchers.
fn mux<E: Clone + Send + Sync + 'static>(incoming: usize, queue: usize) -> Mux<E> {
    Mux::new(Config { incoming, queue, when_full: WhenFull::Wait })
}

fn watch_when_full<E>(mux: &Mux<E>, when_full: WhenFull) -> Watcher<E> {
    mux.watch_with(WatchOptions { when_full: Some(when_full), ..WatchOptions::default() }).unwrap()
}

/// The events of what is left to receive, to the end.
fn rest<E: Clone>(watcher: &Watcher<E>) -> Vec<E> {
    watcher.iter().map(|delivery| delivery.event).collect()
}
