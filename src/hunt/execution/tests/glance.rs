//! What a glance accepts, the rules accept: in histories of every subject, and in histories that were spoilt.

use proptest::prelude::{Rng, RngExt};
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::super::*;
use crate::engine::End;
use crate::engine::strategy::RandomWalk;
use crate::oracle::{self, Call, Closed, Delivery, Glance, Reason};
use crate::script::generate::{self, Profile};
use crate::subject::{self, Capabilities};

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    /// The histories that no rule rejects, and how many of them a glance accepts.
    right: u64,
    accepted: u64,
    wrong: u64,
}

fn profile(capabilities: &Capabilities) -> Profile {
    Profile {
        ops: capabilities.ops,
        queue: capabilities.queue.clone(),
        when_full: capabilities.when_full,
        when_full_per_watcher: capabilities.when_full_per_watcher,
        prefix: capabilities.prefix,
        ..Profile::default()
    }
}

/// Compares both on the histories of so many scripts, each as it was and spoilt so often.
fn compare(subject: &Arc<dyn Subject>, contract: Contract, scripts: u64, spoilt: u64) -> Compared {
    let mut draw = TestRng::from_seed(RngAlgorithm::ChaCha, b"a glance at a history is enough.");
    let cast = Cast::new(Arc::clone(subject), contract);
    let profile = profile(&cast.capabilities);
    let (mut glance, mut compared) = (Glance::default(), Compared::default());
    for seed in 0..scripts {
        let script = Arc::new(cast.capabilities.clamp(&generate::script(&profile, &mut draw)));
        let walk = Box::new(RandomWalk::new(seed));
        let execution = cast.execute(&script, Engine::Fibers(walk), None);
        if execution.run.end != End::Finished {
            continue;
        }
        let context = cast.context(&script);
        for times in 0..=spoilt {
            let mut history = execution.history.clone();
            (0..times).for_each(|_| spoil(&mut history, &mut draw));
            let findings = oracle::judge(&context, &history, &execution.run).findings;
            let accepts = glance.accepts(&context, &history);
            assert!(
                !accepts || findings.is_empty(),
                "{}, {findings:#?}\n{script}\n{history:#?}",
                subject.name()
            );
            compared.accepted += u64::from(accepts);
            if findings.is_empty() { compared.right += 1 } else { compared.wrong += 1 }
        }
    }
    compared
}

/// Changes what one call returned, or when, or whether it was made.
fn spoil(history: &mut History, draw: &mut impl Rng) {
    if history.calls.is_empty() {
        return;
    }
    let index = draw.random_range(0..history.calls.len());
    let other = draw.random_range(0..history.calls.len());
    let (events, nudge) = (history.calls.iter().map(|call| call.events.end).max(), draw.random_range(0..3));
    let near = |number: u64| (number + nudge).saturating_sub(1);
    match draw.random_range(0..8) {
        0 => {
            history.calls.remove(index);
        }
        1 => {
            // Two moments next to each other change places.
            let now = draw.random_range(0..history.clock.max(1));
            let swap = |at: &mut u64| {
                *at = match at.checked_sub(now) {
                    Some(0) => now + 1,
                    Some(1) => now,
                    _ => *at,
                }
            };
            for call in &mut history.calls {
                swap(&mut call.called);
                call.returned.iter_mut().for_each(|(at, _)| swap(at));
            }
            let is_upside_down = |call: &Call| call.returned_at().is_some_and(|at| at < call.called);
            history.calls.retain(|call| !is_upside_down(call));
            history.calls.sort_by_key(|call| call.called);
        }
        2 => {
            if history.calls[index].op.kind() == history.calls[other].op.kind() {
                let (one, two) =
                    (history.calls[index].returned.clone(), history.calls[other].returned.clone());
                if let (Some((_, one)), Some((_, two))) = (one, two) {
                    history.calls[index].returned.iter_mut().for_each(|(_, outcome)| *outcome = two.clone());
                    history.calls[other].returned.iter_mut().for_each(|(_, outcome)| *outcome = one.clone());
                }
            }
        }
        kind => {
            let brings = history.calls[index].events.clone().next();
            let Some((_, outcome)) = &mut history.calls[index].returned else { return };
            let some_event = draw.random_range(0..events.unwrap_or(0) + 1);
            match (outcome, kind) {
                (Outcome::Delivered(Delivery { seq, .. }), 3) => *seq = seq.map(near),
                (Outcome::Delivered(Delivery { missed, .. }), 4 | 5) => *missed = missed.map(near),
                (Outcome::Delivered(Delivery { event, .. }), 6) => *event = Some(some_event),
                (outcome @ Outcome::Delivered(_), _) => *outcome = Outcome::Empty,
                (Outcome::Accepted(place), 3 | 4) => *place = place.map(near),
                (outcome @ Outcome::Accepted(_), 5) => *outcome = Outcome::Refused(brings),
                (outcome @ Outcome::Accepted(_), _) => *outcome = Outcome::Full(brings),
                (outcome @ (Outcome::Refused(_) | Outcome::Full(_)), 3) => {
                    *outcome = Outcome::Accepted(Some(0))
                }
                (Outcome::Refused(event) | Outcome::Full(event), _) => *event = Some(some_event),
                (Outcome::Closed(Closed { reason, .. }), 3 | 4) => {
                    let reasons = [Reason::Stopped, Reason::Shutdown, Reason::TooSlow];
                    *reason = Some(reasons[draw.random_range(0..reasons.len())]);
                }
                (Outcome::Closed(Closed { missed, .. }), 5 | 6) => *missed = missed.map(near),
                (outcome @ Outcome::Closed(_), _) => *outcome = Outcome::Empty,
                (outcome @ Outcome::Empty, _) => {
                    *outcome = Outcome::Closed(Closed { reason: Some(Reason::Shutdown), missed: Some(0) });
                }
                (Outcome::Joined(_) | Outcome::Done | Outcome::Skipped | Outcome::Panicked(_), _) => {}
            }
        }
    }
}

#[test]
fn a_glance_accepts_nothing_that_a_rule_rejects() {
    let mut wrong = 0;
    for subject in subject::all() {
        for contract in [subject.contract(), Contract::strict()] {
            let (scripts, spoilt) = if subject.name() == "mux" { (1_500, 6) } else { (100, 2) };
            wrong += compare(&subject, contract, scripts, spoilt).wrong;
        }
    }
    assert!(wrong > 1_000, "{wrong}");
}

#[test]
fn a_glance_is_enough_for_what_the_mux_does() {
    let compared = compare(&(Arc::new(subject::Shipped) as Arc<dyn Subject>), Contract::strict(), 1_000, 0);
    assert_eq!(compared.wrong, 0);
    assert!(compared.accepted * 100 >= compared.right * 99, "{compared:?}");
}
