use std::collections::BTreeMap;

use super::Execution;
use super::brief::Brief;
use super::outcome::{Found, Group};
use crate::oracle::{Finding, Judgement, Signature, Verdict};

/// What some runs have shown.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) runs: u64,
    pub(super) interleavings: u64,
    pub(super) inconclusive: u64,
    pub(super) sync_points: u64,
    pub(super) forgotten: u64,
    groups: BTreeMap<Signature, Group>,
}

impl Tally {
    pub(super) fn count(&mut self, run: &Brief, is_fresh: bool) {
        self.runs += 1;
        self.interleavings += u64::from(is_fresh);
        let is_inconclusive = |execution: &Execution| execution.judgement.verdict() == Verdict::Inconclusive;
        self.inconclusive += u64::from(run.execution.as_deref().is_some_and(is_inconclusive));
        self.sync_points += run.sync_points;
        self.forgotten += run.execution.as_deref().map_or(0, |execution| execution.run.forgotten as u64);
    }

    /// Notes what was found in a run; what is new is told to `news`.
    pub(super) fn note(
        &mut self,
        judgement: &Judgement,
        found: impl Fn(&Finding) -> Found,
        news: impl Fn(&Found),
    ) {
        // The oracle tells a signature once, but the ledger's findings come on top of its own.
        let findings = &judgement.findings;
        for (index, finding) in findings.iter().enumerate() {
            if findings[..index].iter().any(|earlier| earlier.signature == finding.signature) {
                continue;
            }
            if let Some(group) = self.groups.get_mut(&finding.signature) {
                group.count += 1;
                continue;
            }
            let found = found(finding);
            news(&found);
            let group = Group { count: 1, found, shrunk: None, saved: None };
            self.groups.insert(finding.signature.clone(), group);
        }
    }

    pub(super) fn has_found(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Adds what later runs have shown.
    pub(super) fn add(&mut self, later: Tally) {
        self.runs += later.runs;
        self.interleavings += later.interleavings;
        self.inconclusive += later.inconclusive;
        self.sync_points += later.sync_points;
        self.forgotten += later.forgotten;
        for (signature, group) in later.groups {
            match self.groups.get_mut(&signature) {
                Some(same) => same.count += group.count,
                None => _ = self.groups.insert(signature, group),
            }
        }
    }

    /// The findings, the one to report first in front; only that one, unless all are wanted.
    pub(super) fn into_groups(self, all: bool) -> Vec<Group> {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by_key(|group| {
            let Found { engine, run, finding, .. } = &group.found;
            (finding.signature.verdict, *engine, *run, group.place())
        });
        groups.truncate(if all { usize::MAX } else { 1 });
        groups
    }
}

impl Group {
    /// Where its finding is among those of its run: the oracle has the one to report first, first.
    fn place(&self) -> usize {
        let findings = &self.found.execution.judgement.findings;
        findings.iter().position(|finding| *finding == self.found.finding).unwrap_or(findings.len())
    }
}

/// Puts tallies together in the order of their indexes, whoever has made them: the sum is the same on any number of
/// workers.
pub(super) struct InOrder {
    next: u64,
    early: BTreeMap<u64, Tally>,
    sum: Tally,
    /// Whether something counts that comes after the first tally with a finding.
    keep_going: bool,
}

impl InOrder {
    pub(super) fn new(keep_going: bool) -> InOrder {
        InOrder { next: 0, early: BTreeMap::new(), sum: Tally::default(), keep_going }
    }

    /// Adds the tally of this index; those before it may still come.
    pub(super) fn add(&mut self, index: u64, tally: Tally) {
        self.early.insert(index, tally);
        while let Some(tally) = self.early.remove(&self.next) {
            self.next += 1;
            if self.keep_going || !self.sum.has_found() {
                self.sum.add(tally);
            }
        }
    }

    pub(super) fn sum(self) -> Tally {
        self.sum
    }
}
