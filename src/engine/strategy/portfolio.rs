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
    /// The first is a random walk; so are all for which nothing was learned. Estimates are to be learned again as executions go
    /// on, for what one teaches may be far from what could be. A hunt learns from each, as its scripts change;
    /// [`explore`](mod@crate::explore) from the first 15 and then from every 32nd, for to learn from each found nothing sooner.
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
        // The weights were measured: see the table of the parent module's documentation.
        match mix(seed, 0) % 16 {
            0 => Kind::RandomWalk,
            1..=2 => Kind::Pct(2),
            3..=7 => Kind::Pct(3),
            _ => Kind::Surw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{step, tasks};
    use super::*;

    fn choices(mut strategy: Box<dyn Strategy>) -> Vec<usize> {
        (0..64).map(|_| tasks(&[0, 1, 2, 3], |point| strategy.choose(point))).collect()
    }

    #[test]
    fn it_is_a_function_of_seed_index_and_estimates() {
        let mut estimates = Estimates::default();
        estimates.learn(&[step(0, None), step(1, None), step(2, None), step(3, None)]);
        let all = |seed| -> Vec<_> {
            (0..50).map(|index| choices(Portfolio::new(seed).strategy(index, &estimates))).collect()
        };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
        let mut several = all(7);
        several.sort();
        several.dedup();
        assert!(several.len() > 30, "executions differ");
    }

    #[test]
    fn nothing_learned_is_a_random_walk() {
        let strategy = Portfolio::new(3).strategy(9, &Estimates::default());
        assert_eq!(choices(strategy), choices(Box::new(RandomWalk::new(mix(3, 9)))));
    }
}
