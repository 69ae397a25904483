//! One total order, consistent across watchers, that respects real time.

use std::collections::{BTreeMap, VecDeque};

use super::Rules;
use crate::oracle::model::Model;
use crate::oracle::{Call, EventId, Guarantee, Outcome};

/// Whether there is such an order.
pub(super) fn check(rules: &mut Rules<'_, '_>) -> bool {
    if !rules.model.context.capabilities.values {
        return true;
    }
    let mut broken = places(rules.model);
    broken.extend(one_order(rules.model));
    for Broken { index, against, how, sentence } in &broken {
        let against: Vec<&Call> = against.iter().map(|other| &rules.model.history.calls[*other]).collect();
        rules.broken(Guarantee::Order, *index, &against, how, sentence.clone());
    }
    broken.is_empty()
}

/// What a call shows of the order to be broken.
struct Broken {
    index: usize,
    /// The calls that say otherwise.
    against: Vec<usize>,
    how: &'static str,
    sentence: String,
}

/// The places that the subject gives: unique, the same for all who see them, rising for each watcher and in real
/// time.
fn places(model: &Model<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut event_at: BTreeMap<u64, (EventId, usize)> = BTreeMap::new();
    let mut place_of: BTreeMap<EventId, (u64, usize)> = BTreeMap::new();
    let mut accepted = Vec::new();
    let mut told = Vec::new();
    for (index, call) in model.history.calls.iter().enumerate() {
        match call.outcome() {
            Some(Outcome::Accepted(Some(place))) => {
                told.extend(call.events.clone().map(|event| (index, event, *place)));
                accepted.push((index, call, *place));
            }
            Some(Outcome::Delivered(delivery)) => {
                if let (Some(event), Some(place)) = (delivery.event, delivery.seq) {
                    told.push((index, event, place));
                }
            }
            _ => {}
        }
    }
    for (index, event, place) in told {
        let (other_event, same_place) = *event_at.entry(place).or_insert((event, index));
        let (other_place, same_event) = *place_of.entry(event).or_insert((place, index));
        if other_event != event {
            let sentence = format!("events {other_event} and {event} have the same place, {place}");
            let against = vec![same_place];
            broken.push(Broken { index, against, how: "one place for two events", sentence });
        } else if other_place != place {
            let sentence = format!("event {event} has two places, {other_place} and {place}");
            let against = vec![same_event];
            broken.push(Broken { index, against, how: "two places for one event", sentence });
        }
    }
    for (later_index, later, later_place) in &accepted {
        let earlier =
            accepted.iter().find(|(_, earlier, place)| earlier.precedes(later) && place > later_place);
        if let Some((against, _, place)) = earlier {
            let against = vec![*against];
            let sentence = format!(
                "an action that returned place {place} had returned before the one at place {later_place} was called"
            );
            broken.push(Broken { index: *later_index, against, how: "places against real time", sentence });
        }
    }
    for watcher in &model.watchers {
        let mut last: Option<(u64, usize)> = None;
        for read in &watcher.deliveries {
            if let (Some((last, against)), Some(place)) = (last, read.delivery.seq)
                && place < last
            {
                let against = vec![against];
                let name = watcher.name();
                let sentence = format!("watcher {name} received place {place} after place {last}");
                broken.push(Broken { index: read.index, against, how: "places out of order", sentence });
            }
            last = last.max(read.delivery.seq.map(|place| (place, read.index)));
        }
    }
    broken
}

/// Looks for one order that each watcher's deliveries and the real time of the actions agree with.
fn one_order(model: &Model<'_>) -> Option<Broken> {
    let graph = Graph::new(model);
    let left = graph.without_first_ones();
    let seen = graph.seen_among(&left);
    let cycles = left.iter().filter_map(|event| graph.shortest_cycle(*event, &left, &seen));
    let cycle = cycles.min_by_key(Vec::len)?;
    let mut reasons = Vec::new();
    let mut shown_by = None;
    let mut against = Vec::new();
    let mut how = "watchers disagree";
    for (step, one) in cycle.iter().enumerate() {
        let other = cycle[(step + 1) % cycle.len()];
        let (earlier, later) = (graph.events[*one], graph.events[other]);
        if let Some((watcher, read)) = seen.get(&(*one, other)) {
            let name = model.watchers[*watcher].name();
            reasons.push(format!("watcher {name} received event {earlier} before event {later}"));
            shown_by = shown_by.max(Some(*read));
            against.push(*read);
            let before = graph.received[*watcher].iter().find(|(event, _)| event == one);
            against.extend(before.map(|(_, read)| *read));
        } else {
            how = "against real time";
            against.extend([earlier, later].map(|event| model.index_of(model.actions[&event])));
            reasons.push(format!(
                "the action of event {earlier} returned before that of event {later} was called"
            ));
        }
    }
    Some(Broken { index: shown_by?, against, how, sentence: reasons.join(", but ") })
}

/// What is known of the order of the events that some watcher received, each spoken of by its index.
struct Graph<'a> {
    model: &'a Model<'a>,
    events: Vec<EventId>,
    /// For each watcher its events in order, and the calls that returned them.
    received: Vec<Vec<(usize, usize)>>,
}

/// Which watcher received the one event before the other, and by which call the other.
type Seen = BTreeMap<(usize, usize), (usize, usize)>;

impl<'a> Graph<'a> {
    fn new(model: &'a Model<'a>) -> Graph<'a> {
        let received = |event: &EventId| model.watchers.iter().any(|watcher| watcher.received(*event));
        let events: Vec<EventId> = model.actions.keys().copied().filter(received).collect();
        let received = model.watchers.iter().map(|watcher| {
            let mut once: Vec<(usize, usize)> = Vec::new();
            for read in &watcher.deliveries {
                let event = read.delivery.event.and_then(|event| events.binary_search(&event).ok());
                if let Some(event) = event.filter(|event| once.iter().all(|(other, _)| other != event)) {
                    once.push((event, read.index));
                }
            }
            once
        });
        let received = received.collect();
        Graph { model, events, received }
    }

    fn called(&self, event: usize) -> u64 {
        self.model.actions[&self.events[event]].called
    }

    fn ended(&self, event: usize) -> u64 {
        self.model.actions[&self.events[event]].returned_at().unwrap_or(u64::MAX)
    }

    /// What is left when those that can be first are taken away, again and again: nothing, if there is an order.
    fn without_first_ones(&self) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.events.len()).collect();
        let mut next: Vec<usize> = vec![0; self.received.len()];
        let mut waits_for = vec![0_usize; self.events.len()];
        for order in &self.received {
            order.iter().for_each(|(event, _)| waits_for[*event] += 1);
        }
        while let Some(first_end) = left.iter().map(|event| self.ended(*event)).min() {
            // An event can be first if it is next for all who received it, and no other ended before it began.
            let mut is_next_for = vec![0_usize; self.events.len()];
            for (order, next) in self.received.iter().zip(&next) {
                order.get(*next).into_iter().for_each(|(event, _)| is_next_for[*event] += 1);
            }
            let can_be_first =
                |event: &usize| is_next_for[*event] == waits_for[*event] && self.called(*event) < first_end;
            let Some(place) = left.iter().position(can_be_first) else { break };
            let first = left.swap_remove(place);
            for (order, next) in self.received.iter().zip(&mut next) {
                *next += usize::from(order.get(*next).is_some_and(|(event, _)| *event == first));
            }
        }
        left
    }

    fn seen_among(&self, events: &[usize]) -> Seen {
        let mut seen = Seen::new();
        for (watcher, order) in self.received.iter().enumerate() {
            let order: Vec<_> = order.iter().filter(|(event, _)| events.contains(event)).collect();
            for (place, (later, read)) in order.iter().enumerate() {
                for (earlier, _) in &order[..place] {
                    seen.entry((*earlier, *later)).or_insert((watcher, *read));
                }
            }
        }
        seen
    }

    /// The shortest way from an event back to it, each step going from an earlier event to a later one.
    fn shortest_cycle(&self, start: usize, among: &[usize], seen: &Seen) -> Option<Vec<usize>> {
        let precedes = |one: usize, other: usize| {
            seen.contains_key(&(one, other)) || self.ended(one) < self.called(other)
        };
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(event) = queue.pop_front() {
            if precedes(event, start) {
                let way = std::iter::successors(Some(event), |event| came_from.get(event).copied());
                let mut cycle: Vec<usize> = way.collect();
                cycle.reverse();
                return Some(cycle);
            }
            for next in among {
                if *next != start && !came_from.contains_key(next) && precedes(event, *next) {
                    came_from.insert(*next, event);
                    queue.push_back(*next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::story::story;

    /// The events that no order is found for.
    fn left(steps: &str) -> Vec<EventId> {
        let told = story(steps);
        let context = told.context();
        let model = Model::new(&context, &told.history);
        let graph = Graph::new(&model);
        let mut left: Vec<EventId> =
            graph.without_first_ones().iter().map(|event| graph.events[*event]).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn what_can_be_first_is_taken_away() {
        let steps = "watch a; watch b; action 1; action 2; 1: action 3 ...; 2: action 4 ...; 1: =>; 2: =>; \
                     recv a = 1; recv a = 2; recv a = 3; recv a = 4; recv b = 1; recv b = 2;";
        assert!(left(&format!("{steps} recv b = 3; recv b = 4")).is_empty());
        assert_eq!(left(&format!("{steps} recv b = 4; recv b = 3")), [3, 4]);
    }
}
