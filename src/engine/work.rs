use std::time::{Duration, Instant};

/// Runs the closure on that many OS threads at once, with the index of each, and waits for all of them.
///
/// These are no tasks: they are what executions are run from.
///
/// # Panics
/// If one of them panicked.
pub fn work<R: Send>(workers: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let f = &f;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|index| scope.spawn(move || f(index))).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|result| result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))).collect()
    })
}

/// Tells how long something has taken.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts counting.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
