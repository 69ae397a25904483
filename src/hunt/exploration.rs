//! Exploring all scripts up to a size, each in all of its schedules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Execution;
use super::rerun::{Effort, Indexes};
use super::trial::Trial;
use crate::engine::exhaustive::{Exhaustive, Seen};
use crate::engine::{self, End, Shared, Stopwatch};
use crate::oracle::{Finding, Signature, Verdict};
use crate::script::enumerate::{self, Bounds};
use crate::script::{Config, ContractKind, OpKind, OpSet, Script, WhenFull};

mod checkpoint;

pub use checkpoint::{Checkpoint, Unfit};

/// The ops of the scripts.
const OPS: [OpKind; 6] =
    [OpKind::Watch, OpKind::Action, OpKind::Recv, OpKind::TryRecv, OpKind::Stop, OpKind::Shutdown];

/// The capacity of the incoming queue, and the capacities of a watcher's.
const INCOMING: u8 = 1;
const QUEUES: [u8; 2] = [0, 1];

/// How much time passes between two checkpoints.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(1);

/// All scripts up to a size, to be explored.
pub struct Exploration {
    /// The subject, and how it is judged.
    pub trial: Trial,
    /// The size.
    pub bounds: Bounds,
    /// The most preemptions of a schedule; any number if `None`.
    pub preemptions: Option<u32>,
    scripts: Vec<Script>,
}

/// How far an exploration is, to be read while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// By number of ops: how many scripts are done, and in how many executions.
    sizes: [(AtomicU64, AtomicU64); 16],
}

/// What came of it.
#[derive(Clone)]
pub struct Explored {
    /// The subject's name.
    pub subject: String,
    /// Which contract it was judged by.
    pub contract: ContractKind,
    /// The size of the scripts.
    pub bounds: Bounds,
    /// The most preemptions of a schedule.
    pub preemptions: Option<u32>,
    /// How many scripts there are.
    pub scripts: u64,
    /// What was done, of the first so many of them.
    pub count: Count,
    /// How long it took, since it was begun or taken up again.
    pub elapsed: Duration,
    /// One finding for each signature: the smallest script that shows it, the smallest of these first.
    pub findings: Vec<Shown>,
}

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many scripts.
    pub scripts: u64,
    /// How many executions that differ in more than the order of what commutes.
    pub executions: u64,
    /// How many that turned out to be no different, and were given up.
    pub redundant: u64,
    /// How many in which nothing could be concluded.
    pub inconclusive: u64,
    /// In how many scripts the bound of preemptions left something out.
    pub left_out: u64,
}

/// A finding, and what shows it.
#[derive(Clone)]
pub struct Shown {
    /// The index of the script.
    pub index: u64,
    /// The script, clamped.
    pub script: Script,
    /// What was found.
    pub finding: Finding,
    /// The execution that shows it.
    pub execution: Execution,
}

/// What one script came to.
#[derive(Default)]
struct Part {
    count: Count,
    shown: BTreeMap<Signature, Shown>,
}

impl Exploration {
    /// All scripts of that size that the subject can run.
    pub fn new(trial: Trial, bounds: Bounds, preemptions: Option<u32>) -> Exploration {
        let has = trial.capabilities().ops;
        let ops: Vec<OpKind> = OPS.into_iter().filter(|kind| has.contains(*kind)).collect();
        let mut configs: Vec<Config> = Vec::new();
        for queue in QUEUES {
            let config = Config { incoming: INCOMING, queue, when_full: WhenFull::Wait };
            let clamped = trial.clamp(&Script { config, setup: Vec::new(), lanes: Vec::new() }).config;
            if !configs.contains(&clamped) {
                configs.push(clamped);
            }
        }
        let scripts = enumerate::scripts(bounds, OpSet::of(&ops), &configs);
        Exploration { trial, bounds, preemptions, scripts }
    }

    /// How many scripts there are.
    pub fn scripts(&self) -> u64 {
        self.scripts.len() as u64
    }

    /// How many there are of each number of ops, from 0.
    fn sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; self.bounds.ops + 1];
        self.scripts.iter().for_each(|script| sizes[script.ops()] += 1);
        sizes
    }

    /// How far it is, of 1: by the scripts that are done, and by what those of a size are expected to take, which is told by
    /// those that are smaller until some of it are done.
    pub fn done(&self, progress: &Progress) -> f64 {
        let (mut done, mut all) = (0.0, 0.0);
        let (mut mean, mut growth) = (1.0_f64, 4.0_f64);
        for (size, scripts) in self.sizes().into_iter().enumerate().skip(1) {
            let [finished, executions] = progress.of(size).map(|count| count as f64);
            // A few say little, for the simplest come first.
            if finished * 20.0 >= scripts as f64 && finished > 0.0 {
                growth = (executions / finished / mean).max(1.0);
                mean = executions / finished;
            } else {
                mean *= growth;
            }
            done += executions;
            all += executions + mean * (scripts as f64 - finished).max(0.0);
        }
        if all > 0.0 { done / all } else { 1.0 }
    }

    /// Explores the scripts in order, from where the checkpoint left off, until all are done or it is told to end. What is found
    /// is told to `news`, once for each signature; what is done is told to `keep` from time to time, and at the end.
    pub fn run(
        &self,
        effort: Effort<'_>,
        from: Checkpoint,
        progress: &Progress,
        news: &(dyn Fn(&Shown) + Sync),
        keep: &(dyn Fn(&Checkpoint) + Sync),
    ) -> Explored {
        let clock = Stopwatch::start();
        let first = from.count.scripts;
        progress.restore(&self.scripts[..first as usize], &from);
        let known: Vec<Shown> =
            from.findings.iter().flat_map(|index| self.explore(*index, effort).shown.into_values()).collect();
        let mut done = Committed {
            next: first,
            early: BTreeMap::new(),
            sum: Part { count: from.count, shown: BTreeMap::new() },
            executions: from.executions,
        };
        for shown in known {
            done.sum.add_shown(shown);
        }
        let done = Shared::new(done);
        let kept = Shared::new(Stopwatch::start());
        let indexes = Indexes::new(self.scripts() - first, effort);
        engine::work(effort.jobs.fibers, |_| {
            while let Some(index) = indexes.take() {
                let index = first + index;
                let part = self.explore(index, effort);
                if part.count.scripts == 0 {
                    break;
                }
                let size = self.scripts[index as usize].ops();
                progress.add(size, part.count.executions + part.count.redundant);
                let fresh = done.with(|done| done.add(index, size, part));
                fresh.iter().for_each(news);
                // One at a time, or an older one could replace a newer.
                kept.with(|kept| {
                    if kept.elapsed() >= BETWEEN_CHECKPOINTS {
                        *kept = Stopwatch::start();
                        keep(&done.with(|done| done.checkpoint()));
                    }
                });
            }
        });
        let done = done.into_inner();
        keep(&done.checkpoint());
        let count = done.sum.count;
        let mut findings: Vec<Shown> = done.sum.findings();
        findings.sort_by_key(|shown| shown.index);
        Explored {
            subject: self.trial.subject().name().to_owned(),
            contract: self.trial.kind,
            bounds: self.bounds,
            preemptions: self.preemptions,
            scripts: self.scripts(),
            count,
            elapsed: clock.elapsed(),
            findings,
        }
    }

    /// Explores one script; nothing is done of one that was not finished.
    fn explore(&self, index: u64, effort: Effort<'_>) -> Part {
        let script = Arc::new(self.scripts[index as usize].clone());
        let exhaustive = Exhaustive::new(self.preemptions);
        let mut part = Part::default();
        loop {
            if effort.stop.load(Ordering::Relaxed) {
                return Part::default();
            }
            let (execution, seen) = self.trial.exhaust(&script, &exhaustive);
            match (seen, execution) {
                (Seen::Redundant, _) | (_, None) => part.count.redundant += 1,
                (seen, Some(execution)) => {
                    part.count.executions += 1;
                    let inconclusive = execution.judgement.verdict() == Verdict::Inconclusive;
                    part.count.inconclusive += u64::from(inconclusive || seen == Seen::Diverged);
                    if execution.run.end == End::Exhausted {
                        // It may go on for ever, and so may the search for what else it does.
                        break;
                    }
                    for finding in &execution.judgement.findings {
                        if !part.shown.contains_key(&finding.signature) {
                            let (script, finding, execution) =
                                (Script::clone(&script), finding.clone(), execution.clone());
                            part.add_shown(Shown { index, script, finding, execution });
                        }
                    }
                }
            }
            if !exhaustive.next() {
                break;
            }
        }
        part.count.scripts = 1;
        part.count.left_out = u64::from(exhaustive.left_out());
        part
    }
}

impl Explored {
    /// Whether every script was explored in all of its schedules, or in all up to the bound of preemptions.
    pub fn is_complete(&self) -> bool {
        self.count.scripts == self.scripts && self.count.inconclusive == 0
    }

    /// What the subject is reported to be.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|shown| shown.finding.signature.verdict);
        match verdicts.min() {
            Some(verdict) => verdict,
            None if self.is_complete() => Verdict::Pass,
            None => Verdict::Inconclusive,
        }
    }
}

impl Part {
    /// Adds a finding; says whether none like it was known.
    fn add_shown(&mut self, shown: Shown) -> bool {
        let signature = shown.finding.signature.clone();
        let is_new = !self.shown.contains_key(&signature);
        if is_new {
            self.shown.insert(signature, shown);
        }
        is_new
    }

    /// The findings, but those of a wind-down that a script shows by itself.
    fn findings(self) -> Vec<Shown> {
        let shows_by_itself = |signature: &Signature| {
            signature.wind_down
                && self.shown.contains_key(&Signature { wind_down: false, ..signature.clone() })
        };
        let own: Vec<Signature> =
            self.shown.keys().filter(|signature| !shows_by_itself(signature)).cloned().collect();
        let mut shown = self.shown;
        own.iter().filter_map(|signature| shown.remove(signature)).collect()
    }
}

/// What is done, put together in the order of the scripts, whoever has done it.
struct Committed {
    next: u64,
    early: BTreeMap<u64, (usize, Part)>,
    sum: Part,
    /// How many executions there were, by number of ops.
    executions: Vec<u64>,
}

impl Committed {
    /// Adds what a script came to; says what was found that was not known, in order.
    fn add(&mut self, index: u64, size: usize, part: Part) -> Vec<Shown> {
        self.early.insert(index, (size, part));
        let mut fresh = Vec::new();
        while let Some((size, part)) = self.early.remove(&self.next) {
            self.next += 1;
            let Count { scripts, executions, redundant, inconclusive, left_out } = part.count;
            let count = &mut self.sum.count;
            count.scripts += scripts;
            count.executions += executions;
            count.redundant += redundant;
            count.inconclusive += inconclusive;
            count.left_out += left_out;
            if self.executions.len() <= size {
                self.executions.resize(size + 1, 0);
            }
            self.executions[size] += executions + redundant;
            for shown in part.shown.into_values() {
                if self.sum.add_shown(shown.clone()) {
                    fresh.push(shown);
                }
            }
        }
        fresh
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut findings: Vec<u64> = self.sum.shown.values().map(|shown| shown.index).collect();
        findings.sort_unstable();
        findings.dedup();
        Checkpoint { count: self.sum.count, executions: self.executions.clone(), findings }
    }
}

impl Progress {
    fn of(&self, size: usize) -> [u64; 2] {
        let (scripts, executions) = &self.sizes[size.min(self.sizes.len() - 1)];
        [scripts.load(Ordering::Relaxed), executions.load(Ordering::Relaxed)]
    }

    fn add(&self, size: usize, executions: u64) {
        let (scripts, all) = &self.sizes[size.min(self.sizes.len() - 1)];
        scripts.fetch_add(1, Ordering::Relaxed);
        all.fetch_add(executions, Ordering::Relaxed);
    }

    fn restore(&self, scripts: &[Script], from: &Checkpoint) {
        scripts.iter().for_each(|script| self.add(script.ops(), 0));
        for (size, executions) in from.executions.iter().enumerate() {
            self.sizes[size.min(self.sizes.len() - 1)].1.store(*executions, Ordering::Relaxed);
        }
    }

    /// How many scripts are done, since it was begun or taken up again, and in how many executions in all.
    pub fn total(&self) -> (u64, u64) {
        let sum = |count: &dyn Fn(&(AtomicU64, AtomicU64)) -> u64| self.sizes.iter().map(count).sum();
        (sum(&|size| size.0.load(Ordering::Relaxed)), sum(&|size| size.1.load(Ordering::Relaxed)))
    }
}
