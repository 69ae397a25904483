//! The exact suffix: every event from its `watch` on, and none from before.

use super::Rules;
use crate::oracle::model::{Model, Watcher};
use crate::oracle::{Call, Closed, EventId, Guarantee, Outcome, Reason};
use crate::script::WhenFull;

/// None from before its `watch`.
pub(super) fn check_from_before(rules: &mut Rules<'_, '_>) {
    for watcher in rules.model.known_watchers() {
        none_from_before(rules, watcher);
    }
}

/// All from its `watch` on.
pub(super) fn check_up_to_the_end(rules: &mut Rules<'_, '_>) {
    for watcher in rules.model.known_watchers() {
        no_gap(rules, watcher);
        all_before_the_end(rules, watcher);
    }
}

fn none_from_before(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    for read in &watcher.deliveries {
        let action = read.delivery.event.and_then(|event| rules.model.actions.get(&event).copied());
        if let (Some(event), Some(action)) =
            (read.delivery.event, action.filter(|action| action.precedes(watcher.watch)))
        {
            let name = watcher.name();
            let sentence = format!(
                "watcher {name} received event {event}, whose action had returned before its watch was called"
            );
            let against = [action, watcher.watch];
            rules.broken(
                Guarantee::NoEarlier,
                read.index,
                &against,
                "an event from before the watch",
                sentence,
            );
            return;
        }
    }
}

/// An event that is received has all those before it that were owed, unless a drop policy or a stop that was
/// going on left some out.
fn no_gap(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    if !matches!(watcher.policy, WhenFull::Wait | WhenFull::Disconnect) {
        return;
    }
    let owed = rules.model.owed(watcher);
    let had_all = had_all_when_stopped(rules.model, watcher);
    let sure = |call: &Call| had_all || !watcher.may_be_stopped_by(call);
    for read in watcher.deliveries.iter().filter(|read| sure(read.call)) {
        let Some(event) = read.delivery.event else { continue };
        if let Some(left_out) = owed.iter().find(|owed| rules.model.before(**owed, event)) {
            let name = watcher.name();
            let sentence = format!(
                "watcher {name} received event {event}, but never event {left_out}, which came before"
            );
            let against = [watcher.watch, rules.model.actions[left_out]];
            // Of what comes after a stop, it is the shutdown's word that nothing is left out.
            let stopped = watcher.may_be_stopped_by(read.call);
            let guarantee = if stopped { Guarantee::ShutdownFinal } else { Guarantee::Complete };
            rules.broken(guarantee, read.index, &against, "an event left out", sentence);
            return;
        }
    }
}

fn all_before_the_end(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    let model = rules.model;
    let Some((index, end)) = watcher.ended() else { return };
    let Some(Outcome::Closed(Closed { reason, .. })) = end.outcome() else { return };
    if *reason == Some(Reason::EventPanicked) {
        return;
    }
    let name = watcher.name();
    if watcher.may_be_stopped_by(end) {
        // A stop leaves out what was not distributed; when a shutdown had returned before, all was.
        if had_all_when_stopped(model, watcher)
            && let Some(event) = lost(model, watcher, *reason)
        {
            let sentence = format!(
                "watcher {name} came to its end without event {event}, which was owed when `shutdown` returned"
            );
            let mut against = vec![model.actions[&event]];
            against.extend(model.shutdown_before(end));
            rules.broken(Guarantee::ShutdownFinal, index, &against, "an event not distributed", sentence);
        }
    } else if !may_be_closed(model, end) && watcher.policy != WhenFull::Disconnect {
        let sentence = format!("watcher {name} came to its end, but nobody stopped it or closed the mux");
        rules.broken(Guarantee::Complete, index, &[], "an end without a reason", sentence);
    } else if let Some(event) = lost(model, watcher, *reason) {
        let sentence = format!("watcher {name} came to its end without event {event}, which was owed to it");
        let against = [watcher.watch, model.actions[&event]];
        rules.broken(Guarantee::Complete, index, &against, "an event lost at the end", sentence);
    }
}

/// Whether a shutdown had returned before any of its stops, so that it had all that it was owed by then.
fn had_all_when_stopped(model: &Model<'_>, watcher: &Watcher<'_>) -> bool {
    watcher.stops.iter().all(|stop| model.shutdown_before(stop).is_some())
}

/// Whether the mux may have been closed when this call returned.
pub(super) fn may_be_closed(model: &Model<'_>, call: &Call) -> bool {
    model.context.capabilities.closes_with_last_watcher
        || model.closers.iter().any(|closer| closer.begins_before_end_of(call))
}

/// An event that should have come before the end, when all that was accepted had been distributed.
fn lost(model: &Model<'_>, watcher: &Watcher<'_>, reason: Option<Reason>) -> Option<EventId> {
    let owed = model.owed(watcher);
    let queue = model.queue(watcher);
    let received = || watcher.deliveries.iter().filter_map(|read| read.delivery.event);
    let keeps_all = watcher.policy == WhenFull::Wait
        || watcher.policy == WhenFull::Disconnect && reason == Some(Reason::Shutdown);
    // As many as the queue holds are never dropped, nor is the newest where the oldest makes room for it.
    let too_few = watcher.deliveries.len() < queue;
    let keeps_newest = watcher.policy == WhenFull::DropOldest && queue > 0;
    let is_newest = |event: &EventId| received().all(|earlier| model.before(earlier, *event));
    owed.into_iter().find(|event| keeps_all || too_few || keeps_newest && is_newest(event))
}
