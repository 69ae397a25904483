//! What leads the runs of one script: a strategy of a portfolio on fibers, noise on free threads.

use std::sync::Arc;

use super::Execution;
use super::engines::EngineKind;
use super::trial::{Trial, derive};
use crate::engine::strategy::{RandomWalk, Strategy};
use crate::script::Script;

/// What leads the runs of one script on one engine: the run of each index always the same way.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    engine: EngineKind,
    seed: u64,
}

impl Lead {
    pub(super) fn new(engine: EngineKind, seed: u64) -> Lead {
        Lead { engine, seed }
    }

    /// What is to be known of a script before any other run than the first: learned from that one.
    pub(super) fn learn(&mut self, _first: &Execution) {}

    /// Runs a clamped script.
    pub(super) fn execute(&self, trial: &Trial, script: &Arc<Script>, index: u64) -> Execution {
        match self.engine {
            EngineKind::Fibers => trial.on_fibers(script, self.strategy(index)),
            EngineKind::Threads => trial.on_threads(script, derive(self.seed, index)),
        }
    }

    pub(super) fn strategy(&self, index: u64) -> Box<dyn Strategy> {
        Box::new(RandomWalk::new(derive(self.seed, index)))
    }

    /// What leads the run of this index, as reports call it.
    pub(super) fn name(&self, _index: u64) -> String {
        match self.engine {
            EngineKind::Fibers => "random walk".to_owned(),
            EngineKind::Threads => "noise".to_owned(),
        }
    }
}
