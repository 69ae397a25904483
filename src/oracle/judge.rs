//! The last word on an execution.

use super::blocked::{blocked, hang, is_blocked_in, pending};
use super::diagnosis::kind_of_task;
use super::model::Model;
use super::{Class, Context, Finding, History, Judgement, Outcome, PLANNED_PANIC, Signature, Verdict, rules};
use crate::engine::{End, Run, State, Status, TaskId};
use crate::script::OpKind;

/// Judges an execution that has ended: what is still blocked, what panicked, and what its history breaks.
pub fn judge(context: &Context<'_>, history: &History, run: &Run) -> Judgement {
    let model = Model::new(context, history);
    let mut findings = rules::check(&model);
    if let End::Quiescent | End::Still(_) = run.end {
        findings.extend(hangs(context, history, &run.state));
    }
    if let End::Still(time) = run.end {
        for finding in &mut findings {
            if finding.signature.verdict == Verdict::Hang {
                let seconds = time.as_secs_f64();
                finding.sentence +=
                    &format!(", as far as can be told by time alone: nothing moved for {seconds} s");
            }
        }
    }
    if model.misuse().is_none() {
        findings.extend(panics(&model, run));
    }
    sort(&mut findings);
    let inconclusive = match run.end {
        End::Deadline => Some("the deadline passed before anything could be concluded".to_owned()),
        End::Exhausted => Some(format!("it passed {} sync points and did not come to rest", run.sync_points)),
        End::Finished | End::Quiescent | End::Still(_) => None,
    };
    Judgement { findings, inconclusive }
}

/// What is blocked in a state in which an execution ends, and may not be: ops, and tasks that are in none.
pub fn hangs(context: &Context<'_>, history: &History, state: &State) -> Vec<Finding> {
    let mut findings = blocked(context, history, state);
    findings.extend(left_behind(&Model::new(context, history), state));
    findings
}

/// The findings with the one to report first in front, and none that is the same as an earlier one.
pub(super) fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by_key(|finding| {
        let op = match (finding.signature.verdict, finding.signature.op) {
            (Verdict::Hang, Some(kind)) => urgency(kind),
            // Those of the subject's own tasks are looked for only where no op is blocked.
            _ => 0,
        };
        (finding.signature.verdict, op, finding.call)
    });
    let mut seen: Vec<Signature> = Vec::new();
    findings.retain(|finding| {
        let new = !seen.contains(&finding.signature);
        seen.push(finding.signature.clone());
        new
    });
}

/// The ops that must never block come first: what else is blocked may only be waiting for them.
fn urgency(kind: OpKind) -> u8 {
    match kind {
        OpKind::Stop => 0,
        OpKind::Drop => 1,
        OpKind::Close => 2,
        OpKind::Watch => 3,
        OpKind::TryAction => 4,
        OpKind::TryRecv => 5,
        OpKind::Action => 6,
        OpKind::Recv => 7,
        OpKind::Shutdown => 8,
    }
}

/// The tasks that are blocked when all that should end them is done: every op has returned, and the mux is closed. They are the
/// subject's own, or drop what is left of it. Where a call panicked, that is what left them.
fn left_behind(model: &Model<'_>, state: &State) -> Vec<Finding> {
    let closed = model.closing().any(|closer| closer.is_done());
    let panicked = |outcome: Option<&Outcome>| matches!(outcome, Some(Outcome::Panicked(_)));
    let excused = model.misuse().is_some()
        || model.watchers.iter().any(super::model::Watcher::live)
        || pending(model.history, is_blocked_in(state)).next().is_some()
        || model.history.calls.iter().any(|call| panicked(call.outcome()));
    if excused || !closed {
        return Vec::new();
    }
    state.blocked().map(|(task, _)| hang(model, state, task, None)).collect()
}

/// The panics of ops and of the subject's own tasks, but those that the harness planned.
fn panics(model: &Model<'_>, run: &Run) -> Vec<Finding> {
    let ops = model.history.calls.iter().enumerate().filter_map(|(index, call)| match call.outcome() {
        Some(Outcome::Panicked(message)) => {
            Some((Some((index, call)), message, call.op.kind().name(), model.shows_in_wind_down(Some(call))))
        }
        _ => None,
    });
    let tasks = (0..run.state.tasks.len()).map(TaskId).filter_map(|id| {
        let task = run.state.task(id);
        match &task.status {
            // When it panicked is not recorded; where nothing else tells, it counts as the script's.
            Status::Panicked(message) => Some((None, message, task.name.as_str(), false)),
            Status::Running | Status::Blocked(_) | Status::Ended => None,
        }
    });
    let unplanned = ops.chain(tasks).filter(|(_, message, ..)| !message.starts_with(PLANNED_PANIC));
    unplanned
        .map(|(call, message, who, wind_down)| Finding {
            signature: Signature {
                verdict: Verdict::Panic,
                class: class_of_panic(message),
                op: call.map(|(_, call)| call.op.kind()),
                shape: format!("{} panics: {}", kind_of_task(who), without_numbers(message)),
                wind_down,
            },
            sentence: match call {
                Some((_, call)) => format!("{} panicked in {who}: {message}", call.origin),
                None => format!("`{who}` panicked: {message}"),
            },
            clause: "nothing panics".to_owned(),
            origin: call.map(|(_, call)| call.origin),
            call: call.map(|(index, _)| index),
            against: Vec::new(),
            chain: None,
        })
        .collect()
}

/// What kind of bug a panic with this message is: Go's and crossbeam's words for what cannot be done to a closed channel
/// tell channel misuse from any other.
pub fn class_of_panic(message: &str) -> Class {
    let misuse = [
        "send on closed channel",
        "close of closed channel",
        "close of nil channel",
        "sending on a disconnected channel",
        "receiving on an empty and disconnected channel",
        "SendError",
        "RecvError",
    ];
    if misuse.iter().any(|words| message.contains(words)) {
        Class::ChannelMisuse
    } else {
        Class::SubjectPanic
    }
}

/// A message in which every number is `#`, so that it is the same in every execution of the same bug.
fn without_numbers(message: &str) -> String {
    let mut kind = String::new();
    for letter in message.chars() {
        match letter {
            '0'..='9' if kind.ends_with('#') => {}
            '0'..='9' => kind.push('#'),
            _ => kind.push(letter),
        }
    }
    kind
}
