//! How a wait is said.

use std::fmt::Write as _;
use std::panic::Location;

use super::{Object, ObjectKind, State, Target, Wait};

/// What Go would call it.
pub(crate) fn waiting(waits: &[Wait]) -> &'static str {
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

/// What is waited for, and who could end that.
pub(crate) fn what(state: &State, target: Target) -> String {
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

/// ``lock `watchers` ``, as a sentence has it.
pub(crate) fn object_name(object: &Object) -> String {
    let kind = match object.kind {
        ObjectKind::Channel(_) => "channel",
        ObjectKind::Mutex | ObjectKind::RwLock => "lock",
        ObjectKind::Condvar => "condition variable",
    };
    match &object.name {
        Some(name) => format!("{kind} `{name}`"),
        None => format!("the {kind} made at {}", place(object.made)),
    }
}

/// `src/mux.rs:84`
pub(crate) fn place(location: &Location<'_>) -> String {
    format!("{}:{}", location.file(), location.line())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ObjectId, Status, TaskId};

    #[test]
    fn a_wait_says_what_for_and_who_could_end_it() {
        let made = Location::caller();
        let object = |kind, name: Option<&str>| Object {
            kind,
            name: name.map(str::to_owned),
            made,
            holders: vec![TaskId(1)],
            shared: false,
            notified: None,
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
