use std::fmt::Write as _;
use std::io::{self, Write};
use std::panic::Location;

use super::style::{FAINT, TITLE, styled};
use crate::engine::{Object, ObjectKind, State, Status, Target, TaskId, Wait};
use crate::hunt::Execution;

/// Writes the tasks that are blocked or have panicked as Go dumps its goroutines: each with what it waits for,
/// who could end that, and where in the code it is.
pub(super) fn write(out: &mut dyn Write, execution: &Execution) -> io::Result<()> {
    let state = &execution.run.state;
    for (index, task) in state.tasks.iter().enumerate() {
        let name = styled(TITLE, &task.name);
        let op = pending(execution, TaskId(index)).map(|op| format!(": {op}")).unwrap_or_default();
        match &task.status {
            Status::Blocked(waits) => {
                writeln!(out, "  {name} [{}]{op}", waiting(waits))?;
                for wait in waits {
                    writeln!(out, "      {} {}", what(state, wait.target), at(wait.location))?;
                }
            }
            Status::Panicked(message) => writeln!(out, "  {name} [panicked]{op}\n      {message}")?,
            Status::Running | Status::Ended => {}
        }
    }
    Ok(())
}

/// Whether there is anything to write.
pub(super) fn is_any(state: &State) -> bool {
    state.tasks.iter().any(|task| matches!(task.status, Status::Blocked(_) | Status::Panicked(_)))
}

/// The op that the task has called and not returned from.
fn pending(execution: &Execution, task: TaskId) -> Option<String> {
    let mut calls = execution.history.calls.iter();
    calls.find(|call| call.task == task && call.returned.is_none()).map(|call| call.op.to_string())
}

/// What Go would call it.
fn waiting(waits: &[Wait]) -> &'static str {
    match waits {
        [wait] => match wait.target {
            Target::Send(_) => "chan send",
            Target::Recv(_) => "chan receive",
            Target::Lock(_) => "lock",
            Target::Read(_) => "read lock",
            Target::Notify(_) => "condition",
            Target::Join(_) => "join",
        },
        [] => "no way to go on",
        _ => "select",
    }
}

fn what(state: &State, target: Target) -> String {
    let Some(id) = target.object() else {
        let Target::Join(task) = target else { unreachable!("only a join has no object") };
        return format!("the end of {}", state.task(task).name);
    };
    let object = state.object(id);
    let (who, tasks) = match target {
        Target::Send(_) => ("received by", &object.receivers),
        Target::Recv(_) => ("sent by", &object.senders),
        _ => ("held by", &object.holders),
    };
    let tasks: Vec<&str> = tasks.iter().map(|task| state.task(*task).name.as_str()).collect();
    let mut text = described(object);
    match (tasks.as_slice(), target) {
        ([], Target::Notify(_)) => {}
        ([], _) => _ = write!(text, ", {who} nobody"),
        (tasks, _) => _ = write!(text, ", {who} {}", tasks.join(", ")),
    }
    text
}

/// ``Mutex `watchers` ``
fn described(object: &Object) -> String {
    let kind = match object.kind {
        ObjectKind::Channel(Some(capacity)) => format!("channel({capacity})"),
        ObjectKind::Channel(None) => "channel".to_owned(),
        ObjectKind::Mutex => "Mutex".to_owned(),
        ObjectKind::RwLock => "RwLock".to_owned(),
        ObjectKind::Condvar => "Condvar".to_owned(),
    };
    match &object.name {
        Some(name) => format!("{kind} `{name}`"),
        None => format!("{kind} made at {}", place(object.made)),
    }
}

fn at(location: &Location<'_>) -> String {
    styled(FAINT, format!("at {}", place(location))).to_string()
}

fn place(location: &Location<'_>) -> String {
    format!("{}:{}", location.file(), location.line())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ObjectId;

    #[test]
    fn a_wait_says_what_for_and_who_could_end_it() {
        let made = Location::caller();
        let object = |kind, name: Option<&str>| Object {
            kind,
            name: name.map(str::to_owned),
            made,
            holders: vec![TaskId(1)],
            senders: vec![],
            receivers: vec![TaskId(0), TaskId(1)],
        };
        let task = |name: &str| crate::engine::Task { name: name.to_owned(), status: Status::Ended };
        let state = State {
            tasks: vec![task("setup"), task("dispatcher")],
            objects: vec![
                object(ObjectKind::Mutex, Some("watchers")),
                object(ObjectKind::Channel(Some(0)), None),
            ],
        };
        assert_eq!(what(&state, Target::Lock(ObjectId(0))), "Mutex `watchers`, held by dispatcher");
        let place = place(made);
        let send = format!("channel(0) made at {place}, received by setup, dispatcher");
        assert_eq!(what(&state, Target::Send(ObjectId(1))), send);
        assert_eq!(
            what(&state, Target::Recv(ObjectId(1))),
            format!("channel(0) made at {place}, sent by nobody")
        );
        assert_eq!(what(&state, Target::Join(TaskId(1))), "the end of dispatcher");
    }
}
