//! Confirming: running a script that shows a finding again on OS threads, led through its schedule and left to themselves.

use std::sync::Arc;

use super::Execution;
use super::engines::EngineKind;
use super::rerun::{Effort, Rerun};
use super::trial::{Trial, derive};
use crate::oracle::{Signature, Verdict};
use crate::script::Script;

/// How often a script is run again, if it is not told.
pub const CONFIRMATIONS: u64 = 20;

/// How often at most the hang of a black box is, each of which takes ten deadlines.
const SLOW_CONFIRMATIONS: u64 = 5;

/// If none of these shows the finding, it is run again this often at least.
const MORE: u64 = 200;

/// How often a script showed its finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// In how many runs it did.
    pub hits: u64,
    /// Of how many.
    pub runs: u64,
}

/// Leads OS threads through an execution on fibers, again and again, and counts how often they show the finding too; `None`
/// for an execution that nobody led.
pub(super) fn steer(
    trial: &Trial,
    script: &Script,
    execution: &Execution,
    wanted: &Signature,
) -> Option<Confirmation> {
    let schedule = execution.schedule()?;
    let script = Arc::new(script.clone());
    let shows =
        |steered: &Execution| steered.judgement.findings.iter().any(|finding| finding.signature == *wanted);
    let runs = trial.confirmations;
    let steered = (0..runs).map(|_| trial.steered(&script, &schedule));
    let hits = steered.filter(|steered| steered.as_ref().is_ok_and(shows)).count() as u64;
    Some(Confirmation { hits, runs })
}

/// Runs a clamped script again on free threads; if it is so rare that it does not show, until it does, or `most` times.
pub(super) fn confirm(
    trial: &Trial,
    script: &Script,
    wanted: &Signature,
    seed: u64,
    most: u64,
    effort: Effort<'_>,
) -> Confirmation {
    let script = Arc::new(script.clone());
    // Each rerun of a black box that hangs is to prove it again.
    let trial = &trial.doubting();
    let rerun = |purpose, most, enough| {
        let effort = Effort { time: None, ..effort };
        let (engine, seed) = (EngineKind::Threads, derive(seed, u64::MAX - purpose));
        let rerun = Rerun { trial, engine, script: &script, seed, most, enough, effort };
        rerun.until(|judgement| judgement.findings.iter().any(|finding| finding.signature == *wanted))
    };
    let is_slow = trial.subject().is_black_box() && wanted.verdict == Verdict::Hang;
    let times = trial.confirmations.min(if is_slow { SLOW_CONFIRMATIONS } else { u64::MAX });
    let first = rerun(0, times, u64::MAX);
    if first.hits > 0 || times == 0 {
        return Confirmation { hits: first.hits, runs: first.runs };
    }
    let more = rerun(1, most.max(MORE), 1);
    Confirmation { hits: more.hits, runs: first.runs + more.runs }
}
