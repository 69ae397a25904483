//! How a step of an interleaving is said.

use crate::engine::trace::{Doing, Effect, Switch, Waiting};
use crate::engine::{ObjectId, ObjectKind, Target, TaskId};
use crate::hunt::Interleaving;
use crate::oracle::Outcome;

/// What the step did: ``takes lock `watchers`; waits to send to watcher `a` ``.
pub(super) fn did(interleaving: &Interleaving, index: usize) -> String {
    let calls = &interleaving.execution.history.calls;
    let called = interleaving.called_in(index).next().map(|call| format!("calls {}", calls[call].op));
    let panicked = interleaving.returned_in(index).find_map(|call| match calls[call].outcome() {
        Some(Outcome::Panicked(message)) => Some(format!("panics: {message}")),
        _ => None,
    });
    let effects = effects(interleaving, index, &|effect| *effect != Effect::Ended);
    let ends = interleaving.trace.steps[index].effects.contains(&Effect::Ended);
    let mut parts: Vec<String> = called.into_iter().chain(effects).chain(panicked).collect();
    parts.extend(ends.then(|| "ends".to_owned()));
    if parts.is_empty() {
        parts.push(idle(interleaving, index));
    }
    parts.join("; ")
}

/// What came of the step, without the calls that begin in it: each effect that is wanted.
pub(super) fn effects(
    interleaving: &Interleaving,
    index: usize,
    wanted: &dyn Fn(&Effect) -> bool,
) -> Vec<String> {
    let step = &interleaving.trace.steps[index];
    let mut parts: Vec<String> = Vec::new();
    let mut effects = step.effects.iter().peekable();
    while let Some(effect) = effects.next() {
        let taken = match effect {
            Effect::Acquired(lock) => effects.next_if_eq(&&Effect::Released(*lock)).map(|_| *lock),
            _ => None,
        };
        match taken {
            Some(lock) if !interleaving.objects[lock.0].part => {
                parts.push(format!("takes and releases {}", name(interleaving, lock)));
            }
            Some(_) => {}
            None if wanted(effect) => parts.extend(effect_in_words(interleaving, index, effect)),
            None => {}
        }
    }
    parts
}

/// Why this task goes on, unless it went on already.
pub(super) fn why(interleaving: &Interleaving, index: usize) -> Option<String> {
    let trace = &interleaving.trace;
    let before = index.checked_sub(1).map(|before| trace.name(trace.steps[before].task));
    let before = before.unwrap_or_default();
    match trace.steps[index].switch {
        Switch::On => None,
        Switch::Start if index == 0 => None,
        Switch::Start => Some("nobody could go on: the wind-down begins".to_owned()),
        Switch::Blocked => Some(format!("`{before}` waits")),
        Switch::Ended => Some(format!("`{before}` has ended")),
        Switch::Preempts => Some(format!("`{before}` is preempted")),
        Switch::TimedOut => Some("its time is up".to_owned()),
    }
}

/// What a task waits for: ``to send to watcher `a` ``.
pub(super) fn waits_for(interleaving: &Interleaving, waiting: &Waiting) -> String {
    if let Some(partner) = waiting.partner {
        return format!("for {} to hand over", task(interleaving, partner));
    }
    let mut targets: Vec<String> =
        waiting.waits.iter().map(|wait| target(interleaving, wait.target)).collect();
    targets.dedup();
    let any = match targets.as_slice() {
        [] => "for its time to come".to_owned(),
        targets => targets.join(", or "),
    };
    if waiting.until.is_some() && !targets.is_empty() { format!("{any}, for a limited time") } else { any }
}

/// What is waited for.
pub(super) fn target(interleaving: &Interleaving, target: Target) -> String {
    match target {
        Target::Send(id) => format!("to send to {}", name(interleaving, id)),
        Target::Recv(id) if interleaving.objects[id.0].wait_group => {
            format!("for {}", name(interleaving, id))
        }
        Target::Recv(id) => format!("to receive from {}", name(interleaving, id)),
        Target::Lock(id) if interleaving.trace.objects[id.0].kind == ObjectKind::RwLock => {
            format!("to hold {} alone", name(interleaving, id))
        }
        Target::Lock(id) => format!("for {}", name(interleaving, id)),
        Target::Read(id) => format!("to read {}", name(interleaving, id)),
        Target::Notify(id) => format!("for a notification of {}", name(interleaving, id)),
        Target::Join(other) => format!("for {} to end", task(interleaving, other)),
    }
}

fn effect_in_words(interleaving: &Interleaving, index: usize, effect: &Effect) -> Option<String> {
    let shown = |id: &ObjectId| (!interleaving.objects[id.0].part).then(|| name(interleaving, *id));
    let step = &interleaving.trace.steps[index];
    Some(match effect {
        Effect::Acquired(id) => format!("takes {}", shown(id)?),
        Effect::Released(id) => format!("releases {}", shown(id)?),
        Effect::Sent(id, _) => format!("sends to {}", shown(id)?),
        Effect::Received(id, _) => format!("receives from {}", shown(id)?),
        Effect::Filled(id, _) => format!("time passes until {} is due", shown(id)?),
        Effect::NoSender(_) if let Some(id) = interleaving.closed_by(index, effect) => {
            format!("closes {}", name(interleaving, id))
        }
        Effect::NoSender(id) if interleaving.objects[id.0].wait_group => (step.state.objects[id.0].receivers
            > 0)
        .then(|| format!("is done with {}", name(interleaving, *id)))?,
        Effect::NoReceiver(id) if interleaving.objects[id.0].wait_group => return None,
        Effect::NoSender(id) => format!("drops the last sender of {}", shown(id)?),
        Effect::NoReceiver(id) => format!("drops the last receiver of {}", shown(id)?),
        Effect::Notified(other) => format!("wakes {}", task(interleaving, *other)),
        Effect::NotifiedNobody(id) => format!("notifies {}, where nobody waits", shown(id)?),
        Effect::Started(other) => format!("starts {}", task(interleaving, *other)),
        Effect::Waits => match &step.state.tasks[step.task.0] {
            Doing::Waiting(waiting) => format!("waits {}", waits_for(interleaving, waiting)),
            Doing::Ready | Doing::Ended | Doing::Panicked(_) => return None,
        },
        Effect::Ended => "ends".to_owned(),
        Effect::Panicked => match &step.state.tasks[step.task.0] {
            Doing::Panicked(message) => format!("panics: {message}"),
            Doing::Ready | Doing::Waiting(_) | Doing::Ended => return None,
        },
    })
}

/// What a step is that did nothing that others could notice.
fn idle(interleaving: &Interleaving, index: usize) -> String {
    let step = &interleaving.trace.steps[index];
    let object = step.target.and_then(Target::object).filter(|id| !interleaving.objects[id.0].part);
    match (step.target, object) {
        _ if step.location.is_none() => "begins".to_owned(),
        (Some(Target::Recv(_)), Some(id)) => format!("looks at {}", name(interleaving, id)),
        (Some(Target::Send(_)), Some(id)) => format!("cannot send to {}", name(interleaving, id)),
        (Some(Target::Lock(_) | Target::Read(_)), Some(id)) => format!("tries {}", name(interleaving, id)),
        _ => "goes on".to_owned(),
    }
}

fn name(interleaving: &Interleaving, id: ObjectId) -> &str {
    &interleaving.objects[id.0].name
}

fn task(interleaving: &Interleaving, id: TaskId) -> String {
    format!("`{}`", interleaving.trace.name(id))
}
