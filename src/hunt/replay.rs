//! Replay: running a kept script again, and comparing its verdict with the expected one.

use super::campaign::Found;
use super::rerun::{Effort, Hit, Rerun};
use super::trial::Trial;
use crate::oracle::{Judgement, Verdict};
use crate::script::Script;

/// How often a script is run that is expected to pass: it must, each time.
pub const PASSES: u64 = 50;

/// How often a script is run, at most, to see a verdict other than pass.
pub const ATTEMPTS: u64 = 2_000;

/// A script to be run again.
pub struct Replay<'a> {
    /// The subject, and how it is judged.
    pub trial: &'a Trial,
    /// The script; it is clamped to what the subject supports.
    pub script: &'a Script,
    /// The verdict it must have, if that is known.
    pub expected: Option<Verdict>,
    /// How often it is run, at most; [`PASSES`] or [`ATTEMPTS`] if `None`.
    pub times: Option<u64>,
    /// What the noise is drawn from.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone)]
pub struct Replayed {
    /// The verdict: the expected one if it was seen, any other that was seen otherwise.
    pub verdict: Verdict,
    /// How many runs that took.
    pub runs: u64,
    /// What was found, and the first run that showed it.
    pub found: Option<Found>,
}

impl Replay<'_> {
    /// How often it is run, at most.
    pub fn times(&self) -> u64 {
        self.times.unwrap_or(if self.expected == Some(Verdict::Pass) { PASSES } else { ATTEMPTS })
    }

    /// Runs it: until it does not pass if it is expected to pass or not known, and otherwise until the verdict is
    /// the expected one.
    pub fn run(&self, effort: Effort<'_>) -> Replayed {
        let sought = self.expected.filter(|verdict| *verdict != Verdict::Pass);
        let script = self.trial.clamp(self.script);
        let (most, seed) = (self.times(), self.seed);
        let rerun = Rerun { trial: self.trial, script: &script, seed, most, enough: 1, effort };
        let reruns = rerun.until(|judgement| match sought {
            Some(verdict) => judgement.verdict() == verdict || shows(judgement, verdict),
            None => !judgement.findings.is_empty(),
        });
        let runs = reruns.hit.as_ref().map_or(reruns.runs, |hit| hit.run + 1);
        // One run of which nothing can be said does not speak against those of which something can.
        let concluded = reruns.inconclusive < reruns.runs;
        let shown = reruns.hit.or(reruns.miss.filter(|_| sought.is_some() || !concluded));
        let verdict = match (&shown, sought) {
            (Some(hit), Some(verdict)) if shows(&hit.execution.judgement, verdict) => verdict,
            (Some(hit), _) => hit.execution.judgement.verdict(),
            (None, _) if concluded => Verdict::Pass,
            (None, _) => Verdict::Inconclusive,
        };
        Replayed { verdict, runs, found: shown.and_then(|hit| found(hit, verdict, script)) }
    }
}

fn shows(judgement: &Judgement, verdict: Verdict) -> bool {
    judgement.findings.iter().any(|finding| finding.signature.verdict == verdict)
}

fn found(hit: Hit, verdict: Verdict, script: Script) -> Option<Found> {
    let Hit { run, noise, execution } = hit;
    let findings = &execution.judgement.findings;
    let finding = findings.iter().find(|finding| finding.signature.verdict == verdict)?.clone();
    Some(Found { run, noise, script, finding, execution })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::testing;
    use super::*;

    fn replay(actions: usize, expected: Option<Verdict>, times: Option<u64>) -> Replayed {
        let text = format!("mux incoming=0 queue=0 when-full=wait\nlane{}", "\n  action".repeat(actions));
        let (trial, stop) = (testing::trial(), AtomicBool::new(false));
        let replay = Replay { trial: &trial, script: &text.parse().unwrap(), expected, times, seed: 1 };
        replay.run(Effort { jobs: 2, time: None, stop: &stop })
    }

    #[test]
    fn a_pass_is_a_pass_each_time() {
        let replayed = replay(2, Some(Verdict::Pass), None);
        assert_eq!((replayed.verdict, replayed.runs), (Verdict::Pass, PASSES));
        let replayed = replay(2, None, Some(7));
        assert_eq!((replayed.verdict, replayed.runs), (Verdict::Pass, 7));
    }

    #[test]
    fn the_first_run_that_shows_what_is_sought_is_the_last() {
        for expected in [Some(Verdict::Panic), Some(Verdict::Pass), None] {
            let replayed = replay(3, expected, None);
            assert_eq!((replayed.verdict, replayed.runs), (Verdict::Panic, 1), "expected {expected:?}");
            assert_eq!(replayed.found.unwrap().finding.signature.verdict, Verdict::Panic);
        }
    }

    #[test]
    fn what_is_not_seen_is_told_by_what_is() {
        let replayed = replay(3, Some(Verdict::Hang), Some(5));
        assert_eq!((replayed.verdict, replayed.runs), (Verdict::Panic, 5));
        let replayed = replay(2, Some(Verdict::Hang), Some(5));
        assert_eq!((replayed.verdict, replayed.runs), (Verdict::Pass, 5));
    }
}
