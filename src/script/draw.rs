use std::ops::RangeInclusive;

use proptest::prelude::Rng;

/// A source of choices. Integers are made from the generator's words here, so that a seed keeps its meaning
/// whatever its library does.
pub(super) struct Draw<'a, R>(pub(super) &'a mut R);

impl<R: Rng> Draw<'_, R> {
    /// A number below this, which must not be 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(end)) >> 32) as u32
    }

    pub(super) fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// An index, in proportion to its weight; not all of them may be 0.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut at = self.below(weights.iter().sum());
        let is_found = |weight: &u32| {
            let found = at < *weight;
            at = at.wrapping_sub(*weight);
            found
        };
        weights.iter().position(is_found).expect("it is drawn below their sum")
    }

    /// The least as a rule, or little above it.
    pub(super) fn capacity(&mut self, range: &RangeInclusive<u8>) -> u8 {
        let above = match self.below(64) {
            0..28 => 0,
            28..48 => 1,
            48..56 => 2,
            56..60 => 3,
            60..63 => 1 + self.below(8) as u8,
            _ => self.below(256) as u8,
        };
        range.start().saturating_add(above).min(*range.end())
    }
}
