//! What parent and child tell each other: one JSON value a line.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::execution::{Events, Told};
use crate::engine::{End, Run, Stacks, State, Status, Task};
use crate::oracle::Signature;
use crate::script::{ContractKind, Plan};

/// What the child is to run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// Clamped, as text.
    pub(super) script: String,
    pub(super) contract: ContractKind,
    pub(super) noise: u64,
    pub(super) deadline: Duration,
    pub(super) plan: Option<Plan>,
    pub(super) known: Vec<Signature>,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It serves the subject.
    Ready,
    /// Of the script that it runs.
    Told(Told),
    /// The script was run. It goes on to the next one, unless it left tasks behind.
    Done { ran: Ran, events: Events },
}

/// A [`Run`] of a black box: of the state, there is no more to tell than this.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ran {
    end: Ended,
    tasks: Vec<(String, Doing)>,
    sync_points: u64,
    pub(super) forgotten: usize,
}

#[derive(Debug, Serialize, Deserialize)]
enum Ended {
    Finished,
    Quiescent,
    Deadline,
    Still(Duration),
}

#[derive(Debug, Serialize, Deserialize)]
enum Doing {
    Running,
    Blocked,
    Ended,
    Panicked(String),
}

impl From<Run> for Ran {
    fn from(run: Run) -> Ran {
        let doing = |status| match status {
            Status::Running => Doing::Running,
            Status::Blocked(_) => Doing::Blocked,
            Status::Ended => Doing::Ended,
            Status::Panicked(message) => Doing::Panicked(message),
        };
        Ran {
            end: match run.end {
                End::Finished => Ended::Finished,
                End::Quiescent => Ended::Quiescent,
                End::Deadline | End::Exhausted => Ended::Deadline,
                End::Still(time) => Ended::Still(time),
            },
            tasks: run.state.tasks.into_iter().map(|task| (task.name, doing(task.status))).collect(),
            sync_points: run.sync_points,
            forgotten: run.forgotten,
        }
    }
}

impl From<Ran> for Run {
    fn from(ran: Ran) -> Run {
        let status = |doing| match doing {
            Doing::Running => Status::Running,
            Doing::Blocked => Status::Blocked(Vec::new()),
            Doing::Ended => Status::Ended,
            Doing::Panicked(message) => Status::Panicked(message),
        };
        let task = |(name, doing)| Task { name, status: status(doing) };
        Run {
            end: match ran.end {
                Ended::Finished => End::Finished,
                Ended::Quiescent => End::Quiescent,
                Ended::Deadline => End::Deadline,
                Ended::Still(time) => End::Still(time),
            },
            state: State { tasks: ran.tasks.into_iter().map(task).collect(), objects: Vec::new() },
            sync_points: ran.sync_points,
            forgotten: ran.forgotten,
            stacks: Stacks::default(),
        }
    }
}

pub(super) fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// The next one; `None` at the end.
pub(super) fn read<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    match input.read_line(&mut line)? {
        0 => Ok(None),
        _ => Ok(Some(serde_json::from_str(&line)?)),
    }
}
