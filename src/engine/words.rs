//! How a wait is said.

use std::panic::Location;

use super::{Object, ObjectKind, State, Target, TaskId, Wait};

/// What the names of channels end with that stand for a wait group of Go's: nothing is sent, and it is done when its
/// senders are gone.
pub(crate) const WAIT_GROUP: &str = " (wait group)";

/// Whether an object is such a channel.
pub(crate) fn is_wait_group(object: &Object) -> bool {
    object.name.as_deref().is_some_and(|name| name.ends_with(WAIT_GROUP))
}

/// What Go would call it.
pub(crate) fn waiting(state: &State, waits: &[Wait]) -> &'static str {
    match waits {
        [wait] => match wait.target {
            Target::Send(_) => "chan send",
            Target::Recv(id) if is_wait_group(state.object(id)) => "wait group",
            Target::Recv(_) => "chan receive",
            Target::Lock(_) => "lock",
            Target::Read(_) => "read lock",
            Target::Notify(_) => "cond wait",
            Target::Join(_) => "join",
        },
        [] => "no way to go on",
        _ => "select",
    }
}

/// Who could end a wait: `held by dispatcher`; nothing where that is not known.
pub(crate) fn who_could_end(state: &State, target: Target) -> String {
    let (who, tasks) = match target {
        Target::Join(task) => return format!("the end of {}", state.task(task).name),
        Target::Notify(condvar) => {
            return match state.object(condvar).notified {
                Some(last) if last.woken == 0 => {
                    let by = &state.task(last.by).name;
                    format!("notified by {by} at {} when nobody waited", place(last.location))
                }
                _ => String::new(),
            };
        }
        Target::Send(id) => return used_last(state, "receiver", &state.object(id).receivers),
        // Whoever waits keeps a handle as well.
        Target::Recv(id) if is_wait_group(state.object(id)) => return String::new(),
        Target::Recv(id) => return used_last(state, "sender", &state.object(id).senders),
        Target::Lock(id) | Target::Read(id) if state.object(id).shared => {
            ("read by", &state.object(id).holders)
        }
        Target::Lock(id) | Target::Read(id) => ("held by", &state.object(id).holders),
    };
    match names(state, tasks) {
        tasks if tasks.is_empty() => format!("{who} nobody"),
        tasks => format!("{who} {tasks}"),
    }
}

/// Who used the handles of one side of a channel last: more is not known of who has them.
fn used_last(state: &State, side: &str, tasks: &[TaskId]) -> String {
    match names(state, tasks) {
        names if names.is_empty() => format!("which has no {side}"),
        names => format!("whose {side} was last used by {names}"),
    }
}

fn names(state: &State, tasks: &[TaskId]) -> String {
    let names: Vec<&str> = tasks.iter().map(|task| state.task(*task).name.as_str()).collect();
    names.join(", ")
}

/// ``Mutex `watchers` ``
pub(crate) fn described(object: &Object) -> String {
    let kind = match object.kind {
        ObjectKind::Channel(_) if is_wait_group(object) => "wait group".to_owned(),
        ObjectKind::Channel(Some(capacity)) => format!("channel({capacity})"),
        ObjectKind::Channel(None) => "channel".to_owned(),
        ObjectKind::Mutex => "Mutex".to_owned(),
        ObjectKind::RwLock => "RwLock".to_owned(),
        ObjectKind::Condvar => "Condvar".to_owned(),
    };
    match &object.name {
        Some(name) => format!("{kind} `{}`", name.trim_end_matches(WAIT_GROUP)),
        None => format!("{kind} made at {}", place(object.made)),
    }
}

/// ``lock `watchers` ``, as a sentence has it.
pub(crate) fn object_name(object: &Object) -> String {
    let kind = match object.kind {
        ObjectKind::Channel(_) if is_wait_group(object) => "wait group",
        ObjectKind::Channel(_) => "channel",
        ObjectKind::Mutex | ObjectKind::RwLock => "lock",
        ObjectKind::Condvar => "condition variable",
    };
    match &object.name {
        Some(name) => format!("{kind} `{}`", name.trim_end_matches(WAIT_GROUP)),
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
    fn who_could_end_a_wait_is_said() {
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
                object(ObjectKind::Channel(Some(0)), Some("all (wait group)")),
            ],
        };
        let who = |target| who_could_end(&state, target);
        assert_eq!(who(Target::Lock(ObjectId(0))), "held by dispatcher");
        assert_eq!(who(Target::Send(ObjectId(1))), "whose receiver was last used by setup, dispatcher");
        assert_eq!(who(Target::Recv(ObjectId(1))), "which has no sender");
        assert_eq!(who(Target::Recv(ObjectId(2))), "");
        assert_eq!(who(Target::Join(TaskId(1))), "the end of dispatcher");
        let wait = |target| waiting(&state, &[Wait { target, location: made }]);
        assert_eq!(wait(Target::Recv(ObjectId(1))), "chan receive");
        assert_eq!(wait(Target::Recv(ObjectId(2))), "wait group");
        assert_eq!(described(&state.objects[0]), "Mutex `watchers`");
        assert_eq!(described(&state.objects[1]), format!("channel(0) made at {}", place(made)));
        assert_eq!(described(&state.objects[2]), "wait group `all`");
    }
}
