//! Shrinking on free threads: each candidate is run so often that what shows as often as before is not missed.

use std::sync::Arc;
use std::time::Duration;

use super::super::engines::EngineKind;
use super::super::execution::Execution;
use super::super::outcome::Found;
use super::super::rerun::{Effort, Hit, Rerun, Reruns, Spending};
use super::super::trial::{Trial, derive};
use super::{Method, Shows, Shrunk, Try, descend, matching, write_wind_down};
use crate::oracle::{Finding, Signature};
use crate::script::Script;

/// How likely a candidate that shows the finding as often as the script did may be missed.
const MISS: f64 = 0.001;

/// Reruns of a candidate: at least this many, for a smaller script may show the finding more rarely; and at most
/// this many, for time.
const FEWEST: u64 = 100;
const MOST: u64 = 2_000;

/// How long it may take, where there is a limit.
const TIME: Duration = Duration::from_secs(8);

/// How many hits are enough to know how often a script shows its finding.
const HITS: u64 = 3;

/// Shrinks a finding on free threads.
pub(super) fn shrink(trial: &Trial, found: &Found, seed: u64, effort: Effort<'_>) -> Shrunk {
    let time = effort.time.map(|time| time.min(TIME));
    let spending = Effort { time, ..effort }.begin();
    let wanted = found.finding.signature.clone();
    let mut tries = Sampling { trial, wanted, spending, seed, seeds: 0, executions: 0 };
    let mut best = Best {
        script: Arc::new(found.script.clone()),
        finding: found.finding.clone(),
        execution: found.execution.clone(),
        reruns: MOST,
        capped: true,
    };
    let (mut rewritten, mut minimal, mut candidates) = (false, false, 0);
    if let Some(again) = tries.attempt(&Arc::clone(&best.script), &best) {
        best = again;
        if let Some(written) = write_wind_down(&mut tries, &best) {
            best = written;
            rewritten = true;
        }
        minimal = descend(&mut tries, &mut best, &mut candidates);
    }
    let Best { script, finding, execution, reruns, capped } = best;
    Shrunk {
        script: Script::clone(&script),
        finding,
        execution,
        rewritten,
        candidates,
        minimal,
        method: Method::Sampled { reruns, capped },
        executions: tries.executions,
        elapsed: tries.spending.elapsed(),
        confirmation: None,
        steered: None,
    }
}

/// The smallest script so far.
struct Best {
    script: Arc<Script>,
    finding: Finding,
    execution: Execution,
    /// How often to run the candidates that are smaller.
    reruns: u64,
    capped: bool,
}

impl Shows for Best {
    fn script(&self) -> &Arc<Script> {
        &self.script
    }

    fn execution(&self) -> &Execution {
        &self.execution
    }
}

struct Sampling<'a> {
    trial: &'a Trial,
    wanted: Signature,
    spending: Spending<'a>,
    seed: u64,
    /// How many seeds were derived from it.
    seeds: u64,
    executions: u64,
}

impl Try for Sampling<'_> {
    type Best = Best;

    fn trial(&self) -> &Trial {
        self.trial
    }

    fn is_spent(&self) -> bool {
        self.spending.is_spent()
    }

    fn wanted(&mut self) -> &mut Signature {
        &mut self.wanted
    }

    /// Runs a script until it has shown the finding often enough.
    fn attempt(&mut self, candidate: &Arc<Script>, best: &Best) -> Option<Best> {
        self.seeds += 1;
        let rerun = Rerun {
            trial: self.trial,
            engine: EngineKind::Threads,
            script: candidate,
            seed: derive(self.seed, self.seeds),
            most: best.reruns,
            enough: HITS,
            effort: self.spending.left(),
        };
        let reruns = rerun.until(|judgement| matching(judgement, &self.wanted).is_some());
        self.executions += reruns.runs;
        let Reruns { runs, hits, hit, .. } = reruns;
        let Hit { execution, .. } = hit?;
        let finding = matching(&execution.judgement, &self.wanted)?.clone();
        let (reruns, capped) = reruns_for(hits as f64 / runs as f64);
        Some(Best { script: Arc::clone(candidate), finding, execution, reruns, capped })
    }
}

/// How often to run what shows its finding at this rate, so as to miss it no more often than [`MISS`]; and whether
/// that is less than it should be.
fn reruns_for(rate: f64) -> (u64, bool) {
    let enough = if rate < 1.0 { (MISS.ln() / (-rate).ln_1p()).ceil() } else { 1.0 };
    ((enough as u64).clamp(FEWEST, MOST), enough > MOST as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reruns_follow_the_rate() {
        assert_eq!(reruns_for(1.0), (FEWEST, false));
        assert_eq!(reruns_for(0.5), (FEWEST, false));
        // ln(0.001) / ln(0.99) = 687.3
        assert_eq!(reruns_for(0.01), (688, false));
        assert_eq!(reruns_for(0.003), (MOST, true));
    }
}
