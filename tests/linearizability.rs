//! A second opinion on histories: stateright's `LinearizabilityTester`, against a sequential specification of a mux that
//! waits for full watchers, must say of every history what the oracle's rules say.
//!
//! What a drop policy leaves out depends on when queues were full, which no sequence of ops tells: so those are left to
//! the oracle, and so is a rendezvous.
#![cfg(feature = "suite")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use watchmux::engine::strategy::RandomWalk;
use watchmux::hunt::execution::{Engine, execute};
use watchmux::oracle::{
    self, Call, Closed, Context, Contract, Delivery, EventId, History, Outcome, Reason, Verdict, WatcherId,
};
use watchmux::script::generate::{Profile, script};
use watchmux::script::{OpKind, WhenFull};
use watchmux::subject::{self, Subject};

/// How many histories of each subject are compared, each once as it was and a few times spoilt.
const HISTORIES: u64 = 150;

/// How often each history is spoilt, in a way of its own each time.
const SPOILT: u32 = 8;

/// What is done to a mux.
#[derive(Clone, Debug)]
enum Op {
    Watch(WatcherId, Vec<EventId>),
    Action(EventId),
    Receive(WatcherId),
    Stop(WatcherId),
    Close,
    /// All is distributed.
    Shutdown,
}

/// A mux in which each op happens at once.
#[derive(Clone, Debug, Default)]
struct Sequential {
    /// The events in their order, with their places where they are known.
    log: Vec<(EventId, Option<u64>)>,
    readers: BTreeMap<WatcherId, Reader>,
    closed: bool,
    distributed: bool,
}

#[derive(Clone, Debug)]
struct Reader {
    prefix: Vec<EventId>,
    /// Where in the log it reads on.
    next: usize,
    stopped: Option<Stopped>,
    ended: Option<Option<Reason>>,
}

#[derive(Clone, Copy, Debug)]
struct Stopped {
    /// Where the log ended then.
    at: usize,
    /// Whether all was distributed, and thus in its queue.
    with_all: bool,
}

impl SequentialSpec for Sequential {
    type Op = Op;
    type Ret = Outcome;

    /// What an op does that never returned. (What it would have returned nobody asks.)
    fn invoke(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Watch(id, prefix) => self.join(*id, prefix),
            Op::Action(event) => self.log.push((*event, None)),
            Op::Receive(id) => {
                let event = self.readers.get(id).and_then(|reader| self.log.get(reader.next)).copied();
                if let Some((event, seq)) = event {
                    self.delivered(*id, Delivery { event: Some(event), seq, missed: None });
                }
            }
            Op::Stop(id) => self.stop(*id),
            Op::Close => self.closed = true,
            Op::Shutdown => self.distributed = true,
        }
        Outcome::Done
    }

    fn is_valid_step(&mut self, op: &Op, outcome: &Outcome) -> bool {
        match (op, outcome) {
            (Op::Watch(..) | Op::Action(_), Outcome::Refused(_)) => return self.closed,
            (Op::Watch(id, prefix), Outcome::Joined(_)) => {
                self.join(*id, prefix);
                return !self.closed;
            }
            (Op::Action(event), Outcome::Accepted(place)) => {
                let rises = self.log.iter().all(|(_, before)| place.is_none() || *before < *place);
                self.log.push((*event, *place));
                return !self.closed && rises;
            }
            (Op::Action(_), Outcome::Full(_)) => return !self.closed,
            (Op::Receive(id), Outcome::Delivered(delivery)) => return self.delivered(*id, *delivery),
            (Op::Receive(id), Outcome::Empty) => {
                let reader = &self.readers[id];
                let ended = reader.stopped.is_some() || self.distributed || reader.ended.is_some();
                return !ended && reader.prefix.is_empty();
            }
            (Op::Receive(id), Outcome::Closed(closed)) => return self.ended(*id, closed),
            _ => {}
        }
        self.invoke(op);
        *outcome == Outcome::Done && (!matches!(op, Op::Shutdown) || self.closed)
    }
}

impl Sequential {
    fn join(&mut self, id: WatcherId, prefix: &[EventId]) {
        let reader = Reader { prefix: prefix.to_vec(), next: self.log.len(), stopped: None, ended: None };
        self.readers.insert(id, reader);
    }

    fn stop(&mut self, id: WatcherId) {
        let stopped = Stopped { at: self.log.len(), with_all: self.distributed };
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.stopped.get_or_insert(stopped);
        }
    }

    fn delivered(&mut self, id: WatcherId, delivery: Delivery) -> bool {
        let Some(reader) = self.readers.get_mut(&id) else { return false };
        let Some(event) = delivery.event.filter(|_| reader.ended.is_none()) else { return false };
        if !reader.prefix.is_empty() {
            return reader.prefix.remove(0) == event && delivery.seq.is_none();
        }
        let Some(index) = self.log.iter().position(|(logged, _)| *logged == event) else { return false };
        // What was not in its queue when it stopped may be left out.
        let in_turn = match reader.stopped {
            Some(stopped) if !stopped.with_all => reader.next <= index && index < stopped.at,
            Some(stopped) => reader.next == index && index < stopped.at,
            None => reader.next == index,
        };
        reader.next = index + 1;
        let place = &mut self.log[index].1;
        let same_place = place.is_none() || delivery.seq.is_none() || *place == delivery.seq;
        *place = place.or(delivery.seq);
        let places: Vec<u64> = self.log.iter().filter_map(|(_, place)| *place).collect();
        in_turn && same_place && places.is_sorted() && delivery.missed.is_none_or(|missed| missed == 0)
    }

    fn ended(&mut self, id: WatcherId, closed: &Closed) -> bool {
        let all_read = |next: usize| next == self.log.len();
        let Some(reader) = self.readers.get_mut(&id) else { return false };
        let same = reader.ended.is_none_or(|reason| reason == closed.reason);
        reader.ended = Some(closed.reason);
        let by_stop = reader.stopped.is_some_and(|stopped| !stopped.with_all || reader.next >= stopped.at);
        let due = by_stop || self.closed && all_read(reader.next);
        let right_reason = match closed.reason {
            None => true,
            Some(Reason::Stopped) => reader.stopped.is_some(),
            Some(Reason::Shutdown) => self.closed,
            Some(Reason::TooSlow | Reason::EventPanicked) => false,
        };
        same && due
            && right_reason
            && reader.prefix.is_empty()
            && closed.missed.is_none_or(|missed| missed == 0)
    }
}

/// What the tester makes of a history.
fn is_linearizable(history: &History) -> bool {
    let mut moments: Vec<(u64, bool, usize)> = Vec::new();
    for (index, call) in history.calls.iter().enumerate().filter(|(_, call)| !ops(call).is_empty()) {
        moments.push((call.called, false, index));
        moments.extend(call.returned_at().map(|at| (at, true, index)));
    }
    moments.sort_unstable();
    let mut tester = LinearizabilityTester::new(Sequential::default());
    for (_, returns, index) in moments {
        let call = &history.calls[index];
        for (part, op) in ops(call).into_iter().enumerate() {
            // Each op has a thread of its own: which ones come after which the tester sees by their times.
            let thread = 2 * index + part;
            let told = match call.outcome() {
                // It may have had its effect, or not.
                Some(Outcome::Panicked(_)) | None if returns => continue,
                Some(outcome) if returns => tester.on_return(thread, outcome.clone()),
                _ => tester.on_invoke(thread, op),
            };
            told.expect("each op is called once, and returns once");
        }
    }
    tester.is_consistent()
}

/// What a call does; a shutdown is a close first.
fn ops(call: &Call) -> Vec<Op> {
    if call.outcome() == Some(&Outcome::Skipped) {
        return Vec::new();
    }
    match (call.op.kind(), call.watcher) {
        (OpKind::Watch, Some(id)) => vec![Op::Watch(id, call.events.clone().collect())],
        (OpKind::Action | OpKind::TryAction, _) => vec![Op::Action(call.events.start)],
        (OpKind::Recv | OpKind::TryRecv, Some(id)) => vec![Op::Receive(id)],
        (OpKind::Stop | OpKind::Drop, Some(id)) => vec![Op::Stop(id)],
        (OpKind::Close, _) => vec![Op::Close],
        (OpKind::Shutdown, _) => vec![Op::Close, Op::Shutdown],
        _ => Vec::new(),
    }
}

/// Spoils what one call returned.
fn spoil(history: &mut History, draw: &mut TestRng) {
    let receives = |call: &Call| matches!(call.op.kind(), OpKind::Recv | OpKind::TryRecv);
    let returned: Vec<usize> = (0..history.calls.len())
        .filter(|index| {
            let call = &history.calls[*index];
            !matches!(call.outcome(), None | Some(Outcome::Skipped | Outcome::Panicked(_)))
                && !ops(call).is_empty()
        })
        .collect();
    let Some(index) = returned.get(draw.random_range(0..returned.len().max(1))).copied() else { return };
    let events = history.calls.iter().flat_map(|call| call.events.clone()).collect::<Vec<_>>();
    let delivery = |draw: &mut TestRng| {
        let event = events.get(draw.random_range(0..events.len().max(1))).copied();
        Outcome::Delivered(Delivery { event: event.or(Some(0)), seq: None, missed: None })
    };
    let other = returned[draw.random_range(0..returned.len())];
    let call = &history.calls[index];
    let outcome = match (call.op.kind(), draw.random_range(0..4)) {
        (OpKind::Recv | OpKind::TryRecv, 0) => delivery(draw),
        (OpKind::Recv | OpKind::TryRecv, 1) => Outcome::Closed(Closed { reason: None, missed: None }),
        (OpKind::TryRecv, 2) => Outcome::Empty,
        (OpKind::Recv | OpKind::TryRecv, _) if receives(&history.calls[other]) => {
            let (Some(one), Some(two)) = (call.outcome().cloned(), history.calls[other].outcome().cloned())
            else {
                return;
            };
            if let Some((_, outcome)) = &mut history.calls[other].returned {
                *outcome = one;
            }
            two
        }
        (OpKind::Action | OpKind::TryAction, 0) => Outcome::Refused(call.events.clone().next()),
        (OpKind::Action | OpKind::TryAction, _) => Outcome::Accepted(None),
        _ => return,
    };
    if let Some((_, returned)) = &mut history.calls[index].returned {
        *returned = outcome;
    }
}

fn profile(subject: &dyn Subject) -> Profile {
    let capabilities = subject.capabilities();
    Profile {
        ops: capabilities.ops,
        incoming: 0..=2,
        queue: 1..=3,
        when_full: &[WhenFull::Wait],
        when_full_per_watcher: false,
        prefix: capabilities.prefix,
        max_ops: 9,
        max_lanes: 3,
        ..Profile::default()
    }
}

/// How often both said that a history is right, and how often that it is wrong.
#[derive(Debug, Default)]
struct Agreed {
    right: u64,
    wrong: u64,
}

fn compare(subject: &Arc<dyn Subject>, agreed: &mut Agreed) {
    let contract = Contract::strict();
    let capabilities = subject.capabilities();
    let profile = profile(&**subject);
    let mut draw = TestRng::from_seed(RngAlgorithm::XorShift, b"linearizability!");
    for seed in 0..HISTORIES {
        let drawn = capabilities.clamp(&script(&profile, &mut draw));
        if drawn.config.queue == 0 {
            continue;
        }
        let execution = execute(subject, &drawn, &contract, Engine::Fibers(Box::new(RandomWalk::new(seed))));
        let panicked = |finding: &oracle::Finding| finding.signature.verdict == Verdict::Panic;
        if execution.judgement.findings.iter().any(panicked) {
            continue;
        }
        for spoilt in 0..=SPOILT {
            let mut history = execution.history.clone();
            let mut tries = if spoilt > 0 { 10 } else { 0 };
            while tries > 0 && history == execution.history {
                spoil(&mut history, &mut draw);
                tries -= 1;
            }
            let context = Context { script: &drawn, capabilities: &capabilities, contract: &contract };
            let violations = violations(&context, &history, &execution.run);
            let linearizable = is_linearizable(&history);
            assert_eq!(
                violations.is_empty(),
                linearizable,
                "{}: the oracle says {violations:?}\n{}\n{}",
                subject.name(),
                drawn,
                told(&history)
            );
            if linearizable { agreed.right += 1 } else { agreed.wrong += 1 }
        }
    }
}

/// What the oracle's rules find in a history, whatever is blocked at its end.
fn violations(context: &Context<'_>, history: &History, run: &watchmux::engine::Run) -> Vec<String> {
    let findings = oracle::judge(context, history, run).findings;
    let violations = findings.into_iter().filter(|finding| finding.signature.verdict == Verdict::Violation);
    violations.map(|finding| finding.sentence).collect()
}

/// A history for who has to find out which of the two is wrong.
fn told(history: &History) -> String {
    let line = |call: &Call| {
        format!(
            "{:>3}–{:<3?} {} {} {:?} {:?} {:?}",
            call.called,
            call.returned_at(),
            call.origin,
            call.op,
            call.watcher,
            call.events,
            call.outcome()
        )
    };
    history.calls.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_oracle_and_stateright_agree_on_every_history() {
    let mut agreed = Agreed::default();
    for subject in subject::all().iter().filter(|subject| subject.capabilities().values) {
        compare(subject, &mut agreed);
    }
    assert!(agreed.right > 1_000 && agreed.wrong > 1_000, "{agreed:?}");
}
