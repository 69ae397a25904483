//! Events that count their copies, and call back when they are copied or dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

type Hook = Box<dyn Fn(u32) + Send + Sync>;

/// What all events of a test share.
pub(crate) struct Census {
    made: AtomicUsize,
    dropped: AtomicUsize,
    on_clone: Hook,
    on_drop: Hook,
}

impl Census {
    pub(crate) fn new() -> Arc<Census> {
        Census::with(|_| {}, |_| {})
    }

    /// The hooks are given the number of the event that is copied or dropped, and can panic.
    pub(crate) fn with(
        on_clone: impl Fn(u32) + Send + Sync + 'static,
        on_drop: impl Fn(u32) + Send + Sync + 'static,
    ) -> Arc<Census> {
        let (on_clone, on_drop) = (Box::new(on_clone), Box::new(on_drop));
        Arc::new(Census { made: AtomicUsize::new(0), dropped: AtomicUsize::new(0), on_clone, on_drop })
    }

    pub(crate) fn event(self: &Arc<Census>, id: u32) -> Probe {
        self.made.fetch_add(1, SeqCst);
        Probe { id, census: Arc::clone(self) }
    }

    /// Every event, and every copy of one, has been dropped once.
    #[track_caller]
    pub(crate) fn assert_all_dropped(&self) {
        assert_eq!(self.made.load(SeqCst), self.dropped.load(SeqCst), "events made, events dropped");
    }

    /// Counts one as dropped that a test forgot.
    pub(crate) fn forget_one(&self) {
        self.dropped.fetch_add(1, SeqCst);
    }

    pub(crate) fn made(&self) -> usize {
        self.made.load(SeqCst)
    }
}

pub(crate) struct Probe {
    pub(crate) id: u32,
    census: Arc<Census>,
}

impl Clone for Probe {
    fn clone(&self) -> Probe {
        (self.census.on_clone)(self.id);
        self.census.event(self.id)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.census.dropped.fetch_add(1, SeqCst);
        (self.census.on_drop)(self.id);
    }
}

/// A panic that prints nothing.
pub(crate) fn panic_quietly() {
    watchmux::sync::resume_unwind(Box::new("a panic of the event's"));
}
