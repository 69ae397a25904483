//! Native selections that an engine can end.

use std::time::Instant;

use crossbeam_channel as cc;
use parking_lot::Mutex;

use crate::sync::seam::{Endpoint, Selected};

/// Waits until one of the operations is selected, or the one of the number `only`.
pub(in crate::engine) fn select<'a>(
    endpoints: &[&'a dyn Endpoint],
    only: Option<usize>,
    until: Option<Instant>,
) -> Selected<'a> {
    let mut native = cc::Select::new();
    for endpoint in endpoints {
        endpoint.register(&mut native);
    }
    if let Some(only) = only {
        (0..endpoints.len()).filter(|index| *index != only).for_each(|index| native.remove(index));
    }
    let abort = abort_line();
    let aborted = native.recv(&abort.receiver);
    let selected = match until {
        None => Ok(native.select()),
        Some(until) => native.select_deadline(until),
    };
    match selected {
        Err(_) => Selected::TimedOut,
        Ok(selected) if selected.index() == aborted => {
            let _ = selected.recv(&abort.receiver);
            Selected::Aborted
        }
        Ok(selected) => Selected::Native(selected),
    }
}

/// Tells a thread, in a native selection, that its task is to unwind.
pub(super) struct AbortLine {
    pub(super) sender: cc::Sender<()>,
    pub(super) receiver: cc::Receiver<()>,
}

/// The calling thread's line. A native selection needs it to outlive all that is selected from, so it is never
/// freed: threads that end leave theirs for later ones.
pub(super) fn abort_line() -> &'static AbortLine {
    static FREE: Mutex<Vec<&'static AbortLine>> = Mutex::new(Vec::new());
    struct Own(&'static AbortLine);
    impl Drop for Own {
        fn drop(&mut self) {
            FREE.lock().push(self.0);
        }
    }
    thread_local! {
        static OWN: Own = Own(FREE.lock().pop().unwrap_or_else(|| {
            let (sender, receiver) = cc::bounded(1);
            Box::leak(Box::new(AbortLine { sender, receiver }))
        }));
    }
    OWN.with(|own| own.0)
}
