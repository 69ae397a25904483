use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::super::{TaskId, TaskSet};

/// Where strategies draw from.
#[derive(Clone, Debug)]
pub(super) struct Draw(Xoshiro256PlusPlus);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        Draw(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number below that one, which is not 0, with equal chances.
    #[inline]
    pub(super) fn below(&mut self, most: u32) -> u32 {
        // Lemire's multiplication (2019), without the rejection: the bias is below `most` / 2^32.
        ((u64::from(self.0.next_u32()) * u64::from(most)) >> 32) as u32
    }

    /// The index of one of so many alternatives, with equal chances; nothing is drawn where there is but one.
    #[inline]
    pub(super) fn any(&mut self, alternatives: usize) -> usize {
        match alternatives {
            1 => 0,
            several => self.below(several as u32) as usize,
        }
    }

    /// One of several tasks, with equal chances; the current one counts as the first.
    #[inline]
    pub(super) fn any_of(&mut self, current: Option<TaskId>, ready: &TaskSet) -> TaskId {
        ready.pick(current, |several| self.below(several as u32) as usize)
    }
}

/// A number that looks drawn, and is the same for the same two (the finalizer of SplitMix64; Steele et al., OOPSLA 2014).
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    let mut mixed = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
