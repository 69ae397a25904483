//! Noise: delays at sync points, drawn from the seed, that make rare interleavings less rare.
//!
//! What one task meets depends on the seed and its number alone. Executions differ in how noisy they are, and in
//! some of them a task is slow at nearly every point, as the low-priority task of a PCT schedule is.

use std::cell::RefCell;
use std::hint;
use std::thread;
use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::super::TaskId;

/// The noise of one task.
struct Noise {
    rng: Xoshiro256PlusPlus,
    /// Of 256 sync points, at how many the task yields, spins or sleeps.
    yields: u8,
    spins: u8,
    sleeps: u8,
}

/// The longest sleep, in microseconds. On most systems the shortest is some 50 already.
const LONGEST_SLEEP: u64 = 100;
/// The longest spin, in rounds of the processor's own hint.
const LONGEST_SPIN: u64 = 500;

impl Noise {
    fn new(seed: u64, task: TaskId) -> Noise {
        let level = Xoshiro256PlusPlus::seed_from_u64(seed).next_u64() % 4;
        let mut rng =
            Xoshiro256PlusPlus::seed_from_u64(seed ^ (task.0 as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let slow = level >= 2 && rng.next_u64().is_multiple_of(3);
        let (yields, spins, sleeps) = match (level, slow) {
            (0, _) => (0, 0, 0),
            (1, _) => (32, 32, 2),
            (_, false) => (48, 16, 4),
            (_, true) => (16, 16, 160),
        };
        Noise { rng, yields, spins, sleeps }
    }

    fn point(&mut self) {
        if self.yields == 0 {
            return;
        }
        let draw = self.rng.next_u64();
        let (kind, length) = (draw as u8, draw >> 8);
        let below_yields = self.yields;
        let below_spins = below_yields + self.spins;
        let below_sleeps = below_spins + self.sleeps;
        if kind < below_yields {
            thread::yield_now();
        } else if kind < below_spins {
            (0..length % LONGEST_SPIN).for_each(|_| hint::spin_loop());
        } else if kind < below_sleeps {
            thread::sleep(Duration::from_micros(length % LONGEST_SLEEP));
        }
    }
}

thread_local! {
    static NOISE: RefCell<Option<Noise>> = const { RefCell::new(None) };
}

/// Gives the calling thread the noise of a task.
pub(super) fn set(seed: u64, task: TaskId) {
    NOISE.set(Some(Noise::new(seed, task)));
}

/// Makes some noise, or none.
pub(super) fn point() {
    NOISE.with_borrow_mut(|noise| {
        if let Some(noise) = noise {
            noise.point();
        }
    });
}
