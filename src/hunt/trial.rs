use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::black_box::{Crew, Task, Unserved};
use super::confirm::CONFIRMATIONS;
use super::engines::Engines;
use super::execution::{Cast, Engine, Execution, Forgetting, Glimpse, Orders};
use super::outcome::Found;
use crate::engine::Divergence;
use crate::engine::exhaustive::{Exhaustive, Seen};
use crate::engine::strategy::{Bytes, Cue, Replay, Spelled, Strategy};
use crate::engine::threads::Settings;
use crate::engine::trace::Trace;
use crate::engine::{End, Shared};
use crate::oracle::{Contract, Guarantee, Signature, Verdict};
use crate::script::bytes::Choices;
use crate::script::{ContractKind, Plan, Schedule, Script};
use crate::subject::{Capabilities, Subject};

/// How much longer the deadline is when a run with nothing to conclude is tried again.
const SECOND_DEADLINE: u32 = 10;

/// A subject, and how it is judged.
#[derive(Clone)]
pub struct Trial {
    /// Which contract it is judged by.
    pub kind: ContractKind,
    /// How long one execution on free threads may take; ten times that when it is tried again.
    pub deadline: Duration,
    /// How often what was found and shrunk is run again on OS threads, led and free.
    pub(super) confirmations: u64,
    /// The panic that is to happen in the `Clone` or `Drop` of an event, if one is.
    plan: Option<Plan>,
    cast: Arc<Cast>,
    /// Where its scripts are run, if it is a black box.
    crew: Option<Arc<Crew>>,
    /// The signatures of hangs that were proved.
    proved: Arc<Shared<BTreeSet<Signature>>>,
}

/// Why no event is made to panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpromised {
    subject: String,
    kind: ContractKind,
}

impl fmt::Display for Unpromised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unpromised { subject, kind } = self;
        write!(f, "the {} contract of `{subject}` promises nothing of events that panic", kind.name())
    }
}

impl std::error::Error for Unpromised {}

impl Trial {
    /// A subject under one of its contracts.
    pub fn new(subject: Arc<dyn Subject>, kind: ContractKind, deadline: Duration) -> Trial {
        let contract = match kind {
            ContractKind::Own => subject.contract(),
            ContractKind::Strict => Contract::strict(),
        };
        let crew = subject.is_black_box().then(|| Crew::new(subject.name(), Vec::new()));
        let proved = Arc::default();
        let cast = Cast::new(subject, contract);
        Trial { kind, deadline, confirmations: CONFIRMATIONS, plan: None, cast, crew, proved }
    }

    /// This trial, with what was found and shrunk run again so often on OS threads, led through its schedule and left to
    /// themselves, instead of [20 times](CONFIRMATIONS).
    #[must_use]
    pub fn confirming(self, confirmations: u64) -> Trial {
        Trial { confirmations, ..self }
    }

    /// This trial, with a panic that is to happen in each run, if one is.
    ///
    /// # Errors
    /// If the contract promises nothing of one, so that whatever came of it could not be held against the subject.
    pub fn planning(self, plan: Option<Plan>) -> Result<Trial, Unpromised> {
        if plan.is_some() && !self.contract().guarantees(Guarantee::PanicSafety) {
            return Err(Unpromised { subject: self.subject().name().to_owned(), kind: self.kind });
        }
        Ok(Trial { plan, ..self })
    }

    /// The panic that is to happen in each run, if one is.
    pub fn plan(&self) -> Option<Plan> {
        self.plan
    }

    /// This trial, with these arguments for the children that a black box is run in; without, they are given none.
    #[must_use]
    pub fn with_arguments(mut self, arguments: Vec<OsString>) -> Trial {
        if self.crew.is_some() {
            self.crew = Some(Crew::new(self.subject().name(), arguments));
        }
        self
    }

    /// This trial, leaving executions on fibers that end blocked as they are, until what is found has been
    /// [told](Trial::told). To unwind what is blocked is to run destructors of code that has gone wrong, which may end the
    /// process, or never return.
    #[must_use]
    pub fn forgetting(mut self) -> Trial {
        self.cast = self.cast.forgetting(Forgetting::Untold(Shared::default()));
        self
    }

    /// Notes that what was found has been told, or kept: from now on it is no loss if its like ends the process.
    pub fn told(&self, found: &Found) {
        if let Forgetting::Untold(told) = &self.cast.forgetting {
            let signatures =
                found.execution.judgement.findings.iter().map(|finding| finding.signature.clone());
            told.with(|told| told.extend(signatures));
        }
    }

    /// This trial, taking nothing as proved.
    pub(super) fn doubting(&self) -> Trial {
        Trial { proved: Arc::default(), ..self.clone() }
    }

    /// Which of these engines can run the subject: of a black box, free threads alone; `None` if none can.
    pub fn engines(&self, wanted: Engines) -> Option<Engines> {
        match (&self.crew, wanted) {
            (None, wanted) => Some(wanted),
            (Some(_), Engines::Fibers) => None,
            (Some(_), Engines::Threads | Engines::Both) => Some(Engines::Threads),
        }
    }

    /// Makes sure that a black box is served by a child.
    ///
    /// # Errors
    /// If it is not.
    pub fn muster(&self) -> Result<(), Unserved> {
        self.crew.as_ref().map_or(Ok(()), |crew| crew.muster())
    }

    /// The subject.
    pub fn subject(&self) -> &Arc<dyn Subject> {
        &self.cast.subject
    }

    /// What the subject supports.
    pub fn capabilities(&self) -> &Capabilities {
        &self.cast.capabilities
    }

    /// What it is held to.
    pub fn contract(&self) -> &Contract {
        &self.cast.contract
    }

    /// The script as the subject can run it.
    pub fn clamp(&self, script: &Script) -> Script {
        self.cast.capabilities.clamp(script)
    }

    /// Runs a clamped script once on free threads, with the noise of this seed; once more, with a longer deadline,
    /// if nothing can be concluded.
    pub fn on_threads(&self, script: &Arc<Script>, noise: u64) -> Execution {
        let run = |deadline| match &self.crew {
            Some(crew) => self.in_a_child(crew, script, noise, deadline),
            None => self.cast.execute(script, Engine::Threads(Settings { seed: noise, deadline }), self.plan),
        };
        let execution = run(self.deadline);
        match execution.judgement.verdict() {
            Verdict::Inconclusive => run(self.deadline.saturating_mul(SECOND_DEADLINE)),
            _ => execution,
        }
    }

    fn in_a_child(&self, crew: &Crew, script: &Script, noise: u64, deadline: Duration) -> Execution {
        let known = self.proved.with(|proved| proved.iter().cloned().collect());
        let task = Task { script, contract: self.kind, noise, deadline, plan: self.plan, known };
        let execution = crew.run(&self.cast, task);
        if let End::Still(_) = execution.run.end {
            let hangs =
                execution.judgement.findings.iter().filter(|found| found.signature.verdict == Verdict::Hang);
            self.proved.with(|proved| proved.extend(hangs.map(|found| found.signature.clone())));
        }
        execution
    }

    /// Runs a clamped script once on OS threads, led through that schedule.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn steered(&self, script: &Arc<Script>, schedule: &Schedule) -> Result<Execution, Divergence> {
        self.cast.steer(script, schedule, Settings { seed: 0, deadline: self.deadline }, self.plan)
    }

    /// The choices that a schedule of this script is, so that [`Trial::by_choices`] does the same.
    ///
    /// # Errors
    /// If the schedule does not fit.
    pub fn spell(&self, script: &Arc<Script>, schedule: &Schedule) -> Result<Choices, Divergence> {
        let (cue, replay) = (Cue::default(), Replay::new(schedule));
        let spelled = Spelled::new(replay.clone(), cue.clone());
        self.cast.execute(script, Engine::Cued(Box::new(spelled.clone()), cue), self.plan);
        replay.divergence().map_or_else(|| Ok(spelled.take()), Err)
    }

    /// Runs a clamped script once on fibers, by the choices that came with it.
    pub fn by_choices(&self, script: &Arc<Script>, choices: &Choices) -> Execution {
        self.glimpse_choices(script, choices, |glimpse| glimpse.told())
    }

    /// As [`by_choices`](Trial::by_choices), and has somebody see how it went.
    pub(super) fn glimpse_choices<R>(
        &self,
        script: &Arc<Script>,
        choices: &Choices,
        see: impl FnOnce(Glimpse<'_>) -> R,
    ) -> R {
        let cue = Cue::default();
        let strategy = Box::new(Bytes::new(choices.clone(), cue.clone()));
        self.cast.glimpse(
            script,
            strategy,
            Orders { cue: Some(cue), plan: self.plan, ..Orders::default() },
            see,
        )
    }

    /// Runs a clamped script once on fibers, led by this strategy.
    ///
    /// # Panics
    /// If the subject is a black box.
    pub fn on_fibers(&self, script: &Arc<Script>, strategy: Box<dyn Strategy>) -> Execution {
        assert!(self.crew.is_none(), "a black box cannot be run on fibers");
        self.cast.execute(script, Engine::Fibers(strategy), self.plan)
    }

    /// As [`on_fibers`](Trial::on_fibers), and has somebody see how it went.
    pub(super) fn glimpse<R>(
        &self,
        script: &Arc<Script>,
        strategy: Box<dyn Strategy>,
        see: impl FnOnce(Glimpse<'_>) -> R,
    ) -> R {
        assert!(self.crew.is_none(), "a black box cannot be run on fibers");
        self.cast.glimpse(script, strategy, Orders { plan: self.plan, ..Orders::default() }, see)
    }

    /// Runs a clamped script once on fibers, in the next of all of its schedules; and says what it was. What is redundant is
    /// not judged.
    pub(super) fn exhaust(&self, script: &Arc<Script>, exhaustive: &Exhaustive) -> (Option<Execution>, Seen) {
        self.cast.exhaust(script, exhaustive, self.plan)
    }

    /// As [`on_fibers`](Trial::on_fibers), with what it does; what is left in the end is not unwound.
    pub(super) fn recorded(&self, script: &Arc<Script>, strategy: Box<dyn Strategy>) -> (Execution, Trace) {
        self.cast.forgetting(Forgetting::All).record(script, strategy, self.plan)
    }
}

/// A seed of its own for each index of each purpose, none like another (SplitMix64).
pub(super) fn derive(seed: u64, index: u64) -> u64 {
    let mut bits = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::testing;
    use super::*;

    #[test]
    fn what_is_inconclusive_is_tried_once_more() {
        let script: Arc<Script> =
            Arc::new("mux incoming=0 queue=0 when-full=wait\nlane\n  action".parse().unwrap());
        let (trial, begun_twice) = testing::stopping(2, Duration::from_nanos(1));
        trial.on_threads(&script, 1);
        assert!(begun_twice.load(Ordering::Relaxed));
        let (trial, begun_twice) = testing::stopping(2, Duration::from_secs(60));
        trial.on_threads(&script, 1);
        assert!(!begun_twice.load(Ordering::Relaxed));
    }

    #[test]
    fn seeds_differ() {
        let seeds: std::collections::BTreeSet<u64> =
            (0..10).flat_map(|seed| (0..10).map(move |index| derive(seed, index))).collect();
        assert_eq!(seeds.len(), 100);
    }
}
