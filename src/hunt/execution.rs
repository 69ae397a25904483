//! One script run once: driving a subject, recording its history, winding it down, and having it judged.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::exhaustive::{Exhaustive, Seen};
use crate::engine::strategy::{Cue, Strategy};
use crate::engine::trace::Trace;
use crate::engine::{
    self, After, Body, Divergence, End, Job, Next, ObjectId, Quiescence, Run, Shared, State, Status, fibers,
    schedule_of, steered, threads,
};
use crate::oracle::{
    self, Class, Context, Contract, Diagnosis, EventId, Finding, Guarantee, History, Judgement, Origin,
    Outcome, Signature, Verdict,
};
use crate::script::{Op, OpKind, Schedule, Script, Slot};
use crate::subject::gallery::gochan;
use crate::subject::{Capabilities, Ledger, Plan, Running, Subject};
use crate::sync::{self, thread};

mod call;
mod desk;
mod rewrite;

use desk::Desk;
pub(super) use desk::{Tell, Told};
pub use rewrite::with_wind_down_as_script;

/// How many sync points an execution on fibers may pass: what passes more may never come to rest.
pub const MOST_POINTS: u64 = 10_000;

/// How many times the deadline a black box must have been still before that is called a hang.
const PROOF: u32 = 10;

/// The file that the harness's own sync points are in.
pub(super) const FILE: &str = file!();

/// What runs a script once, and how.
pub enum Engine {
    /// Free-running OS threads.
    Threads(threads::Settings),
    /// Fibers, led by this strategy, for at most [`MOST_POINTS`].
    Fibers(Box<dyn Strategy>),
    /// As fibers, with a strategy that is told by this cue where which op of the script begins.
    Cued(Box<dyn Strategy>, Cue),
}

impl Engine {
    fn cue(&self) -> Option<Cue> {
        match self {
            Engine::Cued(_, cue) => Some(cue.clone()),
            Engine::Threads(_) | Engine::Fibers(_) => None,
        }
    }
}

impl From<threads::Settings> for Engine {
    fn from(settings: threads::Settings) -> Engine {
        Engine::Threads(settings)
    }
}

/// What one execution was.
#[derive(Clone, Debug)]
pub struct Execution {
    /// What was called, and what it returned.
    pub history: History,
    /// How the engine saw it end.
    pub run: Run,
    /// What the oracle says of it.
    pub judgement: Judgement,
    /// Who went on at each sync point; empty on free threads, which nobody leads.
    pub steps: Vec<fibers::Step>,
}

impl Execution {
    /// The slot of the watcher that reads from this channel, if one does.
    pub fn slot_of(&self, channel: ObjectId) -> Option<Slot> {
        let joined = Outcome::Joined(Some(channel));
        let watch = self.history.calls.iter().rfind(|call| call.outcome() == Some(&joined));
        watch.and_then(|call| call.op.slot())
    }

    /// Its schedule; `None` on free threads.
    pub fn schedule(&self) -> Option<Schedule> {
        (!self.steps.is_empty()).then(|| schedule_of(&self.steps, &self.run.state.tasks))
    }
}

/// A subject, and what it is held to.
pub(super) struct Cast {
    pub(super) subject: Arc<dyn Subject>,
    pub(super) capabilities: Capabilities,
    pub(super) contract: Contract,
    pub(super) forgetting: Forgetting,
}

/// Which executions on fibers are left as they are in the end, and not unwound.
pub(super) enum Forgetting {
    None,
    /// Those that end blocked, but for what has been told of.
    Untold(Shared<BTreeSet<Signature>>),
    All,
}

impl Cast {
    pub(super) fn new(subject: Arc<dyn Subject>, contract: Contract) -> Arc<Cast> {
        let capabilities = subject.capabilities();
        Arc::new(Cast { subject, capabilities, contract, forgetting: Forgetting::None })
    }

    /// This cast, forgetting those.
    pub(super) fn forgetting(&self, forgetting: Forgetting) -> Arc<Cast> {
        let (subject, contract) = (Arc::clone(&self.subject), self.contract.clone());
        Arc::new(Cast { subject, capabilities: self.capabilities.clone(), contract, forgetting })
    }

    /// Runs a clamped script once.
    pub(super) fn execute(
        self: &Arc<Self>,
        script: &Arc<Script>,
        engine: Engine,
        plan: Option<Plan>,
    ) -> Execution {
        let orders = Orders { plan, cue: engine.cue(), ..Orders::default() };
        let harness = self.harness(script, orders);
        let body = Arc::clone(&harness) as Arc<dyn Body>;
        let (run, steps) = match engine {
            Engine::Threads(settings) => (threads::run(body, settings), Vec::new()),
            Engine::Fibers(strategy) | Engine::Cued(strategy, _) => {
                let traced = fibers::run(body, strategy, MOST_POINTS);
                (traced.run, traced.steps)
            }
        };
        self.judge(script, harness.events(&run), harness.history(), run, steps)
    }

    /// Runs a clamped script once on free threads, and leaves the judging to others.
    pub(super) fn run(
        self: &Arc<Self>,
        script: &Arc<Script>,
        settings: threads::Settings,
        orders: Orders,
    ) -> (Run, Events) {
        let harness = self.harness(script, orders);
        let run = threads::run(Arc::clone(&harness) as Arc<dyn Body>, settings);
        let events = harness.events(&run);
        (run, events)
    }

    /// Runs a clamped script once on fibers, in the next of all of its schedules; and says what it was. What is redundant is
    /// not judged.
    pub(super) fn exhaust(
        self: &Arc<Self>,
        script: &Arc<Script>,
        exhaustive: &Exhaustive,
    ) -> (Option<Execution>, Seen) {
        let harness = self.harness(script, Orders::default());
        let body = Arc::clone(&harness) as Arc<dyn Body>;
        let (traced, seen) = exhaustive.execute(|strategy| fibers::run(body, strategy, MOST_POINTS));
        let judge = || {
            let (events, history) = (harness.events(&traced.run), harness.history());
            self.judge(script, events, history, traced.run, traced.steps)
        };
        ((seen != Seen::Redundant).then(judge), seen)
    }

    /// Runs a clamped script once on fibers, and writes down what it does.
    pub(super) fn record(
        self: &Arc<Self>,
        script: &Arc<Script>,
        strategy: Box<dyn Strategy>,
    ) -> (Execution, Trace) {
        let harness = self.harness(script, Orders::default());
        let body = Arc::clone(&harness) as Arc<dyn Body>;
        let (traced, trace) = fibers::record(body, strategy, MOST_POINTS);
        let (events, history) = (harness.events(&traced.run), harness.history());
        (self.judge(script, events, history, traced.run, traced.steps), trace)
    }

    /// Runs a clamped script once on OS threads, led through that schedule.
    pub(super) fn steer(
        self: &Arc<Self>,
        script: &Arc<Script>,
        schedule: &Schedule,
        settings: threads::Settings,
    ) -> Result<Execution, Divergence> {
        let harness = self.harness(script, Orders::default());
        let traced = steered::run(Arc::clone(&harness) as Arc<dyn Body>, schedule, settings)?;
        let (events, history) = (harness.events(&traced.run), harness.history());
        Ok(self.judge(script, events, history, traced.run, traced.steps))
    }

    fn harness(self: &Arc<Self>, script: &Arc<Script>, orders: Orders) -> Arc<Harness> {
        Arc::new(Harness {
            cast: Arc::clone(self),
            script: Arc::clone(script),
            ledger: Ledger::new(orders.plan),
            desk: Shared::new(Desk::telling(orders.tell)),
            cue: orders.cue,
            found: Shared::new(None),
            known: orders.known,
        })
    }

    /// Judges what was run of a script.
    pub(super) fn judge(
        &self,
        script: &Script,
        events: Events,
        history: History,
        mut run: Run,
        steps: Vec<fibers::Step>,
    ) -> Execution {
        if let Cow::Owned(state) = as_reported(&run.state) {
            run.state = state;
        }
        let mut judgement = oracle::judge(&self.context(script), &history, &run);
        if self.contract.guarantees(Guarantee::Once) {
            let later =
                judgement.findings.partition_point(|finding| finding.signature.verdict <= Verdict::Violation);
            judgement.findings.splice(later..later, self.mishandled(&events));
        }
        Execution { history, run, judgement, steps }
    }

    fn context<'a>(&'a self, script: &'a Script) -> Context<'a> {
        Context { script, capabilities: &self.capabilities, contract: &self.contract }
    }

    /// What the ledger says of the events.
    fn mishandled(&self, events: &Events) -> Vec<Finding> {
        let leaked = events.leaked.first();
        let leaked = leaked.map(|event| ("an event leaks", format!("event {event} was never dropped")));
        let overlapping = events.overlapping.filter(|_| !self.capabilities.shares_events).map(|event| {
            ("clones of one event overlap", format!("two tasks cloned event {event} at the same time"))
        });
        let finding = |(rule, sentence): (&str, String)| Finding {
            signature: Signature {
                verdict: Verdict::Violation,
                class: Class::AtomicityViolation,
                op: None,
                shape: format!("{}: {rule}", Guarantee::Once.name()),
                wind_down: false,
            },
            sentence,
            clause: "every event is dropped exactly once, and nothing leaks".to_owned(),
            origin: None,
            call: None,
            against: Vec::new(),
            chain: None,
        };
        leaked.into_iter().chain(overlapping).map(finding).collect()
    }
}

/// What an execution is to do besides running its script.
#[derive(Default)]
pub(super) struct Orders {
    /// The panic that is to happen in the `Clone` or `Drop` of an event.
    pub(super) plan: Option<Plan>,
    /// Tells the strategy which op begins, if it is to know.
    pub(super) cue: Option<Cue>,
    /// Who is told each call and return at once.
    pub(super) tell: Option<Tell>,
    /// Of a black box: the signatures of hangs that one deadline is enough for.
    pub(super) known: Vec<Signature>,
}

/// What became of the events.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Events {
    leaked: Vec<EventId>,
    overlapping: Option<EventId>,
}

/// Runs a script once on a subject, and judges it.
///
/// The script is clamped to what the subject supports; ops that it lacks are skipped.
pub fn execute(
    subject: &Arc<dyn Subject>,
    script: &Script,
    contract: &Contract,
    engine: impl Into<Engine>,
) -> Execution {
    execute_planned(subject, script, contract, engine, None)
}

/// As [`execute`], with a panic in the `Clone` or `Drop` of an event.
pub fn execute_planned(
    subject: &Arc<dyn Subject>,
    script: &Script,
    contract: &Contract,
    engine: impl Into<Engine>,
    plan: Option<Plan>,
) -> Execution {
    let cast = Cast::new(Arc::clone(subject), contract.clone());
    let script = Arc::new(cast.capabilities.clamp(script));
    cast.execute(&script, engine.into(), plan)
}

/// The state with a wait for a Go channel as one wait.
fn as_reported(state: &State) -> Cow<'_, State> {
    let is_part =
        |wait: &engine::Wait| wait.target.object().is_some_and(|id| gochan::is_part(state.object(id)));
    if !state.blocked().any(|(_, waits)| waits.len() > 1 && waits.iter().any(is_part)) {
        return Cow::Borrowed(state);
    }
    let mut reported = state.clone();
    for task in &mut reported.tasks {
        if let Status::Blocked(waits) = &mut task.status
            && !waits.iter().all(is_part)
        {
            waits.retain(|wait| !is_part(wait));
        }
    }
    Cow::Owned(reported)
}

/// What is blocked in the end.
struct Blocked {
    class: Class,
    sentence: String,
    /// If that is a finding.
    signature: Option<Signature>,
}

/// The body that drives a subject through a script.
struct Harness {
    cast: Arc<Cast>,
    /// As clamped.
    script: Arc<Script>,
    ledger: Arc<Ledger>,
    desk: Shared<Desk>,
    /// Tells the strategy which op begins, if it is to know.
    cue: Option<Cue>,
    /// What is blocked in the end, for [`Body::last_words`].
    found: Shared<Option<Blocked>>,
    /// The signatures of hangs that one deadline is enough for.
    known: Vec<Signature>,
}

impl Body for Harness {
    fn first(self: Arc<Self>) -> Job {
        Job { name: "setup".to_owned(), run: Box::new(move || self.setup()) }
    }

    fn quiescent(self: Arc<Self>, now: &Quiescence<'_>) -> Next {
        let blocked = now.is_anyone_blocked();
        if blocked {
            let state = as_reported(now.state());
            let findings = self.desk.with(|desk| oracle::blocked(&self.context(), desk.history(), &state));
            if let Some(Finding { signature, sentence, .. }) = findings.into_iter().next() {
                let blocked = Blocked { class: signature.class, sentence, signature: Some(signature) };
                self.found.with(|found| *found = Some(blocked));
                return Next::End;
            }
        }
        // Where no op can stop a watcher, it is put away with the rest.
        let stops: Vec<Job> =
            self.desk.with(Desk::wind_down).into_iter().filter_map(|slot| self.stop(slot)).collect();
        if !stops.is_empty() {
            return Next::Start(stops);
        }
        if self.desk.with(Desk::begin_close) {
            return Next::Start(vec![self.close()]);
        }
        if !blocked && self.desk.with(|desk| desk.holds_anything()) {
            let run = Box::new(move || self.clear());
            return Next::Start(vec![Job { name: "end".to_owned(), run }]);
        }
        if blocked {
            let left = oracle::explain(now.state());
            let left =
                left.map(|Diagnosis { class, sentence, .. }| Blocked { class, sentence, signature: None });
            self.found.with(|found| *found = left);
        }
        Next::End
    }

    fn last_words(&self) -> Option<String> {
        let Blocked { class, sentence, .. } = self.found.with(Option::take)?;
        let (subject, script) = (self.cast.subject.name(), self.script.to_string().replace('\n', "\n  "));
        Some(format!("HANG in {subject}: {class}\n\n  {sentence}\n\nScript, not shrunk:\n  {script}"))
    }

    fn clock(&self) -> u64 {
        self.desk.with(|desk| desk.history().clock)
    }

    fn deadlines(&self, state: &State) -> u32 {
        let findings = self.desk.with(|desk| oracle::blocked(&self.context(), desk.history(), state));
        match findings.as_slice() {
            [] => 0,
            findings if findings.iter().all(|finding| self.known.contains(&finding.signature)) => 1,
            _ => PROOF,
        }
    }

    fn over(&self) -> After {
        self.desk.with(Desk::freeze);
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
    fn context(&self) -> Context<'_> {
        self.cast.context(&self.script)
    }

    fn history(&self) -> History {
        self.desk.with(Desk::take_history)
    }

    /// What became of the events. An execution that was unwound has left some where they were.
    fn events(&self, run: &Run) -> Events {
        let leaked = if run.end == End::Finished { self.ledger.leaked() } else { Vec::new() };
        Events { leaked, overlapping: self.ledger.overlapping() }
    }

    /// Runs the subject's code.
    fn of_subject<R>(&self, f: impl FnOnce() -> R) -> R {
        if self.cast.subject.is_black_box() { engine::opaque(f) } else { f() }
    }

    fn setup(self: &Arc<Self>) {
        let mux: Arc<dyn Running> =
            Arc::from(self.of_subject(|| self.cast.subject.start(&self.script.config)));
        self.desk.with(|desk| desk.open(mux));
        for (index, op) in self.script.setup.iter().enumerate() {
            self.point_before(index);
            self.perform(*op, Origin::Setup);
        }
        for index in 0..self.script.lanes.len() {
            // A setup that was blocked ends the script, also if the wind-down then lets it go on.
            if self.desk.with(|desk| desk.is_winding_down()) {
                return;
            }
            let harness = Arc::clone(self);
            thread::Builder::new()
                .name(format!("lane{index}"))
                .spawn(move || harness.lane(index))
                .expect("the system can start a thread");
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

    /// The task that stops the watcher of a slot.
    fn stop(self: &Arc<Self>, slot: Slot) -> Option<Job> {
        let ops = [(OpKind::Stop, Op::Stop(slot)), (OpKind::Drop, Op::Drop(slot))];
        let (_, op) = ops.into_iter().find(|(kind, _)| self.cast.capabilities.ops.contains(*kind))?;
        let harness = Arc::clone(self);
        let run = Box::new(move || {
            engine::point();
            harness.perform(op, Origin::WindDown);
        });
        Some(Job { name: format!("stop-{slot}"), run })
    }

    /// The task that closes the mux, unless the script did so. Where that was the last call it puts away what
    /// the script left, and saves the execution another task for it.
    fn close(self: &Arc<Self>) -> Job {
        let ops = [(OpKind::Close, Op::Close), (OpKind::Shutdown, Op::Shutdown)];
        let op = ops.into_iter().find(|(kind, _)| self.cast.capabilities.ops.contains(*kind));
        let is_closed = self.desk.with(|desk| desk.is_closed());
        let harness = Arc::clone(self);
        let run = Box::new(move || {
            if let (false, Some((_, op))) = (is_closed, op) {
                engine::point();
                harness.perform(op, Origin::WindDown);
            }
            if harness.desk.with(Desk::is_done) {
                harness.clear();
            }
        });
        Job { name: "close".to_owned(), run }
    }

    /// Drops the watchers and the mux, on a task of the execution they belong to.
    fn clear(&self) {
        let (watchers, mux) = self.desk.with(Desk::clear);
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
        let Some((index, mut tools)) = self.desk.with(|desk| desk.begin(op, origin, task, has, &self.ledger))
        else {
            return;
        };
        let outcome =
            sync::catch_unwind(|| self.of_subject(|| call::call(op, &mut tools, &self.script.config)))
                .unwrap_or_else(|payload| Outcome::Panicked(sync::seam::panic_message(&*payload)));
        // What is left over is dropped here, for there may be sync points in it.
        let left_over = self.desk.with(|desk| desk.end(index, outcome, tools));
        self.of_subject(|| drop(left_over));
    }
}

#[cfg(test)]
mod tests;
