//! The numbers of missed events add up.

use super::Rules;
use crate::oracle::model::Watcher;
use crate::oracle::{Call, Closed, EventId, Guarantee, Outcome, Reason};
use crate::script::WhenFull;

pub(super) fn check(rules: &mut Rules<'_, '_>) {
    for watcher in rules.model.known_watchers() {
        none_with_the_prefix(rules, watcher);
        let mut last = None;
        for read in &watcher.deliveries {
            if let (Some(missed), Some(event)) = (read.delivery.missed, read.delivery.event) {
                right_between(rules, watcher, read.index, missed, last, Some(event));
            }
            last = read.delivery.event;
        }
        places_tell(rules, watcher);
        if let Some((index, end)) = watcher.ended()
            && let Some(Outcome::Closed(Closed { missed: Some(missed), .. })) = end.outcome()
        {
            right_between(rules, watcher, index, *missed, last, None);
        }
    }
}

fn none_with_the_prefix(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    for (index, call) in &watcher.reads {
        if let Some(Outcome::Delivered(delivery)) = call.outcome()
            && delivery.event.is_some_and(|event| watcher.prefix().contains(&event))
            && delivery.missed.is_some_and(|missed| missed > 0)
        {
            let sentence = format!("watcher {} missed events before one of its prefix", watcher.name());
            rules.broken(Guarantee::Missed, *index, &[watcher.watch], "missed in the prefix", sentence);
        }
    }
}

/// Where places are given, a gap in them is what was missed.
fn places_tell(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    for pair in watcher.deliveries.windows(2) {
        let [earlier, later] = [pair[0].delivery, pair[1].delivery];
        if let (Some(earlier), Some(place), Some(missed)) = (earlier.seq, later.seq, later.missed)
            && earlier < place
            && missed != place - earlier - 1
        {
            let name = watcher.name();
            let sentence = format!(
                "watcher {name} received place {place} after place {earlier}, and told that it missed {missed}"
            );
            rules.broken(
                Guarantee::Missed,
                pair[1].index,
                &[pair[0].call],
                "not the gap in places",
                sentence,
            );
        }
    }
}

/// Bounds what a watcher can have missed between an event, or its `watch`, and another event, or its end.
fn right_between(
    rules: &mut Rules<'_, '_>,
    watcher: &Watcher<'_>,
    index: usize,
    missed: u64,
    last: Option<EventId>,
    next: Option<EventId>,
) {
    let model = rules.model;
    let call = &model.history.calls[index];
    let stopping = watcher.may_be_stopped_by(call);
    let drops = matches!(watcher.policy, WhenFull::DropNewest | WhenFull::DropOldest);
    let between = |event: EventId| {
        last.is_none_or(|last| model.before(last, event)) && next.is_none_or(|next| model.before(event, next))
    };
    let outside = |event: EventId| {
        last.is_some_and(|last| model.before(event, last))
            || next.is_some_and(|next| model.before(next, event))
    };
    // At the end all that was owed is settled only if the mux was closed.
    let settled = next.is_some() || is_shutdown(call);
    let least = if drops && settled && !stopping {
        model.owed(watcher).into_iter().filter(|event| between(*event)).count()
    } else {
        0
    };
    let may_be_missed = |(event, action): &(&EventId, &&Call)| {
        let given_back = matches!(action.outcome(), Some(Outcome::Refused(_) | Outcome::Full(_)));
        let from_before = action.precedes(watcher.watch);
        !given_back
            && !from_before
            && !watcher.received(**event)
            && !outside(**event)
            && action.begins_before_end_of(call)
    };
    let most = if drops || next.is_none() && watcher.policy == WhenFull::Disconnect {
        model.actions.iter().filter(may_be_missed).count()
    } else if stopping {
        // A stop that was going on may have left some out.
        usize::MAX
    } else {
        0
    };
    if missed < least as u64 || missed > most as u64 {
        let name = watcher.name();
        let sentence = format!("watcher {name} told that it missed {missed} events, not {least} to {most}");
        let before = watcher.deliveries.iter().rfind(|read| read.delivery.event == last);
        let against: Vec<&Call> = before.map(|read| read.call).into_iter().collect();
        rules.broken(Guarantee::Missed, index, &against, "not what was left out", sentence);
    }
}

fn is_shutdown(call: &Call) -> bool {
    matches!(call.outcome(), Some(Outcome::Closed(Closed { reason: Some(Reason::Shutdown), .. })))
}
