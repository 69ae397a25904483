//! The least an execution can cost: pooled coroutines, switched by random choice, and nothing else.

use corosensei::{Coroutine, CoroutineResult};
use watchmux::engine::Stopwatch;

use watchmux_peers::statistics::median;

/// How many tasks an execution has.
pub const TASKS: usize = 4;
/// How often each gives way.
pub const POINTS: usize = 15;

const EXECUTIONS: usize = 5000;

/// Nanoseconds a point, the median of so many rounds.
pub fn per_point(rounds: usize) -> f64 {
    let mut tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            Coroutine::new(|yielder, ()| {
                loop {
                    (1..POINTS).for_each(|_| yielder.suspend(false));
                    yielder.suspend(true);
                }
            })
        })
        .collect();
    let mut state = 1_u64;
    let mut execution = || {
        let mut ready: [usize; TASKS] = std::array::from_fn(|task| task);
        let mut alive = TASKS;
        while alive > 0 {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let chosen = (((state >> 32) * alive as u64) >> 32) as usize;
            match tasks[ready[chosen]].resume(()) {
                CoroutineResult::Yield(false) => {}
                CoroutineResult::Yield(true) => {
                    alive -= 1;
                    ready.swap(chosen, alive);
                }
                CoroutineResult::Return(()) => unreachable!("they go on for ever"),
            }
        }
    };
    let mut round = || {
        let stopwatch = Stopwatch::start();
        (0..EXECUTIONS).for_each(|_| execution());
        stopwatch.elapsed().as_secs_f64() * 1e9 / (EXECUTIONS * TASKS * POINTS) as f64
    };
    let rounds: Vec<f64> = (0..rounds).map(|_| round()).collect();
    median(&rounds)
}
