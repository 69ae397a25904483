//! Stop, close and shutdown are final.

use super::Rules;
use super::suffix::may_be_closed;
use crate::oracle::model::{Model, Watcher};
use crate::oracle::{Call, Closed, Guarantee, Outcome, Reason};
use crate::script::{OpKind, WhenFull};

pub(super) fn check(rules: &mut Rules<'_, '_>) {
    for watcher in &rules.model.watchers {
        for (index, call) in &watcher.reads {
            never_empty(rules, watcher, *index, call);
            right_reason(rules, watcher, *index, call);
        }
        ends_for_ever(rules, watcher);
        nothing_after_stop(rules, watcher);
    }
    for (index, call) in rules.model.history.calls.iter().enumerate() {
        nothing_after_close(rules, index, call);
    }
}

/// What a receive gives once a stop or shutdown has returned is an event or the end.
fn never_empty(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>, index: usize, call: &Call) {
    if call.outcome() != Some(&Outcome::Empty) {
        return;
    }
    let name = watcher.name();
    if let Some(stop) = watcher.stopped().filter(|stop| stop.precedes(call)) {
        let sentence = format!("watcher {name} was stopped, and a receive told neither an event nor the end");
        rules.broken(Guarantee::StopFinal, index, &[stop], "nothing there", sentence);
    } else if let Some(shutdown) = rules.model.shutdown_before(call) {
        let is_late = !watcher.watch.precedes(shutdown);
        let (how, whose) = if is_late {
            ("late, and nothing there", ", which joined later,")
        } else {
            ("nothing there", "")
        };
        let sentence = format!(
            "`shutdown` had returned, and a receive of watcher {name}{whose} told neither an event nor the end"
        );
        rules.broken(Guarantee::ShutdownFinal, index, &[shutdown], how, sentence);
    }
}

/// Once a receive told the end, every later one does, and for the same reason.
fn ends_for_ever(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    let Some((_, end)) = watcher.ended() else { return };
    let guarantee =
        if watcher.may_be_stopped_by(end) { Guarantee::StopFinal } else { Guarantee::ShutdownFinal };
    let reason = |call: &Call| match call.outcome() {
        Some(Outcome::Closed(Closed { reason, .. })) => Some(*reason),
        _ => None,
    };
    for (index, call) in watcher.reads.iter().filter(|(_, call)| end.precedes(call)) {
        let how = match call.outcome() {
            Some(Outcome::Delivered(_) | Outcome::Empty) => "more after the end",
            Some(Outcome::Closed(_)) if reason(call) != reason(end) => "another reason for the same end",
            _ => continue,
        };
        let sentence = format!("watcher {} had come to its end, and then told {how}", watcher.name());
        rules.broken(guarantee, *index, &[end], how, sentence);
    }
}

fn nothing_after_stop(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    let Some(stop) = watcher.stopped() else { return };
    for read in &watcher.deliveries {
        let action = read.delivery.event.and_then(|event| rules.model.actions.get(&event).copied());
        if let (Some(event), Some(action)) =
            (read.delivery.event, action.filter(|action| stop.precedes(action)))
        {
            let name = watcher.name();
            let sentence = format!(
                "watcher {name} received event {event}, whose action was called after its stop returned"
            );
            let against = [stop, action];
            rules.broken(
                Guarantee::StopFinal,
                read.index,
                &against,
                "an event from after the stop",
                sentence,
            );
        }
    }
}

/// The reason that is told is one that there was.
fn right_reason(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>, index: usize, call: &Call) {
    let Some(Outcome::Closed(Closed { reason: Some(reason), .. })) = call.outcome() else { return };
    let (guarantee, how, right) = match reason {
        Reason::Stopped => (Guarantee::StopFinal, "stopped, but nobody did", watcher.may_be_stopped_by(call)),
        Reason::Shutdown => {
            (Guarantee::ShutdownFinal, "shut down, but nobody did", may_be_closed(rules.model, call))
        }
        Reason::TooSlow => {
            (Guarantee::Complete, "too slow, but it was not", may_be_too_slow(rules.model, watcher))
        }
        // Whether an event panicked is not in the history.
        Reason::EventPanicked => return,
    };
    if !right {
        let sentence = format!("watcher {} told that it was {how}", watcher.name());
        rules.broken(guarantee, index, &[], how, sentence);
    }
}

/// Whether more may have come than its queue holds.
fn may_be_too_slow(model: &Model<'_>, watcher: &Watcher<'_>) -> bool {
    let may_be_accepted =
        |call: &Call| !matches!(call.outcome(), Some(Outcome::Refused(_) | Outcome::Full(_)));
    let accepted = model.actions.values().filter(|action| may_be_accepted(action)).count();
    watcher.policy == WhenFull::Disconnect && accepted > usize::from(model.context.script.config.queue)
}

/// Whether the mux was closed when this call returned: it closed it, or was told so.
fn tells_closed(call: &Call) -> bool {
    match call.outcome() {
        Some(Outcome::Done) => matches!(call.op.kind(), OpKind::Close | OpKind::Shutdown),
        Some(Outcome::Refused(_)) => true,
        Some(Outcome::Closed(closed)) => closed.reason == Some(Reason::Shutdown),
        _ => false,
    }
}

/// What is called once the mux is closed is refused; and what returns before it may be closed is not.
fn nothing_after_close(rules: &mut Rules<'_, '_>, index: usize, call: &Call) {
    if !matches!(call.op.kind(), OpKind::Watch | OpKind::Action | OpKind::TryAction) {
        return;
    }
    let kind = call.op.kind();
    let calls = rules.model.history.calls.iter();
    let closed = calls.filter(|earlier| tells_closed(earlier)).find(|earlier| earlier.precedes(call));
    let against: Vec<&Call> = closed.into_iter().collect();
    let closed = closed.is_some();
    match call.outcome() {
        Some(Outcome::Joined(_) | Outcome::Accepted(_)) if closed => {
            let sentence = format!("the mux was closed, and {} was not refused its {kind}", call.origin);
            rules.broken(Guarantee::CloseFinal, index, &against, "accepted when closed", sentence);
        }
        Some(Outcome::Full(_)) if closed => {
            let sentence = format!("the mux was closed, and {} was told that it was full", call.origin);
            rules.broken(Guarantee::CloseFinal, index, &against, "full when closed", sentence);
        }
        Some(Outcome::Refused(_)) if !may_be_closed(rules.model, call) => {
            let sentence = format!("the mux was open, and {} was refused its {kind}", call.origin);
            rules.broken(Guarantee::CloseFinal, index, &[], "refused when open", sentence);
        }
        _ => {}
    }
}
