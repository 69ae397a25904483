//! Stopping a watcher from elsewhere.

use std::fmt;
use std::sync::Arc;

use super::error::Reason;
use super::seat::SeatId;
use super::shared::Shared;

/// Stops a watcher, from any thread. See [`Watcher::stopper`](crate::Watcher::stopper).
#[derive(Clone)]
pub struct Stopper {
    seats: Arc<dyn Seats>,
    id: SeatId,
}

impl Stopper {
    pub(super) fn new<E: Send + Sync + 'static>(seats: Arc<Shared<E>>, id: SeatId) -> Stopper {
        Stopper { seats, id }
    }

    /// As [`Watcher::stop`](crate::Watcher::stop).
    #[track_caller]
    pub fn stop(&self) {
        self.seats.stop(self.id);
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Stopper { .. }")
    }
}

/// A mux, whatever its events are, for who stops a watcher.
trait Seats: Send + Sync {
    fn stop(&self, id: SeatId);
}

impl<E: Send + Sync> Seats for Shared<E> {
    #[track_caller]
    fn stop(&self, id: SeatId) {
        self.end(id, Reason::Stopped);
    }
}
