use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Execution;
use super::engines::EngineKind;
use super::lead::Lead;
use super::trial::Trial;
use crate::engine::{self, Stopwatch};
use crate::oracle::{Judgement, Verdict};
use crate::script::Script;

/// What may be spent: workers, and time from now.
#[derive(Clone, Copy)]
pub struct Effort<'a> {
    /// How many executions run at a time.
    pub jobs: Jobs,
    /// How long, at most; as long as it takes if `None`. An execution that has begun is not cut short.
    pub time: Option<Duration>,
    /// Ends it early, once true.
    pub stop: &'a AtomicBool,
}

impl<'a> Effort<'a> {
    /// Begins to spend it.
    pub(super) fn begin(self) -> Spending<'a> {
        Spending { effort: self, clock: Stopwatch::start() }
    }
}

/// An effort that is being spent.
#[derive(Clone, Copy)]
pub(super) struct Spending<'a> {
    effort: Effort<'a>,
    clock: Stopwatch,
}

impl<'a> Spending<'a> {
    pub(super) fn is_spent(&self) -> bool {
        self.effort.stop.load(Ordering::Relaxed)
            || self.effort.time.is_some_and(|time| self.clock.elapsed() >= time)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// What is left of it.
    pub(super) fn left(&self) -> Effort<'a> {
        let time = self.effort.time.map(|time| time.saturating_sub(self.clock.elapsed()));
        Effort { time, ..self.effort }
    }
}

/// How many workers there are, by engine: one execution on fibers computes all the time, those on free threads sleep more
/// than they compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// On fibers.
    pub fibers: usize,
    /// On free threads.
    pub threads: usize,
}

impl Jobs {
    /// The same number on each engine.
    pub const fn each(jobs: usize) -> Jobs {
        Jobs { fibers: jobs, threads: jobs }
    }

    /// On this engine.
    pub fn on(self, engine: EngineKind) -> usize {
        match engine {
            EngineKind::Fibers => self.fibers,
            EngineKind::Threads => self.threads,
        }
    }
}

/// Hands out the indexes of executions, in order, to any number of workers.
pub(super) struct Indexes<'a> {
    next: AtomicU64,
    end: AtomicU64,
    spending: Spending<'a>,
}

impl<'a> Indexes<'a> {
    pub(super) fn new(end: u64, effort: Effort<'a>) -> Indexes<'a> {
        Indexes { next: AtomicU64::new(0), end: AtomicU64::new(end), spending: effort.begin() }
    }

    /// The next index; `None` if there is none, or the effort is spent.
    pub(super) fn take(&self) -> Option<u64> {
        let none_left = self.next.load(Ordering::Relaxed) >= self.end.load(Ordering::Relaxed);
        if none_left || self.spending.is_spent() {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < self.end.load(Ordering::Relaxed)).then_some(index)
    }

    /// Hands out none beyond this one. All before it were handed out already, and will be finished.
    pub(super) fn end_with(&self, index: u64) {
        self.end.fetch_min(index.saturating_add(1), Ordering::Relaxed);
    }
}

/// One script run again and again, with another schedule or other noise each time.
pub(super) struct Rerun<'a> {
    pub(super) trial: &'a Trial,
    pub(super) engine: EngineKind,
    /// Clamped.
    pub(super) script: &'a Arc<Script>,
    pub(super) seed: u64,
    /// The most executions.
    pub(super) most: u64,
    /// How many hits are enough.
    pub(super) enough: u64,
    pub(super) effort: Effort<'a>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Reruns {
    pub(super) runs: u64,
    pub(super) inconclusive: u64,
    pub(super) hits: u64,
    /// The hit of the lowest index.
    pub(super) hit: Option<Hit>,
    /// The miss of the lowest index that did not pass.
    pub(super) miss: Option<Hit>,
}

/// One execution of these.
pub(super) struct Hit {
    pub(super) run: u64,
    pub(super) execution: Execution,
}

impl Rerun<'_> {
    /// Runs it, until there are hits enough. A hit is an execution whose judgement is wanted.
    pub(super) fn until(&self, wanted: impl Fn(&Judgement) -> bool + Sync) -> Reruns {
        let indexes = Indexes::new(self.most, self.effort);
        let hits = AtomicU64::new(0);
        let lead = self.lead();
        let parts = engine::work(self.effort.jobs.on(self.engine), |_| {
            let mut part = Reruns::default();
            while let Some(run) = indexes.take() {
                let execution = lead.execute(self.trial, self.script, run);
                let hit = Hit { run, execution };
                let (verdict, wanted) = (hit.execution.judgement.verdict(), wanted(&hit.execution.judgement));
                part.runs += 1;
                part.inconclusive += u64::from(verdict == Verdict::Inconclusive);
                if wanted {
                    part.hits += 1;
                    part.hit.get_or_insert(hit);
                    if hits.fetch_add(1, Ordering::Relaxed) + 1 >= self.enough {
                        indexes.end_with(run);
                    }
                } else if verdict != Verdict::Pass {
                    part.miss.get_or_insert(hit);
                }
            }
            part
        });
        parts.into_iter().fold(Reruns::default(), Reruns::and)
    }

    /// What leads the runs, with what there is to learn from the first.
    pub(super) fn lead(&self) -> Lead {
        let mut lead = Lead::new(self.engine, self.seed);
        if self.engine == EngineKind::Fibers {
            let first = lead.execute(self.trial, self.script, 0);
            lead.learn(&first.steps);
        }
        lead
    }
}

impl Reruns {
    fn and(self, other: Reruns) -> Reruns {
        let first = |one: Option<Hit>, other| one.into_iter().chain(other).min_by_key(|hit| hit.run);
        Reruns {
            runs: self.runs + other.runs,
            inconclusive: self.inconclusive + other.inconclusive,
            hits: self.hits + other.hits,
            hit: first(self.hit, other.hit),
            miss: first(self.miss, other.miss),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn indexes_end_where_they_are_told_to() {
        let stop = AtomicBool::new(false);
        let indexes = Indexes::new(9, Effort { jobs: Jobs::each(1), time: None, stop: &stop });
        assert_eq!([indexes.take(), indexes.take()], [Some(0), Some(1)]);
        indexes.end_with(2);
        indexes.end_with(5);
        assert_eq!([indexes.take(), indexes.take()], [Some(2), None]);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(Indexes::new(9, Effort { jobs: Jobs::each(1), time: None, stop: &stop }).take(), None);
    }

    #[test]
    fn enough_hits_are_enough() {
        let (trial, stop) = (testing::trial(), AtomicBool::new(false));
        let script: Arc<Script> = Arc::new("mux incoming=0 queue=0 when-full=wait".parse().unwrap());
        let effort = Effort { jobs: Jobs::each(1), time: None, stop: &stop };
        let engine = EngineKind::Threads;
        let rerun = Rerun { trial: &trial, engine, script: &script, seed: 1, most: 30, enough: 4, effort };
        let reruns = rerun.until(|_| true);
        assert_eq!((reruns.runs, reruns.hits, reruns.hit.map(|hit| hit.run)), (4, 4, Some(0)));
        let reruns = rerun.until(|_| false);
        assert_eq!((reruns.runs, reruns.hits, reruns.hit.is_none()), (30, 0, true));
    }
}
