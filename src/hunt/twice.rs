//! Running twice: an execution on fibers depends on its script and its choices alone, and this checks that it does.

use std::fmt;
use std::sync::Arc;

use super::Execution;
use super::trial::Trial;
use crate::engine::strategy::{Choice, Recorded, Strategy};
use crate::oracle::{Class, Finding, Signature, Verdict};
use crate::script::Script;

/// Where two executions of one script differ that were led alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// At which sync point, counted from 1; `None` if they differ only in what the ops returned.
    pub at: Option<usize>,
    /// What there was to choose from, or was called and returned, the first time.
    pub once: String,
    /// The second time.
    pub again: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { at, once, again } = self;
        match at {
            Some(at) => write!(f, "at sync point {at}")?,
            None => f.write_str("in what was called and returned")?,
        }
        write!(f, ", {once} the first time, and {again} the second")
    }
}

/// Runs a clamped script twice on fibers, led by equal strategies, and compares what there was to choose from at each
/// sync point, what was chosen, and all calls and returns.
///
/// They differ if the subject depends on something that no engine controls: the system's clock, the order of a
/// `HashMap`, an address, a random number, or a thread that is no task.
///
/// # Errors
/// If they differ, with the first execution.
pub fn twice(
    trial: &Trial,
    script: &Arc<Script>,
    strategy: impl Fn() -> Box<dyn Strategy>,
) -> Result<Execution, (Difference, Box<Execution>)> {
    let run = || {
        let strategy = Recorded::new(strategy());
        let record = strategy.record();
        let execution = trial.on_fibers(script, Box::new(strategy));
        (execution, record.take())
    };
    let ((once, choices), (again, others)) = (run(), run());
    let differs = |at: &usize| choices.get(*at) != others.get(*at);
    if let Some(at) = (0..choices.len().max(others.len())).find(differs) {
        let (one, other) = (describe(&once, choices.get(at)), describe(&again, others.get(at)));
        let difference = Difference { at: Some(at + 1), once: one, again: other };
        return Err((difference, Box::new(once)));
    }
    let calls = once.history.calls.iter().zip(&again.history.calls).find(|(one, other)| one != other);
    if let Some((one, other)) = calls {
        let difference = Difference { at: None, once: format!("{one:?}"), again: format!("{other:?}") };
        return Err((difference, Box::new(once)));
    }
    Ok(once)
}

/// That an execution differs from itself, as a finding.
pub(super) fn finding(difference: &Difference) -> Finding {
    Finding {
        signature: Signature {
            verdict: Verdict::Diverged,
            class: Class::Unknown,
            op: None,
            shape: "an execution differs from itself".to_owned(),
            wind_down: false,
        },
        sentence: format!("Two executions with the same choices differ: {difference}"),
        clause: "an execution on fibers depends on its script and its choices alone".to_owned(),
        origin: None,
        call: None,
        against: Vec::new(),
        chain: None,
    }
}

/// `` `lane0`, `dispatcher` could go on, and `lane0` did``
fn describe(execution: &Execution, choice: Option<&Choice>) -> String {
    let Some(Choice { alternatives, chosen, .. }) = choice else { return "it had ended".to_owned() };
    let tasks = &execution.run.state.tasks;
    let name = |index: usize| {
        let alternative = &alternatives[index];
        let task = tasks.get(alternative.task.0).map_or("?", |task| &task.name);
        let branch = alternative.branch.map_or(String::new(), |branch| format!("/{branch}"));
        let access = alternative.access.map_or(String::new(), |access| format!(" [{access:?}]"));
        format!("`{task}{branch}`{access}")
    };
    let all: Vec<String> = (0..alternatives.len()).map(name).collect();
    format!("{} could go on, and {} did", all.join(", "), name(*chosen))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::super::testing;
    use super::super::{Budget, Campaign, Effort, EngineKind, Engines, Group, Jobs, Progress, SCHEDULES};
    use super::*;
    use crate::engine::strategy::{Estimates, Portfolio, RandomWalk};
    use crate::script::ContractKind;
    use crate::subject::all;

    fn campaign(trial: Trial, runs: u64) -> Campaign {
        let budget = Budget { time: None, runs: Some(runs) };
        Campaign { trial, engines: Engines::Fibers, twice: true, budget, seed: 1, keep_going: true }
    }

    #[test]
    fn every_subject_does_the_same_twice_in_thousands_of_scripts() {
        for subject in all() {
            let name = subject.name().to_owned();
            let trial = Trial::new(subject, ContractKind::Strict, Duration::from_secs(1));
            let campaign = campaign(trial, 0);
            let mut estimates = Estimates::default();
            for index in 0..1_000 {
                let script = Arc::new(campaign.draw(EngineKind::Fibers, index * SCHEDULES));
                let any = || Portfolio::new(0).strategy(index, &estimates);
                match twice(&campaign.trial, &script, any) {
                    Ok(execution) => estimates.learn(&execution.steps),
                    Err((difference, _)) => panic!("{name}, {difference}:\n{script}"),
                }
            }
        }
    }

    #[test]
    fn what_is_not_deterministic_is_seen() {
        let effort = Effort { jobs: Jobs::each(1), time: None, stop: &AtomicBool::new(false) };
        let outcome = campaign(testing::moody(), 200).run(effort, &Progress::default(), &|_| {});
        let is_diverged = |group: &&Group| group.found.finding.signature.verdict == Verdict::Diverged;
        let group = outcome.findings.iter().find(is_diverged).expect("no execution is like the one before");
        let finding = &group.found.finding;
        assert!(finding.sentence.contains("at sync point"), "{}", finding.sentence);
        assert_eq!(group.count, 200);

        let script: Arc<Script> =
            Arc::new("mux incoming=0 queue=0 when-full=wait\nlane\n  watch a".parse().unwrap());
        let walk = || Box::new(RandomWalk::new(1)) as Box<dyn Strategy>;
        let (difference, _) = twice(&testing::moody(), &script, walk).unwrap_err();
        assert_ne!(difference.once, difference.again);
        assert!(twice(&testing::trial(), &script, walk).is_ok());
    }
}
