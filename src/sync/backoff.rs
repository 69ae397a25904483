use std::cell::Cell;
use std::fmt;

use super::seam;

/// Passes the time before a wait that is likely to be short, as crossbeam-utils' `Backoff` does.
///
/// Inside an execution it is completed from the start: there a wait costs nothing, and trying again would only
/// lengthen every schedule.
///
/// ```
/// use watchmux::sync::{Backoff, channel, thread};
///
/// let (tx, rx) = channel::bounded(1);
/// thread::spawn(move || tx.send(7));
/// let backoff = Backoff::new();
/// let got = loop {
///     match rx.try_recv() {
///         Ok(message) => break message,
///         Err(_) if backoff.is_completed() => break rx.recv().unwrap(),
///         Err(_) => backoff.snooze(),
///     }
/// };
/// assert_eq!(got, 7);
/// ```
pub struct Backoff {
    snoozes: Cell<u32>,
}

/// How often it is worth to let others go on before one sleeps: what crossbeam-channel's own waits do.
const MOST_SNOOZES: u32 = 10;

impl Backoff {
    /// Nothing tried yet.
    #[expect(
        clippy::new_without_default,
        reason = "it is made where a wait begins, and is no default of anything"
    )]
    pub fn new() -> Backoff {
        Backoff { snoozes: Cell::new(0) }
    }

    /// Lets others go on; nothing inside an execution.
    pub fn snooze(&self) {
        self.snoozes.set(self.snoozes.get() + 1);
        if !seam::is_inside() {
            std::thread::yield_now();
        }
    }

    /// Whether it is time to sleep.
    pub fn is_completed(&self) -> bool {
        seam::is_inside() || self.snoozes.get() >= MOST_SNOOZES
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Backoff { .. }")
    }
}
