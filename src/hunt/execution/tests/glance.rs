//! What a glance accepts, the rules accept: in histories of every subject, and in histories that were spoilt.

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::super::*;
use crate::engine::End;
use crate::engine::strategy::RandomWalk;
use crate::oracle::{self, Call, Closed, Delivery, EventId, Glance, Reason};
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

/// Which histories are compared, besides those of scripts.
#[derive(Clone, Copy)]
enum Spoilt {
    /// Each with up to so many changes, drawn at random.
    Often(u64),
    /// Those with one change, all of them.
    Once,
}

/// Compares both on the histories of so many scripts, each as it was and spoilt.
fn compare(subject: &Arc<dyn Subject>, contract: Contract, scripts: u64, spoilt: Spoilt) -> Compared {
    let mut profile = profile(&subject.capabilities());
    if matches!(spoilt, Spoilt::Once) {
        profile.max_ops = 9;
    }
    compare_scripts(subject, contract, scripts, spoilt, |draw| generate::script(&profile, draw))
}

/// As [`compare`], on scripts that are drawn like that.
fn compare_scripts(
    subject: &Arc<dyn Subject>,
    contract: Contract,
    scripts: u64,
    spoilt: Spoilt,
    script: impl Fn(&mut TestRng) -> Script,
) -> Compared {
    let mut draw = TestRng::from_seed(RngAlgorithm::ChaCha, b"a glance at a history is enough.");
    let cast = Cast::new(Arc::clone(subject), contract);
    let (mut glance, mut compared) = (Glance::default(), Compared::default());
    for seed in 0..scripts {
        let script = Arc::new(cast.capabilities.clamp(&script(&mut draw)));
        let walk = Box::new(RandomWalk::new(seed));
        let execution = cast.execute(&script, Engine::Fibers(walk), None);
        if execution.run.end != End::Finished {
            continue;
        }
        let context = cast.context(&script);
        let mut judge = |history: &History| {
            let findings = oracle::judge(&context, history, &execution.run).findings;
            let accepts = glance.accepts(&context, history);
            assert!(
                !accepts || findings.is_empty(),
                "{}, {findings:#?}\n{script}\n{history:#?}",
                subject.name()
            );
            compared.accepted += u64::from(accepts);
            if findings.is_empty() { compared.right += 1 } else { compared.wrong += 1 }
        };
        judge(&execution.history);
        match spoilt {
            Spoilt::Often(most) => (1..=most).for_each(|times| {
                let mut history = execution.history.clone();
                (0..times).for_each(|_| spoil(&mut history, &mut |choices| draw.random_range(0..choices)));
                judge(&history);
            }),
            Spoilt::Once => {
                // Where what was missed is not told, nothing but the places of events tells that any are.
                for history in [&execution.history, &untold(&execution.history)] {
                    let mut all = All::default();
                    while all.go_on() {
                        let mut history = history.clone();
                        spoil(&mut history, &mut |choices| all.choose(choices));
                        judge(&history);
                    }
                }
            }
        }
    }
    compared
}

/// The same, of a subject that does not tell what was missed.
fn untold(history: &History) -> History {
    let mut history = history.clone();
    for (_, outcome) in history.calls.iter_mut().filter_map(|call| call.returned.as_mut()) {
        match outcome {
            Outcome::Delivered(delivery) => delivery.missed = None,
            Outcome::Closed(closed) => closed.missed = None,
            _ => {}
        }
    }
    history
}

/// A watcher that is slower than its events come, or as fast: here histories differ in what is left out, and is told so.
fn slow_watcher(draw: &mut TestRng) -> Script {
    let mut any = |choices: usize| draw.random_range(0..choices);
    let policy = ["wait", "drop-newest", "drop-oldest", "disconnect"][any(4)];
    let mut text = format!("mux incoming={} queue={} when-full={policy}\nsetup\n", any(3), any(3));
    let is_late = any(3) == 0;
    (0..any(2)).for_each(|_| text += "  action\n");
    if !is_late {
        text += "  watch a\n";
    }
    text += "lane\n";
    (0..2 + any(4)).for_each(|_| text += "  action\n");
    text += ["", "  close\n", "  shutdown\n"][any(3)];
    text += "lane\n";
    if is_late {
        text += "  watch a\n";
    }
    (0..1 + any(3)).for_each(|_| text += ["  recv a\n", "  try-recv a\n"][any(2)]);
    text += ["", "  stop a\n", "  stop a\n  try-recv a\n", "  close\n  try-recv a\n"][any(4)];
    (0..any(3)).for_each(|_| text += "  try-recv a\n");
    text.parse().expect("it is a script")
}

/// All sequences of choices, one after the other.
#[derive(Default)]
struct All {
    /// What was chosen last time, and out of how many.
    chosen: Vec<(u64, u64)>,
    /// How many choices were made this time.
    made: usize,
    begun: bool,
}

impl All {
    /// Begins the next sequence, if there is one.
    fn go_on(&mut self) -> bool {
        self.made = 0;
        if !std::mem::replace(&mut self.begun, true) {
            return true;
        }
        while let Some((chosen, choices)) = self.chosen.pop() {
            if chosen + 1 < choices {
                self.chosen.push((chosen + 1, choices));
                return true;
            }
        }
        false
    }

    fn choose(&mut self, choices: u64) -> u64 {
        if self.made == self.chosen.len() {
            self.chosen.push((0, choices));
        }
        self.made += 1;
        self.chosen[self.made - 1].0
    }
}

/// Changes what one call returned, or when, or whether it was made.
fn spoil(history: &mut History, choose: &mut dyn FnMut(u64) -> u64) {
    let calls = history.calls.len();
    if calls == 0 {
        return;
    }
    match choose(4) {
        0 => {
            history.calls.remove(choose(calls as u64) as usize);
        }
        1 => {
            // Two moments next to each other change places.
            let now = choose(history.clock.max(1));
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
            // Two calls of one kind return what the other did.
            let (index, other) = (choose(calls as u64) as usize, choose(calls as u64) as usize);
            if history.calls[index].op.kind() == history.calls[other].op.kind() {
                let (one, two) =
                    (history.calls[index].returned.clone(), history.calls[other].returned.clone());
                if let (Some((_, one)), Some((_, two))) = (one, two) {
                    history.calls[index].returned.iter_mut().for_each(|(_, outcome)| *outcome = two.clone());
                    history.calls[other].returned.iter_mut().for_each(|(_, outcome)| *outcome = one.clone());
                }
            }
        }
        _ => {
            let events = history.calls.iter().map(|call| call.events.end).max().unwrap_or(0);
            let call = &mut history.calls[choose(calls as u64) as usize];
            let brings = call.events.clone().next();
            if let Some((_, outcome)) = &mut call.returned {
                *outcome = another(outcome, brings, events, choose);
            }
        }
    }
}

/// Another outcome of a call that brings this event, if any, in a history of so many.
fn another(
    outcome: &Outcome,
    brings: Option<EventId>,
    events: EventId,
    choose: &mut dyn FnMut(u64) -> u64,
) -> Outcome {
    let near = |number: u64, choose: &mut dyn FnMut(u64) -> u64| (number + 2 * choose(2)).saturating_sub(1);
    let some_event = |choose: &mut dyn FnMut(u64) -> u64| Some(choose(u64::from(events) + 1) as EventId);
    match *outcome {
        Outcome::Delivered(delivery) => match choose(4) {
            0 => Outcome::Delivered(Delivery { seq: delivery.seq.map(|seq| near(seq, choose)), ..delivery }),
            1 => {
                let missed = delivery.missed.map(|missed| near(missed, choose));
                Outcome::Delivered(Delivery { missed, ..delivery })
            }
            2 => Outcome::Delivered(Delivery { event: some_event(choose), ..delivery }),
            _ => Outcome::Empty,
        },
        Outcome::Accepted(place) => match choose(3) {
            0 => Outcome::Accepted(place.map(|place| near(place, choose))),
            1 => Outcome::Refused(brings),
            _ => Outcome::Full(brings),
        },
        Outcome::Refused(_) | Outcome::Full(_) => match choose(3) {
            0 => Outcome::Accepted(Some(choose(u64::from(events) + 1))),
            1 => Outcome::Refused(some_event(choose)),
            _ => Outcome::Full(some_event(choose)),
        },
        Outcome::Closed(closed) => match choose(3) {
            0 => {
                let reasons = [Reason::Stopped, Reason::Shutdown, Reason::TooSlow, Reason::EventPanicked];
                Outcome::Closed(Closed { reason: Some(reasons[choose(4) as usize]), ..closed })
            }
            1 => {
                let missed = closed.missed.map(|missed| near(missed, choose));
                Outcome::Closed(Closed { missed, ..closed })
            }
            _ => Outcome::Empty,
        },
        Outcome::Empty => {
            let reason = [Reason::Stopped, Reason::Shutdown][choose(2) as usize];
            Outcome::Closed(Closed { reason: Some(reason), missed: Some(choose(2)) })
        }
        Outcome::Joined(_) | Outcome::Done | Outcome::Skipped | Outcome::Panicked(_) => outcome.clone(),
    }
}

#[test]
fn a_glance_accepts_nothing_that_a_rule_rejects() {
    let mut wrong = 0;
    for subject in subject::all() {
        for contract in [subject.contract(), Contract::strict()] {
            let (scripts, spoilt) = if subject.name() == "mux" { (500, 6) } else { (100, 2) };
            wrong += compare(&subject, contract, scripts, Spoilt::Often(spoilt)).wrong;
        }
    }
    assert!(wrong > 1_000, "{wrong}");
}

#[test]
fn a_glance_accepts_nothing_that_a_rule_rejects_one_change_away_from_what_the_mux_does() {
    let compared = compare(&shipped(), Contract::strict(), 1_000, Spoilt::Once);
    assert!(compared.wrong > 5_000, "{compared:?}");
}

#[test]
fn a_glance_at_a_slow_watcher_accepts_nothing_that_a_rule_rejects() {
    let compared = compare_scripts(&shipped(), Contract::strict(), 400, Spoilt::Once, slow_watcher);
    assert!(compared.wrong > 5_000, "{compared:?}");
}

#[test]
fn a_glance_at_a_slow_watcher_is_enough() {
    let compared = compare_scripts(&shipped(), Contract::strict(), 4_000, Spoilt::Often(0), slow_watcher);
    assert_eq!((compared.wrong, compared.accepted), (0, compared.right), "{compared:?}");
}

fn shipped() -> Arc<dyn Subject> {
    Arc::new(subject::Shipped)
}

#[test]
fn a_glance_is_enough_for_what_the_mux_does() {
    let compared = compare(&shipped(), Contract::strict(), 1_000, Spoilt::Often(0));
    assert_eq!(compared.wrong, 0);
    assert!(compared.accepted * 100 >= compared.right * 99, "{compared:?}");
}
