//! A subject, what it is held to, and the ways to run a script on it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::glimpse::Glimpse;
use super::harness::{self, Events, Harness};
use super::{Engine, Execution, MOST_POINTS, Tell};
use crate::engine::exhaustive::{Exhaustive, Seen};
use crate::engine::strategy::{Cue, Strategy};
use crate::engine::trace::Trace;
use crate::engine::{self, Body, Divergence, Run, Shared, State, Status, fibers, steered, threads};
use crate::oracle::{self, Class, Context, Contract, Finding, Guarantee, History, Signature, Verdict};
use crate::script::{Plan, Schedule, Script};
use crate::subject::gallery::gochan;
use crate::subject::{Capabilities, Subject};

/// A subject, and what it is held to.
pub(in crate::hunt) struct Cast {
    pub(in crate::hunt) subject: Arc<dyn Subject>,
    pub(in crate::hunt) capabilities: Capabilities,
    pub(in crate::hunt) contract: Contract,
    pub(in crate::hunt) forgetting: Forgetting,
}

/// Which executions on fibers are left as they are in the end, and not unwound.
pub(in crate::hunt) enum Forgetting {
    None,
    /// Those that end blocked, but for what has been told of.
    Untold(Shared<BTreeSet<Signature>>),
    All,
}

/// What an execution is to do besides running its script.
#[derive(Default)]
pub(in crate::hunt) struct Orders {
    /// The panic that is to happen in the `Clone` or `Drop` of an event.
    pub(in crate::hunt) plan: Option<Plan>,
    /// Tells the strategy which op begins, if it is to know.
    pub(in crate::hunt) cue: Option<Cue>,
    /// Who is told each call and return at once.
    pub(in crate::hunt) tell: Option<Tell>,
    /// Of a black box: the signatures of hangs that one deadline is enough for.
    pub(in crate::hunt) known: Vec<Signature>,
}

impl Cast {
    pub(in crate::hunt) fn new(subject: Arc<dyn Subject>, contract: Contract) -> Arc<Cast> {
        let capabilities = subject.capabilities();
        Arc::new(Cast { subject, capabilities, contract, forgetting: Forgetting::None })
    }

    /// This cast, forgetting those.
    pub(in crate::hunt) fn forgetting(&self, forgetting: Forgetting) -> Arc<Cast> {
        let (subject, contract) = (Arc::clone(&self.subject), self.contract.clone());
        Arc::new(Cast { subject, capabilities: self.capabilities.clone(), contract, forgetting })
    }

    /// Runs a clamped script once.
    pub(in crate::hunt) fn execute(
        self: &Arc<Self>,
        script: &Arc<Script>,
        engine: Engine,
        plan: Option<Plan>,
    ) -> Execution {
        let orders = Orders { plan, cue: engine.cue(), ..Orders::default() };
        match engine {
            Engine::Threads(settings) => {
                let harness = Arc::new(Harness::new(self, script, orders));
                let run = threads::run(Arc::clone(&harness) as Arc<dyn Body>, settings);
                self.judge(script, harness.events(run.end), harness.take_history(), run, Vec::new())
            }
            Engine::Fibers(strategy) | Engine::Cued(strategy, _) => {
                self.glimpse(script, strategy, orders, |glimpse| glimpse.told())
            }
        }
    }

    /// Runs a clamped script once on fibers, and has somebody see how it went.
    pub(in crate::hunt) fn glimpse<R>(
        self: &Arc<Self>,
        script: &Arc<Script>,
        strategy: Box<dyn Strategy>,
        orders: Orders,
        see: impl FnOnce(Glimpse<'_>) -> R,
    ) -> R {
        harness::with_kept(self, script, orders, |harness| {
            fibers::with_engine(|engine| {
                let body = Arc::clone(harness) as Arc<dyn Body>;
                let end = engine.run(&body, strategy, MOST_POINTS);
                see(Glimpse::new(harness, engine, end))
            })
        })
    }

    /// Runs a clamped script once on free threads, and leaves the judging to others.
    pub(in crate::hunt) fn run(
        self: &Arc<Self>,
        script: &Arc<Script>,
        settings: threads::Settings,
        orders: Orders,
    ) -> (Run, Events) {
        let harness = Arc::new(Harness::new(self, script, orders));
        let run = threads::run(Arc::clone(&harness) as Arc<dyn Body>, settings);
        let events = harness.events(run.end);
        (run, events)
    }

    /// Runs a clamped script once on fibers, in the next of all of its schedules; and says what it was. What is redundant is
    /// not judged.
    pub(in crate::hunt) fn exhaust(
        self: &Arc<Self>,
        script: &Arc<Script>,
        exhaustive: &Exhaustive,
        plan: Option<Plan>,
    ) -> (Option<Execution>, Seen) {
        let harness = Arc::new(Harness::new(self, script, Orders { plan, ..Orders::default() }));
        let body = Arc::clone(&harness) as Arc<dyn Body>;
        let (traced, seen) = exhaustive.execute(|strategy| fibers::run(body, strategy, MOST_POINTS));
        let judge = || {
            let (events, history) = (harness.events(traced.run.end), harness.take_history());
            self.judge(script, events, history, traced.run, traced.steps)
        };
        ((seen != Seen::Redundant).then(judge), seen)
    }

    /// Runs a clamped script once on fibers, and writes down what it does.
    pub(in crate::hunt) fn record(
        self: &Arc<Self>,
        script: &Arc<Script>,
        strategy: Box<dyn Strategy>,
        plan: Option<Plan>,
    ) -> (Execution, Trace) {
        let harness = Arc::new(Harness::new(self, script, Orders { plan, ..Orders::default() }));
        let body = Arc::clone(&harness) as Arc<dyn Body>;
        let (traced, trace) = fibers::record(body, strategy, MOST_POINTS);
        let (events, history) = (harness.events(traced.run.end), harness.take_history());
        (self.judge(script, events, history, traced.run, traced.steps), trace)
    }

    /// Runs a clamped script once on OS threads, led through that schedule.
    pub(in crate::hunt) fn steer(
        self: &Arc<Self>,
        script: &Arc<Script>,
        schedule: &Schedule,
        settings: threads::Settings,
        plan: Option<Plan>,
    ) -> Result<Execution, Divergence> {
        let harness = Arc::new(Harness::new(self, script, Orders { plan, ..Orders::default() }));
        let traced = steered::run(Arc::clone(&harness) as Arc<dyn Body>, schedule, settings)?;
        let (events, history) = (harness.events(traced.run.end), harness.take_history());
        Ok(self.judge(script, events, history, traced.run, traced.steps))
    }

    /// Judges what was run of a script.
    pub(in crate::hunt) fn judge(
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

    pub(super) fn context<'a>(&'a self, script: &'a Script) -> Context<'a> {
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

/// The state with a wait for a Go channel as one wait.
pub(super) fn as_reported(state: &State) -> Cow<'_, State> {
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
