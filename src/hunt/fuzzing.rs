use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Engines;
use super::engines::EngineKind;
use super::execution::{Execution, Glimpse};
use super::outcome::{Found, Group, Outcome, Phase};
use super::rerun::Effort;
use super::shrink::shrink;
use super::trial::{Trial, derive};
use crate::engine::Stopwatch;
use crate::oracle::Verdict;
use crate::script::Script;
use crate::script::bytes::{Choices, Input};

/// What leads an input, as reports call it.
pub(super) const CHOICES: &str = "the choices of its input";

/// What a fuzz target does with its inputs: each is run once, and judged.
pub struct Fuzzing {
    /// The subject, and how it is judged.
    pub trial: Trial,
    /// What runs the inputs: fibers, which make their choices, or free threads, which make none.
    pub engine: EngineKind,
    runs: AtomicU64,
    clock: Stopwatch,
}

impl Fuzzing {
    /// Begins to count.
    pub fn new(trial: Trial, engine: EngineKind) -> Fuzzing {
        Fuzzing { trial, engine, runs: AtomicU64::new(0), clock: Stopwatch::start() }
    }

    /// Runs an input, and says what is found.
    pub fn find(&self, input: &Input) -> Option<Found> {
        let script = Arc::new(self.trial.clamp(&input.script));
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let execution = self.execute(&script, &input.choices)?;
        let finding = execution.judgement.findings.first()?.clone();
        let strategy = match self.engine {
            EngineKind::Fibers => CHOICES,
            EngineKind::Threads => "noise",
        };
        let (engine, strategy) = (self.engine, strategy.to_owned());
        Some(Found { engine, run, strategy, script: Script::clone(&script), finding, execution })
    }

    /// What an input did, unless it plainly passed.
    fn execute(&self, script: &Arc<Script>, choices: &Choices) -> Option<Execution> {
        match self.engine {
            EngineKind::Fibers => {
                let tell = |glimpse: Glimpse<'_>| (!glimpse.passes()).then(|| glimpse.told());
                self.trial.glimpse_choices(script, choices, tell)
            }
            EngineKind::Threads => Some(self.trial.on_threads(script, noise(choices))),
        }
    }

    /// Shrinks what was found, within the effort.
    pub fn outcome(&self, found: Found, effort: Effort<'_>) -> Outcome {
        let runs = found.run + 1;
        let elapsed = self.clock.elapsed();
        let diverged = found.finding.signature.verdict == Verdict::Diverged;
        let shrunk = (!diverged).then(|| shrink(&self.trial, &found, 0, Engines::Both, effort));
        Outcome {
            subject: self.trial.subject().name().to_owned(),
            contract: self.trial.kind,
            seed: None,
            phases: vec![Phase::of(self.engine, runs, elapsed)],
            interrupted: false,
            findings: vec![Group { count: 1, found, shrunk, saved: None }],
        }
    }
}

/// The seed of the noise: of the same choices the same.
fn noise(choices: &Choices) -> u64 {
    let bytes = choices.ops.iter().chain(&choices.tail);
    bytes.fold(0, |seed, byte| derive(seed, u64::from(*byte)))
}
