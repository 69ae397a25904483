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
        let strategy = Recorded::new(Shareable::new(strategy()));
        let execution = trial.on_fibers(script, Box::new(strategy.clone()));
        (execution, strategy.take())
    };
    let ((once, choices), (again, others)) = (run(), run());
    let differs = |at: &usize| choices.get(*at) != others.get(*at);
    if let Some(at) = (0..choices.len().max(others.len())).find(differs) {
        let choice = |execution, choice| describe(execution, choice);
        let difference = Difference {
            at: Some(at + 1),
            once: choice(&once, choices.get(at)),
            again: choice(&again, others.get(at)),
        };
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
