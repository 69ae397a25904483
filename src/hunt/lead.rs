//! What leads the runs of one script: a strategy of a portfolio on fibers, noise on free threads.

use std::sync::Arc;

use super::Execution;
use super::brief::Brief;
use super::engines::EngineKind;
use super::trial::{Trial, derive};
use crate::engine::fibers;
use crate::engine::strategy::{Estimates, Portfolio, Strategy};
use crate::script::Script;

/// What leads the runs of one script on one engine: the run of each index always the same way.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    engine: EngineKind,
    seed: u64,
    estimates: Estimates,
}

impl Lead {
    pub(super) fn new(engine: EngineKind, seed: u64) -> Lead {
        Lead { engine, seed, estimates: Estimates::default() }
    }

    pub(super) fn engine(&self) -> EngineKind {
        self.engine
    }

    /// Learns what the script is like, from a run on fibers for those after it.
    pub(super) fn learn(&mut self, steps: &[fibers::Step]) {
        self.estimates.learn(steps);
    }

    /// Runs a clamped script, and learns from that for the runs after it.
    pub(super) fn run(&mut self, trial: &Trial, script: &Arc<Script>, index: u64) -> Brief {
        match self.engine {
            EngineKind::Fibers => {
                let strategy = self.strategy(index);
                trial.glimpse(script, strategy, |glimpse| {
                    self.learn(glimpse.steps());
                    Brief::of(glimpse)
                })
            }
            EngineKind::Threads => Brief::from(trial.on_threads(script, derive(self.seed, index))),
        }
    }

    /// Runs a clamped script.
    pub(super) fn execute(&self, trial: &Trial, script: &Arc<Script>, index: u64) -> Execution {
        match self.engine {
            EngineKind::Fibers => trial.on_fibers(script, self.strategy(index)),
            EngineKind::Threads => trial.on_threads(script, derive(self.seed, index)),
        }
    }

    pub(super) fn strategy(&self, index: u64) -> Box<dyn Strategy> {
        Portfolio::new(self.seed).strategy(index, &self.estimates)
    }

    /// What leads the run of this index, as reports call it.
    pub(super) fn name(&self, index: u64) -> String {
        match self.engine {
            EngineKind::Fibers => Portfolio::new(self.seed).name(index, &self.estimates),
            EngineKind::Threads => "noise".to_owned(),
        }
    }
}
