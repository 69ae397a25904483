//! Comparing what was found of subjects with what is known of them.

use std::time::Duration;

use super::outcome::{Group, Outcome};
use crate::script::ContractKind;
use crate::subject::{Bug, Subject};

/// What a hunt that kept going has found of a subject, against what it is known to have.
pub struct Survey {
    /// The subject's name.
    pub subject: String,
    /// The contract it was judged by.
    pub contract: ContractKind,
    /// How many runs there were.
    pub runs: u64,
    /// How long they took.
    pub elapsed: Duration,
    /// How many tasks were not unwound.
    pub forgotten: u64,
    /// The bugs that it is expected to show, and those of other subjects that it has shown.
    pub cells: Vec<Cell>,
    /// How many findings are none of any known bug.
    pub unknown: usize,
}

/// A bug, and whether it was found.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The bug.
    pub bug: &'static Bug,
    /// Whether the subject is known to have it.
    pub expected: bool,
    /// In how many runs it was found.
    pub count: u64,
    /// The index of the first of them.
    pub first: Option<u64>,
}

impl Cell {
    /// Whether it was found just where it must be.
    pub fn agrees(&self) -> bool {
        self.expected == self.first.is_some()
    }
}

impl Survey {
    /// Compares: what is left in the outcome is what was not expected. `all` are the bugs of all subjects.
    ///
    /// A finding is one of the subject's own bugs where it can be, and otherwise one of another's, or of nobody's.
    pub fn new(subject: &dyn Subject, all: &[&'static Bug], outcome: &mut Outcome) -> Survey {
        let own: Vec<&'static Bug> = subject.bugs();
        let is_forbidden = |bug: &&'static Bug| bug.under.contains(&outcome.contract);
        let expected = own.into_iter().filter(is_forbidden);
        let (runs, elapsed, forgotten) = (outcome.runs(), outcome.elapsed(), outcome.forgotten());
        let groups = std::mem::take(&mut outcome.findings);
        let mut cells: Vec<Cell> =
            expected.map(|bug| Cell { bug, expected: true, count: 0, first: None }).collect();
        let mut left = Vec::new();
        let mut unknown = 0;
        for group in groups {
            let signature = &group.found.finding.signature;
            let shows = |bug: &Bug| bug.is_shown_by(signature);
            if cells.iter().any(|cell| cell.expected && shows(cell.bug)) {
                cells
                    .iter_mut()
                    .filter(|cell| cell.expected && shows(cell.bug))
                    .for_each(|cell| cell.add(&group));
                continue;
            }
            match all.iter().find(|bug| shows(bug)) {
                Some(bug) => {
                    let mut cell = Cell { bug, expected: false, count: 0, first: None };
                    cell.add(&group);
                    cells.push(cell);
                }
                None => unknown += 1,
            }
            left.push(group);
        }
        outcome.findings = left;
        let subject = subject.name().to_owned();
        Survey { subject, contract: outcome.contract, runs, elapsed, forgotten, cells, unknown }
    }

    /// Whether all is as expected.
    pub fn agrees(&self) -> bool {
        self.unknown == 0 && self.cells.iter().all(Cell::agrees)
    }

    /// The bugs that it must have shown, and has not.
    pub fn missing(&self) -> impl Iterator<Item = &'static Bug> {
        self.cells.iter().filter(|cell| cell.expected && cell.first.is_none()).map(|cell| cell.bug)
    }
}

impl Cell {
    fn add(&mut self, group: &Group) {
        self.count += group.count;
        let first = group.found.run;
        self.first = Some(self.first.map_or(first, |earlier| earlier.min(first)));
    }
}
