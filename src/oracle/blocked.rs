//! Which ops may be blocked at quiescence.

use super::model::{Model, Watcher};
use super::{Blocking, Call, Context, EventId, Finding, History, Signature, Verdict, diagnosis};
use crate::engine::{ObjectId, State, Status, Target, TaskId};
use crate::script::{OpKind, WhenFull};

/// Judges a quiescent state: a finding for each op that may not be blocked, the one to report first in front;
/// none if all may be.
pub fn blocked(context: &Context<'_>, history: &History, state: &State) -> Vec<Finding> {
    let model = Model::new(context, history);
    if model.misuse().is_some() {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = pending(history, is_blocked_in(state))
        .filter(|(_, call)| !may_be_blocked(&model, call, Some(state)))
        .map(|(index, call)| hang(&model, state, call.task, Some(index)))
        .collect();
    super::judge::sort(&mut findings);
    findings
}

/// Whether each op that is blocked may be, as can be said without knowing what it waits for; otherwise [`blocked`] has to
/// say it.
pub fn all_may_be_blocked(
    context: &Context<'_>,
    history: &History,
    is_blocked: &dyn Fn(TaskId) -> bool,
) -> bool {
    let model = Model::new(context, history);
    pending(history, is_blocked).all(|(_, call)| may_be_blocked(&model, call, None))
}

/// The calls of tasks that are blocked.
pub(super) fn pending(
    history: &History,
    is_blocked: impl Fn(TaskId) -> bool,
) -> impl Iterator<Item = (usize, &Call)> {
    let calls = history.calls.iter().enumerate();
    calls.filter(move |(_, call)| call.returned.is_none() && is_blocked(call.task))
}

pub(super) fn is_blocked_in(state: &State) -> impl Fn(TaskId) -> bool {
    |task| state.tasks.get(task.0).is_some_and(|task| matches!(task.status, Status::Blocked(_)))
}

/// The finding that this task is blocked: in this call, or in code of the subject's own.
pub(super) fn hang(model: &Model<'_>, state: &State, task: TaskId, index: Option<usize>) -> Finding {
    let call = index.map(|index| &model.history.calls[index]);
    let (diagnosis, shape) = diagnosis::diagnose(model, state, task, call);
    let clause = call.map(|call| {
        let kind = call.op.kind();
        model.context.contract.blocking(kind).clause(kind)
    });
    Finding {
        signature: Signature {
            verdict: Verdict::Hang,
            class: diagnosis.class,
            op: call.map(|call| call.op.kind()),
            shape,
            wind_down: model.shows_in_wind_down(call),
        },
        sentence: diagnosis.sentence,
        clause: clause.unwrap_or_else(|| {
            "once every watcher has been stopped and the mux closed, everything ends".to_owned()
        }),
        origin: call.map(|call| call.origin),
        call: index,
        against: Vec::new(),
        chain: Some(diagnosis.chain),
    }
}

/// Whether a call may be blocked; without a state, not where it takes one to see that.
fn may_be_blocked(model: &Model<'_>, call: &Call, state: Option<&State>) -> bool {
    let kind = call.op.kind();
    match model.context.contract.blocking(kind) {
        Blocking::Silent => true,
        Blocking::Never => false,
        Blocking::WatcherFull => model.may_be_waited_for().next().is_some(),
        Blocking::UntilTheEnd => {
            let closed = model.closing().any(|closer| closer.is_done());
            let is_left = |watcher: &Watcher<'_>| watcher.stopped().is_none();
            !closed || model.watchers.iter().any(is_left)
        }
        Blocking::SendingToAnother => {
            state.is_some_and(|state| may_be_sending_to_another(model, call, state))
        }
        Blocking::BackPressure if kind == OpKind::Action => state.is_some_and(|state| {
            let pending = pending(model.history, is_blocked_in(state));
            wedged(model, pending.filter(|(_, call)| may_be_queued(call)).count())
        }),
        Blocking::Table | Blocking::BackPressure => match kind {
            // It returns as soon as the mux is closed, and a pending `shutdown` has closed it first.
            OpKind::Action => model.closing().next().is_none() && wedged(model, 0),
            OpKind::Recv => {
                model.watcher_of(call).is_none_or(|watcher| recv_may_be_blocked(model, watcher, call))
            }
            OpKind::Shutdown => model.may_be_waited_for().next().is_some(),
            OpKind::Watch
            | OpKind::TryAction
            | OpKind::TryRecv
            | OpKind::Stop
            | OpKind::Drop
            | OpKind::Close => false,
        },
    }
}

/// Whether a watcher may have so many events before it that they fill the incoming queue, together with what else is in
/// there.
fn wedged(model: &Model<'_>, others: usize) -> bool {
    let incoming = usize::from(model.context.script.config.incoming);
    model.may_be_waited_for().any(|(watcher, unread)| unread.len() + others > model.queue(watcher) + incoming)
}

/// Whether a call may wait in the incoming queue, as one that the dispatcher is to run.
fn may_be_queued(call: &Call) -> bool {
    matches!(call.op.kind(), OpKind::Watch | OpKind::Stop | OpKind::Shutdown)
}

fn recv_may_be_blocked(model: &Model<'_>, watcher: &Watcher<'_>, call: &Call) -> bool {
    if watcher.prefix_read < watcher.prefix().len() || !watcher.live() {
        return false;
    }
    if model.closing().any(|closer| closer.op.kind() == OpKind::Shutdown && closer.is_done()) {
        return false;
    }
    if !watcher.stops.is_empty() {
        // A stop that is blocked itself leaves open what is still owed.
        return true;
    }
    let another_is_full = model.may_be_waited_for().any(|(other, _)| other.id != watcher.id);
    if model.closing().next().is_some() && !another_is_full {
        return false;
    }
    !must_have_come(model, watcher, call)
}

/// Whether something would have come to this receive, wherever the dispatcher may be waiting.
fn must_have_come(model: &Model<'_>, watcher: &Watcher<'_>, call: &Call) -> bool {
    if !watcher.knows_its_events() {
        return false;
    }
    let queue = model.queue(watcher);
    let distributed: Vec<EventId> =
        model.owed(watcher).into_iter().filter(|event| !model.may_be_held_up(watcher, *event)).collect();
    match watcher.policy {
        // A watcher that was disconnected is not blocked: its receive tells the end.
        WhenFull::Wait | WhenFull::Disconnect => !distributed.is_empty(),
        // Without a queue, an event is kept only if a receive happens to wait.
        WhenFull::DropNewest | WhenFull::DropOldest if queue == 0 => false,
        WhenFull::DropNewest | WhenFull::DropOldest => {
            // A queue that nobody read since stays empty only if nothing came: what came is there, or what it
            // was dropped for.
            let last_read = watcher.reads.iter().map(|(_, read)| *read).rfind(|read| read.precedes(call));
            let since = last_read.unwrap_or(watcher.watch);
            let came_since = |event: &EventId| since.precedes(model.actions[event]);
            let received = || watcher.deliveries.iter().filter_map(|read| read.delivery.event);
            let is_newest = |event: &EventId| received().all(|earlier| model.before(earlier, *event));
            let keeps_newest = watcher.policy == WhenFull::DropOldest;
            distributed.iter().any(came_since)
                || !distributed.is_empty() && watcher.deliveries.len() < queue
                || keeps_newest && distributed.iter().any(is_newest)
        }
    }
}

fn may_be_sending_to_another(model: &Model<'_>, call: &Call, state: &State) -> bool {
    let is_op =
        |task: TaskId| pending(model.history, is_blocked_in(state)).any(|(_, call)| call.task == task);
    let mut sent_to = state
        .blocked()
        .filter(|(task, _)| !is_op(*task))
        .flat_map(|(_, waits)| waits)
        .filter_map(|wait| if let Target::Send(channel) = wait.target { Some(channel) } else { None });
    let own = |watcher: &Watcher<'_>| Some(watcher.id) == call.watcher;
    let is_another = |channel: ObjectId| model.watcher_reading(channel).is_some_and(|watcher| !own(watcher));
    let unknown = model.watchers.iter().any(|watcher| watcher.joined() && watcher.channel.is_none());
    sent_to.any(is_another) || unknown && model.may_be_waited_for().any(|(watcher, _)| !own(watcher))
}
