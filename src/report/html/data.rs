//! What the page is made of, as data.

use serde::Serialize;

use super::super::blocked::LeftTask;
use super::super::{calls, steps};
use super::Page;
use crate::engine::words::place;
use crate::engine::{Target, TaskId};
use crate::oracle::{ChainEnd, Finding, Origin};
use crate::script::{Op, Script};

mod moments;

use moments::{Handoff, Moment, Object, handoffs, moments, objects};

/// All of it.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    subject: &'a str,
    verdict: &'static str,
    class: &'static str,
    sentence: &'a str,
    contract: &'static str,
    clause: &'a str,
    facts: &'a [(&'static str, String)],
    script: Lines,
    tasks: Vec<Task<'a>>,
    objects: Vec<Object>,
    calls: Vec<Call>,
    steps: Vec<Moment>,
    handoffs: Vec<Handoff>,
    chain: Option<Chain>,
    blocked: Vec<Blocked>,
}

/// The script, as it is written.
#[derive(Serialize)]
struct Lines {
    config: String,
    parts: Vec<Part>,
}

/// The setup or a lane.
#[derive(Serialize)]
struct Part {
    name: String,
    task: Option<usize>,
    ops: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    text: String,
    call: Option<usize>,
}

#[derive(Serialize)]
struct Task<'a> {
    name: &'a str,
    /// Who it belongs to: `script`, `subject` or `harness`.
    of: &'static str,
}

#[derive(Serialize)]
struct Call {
    task: usize,
    op: String,
    events: String,
    result: Option<String>,
    /// The steps; the stamps, if there are no steps.
    called: u64,
    returned: Option<u64>,
    stamps: (u64, Option<u64>),
    wind_down: bool,
    /// Whether it is the one that shows the finding, or one that it contradicts.
    shows: bool,
    against: bool,
}

/// Who waits for whom.
#[derive(Serialize)]
struct Chain {
    links: Vec<Link>,
    /// The tasks that the last link leads to.
    to: Vec<usize>,
    /// What is said of the last one.
    end: String,
    /// Whether it leads back to a task of its own.
    cycle: bool,
}

#[derive(Serialize)]
struct Link {
    task: usize,
    text: String,
    object: Option<usize>,
}

/// A task that is blocked, or has panicked, as Go dumps its goroutines.
#[derive(Serialize)]
struct Blocked {
    task: String,
    state: &'static str,
    op: Option<String>,
    lines: Vec<(String, String)>,
    /// The calls it is in, from the innermost outwards: function and place.
    stack: Vec<(String, String)>,
}

impl<'a> Data<'a> {
    pub(super) fn of(page: &'a Page<'a>) -> Data<'a> {
        let Finding { signature, sentence, clause, .. } = page.finding;
        let steps = page.interleaving;
        Data {
            subject: page.subject,
            verdict: signature.verdict.name(),
            class: signature.class.name(),
            sentence,
            contract: page.contract.name(),
            clause,
            facts: &page.facts,
            script: lines(page),
            tasks: tasks(page),
            objects: steps.map(objects).unwrap_or_default(),
            calls: page
                .execution
                .history
                .calls
                .iter()
                .enumerate()
                .map(|(index, _)| call(page, index))
                .collect(),
            steps: steps.map(moments).unwrap_or_default(),
            handoffs: steps.map(handoffs).unwrap_or_default(),
            chain: chain(page),
            blocked: blocked(page),
        }
    }
}

fn lines(page: &Page<'_>) -> Lines {
    let Script { config, setup, lanes } = page.script;
    let calls = &page.execution.history.calls;
    let part = |name: String, origin: Origin, ops: &[Op]| {
        let mut of_part = calls.iter().enumerate().filter(|(_, call)| call.origin == origin);
        let task = page.execution.run.state.tasks.iter().position(|task| task.name == name);
        let line = |op: &Op| Line { text: op.to_string(), call: of_part.next().map(|(index, _)| index) };
        Part { name, task, ops: ops.iter().map(line).collect() }
    };
    let mut parts = Vec::new();
    if !setup.is_empty() {
        parts.push(part("setup".to_owned(), Origin::Setup, setup));
    }
    for (index, ops) in (0..).zip(lanes) {
        parts.push(part(format!("lane{index}"), Origin::Lane(index), ops));
    }
    let empty = Script { config: *config, setup: Vec::new(), lanes: Vec::new() };
    Lines { config: empty.to_string().trim().to_owned(), parts }
}

fn tasks<'a>(page: &'a Page<'a>) -> Vec<Task<'a>> {
    let calls = &page.execution.history.calls;
    let recorded = page.interleaving.map(|steps| steps.trace.tasks.iter().map(String::as_str).collect());
    let state = &page.execution.run.state;
    let names: Vec<&str> =
        recorded.unwrap_or_else(|| state.tasks.iter().map(|task| task.name.as_str()).collect());
    let lanes = page.script.lanes.len();
    let of = |(index, name): (usize, &'a str)| {
        let in_script = name == "setup" || (0..lanes).any(|lane| name == format!("lane{lane}"));
        let winds_down =
            calls.iter().any(|call| call.task == TaskId(index) && call.origin == Origin::WindDown);
        let of = match (in_script, winds_down || name == "close" || name == "end") {
            (true, _) => "script",
            (false, true) => "harness",
            (false, false) => "subject",
        };
        Task { name, of }
    };
    names.into_iter().enumerate().map(of).collect()
}

fn call(page: &Page<'_>, index: usize) -> Call {
    let call = &page.execution.history.calls[index];
    let stamps = (call.called, call.returned_at());
    let span = page.interleaving.map(|steps| steps.spans[index]);
    let called = span.map_or(call.called, |span| span.called as u64);
    let returned = match span {
        Some(span) => span.returned.map(|step| step as u64),
        None => call.returned_at(),
    };
    Call {
        task: call.task.0,
        op: call.op.to_string(),
        events: call.events.clone().map(|event| format!("#{event}")).collect::<Vec<_>>().join(" "),
        result: call.outcome().map(calls::returned),
        called,
        returned,
        stamps,
        wind_down: call.origin == Origin::WindDown,
        shows: page.finding.call == Some(index),
        against: page.finding.against.contains(&index),
    }
}

fn chain(page: &Page<'_>) -> Option<Chain> {
    let chain = page.finding.chain.as_ref()?;
    let state = &page.execution.run.state;
    let in_words = |target: Target| match page.interleaving {
        Some(steps) => format!("waits {}", steps::target(steps, target)),
        None => format!("waits {}", page.left().waits_for(target)),
    };
    let link = |link: &crate::oracle::Link| Link {
        task: link.task.0,
        text: in_words(link.target),
        object: link.target.object().map(|id| id.0),
    };
    let name = |task: &TaskId| format!("`{}`", state.task(*task).name);
    let (to, end) = match &chain.end {
        ChainEnd::Cycle(task) => (vec![*task], String::new()),
        ChainEnd::Watcher(readers) => match readers.as_slice() {
            [] => (Vec::new(), "which nobody reads".to_owned()),
            [reader] => (vec![*reader], format!("which only {} reads", name(reader))),
            readers => {
                let names: Vec<String> = readers.iter().map(name).collect();
                (readers.to_vec(), format!("which only {} read", names.join(" and ")))
            }
        },
        ChainEnd::Ended(task) => (vec![*task], format!("{} has ended", name(task))),
        ChainEnd::Panicked(task) => (vec![*task], format!("{} has panicked", name(task))),
        ChainEnd::Lost(task, location) => {
            let lost = format!("{} notified at {}, when nobody waited", name(task), place(location));
            (vec![*task], lost)
        }
        ChainEnd::Nobody => (Vec::new(), "nobody can".to_owned()),
        ChainEnd::Unknown => (Vec::new(), String::new()),
    };
    Some(Chain {
        links: chain.links.iter().map(link).collect(),
        to: to.into_iter().map(|task| task.0).collect(),
        end,
        cycle: !chain.cycle().is_empty(),
    })
}

fn blocked(page: &Page<'_>) -> Vec<Blocked> {
    let left = page.left();
    let entry = |task: LeftTask<'_>| {
        let waits = task.waits.iter().map(|wait| (left.what(&task, wait), place(wait.location)));
        let panic = task.panic.map(|message| (message.to_owned(), String::new()));
        let frames = task.stack.into_iter().flat_map(|stack| &stack.frames);
        Blocked {
            task: task.name.to_owned(),
            state: task.word,
            op: task.call.map(|call| call.op.to_string()),
            lines: waits.chain(panic).collect(),
            stack: frames
                .map(|frame| (frame.short_function(), format!("{}:{}", frame.file, frame.line)))
                .collect(),
        }
    };
    left.tasks().map(entry).collect()
}
