//! The children that run the scripts of one trial.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use super::super::execution::{Cast, Execution};
use super::process::{Death, Process, Unserved};
use super::wire::Request;
use crate::engine::{self, End, Run, Shared, Stacks, State, Status};
use crate::oracle::{Class, Finding, History, Judgement, Origin, Signature, Verdict};
use crate::script::{ContractKind, Plan, Script};

/// After so many scripts a child is replaced: what its subject leaks goes with it.
const SCRIPTS: u32 = 2_000;

/// Children, started as they are needed.
pub(in crate::hunt) struct Crew {
    subject: String,
    /// What the program is started with.
    arguments: Vec<OsString>,
    /// Those that have nothing to do, and how many scripts each has run.
    idle: Shared<Vec<(Process, u32)>>,
}

/// A script to be run.
pub(in crate::hunt) struct Task<'a> {
    /// Clamped.
    pub(in crate::hunt) script: &'a Script,
    pub(in crate::hunt) contract: ContractKind,
    pub(in crate::hunt) noise: u64,
    pub(in crate::hunt) deadline: Duration,
    pub(in crate::hunt) plan: Option<Plan>,
    /// The signatures of hangs that one deadline is enough for.
    pub(in crate::hunt) known: Vec<Signature>,
}

impl Crew {
    pub(in crate::hunt) fn new(subject: &str, arguments: Vec<OsString>) -> Arc<Crew> {
        Arc::new(Crew { subject: subject.to_owned(), arguments, idle: Shared::new(Vec::new()) })
    }

    /// Starts the first child, if there is none.
    pub(in crate::hunt) fn muster(&self) -> Result<(), Unserved> {
        let child = self.child()?;
        self.idle.with(|idle| idle.push(child));
        Ok(())
    }

    fn child(&self) -> Result<(Process, u32), Unserved> {
        match self.idle.with(Vec::pop) {
            Some(child) => Ok(child),
            None => Ok((Process::start(&self.subject, &self.arguments)?, 0)),
        }
    }

    /// Has a child run a script.
    ///
    /// # Panics
    /// If there is no child.
    pub(in crate::hunt) fn run(&self, cast: &Cast, task: Task<'_>) -> Execution {
        let Task { script, contract, noise, deadline, plan, known } = task;
        let request = Request { script: script.to_string(), contract, noise, deadline, plan, known };
        let (mut process, scripts) = self.child().unwrap_or_else(|error| panic!("{error}"));
        let mut history = History::default();
        match process.run(&request, &mut history) {
            Ok((run, events)) => {
                if run.forgotten == 0 && scripts < SCRIPTS {
                    self.idle.with(|idle| idle.push((process, scripts + 1)));
                }
                cast.judge(script, events, history, run, Vec::new())
            }
            Err(death) => of_the_dead(script, history, death),
        }
    }
}

/// What there is of an execution whose process is gone: the calls it made, and how it ended.
fn of_the_dead(script: &Script, history: History, death: Death) -> Execution {
    let state = State { tasks: tasks(script, &history), objects: Vec::new() };
    let run = Run { end: End::Deadline, state, sync_points: 0, forgotten: 0, stacks: Stacks::default() };
    let judgement = match death {
        Death::Killed => Judgement {
            findings: Vec::new(),
            inconclusive: Some("the child process said nothing any more, and was killed".to_owned()),
        },
        Death::Ended { how, words } => {
            Judgement { findings: vec![finding(&history, &how, &words)], inconclusive: None }
        }
    };
    Execution { history, run, judgement, steps: Vec::new() }
}

/// Who made the calls: all that is known of the tasks.
fn tasks(script: &Script, history: &History) -> Vec<engine::Task> {
    let last = history.calls.iter().map(|call| call.task.0 + 1).max().unwrap_or(1);
    let mut tasks: Vec<engine::Task> = (0..last.max(script.lanes.len() + 1))
        .map(|index| engine::Task { name: format!("task{index}"), status: Status::Running })
        .collect();
    for call in &history.calls {
        tasks[call.task.0].name = match call.origin {
            Origin::Setup => "setup".to_owned(),
            Origin::Lane(lane) => format!("lane{lane}"),
            Origin::WindDown => format!("{}-{}", call.op.kind(), call.task.0),
        };
    }
    tasks
}

/// The process died: by the one call that had not returned, if there was one alone.
fn finding(history: &History, how: &str, words: &str) -> Finding {
    let mut pending = history.calls.iter().enumerate().filter(|(_, call)| call.returned.is_none());
    let call = pending.next().filter(|_| pending.next().is_none());
    let doing =
        call.map_or_else(String::new, |(_, call)| format!(" in {} of {}", call.op.kind(), call.origin));
    let said = match words {
        "" => "nothing was said on stderr".to_owned(),
        words => format!("it said: {}", words.lines().collect::<Vec<_>>().join(" / ")),
    };
    Finding {
        signature: Signature {
            verdict: Verdict::Panic,
            class: Class::SubjectPanic,
            op: call.map(|(_, call)| call.op.kind()),
            shape: format!("the process ends: {how}"),
            wind_down: history.calls.iter().any(|call| call.origin == Origin::WindDown),
        },
        sentence: format!("the process ended by {how}{doing}; {said}"),
        clause: "nothing panics, and nothing ends the process".to_owned(),
        origin: call.map(|(_, call)| call.origin),
        call: call.map(|(index, _)| index),
        against: Vec::new(),
        chain: None,
    }
}
