//! Exploring all scripts up to a size, each in all of its schedules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
mod done;
mod progress;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, Unfit};
use done::Done;
use progress::Group;
pub use progress::Progress;

/// The ops of the scripts.
const OPS: [OpKind; 6] =
    [OpKind::Watch, OpKind::Action, OpKind::Recv, OpKind::TryRecv, OpKind::Stop, OpKind::Shutdown];

/// The capacity of the incoming queue, and the capacities of a watcher's.
const INCOMING: u8 = 1;
const QUEUES: [u8; 2] = [0, 1];

/// How much time passes between two checkpoints.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_millis(250);

/// All scripts up to a size, to be explored.
pub struct Exploration {
    /// The subject, and how it is judged.
    pub trial: Trial,
    /// The size.
    pub bounds: Bounds,
    /// The most preemptions of a schedule; any number if `None`.
    pub preemptions: Option<u32>,
    ops: Vec<OpKind>,
    configs: Vec<Config>,
    /// By number of ops, and then of lanes.
    scripts: Vec<Script>,
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
    /// The ops that the scripts are made of.
    pub ops: Vec<OpKind>,
    /// The configurations, each script under every one of them.
    pub configs: Vec<Config>,
    /// How many scripts there are.
    pub scripts: u64,
    /// What was done of them.
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

impl Count {
    fn add(&mut self, other: Count) {
        let Count { scripts, executions, redundant, inconclusive, left_out } = other;
        self.scripts += scripts;
        self.executions += executions;
        self.redundant += redundant;
        self.inconclusive += inconclusive;
        self.left_out += left_out;
    }
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
    /// The execution that shows it: of those of the script one with the fewest preemptions.
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
        Exploration { trial, bounds, preemptions, ops, configs, scripts: progress::mixed(scripts) }
    }

    /// How many scripts there are.
    pub fn scripts(&self) -> u64 {
        self.scripts.len() as u64
    }

    fn group(&self, index: u64) -> Group {
        Group::of(&self.scripts[index as usize])
    }

    /// Explores the scripts in order, but those that were done before the checkpoint, until all are done or it is told to end.
    /// What is found is told to `news` in the order of the scripts, once for each signature; what is done is told to `keep`
    /// from time to time, and at the end.
    pub fn run(
        &self,
        effort: Effort<'_>,
        from: Checkpoint,
        progress: &Progress,
        news: &(dyn Fn(&Shown) + Sync),
        keep: &(dyn Fn(&Checkpoint) + Sync),
    ) -> Explored {
        let clock = Stopwatch::start();
        let left = from.left(self.scripts());
        let mut done = Done::from(from);
        for index in done.findings() {
            done.show(self.explore(index, effort).shown);
        }
        let done = Shared::new(done);
        let kept = Shared::new(Stopwatch::start());
        let indexes = Indexes::new(left.len() as u64, effort);
        engine::work(effort.jobs.fibers, |_| {
            while let Some(next) = indexes.take() {
                let index = left[next as usize];
                let part = self.explore(index, effort);
                if part.count.scripts == 0 {
                    break;
                }
                let (group, executions) = (self.group(index), part.count.executions + part.count.redundant);
                progress.add(group, 1, executions);
                let fresh = done.with(|done| done.add(index, group, part));
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
        let checkpoint = done.checkpoint();
        keep(&checkpoint);
        let mut findings = done.shown();
        findings.sort_by_key(|shown| shown.index);
        findings.iter_mut().for_each(|shown| self.simplify(shown, effort));
        Explored {
            subject: self.trial.subject().name().to_owned(),
            contract: self.trial.kind,
            bounds: self.bounds,
            preemptions: self.preemptions,
            ops: self.ops.clone(),
            configs: self.configs.clone(),
            scripts: self.scripts(),
            count: checkpoint.count,
            elapsed: clock.elapsed(),
            findings,
        }
    }

    /// Explores one script; nothing is done of one that was not finished.
    fn explore(&self, index: u64, effort: Effort<'_>) -> Part {
        let script = Arc::new(self.scripts[index as usize].clone());
        let exhaustive = Exhaustive::new(self.preemptions);
        let mut part = Part::default();
        let whole = self.executions(&script, &exhaustive, effort, &mut |execution, seen| {
            let Some(execution) = execution else {
                part.count.redundant += 1;
                return true;
            };
            part.count.executions += 1;
            let inconclusive = execution.judgement.verdict() == Verdict::Inconclusive;
            part.count.inconclusive += u64::from(inconclusive || seen == Seen::Diverged);
            for finding in &execution.judgement.findings {
                part.shown.entry(finding.signature.clone()).or_insert_with(|| {
                    let (script, finding) = (Script::clone(&script), finding.clone());
                    Shown { index, script, finding, execution: execution.clone() }
                });
            }
            // It may go on for ever, and so may the search for what else it does.
            execution.run.end != End::Exhausted
        });
        if !whole {
            return Part::default();
        }
        part.count.scripts = 1;
        part.count.left_out = u64::from(exhaustive.left_out());
        part
    }

    /// Looks for what is shown in the schedules of fewest preemptions.
    fn simplify(&self, shown: &mut Shown, effort: Effort<'_>) {
        let script = Arc::new(shown.script.clone());
        let exhaustive = Exhaustive::iterative(self.preemptions);
        self.executions(&script, &exhaustive, effort, &mut |execution, _| {
            let Some(execution) = execution else { return true };
            let finding = execution
                .judgement
                .findings
                .iter()
                .find(|finding| finding.signature == shown.finding.signature)
                .cloned();
            match finding {
                Some(finding) => {
                    (shown.finding, shown.execution) = (finding, execution);
                    false
                }
                None => true,
            }
        });
    }

    /// Runs the script in one schedule after the other, for as long as the closure, which is given each execution that is not
    /// redundant, says so; `false` if it was told to end before.
    fn executions(
        &self,
        script: &Arc<Script>,
        exhaustive: &Exhaustive,
        effort: Effort<'_>,
        f: &mut dyn FnMut(Option<Execution>, Seen) -> bool,
    ) -> bool {
        loop {
            if effort.stop.load(Ordering::Relaxed) {
                return false;
            }
            let (execution, seen) = self.trial.exhaust(script, exhaustive);
            if !f(execution, seen) || !exhaustive.next() {
                return true;
            }
        }
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
