//! loom, with a bounded channel of our own, for it has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use watchmux::engine::Stopwatch;

use crate::peer::{Explorer, Extent, Peer, Program, Rate};
use crate::scenario::{Kind, Scenario};

mod sync {
    use std::collections::VecDeque;
    use std::sync::Arc;

    pub(super) use loom::thread::{JoinHandle, spawn};

    /// A lock that is never poisoned.
    pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(super) fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(super) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    struct Channel<T> {
        state: Mutex<State<T>>,
        changed: loom::sync::Condvar,
    }

    struct State<T> {
        messages: VecDeque<T>,
        capacity: usize,
        /// How many messages were ever sent, and how many were received.
        sent: usize,
        received: usize,
        senders: usize,
        receiver: bool,
    }

    /// A bounded channel; at capacity 0 a send waits until its message was received.
    pub(super) fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        let state =
            State { messages: VecDeque::new(), capacity, sent: 0, received: 0, senders: 1, receiver: true };
        let channel = Arc::new(Channel { state: Mutex::new(state), changed: loom::sync::Condvar::new() });
        (Sender(Arc::clone(&channel)), Receiver(channel))
    }

    pub(super) struct Sender<T>(Arc<Channel<T>>);

    impl<T> Sender<T> {
        pub(super) fn send(&self, message: T) -> Result<(), ()> {
            let mut state = self.0.state.lock();
            while state.receiver && state.messages.len() >= state.capacity.max(1) {
                state = self.0.changed.wait(state).unwrap();
            }
            if !state.receiver {
                return Err(());
            }
            state.messages.push_back(message);
            state.sent += 1;
            let place = state.sent;
            self.0.changed.notify_all();
            while state.capacity == 0 && state.receiver && state.received < place {
                state = self.0.changed.wait(state).unwrap();
            }
            if state.capacity > 0 || state.received >= place { Ok(()) } else { Err(()) }
        }
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Sender<T> {
            self.0.state.lock().senders += 1;
            Sender(Arc::clone(&self.0))
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.state.lock().senders -= 1;
            self.0.changed.notify_all();
        }
    }

    pub(super) struct Receiver<T>(Arc<Channel<T>>);

    impl<T> Receiver<T> {
        pub(super) fn recv(&self) -> Result<T, ()> {
            let mut state = self.0.state.lock();
            loop {
                if let Some(message) = state.messages.pop_front() {
                    state.received += 1;
                    self.0.changed.notify_all();
                    return Ok(message);
                }
                if state.senders == 0 {
                    return Err(());
                }
                state = self.0.changed.wait(state).unwrap();
            }
        }

        pub(super) fn try_recv(&self) -> Result<T, ()> {
            let mut state = self.0.state.lock();
            let message = state.messages.pop_front().ok_or(())?;
            state.received += 1;
            self.0.changed.notify_all();
            Ok(message)
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            self.0.state.lock().receiver = false;
            self.0.changed.notify_all();
        }
    }
}

#[path = "scenarios.rs"]
#[expect(clippy::duplicate_mod, reason = "the same code over each peer's own primitives")]
mod scenarios;

/// loom, up to 2 preemptions.
pub struct Loom;

impl Peer for Loom {
    fn name(&self) -> &'static str {
        "loom, 2 preemptions"
    }

    /// The others take it minutes.
    fn runs(&self, scenario: Scenario) -> bool {
        matches!(scenario.kind, Kind::F1 | Kind::F2 | Kind::F3)
    }

    fn rate(&self, scenario: Scenario, executions: u64) -> Rate {
        let done = Arc::new(AtomicU64::new(0));
        let mut elapsed = Duration::ZERO;
        while done.load(Ordering::Relaxed) < executions {
            let mut builder = loom::model::Builder::new();
            builder.preemption_bound = Some(2);
            builder.max_branches = 100_000;
            builder.checkpoint_interval = 1;
            let left = executions - done.load(Ordering::Relaxed);
            // It counts from 1, and looks before it runs.
            builder.max_permutations = Some(usize::try_from(left + 1).expect("few enough"));
            let count = Arc::clone(&done);
            let stopwatch = Stopwatch::start();
            builder.check(move || {
                scenarios::run(scenario, 0);
                count.fetch_add(1, Ordering::Relaxed);
            });
            elapsed += stopwatch.elapsed();
        }
        Rate { executions: done.load(Ordering::Relaxed), points: None, elapsed }
    }
}

impl Explorer for Loom {
    fn name(&self) -> &'static str {
        "loom"
    }

    fn explore(&self, program: Program, preemptions: Option<u32>, limit: Duration) -> Extent {
        let Program { scenario, draw } = program;
        let done = Arc::new(AtomicU64::new(0));
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = preemptions.map(|bound| bound as usize);
        builder.max_branches = 100_000;
        builder.checkpoint_interval = 1;
        builder.max_duration = Some(limit);
        let count = Arc::clone(&done);
        let stopwatch = Stopwatch::start();
        builder.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            scenarios::run(scenario, draw);
        });
        let elapsed = stopwatch.elapsed();
        let executions = done.load(Ordering::Relaxed);
        Extent { executions, elapsed, complete: elapsed < limit }
    }
}
