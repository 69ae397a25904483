use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::strategy::ValueTree;

use super::campaign::Found;
use super::execution::{Execution, with_wind_down_as_script};
use super::rerun::{Effort, Hit, Rerun, Reruns};
use super::trial::{Trial, derive};
use crate::engine::Stopwatch;
use crate::oracle::{Finding, Judgement, Signature};
use crate::script::{Script, ScriptTree};

/// How likely a candidate that shows the finding as often as the script did may be missed.
const MISS: f64 = 0.001;

/// Reruns of a candidate: at least this many, for a smaller script may show the finding more rarely; and at most
/// this many, for time.
const FEWEST: u64 = 100;
const MOST: u64 = 2_000;

/// How many hits are enough to know how often a script shows its finding.
const HITS: u64 = 3;

/// How often the smallest script is run in the end.
const CONFIRMATIONS: u64 = 20;

/// What a finding was shrunk to.
#[derive(Clone)]
pub struct Shrunk {
    /// The smallest script known to show it, clamped.
    pub script: Script,
    /// The finding, as that script shows it.
    pub finding: Finding,
    /// The execution that shows it.
    pub execution: Execution,
    /// The seed of its noise.
    pub noise: u64,
    /// Whether what the wind-down did is now done by ops of the script.
    pub rewritten: bool,
    /// How many smaller scripts were tried.
    pub candidates: u64,
    /// How often each of the last ones was run: enough to see what shows as often as the smallest script does, in
    /// 999 of 1,000 cases, unless [`capped`](Shrunk::capped).
    pub reruns: u64,
    /// Whether that would have been more reruns than are done.
    pub capped: bool,
    /// Whether each op was removed, and what was left did not show it.
    pub minimal: bool,
    /// How many executions that took, in all.
    pub executions: u64,
    /// How long that took, in all.
    pub elapsed: Duration,
    /// How often the smallest script showed it, when it was run again.
    pub confirmation: Confirmation,
}

/// How often a script showed its finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// In how many runs it did.
    pub hits: u64,
    /// Of how many.
    pub runs: u64,
}

/// Shrinks a finding to the smallest script that shows one of the same signature, within the effort.
pub fn shrink(trial: &Trial, found: &Found, seed: u64, effort: Effort<'_>) -> Shrunk {
    let mut shrinker = Shrinker {
        trial,
        wanted: found.finding.signature.clone(),
        clock: Stopwatch::start(),
        seed,
        seeds: 0,
        effort,
        candidates: 0,
        executions: 0,
    };
    let mut best = Best {
        script: found.script.clone(),
        finding: found.finding.clone(),
        execution: found.execution.clone(),
        noise: found.noise,
        reruns: MOST,
        capped: true,
    };
    let mut rewritten = false;
    let mut minimal = false;
    if let Some(again) = shrinker.attempt(&found.script, MOST) {
        best = again;
        if let Some(written) = shrinker.write_wind_down(&best) {
            best = written;
            rewritten = true;
        }
        minimal = shrinker.descend(&mut best);
    }
    let confirmation = shrinker.confirm(&best);
    let Best { script, finding, execution, noise, reruns, capped } = best;
    let Shrinker { candidates, executions, clock, .. } = shrinker;
    let elapsed = clock.elapsed();
    Shrunk {
        script,
        finding,
        execution,
        noise,
        rewritten,
        candidates,
        reruns,
        capped,
        minimal,
        executions,
        elapsed,
        confirmation,
    }
}

/// The smallest script so far.
struct Best {
    script: Script,
    finding: Finding,
    execution: Execution,
    noise: u64,
    /// How often to run the candidates that are smaller.
    reruns: u64,
    capped: bool,
}

struct Shrinker<'a> {
    trial: &'a Trial,
    wanted: Signature,
    clock: Stopwatch,
    seed: u64,
    /// How many seeds were derived from it.
    seeds: u64,
    effort: Effort<'a>,
    candidates: u64,
    executions: u64,
}

impl Shrinker<'_> {
    /// Runs a script until it has shown the finding often enough; `None` if it does not, or the effort is spent.
    fn attempt(&mut self, script: &Script, most: u64) -> Option<Best> {
        let Reruns { runs, hits, hit, .. } = self.rerun(script, most, HITS);
        let Hit { noise, execution, .. } = hit?;
        let finding = matching(&execution.judgement, &self.wanted)?.clone();
        let (reruns, capped) = reruns_for(hits as f64 / runs as f64);
        Some(Best { script: script.clone(), finding, execution, noise, reruns, capped })
    }

    fn rerun(&mut self, script: &Script, most: u64, enough: u64) -> Reruns {
        self.seeds += 1;
        let effort = Effort { time: self.time_left(), ..self.effort };
        let rerun =
            Rerun { trial: self.trial, script, seed: derive(self.seed, self.seeds), most, enough, effort };
        let reruns = rerun.until(|judgement| matching(judgement, &self.wanted).is_some());
        self.executions += reruns.runs;
        reruns
    }

    fn time_left(&self) -> Option<Duration> {
        self.effort.time.map(|time| time.saturating_sub(self.clock.elapsed()))
    }

    fn is_spent(&self) -> bool {
        self.effort.stop.load(Ordering::Relaxed) || self.time_left().is_some_and(|time| time.is_zero())
    }

    /// The same finding without a wind-down, if this one needs it and its ops as ops of the script will do.
    fn write_wind_down(&mut self, best: &Best) -> Option<Best> {
        if !self.wanted.wind_down {
            return None;
        }
        let script = self.trial.clamp(&with_wind_down_as_script(&best.script, &best.execution.history));
        let without = Signature { wind_down: false, ..self.wanted.clone() };
        let with = std::mem::replace(&mut self.wanted, without);
        let written = self.attempt(&script, MOST);
        if written.is_none() {
            self.wanted = with;
        }
        written
    }

    /// Goes down proptest's tree as far as the effort lasts, and says whether no op can be removed.
    fn descend(&mut self, best: &mut Best) -> bool {
        let mut tree = ScriptTree::new(best.script.clone());
        let mut more = tree.simplify();
        while more {
            let candidate = self.trial.clamp(&tree.current());
            // What the subject makes the same script of is not simpler.
            let smaller = if candidate == best.script {
                None
            } else {
                self.candidates += 1;
                self.attempt(&candidate, best.reruns)
            };
            more = match smaller {
                Some(smaller) => {
                    *best = smaller;
                    tree.simplify()
                }
                // It may have been cut short, and is not ruled out.
                None if self.is_spent() => return false,
                None => tree.complicate(),
            };
        }
        tree.is_minimal()
    }

    /// Runs the smallest script again; if it is so rare that it does not show, until it does, as often as a
    /// candidate is run.
    fn confirm(&mut self, best: &Best) -> Confirmation {
        self.effort.time = None;
        let Reruns { mut runs, mut hits, .. } = self.rerun(&best.script, CONFIRMATIONS, u64::MAX);
        if hits == 0 {
            let more = self.rerun(&best.script, best.reruns, 1);
            runs += more.runs;
            hits += more.hits;
        }
        Confirmation { hits, runs }
    }
}

/// The finding of this signature.
fn matching<'a>(judgement: &'a Judgement, wanted: &Signature) -> Option<&'a Finding> {
    judgement.findings.iter().find(|finding| finding.signature == *wanted)
}

/// How often to run what shows its finding at this rate, so as to miss it no more often than [`MISS`]; and whether
/// that is less than it should be.
fn reruns_for(rate: f64) -> (u64, bool) {
    let enough = if rate < 1.0 { (MISS.ln() / (-rate).ln_1p()).ceil() } else { 1.0 };
    ((enough as u64).clamp(FEWEST, MOST), enough > MOST as f64)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::testing;
    use super::*;
    use crate::oracle::Verdict;

    fn shrunk(trial: &Trial, time: Option<Duration>, stop: &AtomicBool) -> (Script, Shrunk) {
        let text = "mux incoming=3 queue=2 when-full=wait\nsetup\n  watch a\n  action\nlane\n  action\n  stop a\n\
                    lane\n  action\n  action\n  watch b\n";
        let script: Script = text.parse().unwrap();
        let execution = trial.execute(&script, 1);
        let finding = execution.judgement.findings[0].clone();
        let found = Found { run: 0, noise: 1, script: script.clone(), finding, execution };
        (script, shrink(trial, &found, 1, Effort { jobs: 2, time, stop }))
    }

    #[test]
    fn what_is_left_is_what_the_finding_needs() {
        let (_, shrunk) = shrunk(&testing::trial(), None, &AtomicBool::new(false));
        let script = "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n  action\n  action";
        assert_eq!(shrunk.script.to_string(), script);
        assert_eq!(shrunk.finding.signature.verdict, Verdict::Panic);
        assert_eq!(
            shrunk.execution.history.calls.iter().filter(|call| call.op == crate::script::Op::Action).count(),
            3
        );
        assert!(shrunk.minimal && !shrunk.capped);
        assert_eq!(shrunk.confirmation, Confirmation { hits: CONFIRMATIONS, runs: CONFIRMATIONS });
    }

    #[test]
    fn without_time_nothing_is_claimed() {
        let (script, shrunk) = shrunk(&testing::trial(), Some(Duration::ZERO), &AtomicBool::new(false));
        assert_eq!((shrunk.script, shrunk.minimal), (script, false));
        assert_eq!(shrunk.confirmation.hits, CONFIRMATIONS);
    }

    #[test]
    fn reruns_follow_the_rate() {
        assert_eq!(reruns_for(1.0), (FEWEST, false));
        assert_eq!(reruns_for(0.5), (FEWEST, false));
        // ln(0.001) / ln(0.99) = 687.3
        assert_eq!(reruns_for(0.01), (688, false));
        assert_eq!(reruns_for(0.003), (MOST, true));
    }

    #[test]
    fn a_candidate_that_was_cut_short_is_not_ruled_out() {
        let (trial, stop) = testing::stopping(20, Duration::from_secs(60));
        let (_, shrunk) = shrunk(&trial, None, &stop);
        assert!(stop.load(Ordering::Relaxed) && !shrunk.minimal);
        assert_eq!(shrunk.confirmation, Confirmation { hits: 0, runs: 0 });
    }
}
