use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::Point;

/// Where strategies draw from.
#[derive(Clone, Debug)]
pub(super) struct Draw(Xoshiro256PlusPlus);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        Draw(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number below that one, which is not 0, with equal chances.
    pub(super) fn below(&mut self, most: u32) -> u32 {
        // Lemire's multiplication (2019), without the rejection: the bias is below `most` / 2^32.
        ((u64::from(self.0.next_u32()) * u64::from(most)) >> 32) as u32
    }

    /// The index of one of the weights, in proportion to them; `None` if all are 0.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> Option<usize> {
        let total = weights.clone().fold(0, u32::saturating_add);
        if total == 0 {
            return None;
        }
        let mut drawn = self.below(total);
        weights.enumerate().find_map(|(index, weight)| {
            let found = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            found.then_some(index)
        })
    }

    /// One of the alternatives, with equal chances; nothing is drawn where there is but one.
    #[inline]
    pub(super) fn any(&mut self, point: &Point<'_>) -> usize {
        match point.alternatives.len() {
            1 => 0,
            several => self.below(several as u32) as usize,
        }
    }
}

/// A number that looks drawn, and is the same for the same two (the finalizer of SplitMix64; Steele et al., OOPSLA 2014).
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    let mut mixed = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_in_proportion() {
        let mut draw = Draw::new(1);
        let mut drawn = [0; 4];
        for _ in 0..9000 {
            drawn[draw.weighted([1, 0, 6, 2].into_iter()).unwrap()] += 1;
        }
        assert!((900..1100).contains(&drawn[0]) && drawn[1] == 0, "{drawn:?}");
        assert!((5800..6200).contains(&drawn[2]) && (1850..2150).contains(&drawn[3]), "{drawn:?}");
        assert_eq!(draw.weighted([0, 0].into_iter()), None);
        assert_eq!(draw.weighted([0, u32::MAX].into_iter()), Some(1));
    }
}
