use std::path::PathBuf;
use std::time::Duration;

use super::Execution;
use super::engines::EngineKind;
use super::shrink::Shrunk;
use crate::oracle::{Finding, Verdict};
use crate::script::{ContractKind, Script};

/// What came of a campaign.
#[derive(Clone)]
pub struct Outcome {
    /// The subject's name.
    pub subject: String,
    /// Which contract it was judged by.
    pub contract: ContractKind,
    /// The seed; `None` if a fuzzer has found it.
    pub seed: Option<u64>,
    /// What each engine did, in order.
    pub phases: Vec<Phase>,
    /// Whether it was told to end before its budget was spent.
    pub interrupted: bool,
    /// What was found, the one to report first in front: one for each signature, and only one unless it was to keep
    /// going.
    pub findings: Vec<Group>,
}

/// What one engine did.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// The engine.
    pub engine: EngineKind,
    /// How many runs: those up to the first finding, if that ended it.
    pub runs: u64,
    /// How many of the runs were of distinct interleavings: of another script, or with its calls and returns in
    /// another order.
    pub interleavings: u64,
    /// In how many runs nothing could be concluded: on free threads, with ten times the deadline neither.
    pub inconclusive: u64,
    /// How many sync points were passed.
    pub sync_points: u64,
    /// How many tasks were not unwound, with all that they hold: see [`Run::forgotten`](crate::engine::Run::forgotten).
    pub forgotten: u64,
    /// How long it took, without shrinking.
    pub elapsed: Duration,
}

impl Phase {
    /// So many runs, and no more known of them.
    pub fn of(engine: EngineKind, runs: u64, elapsed: Duration) -> Phase {
        Phase { engine, runs, interleavings: 0, inconclusive: 0, sync_points: 0, forgotten: 0, elapsed }
    }
}

impl Outcome {
    /// Joins the findings that shrinking has shown to be one, such as a hang that showed in a wind-down and one that did
    /// without: each signature is reported once, by its smallest script.
    pub fn join_same(&mut self) {
        let mut joined: Vec<Group> = Vec::new();
        for group in std::mem::take(&mut self.findings) {
            let same = joined.iter_mut().find(|other| other.shown().0.signature == group.shown().0.signature);
            match same {
                Some(other) if group.shown().1.ops() < other.shown().1.ops() => {
                    *other = Group { count: other.count + group.count, ..group };
                }
                Some(other) => other.count += group.count,
                None => joined.push(group),
            }
        }
        self.findings = joined;
    }

    /// How many runs.
    pub fn runs(&self) -> u64 {
        self.phases.iter().map(|phase| phase.runs).sum()
    }

    /// How many of them were of distinct interleavings.
    pub fn interleavings(&self) -> u64 {
        self.phases.iter().map(|phase| phase.interleavings).sum()
    }

    /// In how many of them nothing could be concluded.
    pub fn inconclusive(&self) -> u64 {
        self.phases.iter().map(|phase| phase.inconclusive).sum()
    }

    /// How many tasks were not unwound.
    pub fn forgotten(&self) -> u64 {
        self.phases.iter().map(|phase| phase.forgotten).sum()
    }

    /// How long they took.
    pub fn elapsed(&self) -> Duration {
        self.phases.iter().map(|phase| phase.elapsed).sum()
    }

    /// Runs a second.
    pub fn runs_per_second(&self) -> f64 {
        self.runs() as f64 / self.elapsed().as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Sync points a run.
    pub fn sync_points_per_run(&self) -> f64 {
        self.sync_points() as f64 / (self.runs() as f64).max(1.0)
    }

    /// Sync points a second, of all workers together.
    pub fn sync_points_per_second(&self) -> f64 {
        self.sync_points() as f64 / self.elapsed().as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn sync_points(&self) -> u64 {
        self.phases.iter().map(|phase| phase.sync_points).sum()
    }

    /// What the subject is reported to be.
    pub fn verdict(&self) -> Verdict {
        match self.findings.first() {
            Some(group) => group.found.finding.signature.verdict,
            None if self.inconclusive() >= self.runs() => Verdict::Inconclusive,
            None => Verdict::Pass,
        }
    }
}

/// The findings of one signature.
#[derive(Clone)]
pub struct Group {
    /// In how many runs.
    pub count: u64,
    /// The first of them.
    pub found: Found,
    /// What it was shrunk to.
    pub shrunk: Option<Shrunk>,
    /// The file it was saved to.
    pub saved: Option<PathBuf>,
}

impl Group {
    /// What it is shown by: what it was shrunk to, if it was.
    pub fn shown(&self) -> (&Finding, &Script, &Execution) {
        match &self.shrunk {
            Some(shrunk) => (&shrunk.finding, &shrunk.script, &shrunk.execution),
            None => (&self.found.finding, &self.found.script, &self.found.execution),
        }
    }
}

/// A finding, with what showed it.
#[derive(Clone)]
pub struct Found {
    /// What ran it.
    pub engine: EngineKind,
    /// The index of the run on that engine.
    pub run: u64,
    /// The strategy that led it; on free threads, the noise.
    pub strategy: String,
    /// The script, clamped.
    pub script: Script,
    /// What was found.
    pub finding: Finding,
    /// The execution that shows it.
    pub execution: Execution,
}
