//! What is done of an exploration, put together from what each worker brings.

use std::collections::BTreeMap;

use super::checkpoint::Ranges;
use super::progress::Group;
use super::{Checkpoint, Count, Part, Shown};
use crate::oracle::Signature;

/// The scripts that are done, whoever has done them and in whichever order.
pub(super) struct Done {
    scripts: Ranges,
    count: Count,
    /// How many executions there were, redundant ones as well.
    executions: BTreeMap<Group, u64>,
    /// The scripts that have shown a finding.
    findings: Vec<u64>,
    /// Of each signature the first script that shows it.
    shown: BTreeMap<Signature, Shown>,
    /// What was found in scripts before which some are not done.
    early: BTreeMap<u64, Vec<Signature>>,
}

impl Done {
    /// As it was when that was kept.
    pub(super) fn from(checkpoint: Checkpoint) -> Done {
        let Checkpoint { count, scripts, executions, findings } = checkpoint;
        Done { scripts, count, executions, findings, shown: BTreeMap::new(), early: BTreeMap::new() }
    }

    /// The scripts that have shown a finding.
    pub(super) fn findings(&self) -> Vec<u64> {
        self.findings.clone()
    }

    /// Notes what a script has shown.
    pub(super) fn show(&mut self, shown: BTreeMap<Signature, Shown>) {
        for (signature, shown) in shown {
            let first = self.shown.entry(signature).or_insert_with(|| shown.clone());
            if shown.index < first.index {
                *first = shown;
            }
        }
    }

    /// Adds what a script came to; says what can be told now, in the order of the scripts.
    pub(super) fn add(&mut self, index: u64, group: Group, part: Part) -> Vec<Shown> {
        self.scripts.insert(index);
        self.count.add(part.count);
        *self.executions.entry(group).or_default() += part.count.executions + part.count.redundant;
        if !part.shown.is_empty() {
            self.early.insert(index, part.shown.keys().cloned().collect());
            self.show(part.shown);
            self.findings = self.shown.values().map(|shown| shown.index).collect();
            self.findings.sort_unstable();
            self.findings.dedup();
        }
        let mut fresh = Vec::new();
        while let Some((first, signatures)) = self.early.pop_first() {
            if first >= self.scripts.first_missing() {
                self.early.insert(first, signatures);
                break;
            }
            let shown = signatures.iter().filter_map(|signature| self.shown.get(signature));
            fresh.extend(shown.filter(|shown| shown.index == first).cloned());
        }
        fresh
    }

    /// What is to be kept of it.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            count: self.count,
            scripts: self.scripts.clone(),
            executions: self.executions.clone(),
            findings: self.findings.clone(),
        }
    }

    /// The findings, but those of a wind-down that a script shows by itself.
    pub(super) fn shown(self) -> Vec<Shown> {
        let shows_by_itself = |signature: &Signature| {
            signature.wind_down
                && self.shown.contains_key(&Signature { wind_down: false, ..signature.clone() })
        };
        let own = self.shown.iter().filter(|(signature, _)| !shows_by_itself(signature));
        own.map(|(_, shown)| shown.clone()).collect()
    }
}
