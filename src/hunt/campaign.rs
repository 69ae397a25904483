use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::test_runner::{RngAlgorithm, TestRng};

use super::Execution;
use super::brief::Brief;
use super::engines::{EngineKind, Engines};
use super::lead::Lead;
use super::outcome::{Found, Outcome, Phase};
use super::rerun::{Effort, Indexes};
use super::tally::{InOrder, Tally};
use super::trial::{Trial, derive};
use super::twice::{self, twice};
use crate::engine::{self, Shared, Stopwatch};
use crate::oracle::Finding;
use crate::script::Script;
use crate::script::generate::{self, Profile};

/// How many schedules a script is run under on fibers.
///
/// Measured on the gallery: its first finding was met soonest with 8 (in half the time that 1, 32 or 64 took), and all of
/// them together as soon as with 1 to 4, and in half the time that 16 took. Most schedules of a short script differ in
/// nothing that matters, and drawing a script costs a fraction of running one.
pub const SCHEDULES: u64 = 8;

/// Of a budget for both engines, this part is for fibers.
const SHARE_OF_FIBERS: f64 = 0.8;

/// A search of one subject, in scripts drawn from a seed.
///
/// The run of index i is a pure function of the seed, the engine and i, as far as scripts, schedules and noise go: any
/// number of workers runs the same. On free threads each run has a script of its own; on fibers a script is run under
/// [`SCHEDULES`] schedules, one after the other.
pub struct Campaign {
    /// The subject, and how it is judged.
    pub trial: Trial,
    /// What runs the scripts: of both, fibers first, for most of the budget.
    pub engines: Engines,
    /// Whether each run on fibers is done [`twice`].
    pub twice: bool,
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

impl Campaign {
    /// The script of a run on this engine, clamped.
    pub fn draw(&self, engine: EngineKind, run: u64) -> Script {
        let (purpose, script) = match engine {
            EngineKind::Fibers => (1, run / SCHEDULES),
            EngineKind::Threads => (0, run),
        };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&script.to_le_bytes());
        seed[16] = purpose;
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        self.trial.clamp(&generate::script(&self.profile(), &mut rng))
    }

    fn profile(&self) -> Profile {
        let capabilities = self.trial.capabilities();
        Profile {
            ops: capabilities.ops,
            incoming: capabilities.incoming.clone(),
            incoming_as_queue: capabilities.incoming_as_queue,
            queue: capabilities.queue.clone(),
            when_full: capabilities.when_full,
            when_full_per_watcher: capabilities.when_full_per_watcher,
            prefix: capabilities.prefix,
            errors: self.trial.contract().misuse_after_shutdown,
            ..Profile::default()
        }
    }

    /// Runs it. What is found is told to `news`, once for each signature, as it is found.
    pub fn run(&self, effort: Effort<'_>, progress: &Progress, news: &(dyn Fn(&Found) + Sync)) -> Outcome {
        let known = Shared::new(HashSet::new());
        let news = |found: &Found| {
            if known.with(|known| known.insert(found.finding.signature.clone())) {
                news(found);
            }
        };
        let clock = Stopwatch::start();
        let mut tally = Tally::default();
        let mut phases = Vec::new();
        for (index, engine) in self.engines.kinds().iter().copied().enumerate() {
            let is_last = index + 1 == self.engines.kinds().len();
            let share = if is_last { 1.0 } else { SHARE_OF_FIBERS };
            let spent = phases.iter().map(|phase: &Phase| phase.runs).sum();
            let budget = Budget {
                time: self.budget.time.map(|time| time.mul_f64(share).saturating_sub(clock.elapsed())),
                runs: self
                    .budget
                    .runs
                    .map(|runs| ((runs as f64 * share).ceil() as u64).saturating_sub(spent)),
            };
            let (part, elapsed) = self.search(engine, budget, effort, progress, &news);
            let Tally { runs, interleavings, inconclusive, sync_points, forgotten, .. } = part;
            phases.push(Phase { engine, runs, interleavings, inconclusive, sync_points, forgotten, elapsed });
            tally.add(part);
            if tally.has_found() && !self.keep_going {
                break;
            }
        }
        Outcome {
            subject: self.trial.subject().name().to_owned(),
            contract: self.trial.kind,
            seed: Some(self.seed),
            phases,
            interrupted: effort.stop.load(Ordering::Relaxed),
            findings: tally.into_groups(self.keep_going),
        }
    }

    /// Searches on one engine.
    fn search(
        &self,
        engine: EngineKind,
        budget: Budget,
        effort: Effort<'_>,
        progress: &Progress,
        news: &(dyn Fn(&Found) + Sync),
    ) -> (Tally, Duration) {
        let a_script = match engine {
            EngineKind::Fibers => SCHEDULES,
            EngineKind::Threads => 1,
        };
        let most = budget.runs.unwrap_or(u64::MAX);
        let clock = Stopwatch::start();
        let indexes = Indexes::new(most.div_ceil(a_script), Effort { time: budget.time, ..effort });
        let committed = Shared::new(InOrder::new(self.keep_going));
        engine::work(effort.jobs.on(engine), |_| {
            while let Some(index) = indexes.take() {
                let first = index * a_script;
                let part = self.part(engine, first..most.min(first + a_script), news);
                progress.runs.fetch_add(part.runs, Ordering::Relaxed);
                progress.interleavings.fetch_add(part.interleavings, Ordering::Relaxed);
                if part.has_found() && !self.keep_going {
                    indexes.end_with(index);
                }
                committed.with(|committed| committed.add(index, part));
            }
        });
        (committed.into_inner().sum(), clock.elapsed())
    }

    /// Runs of one script.
    fn part(&self, engine: EngineKind, runs: Range<u64>, news: &(dyn Fn(&Found) + Sync)) -> Tally {
        let script = Arc::new(self.draw(engine, runs.start));
        let mut tally = Tally::default();
        let mut lead = Lead::new(engine, derive(self.seed, runs.start));
        let mut interleavings = Vec::new();
        let first = runs.start;
        for run in runs {
            let brief = self.execute(&mut lead, &script, run - first);
            let is_fresh = !interleavings.contains(&brief.interleaving);
            if is_fresh {
                interleavings.push(brief.interleaving);
            }
            tally.count(&brief, is_fresh);
            let Some(execution) = brief.execution else { continue };
            let found = |finding: &Finding| Found {
                engine,
                run,
                strategy: lead.name(run - first),
                script: Script::clone(&script),
                finding: finding.clone(),
                execution: Execution::clone(&execution),
            };
            tally.note(&execution.judgement, found, news);
            if tally.has_found() && !self.keep_going {
                break;
            }
        }
        tally
    }

    fn execute(&self, lead: &mut Lead, script: &Arc<Script>, index: u64) -> Brief {
        if !self.twice || lead.engine() != EngineKind::Fibers {
            return lead.run(&self.trial, script, index);
        }
        let execution = twice(&self.trial, script, || lead.strategy(index)).unwrap_or_else(
            |(difference, mut execution)| {
                execution.judgement.findings.push(twice::finding(&difference));
                *execution
            },
        );
        lead.learn(&execution.steps);
        Brief::from(execution)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::rerun::Jobs;
    use super::super::testing;
    use super::*;
    use crate::oracle::{Signature, Verdict};
    use crate::script::{ContractKind, Op};

    fn campaign(runs: u64, keep_going: bool) -> Campaign {
        Campaign {
            trial: testing::trial(),
            engines: Engines::Threads,
            twice: false,
            budget: Budget { time: None, runs: Some(runs) },
            seed: 1,
            keep_going,
        }
    }

    fn run(campaign: &Campaign, jobs: usize, stop: bool) -> (Outcome, Progress, u64) {
        let (stop, progress, told) = (AtomicBool::new(stop), Progress::default(), AtomicU64::new(0));
        let effort = Effort { jobs: Jobs::each(jobs), time: None, stop: &stop };
        let news = |_: &Found| _ = told.fetch_add(1, Ordering::Relaxed);
        let outcome = campaign.run(effort, &progress, &news);
        (outcome, progress, told.into_inner())
    }

    /// Which of the runs on this engine have this many actions or more: at the third the subject panics, and at the
    /// fourth.
    fn with_actions(campaign: &Campaign, engine: EngineKind, actions: usize, runs: u64) -> Vec<u64> {
        let actions_of = |run| campaign.draw(engine, run).iter().filter(|op| **op == Op::Action).count();
        (0..runs).filter(|run| actions_of(*run) >= actions).collect()
    }

    #[test]
    fn what_shrinks_to_the_same_is_reported_once() {
        let subject = crate::subject::all().into_iter().find(|subject| subject.name() == "k8s-906").unwrap();
        let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(60));
        let campaign = Campaign { trial, engines: Engines::Fibers, ..campaign(600, true) };
        let (mut outcome, ..) = run(&campaign, 2, false);
        let stop = AtomicBool::new(false);
        for group in &mut outcome.findings {
            let effort = Effort { jobs: Jobs::each(2), time: None, stop: &stop };
            group.shrunk =
                Some(super::super::shrink(&campaign.trial, &group.found, 1, Engines::Fibers, effort));
        }
        let signatures = |outcome: &Outcome| -> Vec<Signature> {
            outcome.findings.iter().map(|group| group.shown().0.signature.clone()).collect()
        };
        let counted = |outcome: &Outcome| outcome.findings.iter().map(|group| group.count).sum::<u64>();
        let (before, count) = (signatures(&outcome), counted(&outcome));
        outcome.join_same();
        let after = signatures(&outcome);
        assert!(after.len() < before.len(), "{before:?}");
        assert!(before.iter().all(|signature| after.contains(signature)));
        assert_eq!(after.iter().collect::<HashSet<_>>().len(), after.len());
        assert_eq!(counted(&outcome), count);
    }

    #[test]
    fn a_run_is_drawn_from_seed_engine_and_index_alone() {
        let (one, two) = (campaign(1, false), campaign(9, true));
        let last = SCHEDULES - 1;
        for (engine, same, other) in [(EngineKind::Threads, 7, 8), (EngineKind::Fibers, last, SCHEDULES)] {
            assert_eq!(one.draw(engine, same), two.draw(engine, same));
            assert_ne!(one.draw(engine, same), one.draw(engine, other));
            let other = Campaign { seed: 2, ..campaign(1, false) };
            assert_ne!(one.draw(engine, 0), other.draw(engine, 0));
        }
        assert_eq!(one.draw(EngineKind::Fibers, 0), one.draw(EngineKind::Fibers, last));
        assert_ne!(one.draw(EngineKind::Fibers, 0), one.draw(EngineKind::Threads, 0));
    }

    #[test]
    fn the_finding_of_the_lowest_run_wins_on_any_number_of_workers() {
        for (engines, engine) in
            [(Engines::Threads, EngineKind::Threads), (Engines::Fibers, EngineKind::Fibers)]
        {
            for seed in 0..5 {
                let campaign = Campaign { seed, engines, ..campaign(u64::MAX, false) };
                let first = with_actions(&campaign, engine, 3, 10_000)[0];
                let mut counted = Vec::new();
                for jobs in [1, 2, 5] {
                    let (outcome, ..) = run(&campaign, jobs, false);
                    let told = (outcome.verdict(), outcome.runs());
                    assert_eq!(told, (Verdict::Panic, first + 1), "seed {seed} on {jobs} workers");
                    counted.push((outcome.interleavings(), outcome.phases[0].sync_points));
                    let [group] = outcome.findings.try_into().map_err(|_| "one finding").unwrap();
                    assert_eq!((group.found.run, group.count), (first, 1));
                    assert_eq!(group.found.script, campaign.draw(engine, first));
                }
                counted.dedup();
                assert!(counted.len() == 1 || engine == EngineKind::Threads, "{counted:?}");
            }
        }
    }

    #[test]
    fn a_campaign_that_goes_on_groups_findings_by_signature() {
        for (engines, engine) in
            [(Engines::Threads, EngineKind::Threads), (Engines::Fibers, EngineKind::Fibers)]
        {
            let campaign = Campaign { engines, ..campaign(600, true) };
            let with = |actions| with_actions(&campaign, engine, actions, 600);
            let (third, fourth) = (with(3), with(4));
            let (outcome, progress, told) = run(&campaign, 3, false);
            assert_eq!((outcome.runs(), progress.runs(), told), (600, 600, 2));
            assert_eq!(progress.interleavings(), outcome.interleavings());
            let mut groups: Vec<(u64, u64)> =
                outcome.findings.iter().map(|group| (group.count, group.found.run)).collect();
            groups.sort_unstable_by_key(|(count, _)| std::cmp::Reverse(*count));
            assert_eq!(groups, [(third.len() as u64, third[0]), (fourth.len() as u64, fourth[0])]);
        }
    }

    #[test]
    fn of_both_engines_fibers_come_first_and_have_most_of_the_budget() {
        let campaign = Campaign { engines: Engines::Both, ..campaign(600, true) };
        let (outcome, ..) = run(&campaign, 2, false);
        let runs: Vec<_> = outcome.phases.iter().map(|phase| (phase.engine, phase.runs)).collect();
        assert_eq!(runs, [(EngineKind::Fibers, 480), (EngineKind::Threads, 120)]);
        let with = |engine, runs| with_actions(&campaign, engine, 3, runs).len() as u64;
        let count = with(EngineKind::Fibers, 480) + with(EngineKind::Threads, 120);
        assert!(outcome.findings.iter().any(|group| group.count == count), "{count} in all");
        let (outcome, ..) = run(&Campaign { keep_going: false, ..campaign }, 2, false);
        assert_eq!(outcome.phases.len(), 1, "what fibers have found need not be searched for on threads");
    }

    #[test]
    fn nothing_is_concluded_from_no_run() {
        let (outcome, ..) = run(&campaign(200, false), 2, true);
        assert_eq!(
            (outcome.verdict(), outcome.runs(), outcome.interrupted),
            (Verdict::Inconclusive, 0, true)
        );
    }
}
