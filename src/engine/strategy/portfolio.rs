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
        match Kind::of(seed, index, estimates) {
            Kind::RandomWalk => Box::new(RandomWalk::new(seed)),
            Kind::Pct(depth) => Box::new(Pct::new(seed, depth, estimates)),
            Kind::Surw => Box::new(Surw::new(seed, estimates)),
        }
    }

    /// What that strategy is called.
    pub fn name(&self, index: u64, estimates: &Estimates) -> String {
        match Kind::of(mix(self.seed, index), index, estimates) {
            Kind::RandomWalk => "random walk".to_owned(),
            Kind::Pct(depth) => format!("PCT of depth {depth}"),
            Kind::Surw => "SURW".to_owned(),
        }
    }
}

/// A kind of strategy.
enum Kind {
    RandomWalk,
    Pct(usize),
    Surw,
}

impl Kind {
    fn of(seed: u64, index: u64, estimates: &Estimates) -> Kind {
        if index == 0 || estimates.length == 0 {
            return Kind::RandomWalk;
        }
        match mix(seed, 0) % 16 {
            0 => Kind::RandomWalk,
            1..=5 => Kind::Pct(2),
            6..=9 => Kind::Pct(3),
            _ => Kind::Surw,
        }
    }
}
