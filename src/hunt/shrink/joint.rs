//! Shrinking script and schedule together, on fibers: deterministic, and with a claim that was exhausted.

use std::sync::Arc;

use super::super::engines::EngineKind;
use super::super::execution::Execution;
use super::super::explore::{Explorer, Extent, Sighting, Thoroughness};
use super::super::outcome::Found;
use super::super::rerun::Spending;
use super::super::trial::Trial;
use super::{Method, Shows, Shrunk, Try, descend, write_wind_down};
use crate::oracle::Signature;
use crate::script::Script;

/// To find again what free threads have found.
const AGAIN: Thoroughness = Thoroughness { portfolio: 5_000, preemptions: 2, exhaustive: 5_000 };

/// For each candidate on the way down.
const QUICK: Thoroughness = Thoroughness { portfolio: 50, preemptions: 1, exhaustive: 200 };

/// For each removal of an op from the smallest script, before it is said that none can be removed.
const DEEP: Thoroughness = Thoroughness { portfolio: 100, preemptions: 2, exhaustive: 5_000 };

/// The most schedules that are tried for each number of preemptions, for the simplest schedule.
const SCHEDULES: u64 = 10_000;

/// Shrinks a finding on fibers; `None` if it cannot be found there.
pub(super) fn shrink(trial: &Trial, found: &Found, seed: u64, spending: Spending<'_>) -> Option<Shrunk> {
    let mut tries = Explorer::new(trial, found.finding.signature.clone(), seed, spending);
    let mut best = find_again(&mut tries, found)?;
    let mut rewritten = false;
    if let Some(written) = write_wind_down(&mut tries, &best) {
        best = written;
        rewritten = true;
    }
    let mut candidates = 0;
    let (minimal, removals) = loop {
        if !descend(&mut tries, &mut best, &mut candidates) {
            break (false, Extent::Schedules(0));
        }
        match remove_any(&mut tries, &best) {
            Ok(smaller) => best = smaller,
            Err(extent) => break (!tries.is_spent(), extent),
        }
    };
    let fewest = simplify(&mut tries, &mut best);
    let preemptions = best.preemptions();
    let method = Method::Joint { removals, preemptions, fewest };
    Some(Shrunk { rewritten, candidates, minimal, ..shrunk(best, method, &tries) })
}

/// Makes its schedule alone simpler; `None` if it cannot be found on fibers.
pub(super) fn shrink_schedule(
    trial: &Trial,
    found: &Found,
    seed: u64,
    spending: Spending<'_>,
) -> Option<Shrunk> {
    let mut tries = Explorer::new(trial, found.finding.signature.clone(), seed, spending);
    let mut best = find_again(&mut tries, found)?;
    let fewest = simplify(&mut tries, &mut best);
    let method = Method::Schedule { preemptions: best.preemptions(), fewest };
    Some(shrunk(best, method, &tries))
}

fn find_again(tries: &mut Explorer<'_>, found: &Found) -> Option<Sighting> {
    let script = Arc::new(found.script.clone());
    match found.engine {
        EngineKind::Fibers => tries.guided(&script, &found.execution.steps),
        EngineKind::Threads => tries.search(&script, &[], AGAIN).ok(),
    }
}

fn shrunk(best: Sighting, method: Method, tries: &Explorer<'_>) -> Shrunk {
    let Sighting { script, execution, finding, .. } = best;
    Shrunk {
        script: Script::clone(&script),
        finding,
        execution,
        rewritten: false,
        candidates: 0,
        minimal: false,
        method,
        executions: tries.executions,
        elapsed: tries.spending.elapsed(),
        confirmation: None,
        steered: None,
    }
}

impl Shows for Sighting {
    fn script(&self) -> &Arc<Script> {
        &self.script
    }

    fn execution(&self) -> &Execution {
        &self.execution
    }
}

impl<'a> Try for Explorer<'a> {
    type Best = Sighting;

    fn trial(&self) -> &Trial {
        self.trial
    }

    fn is_spent(&self) -> bool {
        Explorer::is_spent(self)
    }

    fn wanted(&mut self) -> &mut Signature {
        &mut self.wanted
    }

    fn attempt(&mut self, candidate: &Arc<Script>, best: &Sighting) -> Option<Sighting> {
        self.search(candidate, &best.execution.steps, QUICK).ok()
    }
}

/// Tries hard to remove an op; says how far the schedules of what is left were explored, if none can be.
fn remove_any(tries: &mut Explorer<'_>, best: &Sighting) -> Result<Sighting, Extent> {
    let mut extent = Extent::All;
    for removed in 0..best.script.ops() {
        let candidate = Arc::new(tries.trial.clamp(&best.script.without(removed)));
        match tries.search(&candidate, &best.execution.steps, DEEP) {
            Ok(smaller) => return Ok(smaller),
            Err(explored) => extent = extent.min(explored),
        }
    }
    Err(extent)
}

/// Makes the schedule one of the fewest preemptions that can be found, and short; says whether no schedule has fewer.
fn simplify(tries: &mut Explorer<'_>, best: &mut Sighting) -> bool {
    let fewest = with_fewest_preemptions(tries, best);
    while let Some(shorter) = shorter(tries, best) {
        *best = shorter;
    }
    fewest
}

fn with_fewest_preemptions(tries: &mut Explorer<'_>, best: &mut Sighting) -> bool {
    let mut bound = 0;
    while bound < best.preemptions() {
        match tries.exhaust(&best.script, bound, SCHEDULES) {
            Ok(simpler) => {
                *best = simpler;
                return true;
            }
            Err(Extent::Schedules(_)) => break,
            Err(_) => bound += 1,
        }
    }
    while bound < best.preemptions() {
        match with_one_less(tries, best) {
            Some(simpler) => *best = simpler,
            None => return false,
        }
    }
    true
}

/// The same in fewer steps and no more preemptions: tasks that go on for long, as those that spin do, are made to give
/// way earlier.
fn shorter(tries: &mut Explorer<'_>, best: &Sighting) -> Option<Sighting> {
    let steps = &best.execution.steps;
    let mut end = 0;
    for run in steps.chunk_by(|one, other| one.task == other.task) {
        end += run.len();
        let lengths = std::iter::successors(Some(1), |length| Some(length * 2));
        for length in lengths.take_while(|length| *length < run.len()) {
            if tries.is_spent() {
                return None;
            }
            let start = end - run.len();
            let fewer = [&steps[..start + length], &steps[end..]].concat();
            let is_shorter = |other: &Sighting| {
                other.execution.steps.len() < steps.len() && other.preemptions() <= best.preemptions()
            };
            let shorter = tries.guided(&best.script, &fewer).filter(is_shorter);
            if shorter.is_some() {
                return shorter;
            }
        }
    }
    None
}

/// The same with a preemption less: from the end, one after the other is left out.
fn with_one_less(tries: &mut Explorer<'_>, best: &Sighting) -> Option<Sighting> {
    let preemptions = best.choices.iter().enumerate().rev().filter(|(_, choice)| choice.is_preemption());
    for (index, _) in preemptions {
        if tries.is_spent() {
            return None;
        }
        let mut choices: Vec<u32> = best.choices.iter().map(|choice| choice.chosen).collect();
        choices[index] = 0;
        // The rest may fit as it is, or be better left to itself.
        for choices in [choices[..index].to_vec(), choices] {
            let simpler = tries.along(&best.script, choices);
            if let Some(simpler) = simpler.filter(|simpler| simpler.preemptions() < best.preemptions()) {
                return Some(simpler);
            }
        }
    }
    None
}
