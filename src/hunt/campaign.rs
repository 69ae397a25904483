use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::test_runner::{RngAlgorithm, TestRng};

use super::Execution;
use super::rerun::{Effort, Indexes};
use super::shrink::Shrunk;
use super::trial::{Trial, derive};
use crate::engine::{self, Shared, Stopwatch};
use crate::oracle::{Finding, Signature, Verdict};
use crate::script::generate::{self, Profile};
use crate::script::{ContractKind, Script};

/// A search of one subject, in scripts drawn from a seed.
///
/// The run of index i is a pure function of the seed and i, as far as scripts and noise go: any number of workers
/// runs the same. Each run has a script of its own, for drawing one costs next to nothing: where scripts were run
/// four times each, as many runs were of two thirds the interleavings, and met their first finding later.
pub struct Campaign {
    /// The subject, and how it is judged.
    pub trial: Trial,
    /// When to end.
    pub budget: Budget,
    /// What scripts and noise are drawn from.
    pub seed: u64,
    /// Whether to go on after a finding.
    pub keep_going: bool,
}

/// When a campaign ends that finds nothing. Where both are given, at the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// After so long.
    pub time: Option<Duration>,
    /// After so many runs.
    pub runs: Option<u64>,
}

/// How far a campaign is, to be read while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    runs: AtomicU64,
    interleavings: AtomicU64,
}

impl Progress {
    /// How many runs have ended.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// How many of them were like none before.
    pub fn interleavings(&self) -> u64 {
        self.interleavings.load(Ordering::Relaxed)
    }
}

/// What came of a campaign.
#[derive(Clone)]
pub struct Outcome {
    /// The subject's name.
    pub subject: String,
    /// Which contract it was judged by.
    pub contract: ContractKind,
    /// The seed.
    pub seed: u64,
    /// How many runs: those up to the first finding, if that ended it.
    pub runs: u64,
    /// How many of the runs were of distinct interleavings: of another script, or with its calls and returns in
    /// another order.
    pub interleavings: u64,
    /// In how many runs nothing could be concluded, with ten times the deadline neither.
    pub inconclusive: u64,
    /// Runs a second.
    pub runs_per_second: f64,
    /// Sync points a run.
    pub sync_points_per_run: f64,
    /// How long it took, without shrinking.
    pub elapsed: Duration,
    /// Whether it was told to end before its budget was spent.
    pub interrupted: bool,
    /// What was found, the one to report first in front: one for each signature, and only one unless it was to keep
    /// going.
    pub findings: Vec<Group>,
}

impl Outcome {
    /// What the subject is reported to be.
    pub fn verdict(&self) -> Verdict {
        match self.findings.first() {
            Some(group) => group.found.finding.signature.verdict,
            None if self.inconclusive >= self.runs => Verdict::Inconclusive,
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

/// A finding, with what showed it.
#[derive(Clone)]
pub struct Found {
    /// The index of the run.
    pub run: u64,
    /// The seed of its noise.
    pub noise: u64,
    /// The script, clamped.
    pub script: Script,
    /// What was found.
    pub finding: Finding,
    /// The execution that shows it.
    pub execution: Execution,
}

impl Campaign {
    /// The script of a run, clamped, and the seed of its noise.
    pub fn draw(&self, run: u64) -> (Script, u64) {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&run.to_le_bytes());
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let script = generate::script(&self.profile(), &mut rng);
        (self.trial.clamp(&script), derive(self.seed, run))
    }

    fn profile(&self) -> Profile {
        let capabilities = self.trial.capabilities();
        Profile {
            ops: capabilities.ops,
            incoming: capabilities.incoming.clone(),
            queue: capabilities.queue.clone(),
            when_full: capabilities.when_full,
            when_full_per_watcher: capabilities.when_full_per_watcher,
            prefix: capabilities.prefix,
            ..Profile::default()
        }
    }

    /// Runs it. What is found is told to `news`, once for each signature, as it is found.
    pub fn run(&self, effort: Effort<'_>, progress: &Progress, news: &(dyn Fn(&Found) + Sync)) -> Outcome {
        let effort = Effort { time: self.budget.time, ..effort };
        let clock = Stopwatch::start();
        let indexes = Indexes::new(self.budget.runs.unwrap_or(u64::MAX), effort);
        let known = Shared::new(Known::default());
        let tallies = engine::work(effort.jobs, |_| {
            let mut tally = Tally::default();
            while let Some(run) = indexes.take() {
                let (script, noise) = self.draw(run);
                let execution = self.trial.execute(&script, noise);
                let fresh = fingerprint(&script, &execution);
                let fresh = known.with(|known| known.interleavings.insert(fresh));
                progress.runs.fetch_add(1, Ordering::Relaxed);
                progress.interleavings.fetch_add(u64::from(fresh), Ordering::Relaxed);
                if tally.add(run, noise, &script, &execution, |found| {
                    if known.with(|known| known.signatures.insert(found.finding.signature.clone())) {
                        news(found);
                    }
                }) && !self.keep_going
                {
                    indexes.end_with(run);
                }
            }
            tally
        });
        let interleavings = known.into_inner().interleavings.len() as u64;
        let outcome = self.outcome(tallies, interleavings, clock.elapsed());
        Outcome { interrupted: effort.stop.load(Ordering::Relaxed), ..outcome }
    }

    fn outcome(&self, tallies: Vec<Tally>, interleavings: u64, elapsed: Duration) -> Outcome {
        let Tally { runs, sync_points, inconclusive, groups } =
            tallies.into_iter().fold(Tally::default(), Tally::and);
        let mut findings: Vec<Group> = groups.into_values().collect();
        // Workers may have found something in a later run, before they heard of the first.
        let last = findings.iter().map(|group| group.found.run).min().filter(|_| !self.keep_going);
        findings.sort_by_key(|group| (group.found.finding.signature.verdict, group.found.run, group.place()));
        if let Some(last) = last {
            findings.retain(|group| group.found.run == last);
            findings.truncate(1);
            findings.iter_mut().for_each(|group| group.count = 1);
        }
        Outcome {
            subject: self.trial.subject.name().to_owned(),
            contract: self.trial.kind,
            seed: self.seed,
            runs: last.map_or(runs, |last| last + 1),
            interleavings: interleavings.min(last.map_or(u64::MAX, |last| last + 1)),
            inconclusive,
            runs_per_second: runs as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE),
            sync_points_per_run: sync_points as f64 / (runs as f64).max(1.0),
            elapsed,
            interrupted: false,
            findings,
        }
    }
}

impl Group {
    /// Where its finding is among those of its run: the oracle has the one to report first, first.
    fn place(&self) -> usize {
        let findings = &self.found.execution.judgement.findings;
        findings.iter().position(|finding| *finding == self.found.finding).unwrap_or(findings.len())
    }
}

/// What all workers have seen.
#[derive(Default)]
struct Known {
    interleavings: HashSet<u64>,
    signatures: HashSet<Signature>,
}

/// What one worker has seen.
#[derive(Default)]
struct Tally {
    runs: u64,
    sync_points: u64,
    inconclusive: u64,
    groups: BTreeMap<Signature, Group>,
}

impl Tally {
    /// Adds a run, and says whether something was found; what is new to this worker is told to `news`.
    fn add(
        &mut self,
        run: u64,
        noise: u64,
        script: &Script,
        execution: &Execution,
        news: impl Fn(&Found),
    ) -> bool {
        self.runs += 1;
        self.sync_points += execution.run.sync_points;
        self.inconclusive += u64::from(execution.judgement.verdict() == Verdict::Inconclusive);
        let mut counted = HashSet::new();
        for finding in &execution.judgement.findings {
            if !counted.insert(&finding.signature) {
                continue;
            }
            if let Some(group) = self.groups.get_mut(&finding.signature) {
                group.count += 1;
                continue;
            }
            let (script, execution) = (script.clone(), execution.clone());
            let found = Found { run, noise, script, finding: finding.clone(), execution };
            news(&found);
            let group = Group { count: 1, found, shrunk: None, saved: None };
            self.groups.insert(finding.signature.clone(), group);
        }
        !counted.is_empty()
    }

    fn and(mut self, other: Tally) -> Tally {
        self.runs += other.runs;
        self.sync_points += other.sync_points;
        self.inconclusive += other.inconclusive;
        for (signature, mut group) in other.groups {
            if let Some(same) = self.groups.remove(&signature) {
                let count = group.count + same.count;
                if same.found.run < group.found.run {
                    group = same;
                }
                group.count = count;
            }
            self.groups.insert(signature, group);
        }
        self
    }
}

/// Equal for equal interleavings: the script, and the order of its calls and returns.
fn fingerprint(script: &Script, execution: &Execution) -> u64 {
    let mut hasher = DefaultHasher::new();
    script.hash(&mut hasher);
    for call in &execution.history.calls {
        (call.task, call.called, call.returned.as_ref().map(|(at, _)| at)).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::testing;
    use super::*;
    use crate::script::Op;

    fn campaign(runs: u64, keep_going: bool) -> Campaign {
        Campaign {
            trial: testing::trial(),
            budget: Budget { time: None, runs: Some(runs) },
            seed: 1,
            keep_going,
        }
    }

    fn run(campaign: &Campaign, jobs: usize, stop: bool) -> (Outcome, Progress, u64) {
        let (stop, progress, told) = (AtomicBool::new(stop), Progress::default(), AtomicU64::new(0));
        let effort = Effort { jobs, time: None, stop: &stop };
        let news = |_: &Found| _ = told.fetch_add(1, Ordering::Relaxed);
        let outcome = campaign.run(effort, &progress, &news);
        (outcome, progress, told.into_inner())
    }

    /// How many of the runs have this many actions or more: at the third the subject panics, and at the fourth.
    fn with_actions(campaign: &Campaign, actions: usize, runs: u64) -> Vec<u64> {
        let actions_of = |run| campaign.draw(run).0.iter().filter(|op| **op == Op::Action).count();
        (0..runs).filter(|run| actions_of(*run) >= actions).collect()
    }

    #[test]
    fn a_run_is_drawn_from_seed_and_index_alone() {
        let (one, two) = (campaign(1, false), campaign(9, true));
        assert_eq!(one.draw(7), two.draw(7));
        assert_ne!(one.draw(7).0, one.draw(8).0);
        assert_ne!(one.draw(7).1, one.draw(8).1);
        let other = Campaign { seed: 2, ..campaign(1, false) };
        assert_ne!(one.draw(0), other.draw(0));
    }

    #[test]
    fn the_finding_of_the_lowest_run_wins_on_any_number_of_workers() {
        for seed in 0..5 {
            let campaign = Campaign { seed, ..campaign(u64::MAX, false) };
            let first = with_actions(&campaign, 3, 200)[0];
            for jobs in [1, 2, 5] {
                let (outcome, ..) = run(&campaign, jobs, false);
                let told = (outcome.verdict(), outcome.runs);
                assert_eq!(told, (Verdict::Panic, first + 1), "seed {seed} on {jobs} workers");
                let [group] = outcome.findings.try_into().map_err(|_| "one finding").unwrap();
                assert_eq!((group.found.run, group.count), (first, 1));
                assert_eq!((group.found.script, group.found.noise), campaign.draw(first));
            }
        }
    }

    #[test]
    fn a_campaign_that_goes_on_groups_findings_by_signature() {
        let campaign = campaign(200, true);
        let (third, fourth) = (with_actions(&campaign, 3, 200), with_actions(&campaign, 4, 200));
        let (outcome, progress, told) = run(&campaign, 3, false);
        assert_eq!((outcome.runs, progress.runs(), told), (200, 200, 2));
        assert_eq!(progress.interleavings(), outcome.interleavings);
        let mut groups: Vec<(u64, u64)> =
            outcome.findings.iter().map(|group| (group.count, group.found.run)).collect();
        groups.sort_unstable_by_key(|(count, _)| std::cmp::Reverse(*count));
        assert_eq!(groups, [(third.len() as u64, third[0]), (fourth.len() as u64, fourth[0])]);
    }

    #[test]
    fn nothing_is_concluded_from_no_run() {
        let (outcome, ..) = run(&campaign(200, false), 2, true);
        assert_eq!((outcome.verdict(), outcome.runs, outcome.interrupted), (Verdict::Inconclusive, 0, true));
    }
}
