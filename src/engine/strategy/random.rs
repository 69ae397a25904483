use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::{Point, Strategy};

/// Chooses with equal chances, at every point anew.
#[derive(Clone, Debug)]
pub struct RandomWalk(Xoshiro256PlusPlus);

impl RandomWalk {
    /// The walk of this seed.
    pub fn new(seed: u64) -> RandomWalk {
        RandomWalk(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
}

impl Strategy for RandomWalk {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        let draw = self.0.next_u32();
        // Lemire's multiplication (2019), without the rejection: the bias is below 2^-28.
        ((u64::from(draw) * point.alternatives.len() as u64) >> 32) as usize
    }
}
