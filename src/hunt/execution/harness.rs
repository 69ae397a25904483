//! The body that drives a subject through a script.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::call;
use super::cast::{Cast, Forgetting, Orders, as_reported};
use super::desk::{Desk, Stage, Tell, Tools};
use crate::engine::strategy::Cue;
use crate::engine::{self, After, Body, End, Job, Next, Quiescence, Shared, State};
use crate::oracle::{
    self, Class, Diagnosis, EventId, Finding, Glance, Guarantee, History, Origin, Outcome, Signature,
};
use crate::script::{MAX_LANES, Op, OpKind, Plan, Script, Slot};
use crate::subject::{Ledger, Running};
use crate::sync;

/// How many times the deadline a black box must have been still before that is called a hang.
const PROOF: u32 = 10;

/// The file that the harness's own sync points are in.
pub(in crate::hunt) const FILE: &str = file!();

/// The names of the tasks that run lanes.
const LANES: [&str; MAX_LANES] = ["lane0", "lane1", "lane2", "lane3", "lane4", "lane5", "lane6", "lane7"];

/// The names of the tasks that stop watchers, by slot.
const STOPS: [&str; Slot::COUNT] =
    ["stop-a", "stop-b", "stop-c", "stop-d", "stop-e", "stop-f", "stop-g", "stop-h"];

/// Drives a subject through a script, once.
pub(super) struct Harness {
    cast: Arc<Cast>,
    /// As clamped.
    script: Arc<Script>,
    notes: Box<Notes>,
    /// Tells the strategy which op begins, if it is to know.
    cue: Option<Cue>,
    /// What is blocked in the end, for [`Body::last_words`].
    found: Shared<Option<Blocked>>,
    /// The signatures of hangs that one deadline is enough for.
    known: Vec<Signature>,
}

/// What is blocked in the end.
struct Blocked {
    class: Class,
    sentence: String,
    /// If that is a finding.
    signature: Option<Signature>,
}

/// Where it writes down what happens. Its memory serves one execution after the other.
struct Notes {
    ledger: Arc<Ledger>,
    desk: Shared<Desk>,
    glance: Shared<Glance>,
}

/// What became of the events.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::hunt) struct Events {
    pub(super) leaked: Vec<EventId>,
    pub(super) overlapping: Option<EventId>,
}

/// Uses a harness whose notes are in memory that the calling thread keeps from one execution to the next.
pub(super) fn with_kept<R>(
    cast: &Arc<Cast>,
    script: &Arc<Script>,
    orders: Orders,
    f: impl FnOnce(&Arc<Harness>) -> R,
) -> R {
    thread_local! {
        /// Several, where executions run others.
        #[expect(clippy::vec_box, reason = "they move from here to a harness and back")]
        static IDLE: RefCell<Vec<Box<Notes>>> = const { RefCell::new(Vec::new()) };
    }
    let notes = IDLE.with_borrow_mut(Vec::pop).unwrap_or_default();
    let harness = Arc::new(Harness::with(cast, script, notes, orders));
    let result = f(&harness);
    // One that a forgotten task still holds is left to it.
    if let Ok(harness) = Arc::try_unwrap(harness) {
        IDLE.with_borrow_mut(|idle| idle.push(harness.notes));
    }
    result
}

impl Notes {
    /// Makes them those of another execution.
    fn renew(&mut self, plan: Option<Plan>, tell: Option<Tell>) {
        match Arc::get_mut(&mut self.ledger) {
            Some(ledger) => ledger.renew(plan),
            None => self.ledger = Ledger::new(plan),
        }
        self.desk.get_mut().renew(tell);
    }
}

impl Default for Notes {
    fn default() -> Notes {
        Notes { ledger: Ledger::new(None), desk: Shared::default(), glance: Shared::default() }
    }
}

impl Body for Harness {
    fn first(self: Arc<Self>) -> Job {
        Job::new("setup", move || self.setup())
    }

    fn quiescent(self: Arc<Self>, now: &Quiescence<'_>) -> Next {
        let blocked = now.is_anyone_blocked();
        if blocked && !self.may_be_blocked(now) {
            let state = as_reported(now.state());
            let findings = self.blocked(&state);
            if let Some(Finding { signature, sentence, .. }) = findings.into_iter().next() {
                let blocked = Blocked { class: signature.class, sentence, signature: Some(signature) };
                self.found.with(|found| *found = Some(blocked));
                return Next::End;
            }
        }
        // Where no op can stop a watcher, it is put away with the rest.
        let stop = self.first_of([(OpKind::Stop, Op::Stop as fn(Slot) -> Op), (OpKind::Drop, Op::Drop)]);
        match self.desk(|desk| desk.next_stage(stop.is_some())) {
            Stage::Stop(slots) => {
                let stops = slots.into_iter().filter_map(|slot| Some(self.stop(slot, stop?(slot))));
                Next::Start(stops.collect())
            }
            Stage::Close => Next::Start(vec![self.close()]),
            Stage::PutAway if !blocked => Next::Start(vec![Job::new("end", move || self.clear())]),
            Stage::PutAway | Stage::Over => {
                if blocked {
                    let left = oracle::explain(now.state());
                    let left = left.map(|Diagnosis { class, sentence, .. }| Blocked {
                        class,
                        sentence,
                        signature: None,
                    });
                    self.found.with(|found| *found = left);
                }
                Next::End
            }
        }
    }

    fn last_words(&self) -> Option<String> {
        let Blocked { class, sentence, .. } = self.found.with(Option::take)?;
        let (subject, script) = (self.cast.subject.name(), self.script.to_string().replace('\n', "\n  "));
        Some(format!("HANG in {subject}: {class}\n\n  {sentence}\n\nScript, not shrunk:\n  {script}"))
    }

    fn clock(&self) -> u64 {
        self.with_history(|history| history.clock)
    }

    fn deadlines(&self, state: &State) -> u32 {
        let hangs =
            self.with_history(|history| oracle::hangs(&self.cast.context(&self.script), history, state));
        match hangs.as_slice() {
            [] => 0,
            findings if findings.iter().all(|finding| self.known.contains(&finding.signature)) => 1,
            _ => PROOF,
        }
    }

    fn over(&self) -> After {
        self.desk(Desk::freeze);
        let is_untold = |told: &Shared<BTreeSet<Signature>>| {
            let found = self.found.with(|found| found.as_ref().and_then(|blocked| blocked.signature.clone()));
            found.is_some_and(|signature| told.with(|told| !told.contains(&signature)))
        };
        match &self.cast.forgetting {
            Forgetting::All => After::Forget,
            Forgetting::Untold(told) if is_untold(told) => After::Forget,
            Forgetting::None | Forgetting::Untold(_) => After::Unwind,
        }
    }

    fn unwound(self: Arc<Self>) {
        self.clear();
    }
}

impl Harness {
    pub(super) fn new(cast: &Arc<Cast>, script: &Arc<Script>, orders: Orders) -> Harness {
        Harness::with(cast, script, Box::default(), orders)
    }

    fn with(cast: &Arc<Cast>, script: &Arc<Script>, mut notes: Box<Notes>, orders: Orders) -> Harness {
        notes.renew(orders.plan, orders.tell);
        Harness {
            cast: Arc::clone(cast),
            script: Arc::clone(script),
            notes,
            cue: orders.cue,
            found: Shared::new(None),
            known: orders.known,
        }
    }

    fn desk<R>(&self, f: impl FnOnce(&mut Desk) -> R) -> R {
        self.notes.desk.with(f)
    }

    pub(super) fn cast(&self) -> &Cast {
        &self.cast
    }

    pub(super) fn script(&self) -> &Script {
        &self.script
    }

    /// Whether it can be seen at a glance that all that is blocked may be.
    fn may_be_blocked(&self, now: &Quiescence<'_>) -> bool {
        let context = self.cast.context(&self.script);
        let is_blocked = |task| now.is_blocked(task);
        self.with_history(|history| oracle::all_may_be_blocked(&context, history, &is_blocked))
    }

    /// What is blocked in this state, and may not be.
    fn blocked(&self, state: &State) -> Vec<Finding> {
        self.with_history(|history| oracle::blocked(&self.cast.context(&self.script), history, state))
    }

    pub(super) fn with_history<R>(&self, f: impl FnOnce(&History) -> R) -> R {
        self.desk(|desk| f(desk.history()))
    }

    pub(super) fn take_history(&self) -> History {
        self.desk(Desk::take_history)
    }

    /// Whether it can be seen at a glance that an execution in which all has ended has kept the contract.
    pub(super) fn is_plainly_right(&self) -> bool {
        let context = self.cast.context(&self.script);
        let is_ordinary =
            self.notes.glance.with(|glance| self.with_history(|history| glance.accepts(&context, history)));
        is_ordinary && (!self.cast.contract.guarantees(Guarantee::Once) || self.notes.ledger.is_balanced())
    }

    /// What became of the events. An execution that was unwound has left some where they were.
    pub(super) fn events(&self, end: End) -> Events {
        let leaked = if end == End::Finished { self.notes.ledger.leaked() } else { Vec::new() };
        Events { leaked, overlapping: self.notes.ledger.overlapping() }
    }

    /// Runs the subject's code.
    fn of_subject<R>(&self, f: impl FnOnce() -> R) -> R {
        if self.cast.subject.is_black_box() { engine::opaque(f) } else { f() }
    }

    fn setup(self: &Arc<Self>) {
        let mux: Arc<dyn Running> =
            Arc::from(self.of_subject(|| self.cast.subject.start(&self.script.config)));
        self.desk(|desk| desk.open(mux));
        for (index, op) in self.script.setup.iter().enumerate() {
            self.point_before(index);
            self.perform(*op, Origin::Setup);
        }
        // A setup that was blocked ends the script there, also if the wind-down then lets it go on.
        if self.desk(|desk| desk.is_winding_down()) {
            return;
        }
        for (index, name) in LANES.into_iter().enumerate().take(self.script.lanes.len()) {
            let harness = Arc::clone(self);
            engine::start(Job::new(name, move || harness.lane(index)));
        }
    }

    fn lane(&self, index: usize) {
        let before = &self.script.lanes[..index];
        let first = self.script.setup.len() + before.iter().map(Vec::len).sum::<usize>();
        for (place, op) in self.script.lanes[index].iter().enumerate() {
            self.point_before(first + place);
            self.perform(*op, Origin::Lane(index as u8));
        }
    }

    /// The first of these that the subject has.
    fn first_of<T>(&self, ops: [(OpKind, T); 2]) -> Option<T> {
        ops.into_iter().find(|(kind, _)| self.cast.capabilities.ops.contains(*kind)).map(|(_, op)| op)
    }

    /// The task that stops the watcher of a slot.
    fn stop(self: &Arc<Self>, slot: Slot, op: Op) -> Job {
        let harness = Arc::clone(self);
        Job::new(STOPS[slot.index()], move || {
            engine::point();
            harness.perform(op, Origin::WindDown);
        })
    }

    /// The task that closes the mux, unless the script did so. Where that was the last call it puts away what
    /// the script left, and saves the execution another task for it.
    fn close(self: &Arc<Self>) -> Job {
        let op = self.first_of([(OpKind::Close, Op::Close), (OpKind::Shutdown, Op::Shutdown)]);
        let is_closed = self.desk(|desk| desk.is_closed());
        let harness = Arc::clone(self);
        Job::new("close", move || {
            if let (false, Some(op)) = (is_closed, op) {
                engine::point();
                harness.perform(op, Origin::WindDown);
            }
            if harness.desk(Desk::is_done) {
                harness.clear();
            }
        })
    }

    /// Drops the watchers and the mux, on a task of the execution they belong to.
    fn clear(&self) {
        let (watchers, mux) = self.desk(Desk::clear);
        self.of_subject(|| {
            drop(watchers);
            drop(mux);
        });
    }

    /// The sync point at which the op of this number begins.
    fn point_before(&self, op: usize) {
        let Some(cue) = &self.cue else { return engine::point() };
        cue.give(op);
        engine::point();
        // Where there was nothing to choose, nobody has asked.
        cue.take();
    }

    /// Calls an op, and records it.
    fn perform(&self, op: Op, origin: Origin) {
        let task = engine::current_task();
        let has = self.cast.capabilities.ops.contains(op.kind());
        let mut tools = Tools::default();
        let begun = self.desk(|desk| desk.begin(op, origin, task, has, &self.notes.ledger, &mut tools));
        let Some(index) = begun else { return };
        let outcome =
            sync::catch_unwind(|| self.of_subject(|| call::call(op, &mut tools, &self.script.config)))
                .unwrap_or_else(|payload| Outcome::Panicked(sync::seam::panic_message(&*payload)));
        self.desk(|desk| desk.end(index, outcome, &mut tools));
        // What is left over is dropped here, for there may be sync points in it.
        self.of_subject(|| drop(tools));
    }
}
