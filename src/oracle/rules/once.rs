//! No event twice, none changed, none that nobody published; and the prefix first, whole and in order.

use super::Rules;
use crate::oracle::model::Watcher;
use crate::oracle::{Call, Delivery, Guarantee, Outcome};

pub(super) fn check(rules: &mut Rules<'_, '_>) {
    let model = rules.model;
    if !model.context.capabilities.values {
        return;
    }
    for watcher in &model.watchers {
        published_and_once(rules, watcher);
        prefix_first(rules, watcher);
    }
    for (index, call) in model.history.calls.iter().enumerate() {
        given_back(rules, index, call);
    }
}

fn published_and_once(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    let name = watcher.name();
    let mut seen = Vec::new();
    for (index, call) in &watcher.reads {
        let Some(Outcome::Delivered(Delivery { event: Some(event), .. })) = call.outcome() else { continue };
        let earlier = seen.iter().find(|(other, _)| other == event).map(|(_, call): &(_, &Call)| *call);
        if let Some(earlier) = earlier {
            let sentence = format!("watcher {name} received event {event} twice");
            rules.broken(Guarantee::Once, *index, &[earlier], "an event twice", sentence);
        }
        seen.push((*event, *call));
        if watcher.prefix().contains(event) {
            continue;
        }
        match rules.model.actions.get(event) {
            Some(action) if action.begins_before_end_of(call) => {
                if matches!(action.outcome(), Some(Outcome::Refused(_) | Outcome::Full(_))) {
                    let sentence =
                        format!("watcher {name} received event {event}, which had been given back");
                    rules.broken(
                        Guarantee::Once,
                        *index,
                        &[action],
                        "an event that was given back",
                        sentence,
                    );
                }
            }
            _ => {
                let sentence =
                    format!("watcher {name} received event {event}, which nobody had published for it");
                rules.broken(Guarantee::Once, *index, &[], "an event that nobody published", sentence);
            }
        }
    }
}

fn prefix_first(rules: &mut Rules<'_, '_>, watcher: &Watcher<'_>) {
    let name = watcher.name();
    let mut due = watcher.prefix().clone();
    for (index, call) in &watcher.reads {
        let wrong = match (call.outcome(), due.clone().next()) {
            (Some(Outcome::Delivered(delivery)), Some(next)) if delivery.event == Some(next) => {
                due.next();
                delivery.seq.is_some().then(|| ("counted in the order", format!("event {next} has a place")))
            }
            (Some(Outcome::Delivered(delivery)), Some(next)) if delivery.event.is_some() => {
                Some(("out of order", format!("event {next} was due and another came")))
            }
            (Some(Outcome::Empty), Some(next)) => {
                Some(("not there", format!("event {next} was due and nothing was there")))
            }
            (Some(Outcome::Closed(_)), Some(next)) => {
                Some(("cut off", format!("event {next} was due and the end came")))
            }
            _ => None,
        };
        if let Some((how, what)) = wrong {
            let sentence = format!("of the prefix of watcher {name}, {what}");
            rules.broken(Guarantee::Prefix, *index, &[watcher.watch], how, sentence);
            return;
        }
    }
}

fn given_back(rules: &mut Rules<'_, '_>, index: usize, call: &Call) {
    if let Some(Outcome::Refused(Some(event)) | Outcome::Full(Some(event))) = call.outcome()
        && !call.events.contains(event)
    {
        let sentence = format!("{} was given back event {event}, which it had not brought", call.origin);
        rules.broken(Guarantee::Once, index, &[], "another event given back", sentence);
    }
}
