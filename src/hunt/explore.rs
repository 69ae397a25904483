//! Exploring the schedules of one script on fibers, deterministically: by a guide, by the portfolio, and exhaustively.

use std::sync::Arc;

use super::Execution;
use super::engines::EngineKind;
use super::lead::Lead;
use super::rerun::Spending;
use super::trial::{Trial, derive};
pub use crate::engine::Extent;
use crate::engine::strategy::{Alternative, Choosing, Point, Strategy};
use crate::engine::{End, Shared, TaskId, fibers};
use crate::oracle::{Finding, Signature};
use crate::script::Script;

/// How much is spent on one script.
#[derive(Clone, Copy)]
pub(super) struct Thoroughness {
    /// Schedules of the portfolio.
    pub(super) portfolio: u64,
    /// The most preemptions to exhaust.
    pub(super) preemptions: u32,
    /// The most schedules for each number of preemptions.
    pub(super) exhaustive: u64,
}

/// A choice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The index of the alternative.
    pub(super) chosen: u32,
    /// How many there were.
    of: u32,
    /// Whether the first alternative is to go on with the task that was going on, so that each other one is a preemption.
    interrupts: bool,
}

impl Choice {
    pub(super) fn is_preemption(self) -> bool {
        self.interrupts && self.chosen > 0
    }
}

/// An execution that shows a finding, and the choices that led to it.
#[derive(Clone)]
pub(super) struct Sighting {
    pub(super) script: Arc<Script>,
    pub(super) execution: Execution,
    pub(super) finding: Finding,
    pub(super) choices: Vec<Choice>,
}

impl Sighting {
    pub(super) fn preemptions(&self) -> u32 {
        self.choices.iter().filter(|choice| choice.is_preemption()).count() as u32
    }
}

/// After how many sync points it is given up: some seconds. A clock would end it elsewhere each time, and one seed is to give
/// one result.
const MOST_POINTS: u64 = 2_000_000;

/// Looks for a finding of one signature.
pub(super) struct Explorer<'a> {
    pub(super) trial: &'a Trial,
    pub(super) wanted: Signature,
    pub(super) seed: u64,
    pub(super) spending: Spending<'a>,
    /// How many executions that took.
    pub(super) executions: u64,
    /// How many sync points they had.
    points: u64,
    choices: Arc<Shared<Vec<Choice>>>,
    last: Last,
}

/// What the last execution was that did not show the finding.
struct Last {
    end: End,
    steps: Vec<fibers::Step>,
}

impl<'a> Explorer<'a> {
    pub(super) fn new(
        trial: &'a Trial,
        wanted: Signature,
        seed: u64,
        spending: Spending<'a>,
    ) -> Explorer<'a> {
        Explorer {
            trial,
            wanted,
            seed,
            spending,
            executions: 0,
            points: 0,
            choices: Arc::default(),
            last: Last { end: End::Finished, steps: Vec::new() },
        }
    }

    /// Whether it is to be given up.
    pub(super) fn is_spent(&self) -> bool {
        self.points >= MOST_POINTS || self.spending.is_spent()
    }

    /// Runs the script once, led by this strategy, and says whether that shows the finding.
    fn shows(&mut self, script: &Arc<Script>, strategy: impl Strategy + 'static) -> Option<Sighting> {
        self.executions += 1;
        self.choices.with(Vec::clear);
        let choices = Arc::clone(&self.choices);
        let Explorer { trial, wanted, points, last, .. } = self;
        let (execution, finding) =
            trial.glimpse(script, Box::new(Noting { strategy, choices }), |glimpse| {
                *points += glimpse.sync_points();
                last.end = glimpse.end();
                last.steps.clear();
                last.steps.extend_from_slice(glimpse.steps());
                let execution = if glimpse.passes() { None } else { Some(glimpse.told()) }?;
                let findings = &execution.judgement.findings;
                let finding = findings.iter().find(|finding| finding.signature == *wanted)?.clone();
                Some((execution, finding))
            })?;
        let choices = self.choices.with(|choices| choices.clone());
        Some(Sighting { script: Arc::clone(script), execution, finding, choices })
    }

    /// Runs the script by these choices, and without preemptions from where they end.
    pub(super) fn along(&mut self, script: &Arc<Script>, choices: Vec<u32>) -> Option<Sighting> {
        self.shows(script, Path { choices, at: 0 })
    }

    /// Runs the script as closely as it can be to what these steps did.
    pub(super) fn guided(&mut self, script: &Arc<Script>, steps: &[fibers::Step]) -> Option<Sighting> {
        self.shows(script, Guide { steps: steps.to_vec(), at: 0 })
    }

    /// Looks for the finding in the schedules of a script: in one like the guide, in some of the portfolio, and in those
    /// of few preemptions. Says how far it got, if it is not found.
    pub(super) fn search(
        &mut self,
        script: &Arc<Script>,
        guide: &[fibers::Step],
        thoroughness: Thoroughness,
    ) -> Result<Sighting, Extent> {
        let before = self.executions;
        if let Some(sighting) = self.guided(script, guide) {
            return Ok(sighting);
        }
        // Of a candidate that was run before, other schedules.
        let mut lead = Lead::new(EngineKind::Fibers, derive(self.seed, self.executions));
        for index in 0..thoroughness.portfolio {
            if self.is_spent() {
                break;
            }
            if let Some(sighting) = self.shows(script, lead.strategy(index)) {
                return Ok(sighting);
            }
            lead.learn(&self.last.steps);
        }
        let mut extent = None;
        for bound in 0..=thoroughness.preemptions {
            match self.exhaust(script, bound, thoroughness.exhaustive) {
                Ok(sighting) => return Ok(sighting),
                Err(Extent::Schedules(_)) => break,
                Err(Extent::All) => return Err(Extent::All),
                Err(exhausted) => extent = Some(exhausted),
            }
        }
        Err(extent.unwrap_or(Extent::Schedules(self.executions - before)))
    }

    /// Looks for the finding in each schedule with up to this many preemptions, but in no more than `most` schedules.
    /// Says how far it got, if it is not found.
    ///
    /// This is iterative context bounding (Musuvathi and Qadeer, PLDI 2007): most bugs show with very few preemptions.
    pub(super) fn exhaust(
        &mut self,
        script: &Arc<Script>,
        bound: u32,
        most: u64,
    ) -> Result<Sighting, Extent> {
        let mut next = Some(Vec::new());
        let mut extent = Extent::All;
        let mut tried = 0;
        while let Some(choices) = next {
            if tried == most || self.is_spent() {
                return Err(Extent::Schedules(tried));
            }
            tried += 1;
            if let Some(sighting) = self.shows(script, Path { choices, at: 0 }) {
                return Ok(sighting);
            }
            if self.last.end == End::Exhausted {
                return Err(Extent::Schedules(tried));
            }
            next = self.choices.with(|choices| successor(choices, bound, &mut extent));
        }
        Err(extent)
    }
}

/// The choices to try after these, with up to this many preemptions; in `extent` it is noted if that leaves any out.
fn successor(choices: &[Choice], bound: u32, extent: &mut Extent) -> Option<Vec<u32>> {
    let mut preemptions = choices.iter().filter(|choice| choice.is_preemption()).count() as u32;
    for (index, choice) in choices.iter().enumerate().rev() {
        preemptions -= u32::from(choice.is_preemption());
        if choice.chosen + 1 == choice.of {
            continue;
        }
        if preemptions + u32::from(choice.interrupts) <= bound {
            let before = choices[..index].iter().map(|choice| choice.chosen);
            return Some(before.chain([choice.chosen + 1]).collect());
        }
        *extent = Extent::Preemptions(bound);
    }
    None
}

/// Notes what a strategy chooses.
struct Noting<S> {
    strategy: S,
    choices: Arc<Shared<Vec<Choice>>>,
}

impl<S: Strategy> Strategy for Noting<S> {
    fn started(&mut self, task: TaskId, given: Option<&str>) {
        self.strategy.started(task, given);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let of = point.alternatives.len();
        let chosen = self.strategy.choose(point) % of;
        let interrupts = point.kind == Choosing::Task && point.current.is_some();
        let choice = Choice { chosen: chosen as u32, of: of as u32, interrupts };
        self.choices.with(|choices| choices.push(choice));
        chosen
    }
}

/// Makes these choices, and then goes on with who is going on.
struct Path {
    choices: Vec<u32>,
    at: usize,
}

impl Strategy for Path {
    fn choose(&mut self, _: &Point<'_>) -> usize {
        let chosen = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        chosen as usize
    }
}

/// Follows steps of another execution, leaving out those that cannot be made here.
struct Guide {
    steps: Vec<fibers::Step>,
    at: usize,
}

impl Strategy for Guide {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        while let Some(step) = self.steps.get(self.at) {
            self.at += 1;
            let is_meant =
                |alternative: Alternative| alternative.task == step.task && alternative.branch == step.branch;
            if let Some(index) = point.alternatives.iter().position(is_meant) {
                return index;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that comes one after the other, where there are always as many alternatives.
    fn all(of: &[u32], interrupts: bool, bound: u32) -> (Vec<Vec<u32>>, Extent) {
        let (mut tried, mut extent, mut next) = (Vec::new(), Extent::All, Some(Vec::new()));
        while let Some(mut choices) = next {
            choices.resize(of.len(), 0);
            let made = |(chosen, of): (&u32, &u32)| Choice { chosen: *chosen, of: *of, interrupts };
            let made: Vec<Choice> = choices.iter().zip(of).map(made).collect();
            next = successor(&made, bound, &mut extent);
            tried.push(choices);
        }
        (tried, extent)
    }

    #[test]
    fn every_sequence_of_choices_is_tried_once() {
        let (tried, extent) = all(&[2, 1, 3], false, 0);
        let expected = [[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 0], [1, 0, 1], [1, 0, 2]];
        assert_eq!((tried, extent), (expected.map(Vec::from).to_vec(), Extent::All));
    }

    #[test]
    fn preemptions_are_bounded_and_what_is_left_out_is_told() {
        let (tried, extent) = all(&[2, 1, 3], true, 1);
        let expected = [[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 0]];
        assert_eq!((tried, extent), (expected.map(Vec::from).to_vec(), Extent::Preemptions(1)));
        let (tried, extent) = all(&[2, 1, 3], true, 2);
        assert_eq!((tried.len(), extent), (6, Extent::All));
        assert_eq!(all(&[2, 2], true, 0), (vec![vec![0, 0]], Extent::Preemptions(0)));
    }

    #[test]
    fn what_was_explored_least_counts() {
        assert!(Extent::Schedules(9_999) < Extent::Preemptions(0));
        assert!(Extent::Preemptions(2) < Extent::All);
    }
}
