//! What happened, as a program reads it: who waits for whom, the calls, the steps, the stacks.

use serde::Serialize;

use super::super::blocked::{Left, LeftTask};
use super::super::calls::returned;
use super::super::steps;
use crate::engine::trace::Switch;
use crate::engine::words::{described, place};
use crate::engine::{Frame, State, Target, TaskId};
use crate::hunt::{Execution, Interleaving};
use crate::oracle::{self, ChainEnd, Origin};

/// What happened in the execution that shows a finding.
#[derive(Serialize)]
pub(super) struct Told {
    /// The index in `history` of the call that shows it.
    call: Option<usize>,
    /// The indexes of the calls that it contradicts.
    against: Vec<usize>,
    waits: Option<Waits>,
    tasks: Vec<Task>,
    history: Vec<Call>,
    /// `null` where the execution has no schedule.
    interleaving: Option<Vec<Step>>,
}

/// Who waits for whom.
#[derive(Serialize)]
struct Waits {
    /// Each but the first could serve the one before it.
    links: Vec<Link>,
    /// `cycle`, `watcher`, `ended`, `panicked`, `lost`, `nobody` or `unknown`.
    end: &'static str,
    /// The tasks that the end names: the one the cycle comes back to, the watcher's readers, who has ended, who notified.
    end_tasks: Vec<String>,
    /// How many of the last links are a circle.
    cycle: usize,
}

#[derive(Serialize)]
struct Link {
    task: String,
    #[serde(flatten)]
    wait: Wait,
}

/// What is waited for.
#[derive(Serialize)]
struct Wait {
    /// `send`, `recv`, `lock`, `read`, `notify` or `join`.
    kind: &'static str,
    /// The object, as sentences name it; of a join the task.
    object: String,
}

/// A task that did not end, or panicked.
#[derive(Serialize)]
struct Task {
    name: String,
    /// In Go's words: `chan send`, `lock`, `select`…
    state: &'static str,
    /// The op that it is in.
    op: Option<String>,
    panic: Option<String>,
    waits: Vec<Blocked>,
    stack: Vec<StackFrame>,
}

#[derive(Serialize)]
struct Blocked {
    #[serde(flatten)]
    wait: Wait,
    /// Where in the code.
    at: String,
    /// Who could end it: who holds the lock, who last used the channel's other side, who is joined.
    who: Vec<String>,
}

#[derive(Serialize)]
struct StackFrame {
    function: String,
    file: String,
    line: u32,
}

#[derive(Serialize)]
struct Call {
    task: String,
    /// `setup`, `lane` or `wind-down`.
    origin: &'static str,
    op: String,
    /// The numbers of the events that it brings.
    events: Vec<u32>,
    called: u64,
    returned: Option<u64>,
    gave: Option<String>,
}

#[derive(Serialize)]
struct Step {
    task: String,
    /// Why it is this task that goes on.
    switch: &'static str,
    /// The index in `history` of the call that it is part of.
    call: Option<usize>,
    did: String,
    at: Option<String>,
    /// Whether anybody else could notice it.
    matters: bool,
}

impl Told {
    pub(super) fn of(
        finding: &oracle::Finding,
        execution: &Execution,
        interleaving: Option<&Interleaving>,
    ) -> Told {
        let names = Names { execution, state: &execution.run.state };
        Told {
            call: finding.call,
            against: finding.against.clone(),
            waits: finding.chain.as_ref().map(|chain| names.waits(chain)),
            tasks: names.tasks(&Left::of(execution, interleaving, finding.chain.as_ref())),
            history: execution.history.calls.iter().map(|call| names.call(call)).collect(),
            interleaving: interleaving
                .map(|told| (0..told.trace.steps.len()).map(|index| step(told, index)).collect()),
        }
    }
}

struct Names<'a> {
    execution: &'a Execution,
    state: &'a State,
}

impl Names<'_> {
    fn task(&self, task: TaskId) -> String {
        self.state.tasks.get(task.0).map_or_else(String::new, |task| task.name.clone())
    }

    fn wait(&self, target: Target) -> Wait {
        let kind = match target {
            Target::Send(_) => "send",
            Target::Recv(_) => "recv",
            Target::Lock(_) => "lock",
            Target::Read(_) => "read",
            Target::Notify(_) => "notify",
            Target::Join(_) => "join",
        };
        let object = match target {
            Target::Join(task) => self.task(task),
            Target::Send(id)
            | Target::Recv(id)
            | Target::Lock(id)
            | Target::Read(id)
            | Target::Notify(id) => {
                let object = described(self.state.object(id));
                match self.execution.slot_of(id) {
                    Some(slot) => format!("watcher `{slot}` ({object})"),
                    None => object,
                }
            }
        };
        Wait { kind, object }
    }

    fn waits(&self, chain: &oracle::Chain) -> Waits {
        let link = |link: &oracle::Link| Link { task: self.task(link.task), wait: self.wait(link.target) };
        let (end, tasks) = match &chain.end {
            ChainEnd::Watcher(readers) => ("watcher", readers.clone()),
            ChainEnd::Cycle(task) => ("cycle", vec![*task]),
            ChainEnd::Ended(task) => ("ended", vec![*task]),
            ChainEnd::Panicked(task) => ("panicked", vec![*task]),
            ChainEnd::Lost(task, _) => ("lost", vec![*task]),
            ChainEnd::Nobody => ("nobody", Vec::new()),
            ChainEnd::Unknown => ("unknown", Vec::new()),
        };
        Waits {
            links: chain.links.iter().map(link).collect(),
            end,
            end_tasks: tasks.iter().map(|task| self.task(*task)).collect(),
            cycle: chain.cycle().len(),
        }
    }

    fn tasks(&self, left: &Left<'_>) -> Vec<Task> {
        let blocked = |wait: &crate::engine::Wait| Blocked {
            wait: self.wait(wait.target),
            at: place(wait.location),
            who: self.who(wait.target),
        };
        let task = |task: LeftTask<'_>| Task {
            name: task.name.to_owned(),
            state: task.word,
            op: task.call.map(|call| call.op.to_string()),
            panic: task.panic.map(str::to_owned),
            waits: task.waits.iter().map(blocked).collect(),
            stack: task.stack.map_or_else(Vec::new, |stack| stack.frames.iter().map(frame).collect()),
        };
        left.tasks().map(task).collect()
    }

    fn who(&self, target: Target) -> Vec<String> {
        let tasks: Vec<TaskId> = match target {
            Target::Send(id) => self.state.object(id).receivers.clone(),
            Target::Recv(id) => self.state.object(id).senders.clone(),
            Target::Lock(id) | Target::Read(id) => self.state.object(id).holders.clone(),
            Target::Notify(_) => Vec::new(),
            Target::Join(task) => vec![task],
        };
        tasks.iter().map(|task| self.task(*task)).collect()
    }

    fn call(&self, call: &oracle::Call) -> Call {
        Call {
            task: self.task(call.task),
            origin: match call.origin {
                Origin::Setup => "setup",
                Origin::Lane(_) => "lane",
                Origin::WindDown => "wind-down",
            },
            op: call.op.to_string(),
            events: call.events.clone().collect(),
            called: call.called,
            returned: call.returned_at(),
            gave: call.outcome().map(returned),
        }
    }
}

fn frame(frame: &Frame) -> StackFrame {
    StackFrame { function: frame.function.clone(), file: frame.file.clone(), line: frame.line }
}

fn step(told: &Interleaving, index: usize) -> Step {
    let (step, is) = (&told.trace.steps[index], &told.steps[index]);
    Step {
        task: told.trace.name(step.task).to_owned(),
        switch: match step.switch {
            Switch::Start => "start",
            Switch::On => "on",
            Switch::Blocked => "blocked",
            Switch::Ended => "ended",
            Switch::Preempts => "preempts",
            Switch::TimedOut => "timed out",
        },
        call: is.call,
        did: steps::did(told, index),
        at: is.location.map(place),
        matters: is.matters,
    }
}
