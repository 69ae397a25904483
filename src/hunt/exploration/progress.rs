//! How far an exploration is, and how much is left.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Checkpoint, Exploration};
use crate::script::Script;

/// Scripts that are alike in size: those with that many ops and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) ops: usize,
    pub(super) lanes: usize,
}

impl Group {
    pub(super) fn of(script: &Script) -> Group {
        Group { ops: script.ops(), lanes: script.lanes.len() }
    }
}

/// The scripts with those of each size in another order, always the same one: those that are done first are to be like those
/// that come, so that they tell how long these will take.
pub(super) fn mixed(mut scripts: Vec<Script>) -> Vec<Script> {
    for group in scripts.chunk_by_mut(|one, other| Group::of(one) == Group::of(other)) {
        let mut order: Vec<u64> = (0..group.len() as u64).collect();
        // Multiples of the golden ratio are spread evenly.
        order.sort_by_key(|index| index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mixed: Vec<Script> = order.iter().map(|index| group[*index as usize].clone()).collect();
        group.clone_from_slice(&mixed);
    }
    scripts
}

/// How far an exploration is, to be read while it runs.
#[derive(Debug)]
pub struct Progress {
    groups: BTreeMap<Group, Counts>,
    /// How many executions there were before it was taken up again.
    before: u64,
}

#[derive(Debug, Default)]
struct Counts {
    scripts: u64,
    done: AtomicU64,
    executions: AtomicU64,
}

impl Progress {
    /// Of an exploration that is taken up there.
    pub fn new(exploration: &Exploration, from: &Checkpoint) -> Progress {
        let mut groups: BTreeMap<Group, Counts> = BTreeMap::new();
        for script in &exploration.scripts {
            groups.entry(Group::of(script)).or_default().scripts += 1;
        }
        let before = from.executions.values().sum();
        let progress = Progress { groups, before };
        from.scripts.iter().for_each(|index| progress.add(exploration.group(index), 1, 0));
        from.executions.iter().for_each(|(group, executions)| progress.add(*group, 0, *executions));
        progress
    }

    pub(super) fn add(&self, group: Group, scripts: u64, executions: u64) {
        if let Some(counts) = self.groups.get(&group) {
            counts.done.fetch_add(scripts, Ordering::Relaxed);
            counts.executions.fetch_add(executions, Ordering::Relaxed);
        }
    }

    /// How many scripts are done, and in how many executions.
    pub fn total(&self) -> (u64, u64) {
        let sum = |count: &dyn Fn(&Counts) -> &AtomicU64| {
            self.groups.values().map(|counts| count(counts).load(Ordering::Relaxed)).sum()
        };
        (sum(&|counts| &counts.done), sum(&|counts| &counts.executions))
    }

    /// How many executions there were since it was begun, or taken up again.
    pub fn since(&self) -> u64 {
        self.total().1 - self.before
    }

    /// How many executions are expected to be left. What a script of a size takes is told by those that are done; where there
    /// are too few, by how it has grown from each number of ops to the next, in as many lanes.
    pub fn left(&self) -> f64 {
        let mut left = 0.0;
        let mut means: BTreeMap<Group, f64> = BTreeMap::new();
        for (group, counts) in &self.groups {
            let (done, executions) =
                (counts.done.load(Ordering::Relaxed), counts.executions.load(Ordering::Relaxed));
            let mean = if done > 0 && (done >= ENOUGH || done == counts.scripts) {
                executions as f64 / done as f64
            } else {
                let before = |ops: usize, lanes: usize| {
                    group.ops.checked_sub(ops).and_then(|ops| means.get(&Group { ops, lanes }).copied())
                };
                match (before(1, group.lanes), before(2, group.lanes), before(0, group.lanes - 1)) {
                    (Some(one), Some(two), _) => one * (one / two).max(1.0),
                    (Some(one), None, _) => one * GROWTH,
                    (None, _, Some(one)) => one * GROWTH,
                    (None, _, None) => 1.0,
                }
            };
            means.insert(*group, mean);
            left += mean * counts.scripts.saturating_sub(done) as f64;
        }
        left
    }
}

/// From how many scripts on they tell what others of their size will take.
const ENOUGH: u64 = 30;

/// How many times as many executions are expected with one op or lane more, where nothing is known.
const GROWTH: f64 = 4.0;
