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
    /// The first is a random walk; so are all for which nothing was learned. Estimates are best learned from each execution
    /// for the next: what one teaches may be far from what could be.
    pub fn strategy(&self, index: u64, estimates: &Estimates) -> Box<dyn Strategy> {
        let seed = mix(self.seed, index);
        if index == 0 || estimates.length == 0 {
            return Box::new(RandomWalk::new(seed));
        }
        // The weights were measured: see the table of the parent module's documentation.
        match mix(seed, 0) % 16 {
            0 => Box::new(RandomWalk::new(seed)),
            1..=2 => Box::new(Pct::new(seed, 2, estimates)),
            3..=7 => Box::new(Pct::new(seed, 3, estimates)),
            _ => Box::new(Surw::new(seed, estimates)),
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
