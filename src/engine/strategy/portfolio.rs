use super::draw::mix;
use super::{Estimates, Pct, RandomWalk, Strategy, Surw};

/// A mixture of strategies, for none is the best for all bugs.
#[derive(Clone, Copy, Debug)]
pub struct Portfolio {
    seed: u64,
}

impl Portfolio {
    /// The portfolio of this seed.
    pub fn new(seed: u64) -> Portfolio {
        Portfolio { seed }
    }

    /// The strategy for the execution of this index: of the same seed, index and estimates always the same.
    ///
    /// The first is a random walk, from which estimates are to be learned; so are all for which there are none.
    pub fn strategy(&self, index: u64, estimates: &Estimates) -> Box<dyn Strategy> {
        let seed = mix(self.seed, index);
        if index == 0 || estimates.length == 0 {
            return Box::new(RandomWalk::new(seed));
        }
        match mix(seed, 0) % 16 {
            0 => Box::new(RandomWalk::new(seed)),
            1..=5 => Box::new(Pct::new(seed, 2, estimates)),
            6..=9 => Box::new(Pct::new(seed, 3, estimates)),
            _ => Box::new(Surw::new(seed, estimates)),
        }
    }
}
