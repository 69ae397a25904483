//! One execution of a script, step by step: what the engine wrote down, and which op each step belongs to.

use std::panic::Location;
use std::sync::Arc;

use super::execution::{self, Execution};
use super::trial::Trial;
use crate::engine::strategy::Replay;
use crate::engine::trace::{Doing, Effect, Handoff, Step, Trace};
use crate::engine::{Divergence, ObjectId, ObjectKind, Run, Target, Wait, words};
use crate::oracle::{Call, History, Judgement, Outcome, WatcherId};
use crate::script::{Config, Schedule, Script, WhenFull};
use crate::subject::gallery::gochan;

/// One execution of a script, step by step.
#[derive(Clone, Debug)]
pub struct Interleaving {
    /// The script, clamped.
    pub script: Script,
    /// The execution.
    pub execution: Execution,
    /// What it did. A wait for a Go channel is one wait in it.
    pub trace: Trace,
    /// What each step is to the script, one for each of the trace.
    pub steps: Vec<Place>,
    /// Where each call of the history begins and ends.
    pub spans: Vec<Span>,
    /// What each object of the trace is to the script.
    pub objects: Vec<Role>,
    /// Who let whom go on, also by closing a Go channel.
    pub handoffs: Vec<Handoff>,
}

/// What a step is to the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The call that it is part of, by its index in the history; none in a task of the subject's own, and between
    /// calls.
    pub call: Option<usize>,
    /// Where in the subject's code; none in the harness's.
    pub location: Option<&'static Location<'static>>,
    /// Whether it does anything that somebody else could notice.
    pub matters: bool,
}

/// The steps of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The step it is called in.
    pub called: usize,
    /// The step it returns in, if it does.
    pub returned: Option<usize>,
}

/// What an object is to the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// What it is called in reports: ``watcher `a` ``, ``lock `watchers` ``.
    pub name: String,
    /// The watcher that reads from it.
    pub watcher: Option<WatcherId>,
    /// Whether it is but a part of another, and not to be shown.
    pub part: bool,
    /// Whether it is a channel that stands for a wait group of Go's: it is done when it has no sender.
    pub wait_group: bool,
}

impl Trial {
    /// Runs a script on fibers by a schedule, and writes down what it does. What is left in the end is not unwound.
    ///
    /// # Errors
    /// If the schedule does not fit.
    pub fn interleaving(&self, script: &Script, schedule: &Schedule) -> Result<Interleaving, Divergence> {
        let script = Arc::new(self.clamp(script));
        let following = Replay::new(schedule);
        let (execution, trace) = self.recorded(&script, Box::new(following.clone()));
        match following.divergence() {
            Some(divergence) => Err(divergence),
            None => Ok(Interleaving::new(Script::clone(&script), execution, trace)),
        }
    }

    /// The interleaving of an execution of a script; `None` if it has no schedule, or one that does not fit.
    pub fn shown(&self, script: &Script, execution: &Execution) -> Option<Interleaving> {
        self.interleaving(script, &execution.schedule()?).ok()
    }
}

impl Interleaving {
    /// What code did that is no script: there are no calls in it.
    pub fn of_code(trace: Trace, run: Run) -> Interleaving {
        let script = Script {
            config: Config { incoming: 0, queue: 0, when_full: WhenFull::Wait },
            setup: vec![],
            lanes: vec![],
        };
        let (history, judgement) = (History::default(), Judgement::default());
        Interleaving::new(script, Execution { history, run, judgement, steps: Vec::new() }, trace)
    }

    /// Whether it is of code that is no script.
    pub fn is_of_code(&self) -> bool {
        self.execution.history.calls.is_empty()
    }

    fn new(script: Script, execution: Execution, mut trace: Trace) -> Interleaving {
        let objects = roles(&trace, &execution.history);
        let handoffs = trace.handoffs();
        join_parts(&mut trace, &objects);
        let spans = spans(&trace, &execution.history);
        let steps = (0..trace.steps.len())
            .map(|step| place(&trace, &objects, &spans, &execution.history, step))
            .collect();
        Interleaving { script, execution, trace, steps, spans, objects, handoffs }
    }

    /// The call that a step is part of.
    pub fn call(&self, step: usize) -> Option<&Call> {
        self.steps[step].call.map(|call| &self.execution.history.calls[call])
    }

    /// The calls that begin in a step, by their index in the history.
    pub fn called_in(&self, step: usize) -> impl Iterator<Item = usize> {
        (0..).zip(&self.spans).filter(move |(_, span)| span.called == step).map(|(call, _)| call)
    }

    /// The calls that return in a step, by their index in the history.
    pub fn returned_in(&self, step: usize) -> impl Iterator<Item = usize> {
        (0..).zip(&self.spans).filter(move |(_, span)| span.returned == Some(step)).map(|(call, _)| call)
    }

    /// The Go channel that an effect of a step closes, if it does.
    pub fn closed_by(&self, step: usize, effect: &Effect) -> Option<ObjectId> {
        closed_by(&self.trace, &self.objects, &self.trace.steps[step], effect)
    }

    /// Which op of its setup or lane a call is, counted from 0; of the wind-down, which of its ops.
    pub fn op_index(&self, call: usize) -> usize {
        let calls = &self.execution.history.calls;
        calls[..call].iter().filter(|earlier| earlier.origin == calls[call].origin).count()
    }
}

/// The Go channel that this effect closes, if it does: a part of it loses its sender, while the channel is there to be
/// received from.
fn closed_by(trace: &Trace, objects: &[Role], step: &Step, effect: &Effect) -> Option<ObjectId> {
    let Effect::NoSender(part) = effect else { return None };
    let known = &trace.objects[part.0];
    let closes = known.name.as_deref().is_some_and(gochan::is_name_of_closing);
    let dropped = step.effects.contains(&Effect::NoReceiver(*part));
    // The parts of a channel are made right after it.
    let whole = (0..part.0).rev().find(|id| !objects[*id].part).map(ObjectId);
    whole.filter(|_| closes && !dropped)
}

/// What each object is called, and whether it is shown.
fn roles(trace: &Trace, history: &History) -> Vec<Role> {
    let reader =
        |id: ObjectId| history.calls.iter().rfind(|call| call.outcome() == Some(&Outcome::Joined(Some(id))));
    (0..)
        .map(ObjectId)
        .zip(&trace.objects)
        .map(|(id, object)| {
            let group = object.name.as_deref().and_then(|name| name.strip_suffix(words::WAIT_GROUP));
            let kind = match object.kind {
                _ if object.timed => "timer",
                ObjectKind::Channel(_) => "channel",
                ObjectKind::Mutex | ObjectKind::RwLock => "lock",
                ObjectKind::Condvar => "condition variable",
            };
            let watch = reader(id);
            let slot = watch.and_then(|watch| watch.op.slot());
            let name = match (slot, group, &object.name) {
                (Some(slot), ..) => format!("watcher `{slot}`"),
                (None, Some(name), _) => format!("wait group `{name}`"),
                (None, None, Some(name)) => format!("{kind} `{name}`"),
                (None, None, None) => format!("{kind} made at {}", words::place(object.made)),
            };
            let part = object.name.as_deref().is_some_and(gochan::is_name_of_part);
            let watcher = watch.and_then(|watch| watch.watcher);
            Role { name, watcher, part, wait_group: group.is_some() }
        })
        .collect()
}

/// Makes a wait for a Go channel one wait.
fn join_parts(trace: &mut Trace, objects: &[Role]) {
    let is_part = |wait: &Wait| wait.target.object().is_some_and(|id| objects[id.0].part);
    for doing in trace.steps.iter_mut().flat_map(|step| &mut step.state.tasks) {
        if let Doing::Waiting(waiting) = doing
            && !waiting.waits.iter().all(is_part)
        {
            waiting.waits.retain(|wait| !is_part(wait));
        }
    }
}

/// Where each call begins and ends: each step has the stamps from the clock before it up to the one after it.
fn spans(trace: &Trace, history: &History) -> Vec<Span> {
    let last = trace.steps.len().saturating_sub(1);
    let step_of = |stamp: u64| trace.steps.partition_point(|step| step.clock <= stamp).min(last);
    let span = |call: &Call| Span { called: step_of(call.called), returned: call.returned_at().map(step_of) };
    history.calls.iter().map(span).collect()
}

fn place(trace: &Trace, objects: &[Role], spans: &[Span], history: &History, index: usize) -> Place {
    let step = &trace.steps[index];
    let spans = || (0..).zip(spans);
    let is_during = |span: &Span| span.called <= index && span.returned.is_none_or(|last| index <= last);
    let call = spans()
        .find(|(call, span)| history.calls[*call].task == step.task && is_during(span))
        .map(|(call, _)| call);
    let is_edge = spans().any(|(_, span)| span.called == index || span.returned == Some(index));
    let is_shown = |id: &ObjectId| !objects[id.0].part;
    let is_noticed = |effect: &Effect| match effect {
        Effect::Acquired(id)
        | Effect::Released(id)
        | Effect::Sent(id, _)
        | Effect::Received(id, _)
        | Effect::Filled(id, _) => is_shown(id),
        // A wait group that nobody can wait for any more is not done by that.
        Effect::NoSender(id) if objects[id.0].wait_group => step.state.objects[id.0].receivers > 0,
        Effect::NoReceiver(id) if objects[id.0].wait_group => false,
        Effect::NoSender(id) | Effect::NoReceiver(id) => is_shown(id),
        Effect::Waits => match &step.state.tasks[step.task.0] {
            Doing::Waiting(waiting) => {
                let targets = waiting.waits.iter().filter_map(|wait| Target::object(wait.target));
                targets.clone().next().is_none() || targets.into_iter().any(|id| is_shown(&id))
            }
            Doing::Ready | Doing::Ended | Doing::Panicked(_) => true,
        },
        Effect::Notified(_)
        | Effect::NotifiedNobody(_)
        | Effect::Started(_)
        | Effect::Ended
        | Effect::Panicked => true,
    };
    let location = step.location.filter(|location| location.file() != execution::FILE);
    let closes = |effect: &Effect| closed_by(trace, objects, step, effect).is_some();
    let matters = is_edge || step.effects.iter().any(|effect| is_noticed(effect) || closes(effect));
    Place { call, location, matters }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::script::ContractKind;
    use crate::subject;

    fn interleaving(subject: &str, script: &str, schedule: &str) -> Interleaving {
        let subject = subject::all().into_iter().find(|other| other.name() == subject).unwrap();
        let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(60));
        trial.interleaving(&script.parse().unwrap(), &schedule.parse().unwrap()).unwrap()
    }

    /// The steps that matter: the task, its op, and what it did.
    fn told(interleaving: &Interleaving) -> Vec<String> {
        let Interleaving { trace, steps, objects, .. } = interleaving;
        let name = |id: &ObjectId| &objects[id.0].name;
        let effect = |effect: &Effect| match effect {
            Effect::Acquired(id) => format!("takes {}", name(id)),
            Effect::Released(id) => format!("releases {}", name(id)),
            Effect::Sent(id, _) => format!("sends to {}", name(id)),
            Effect::Received(id, _) => format!("receives from {}", name(id)),
            other => format!("{other:?}"),
        };
        let shown = (0..).zip(&trace.steps).filter(|(step, _)| steps[*step].matters);
        shown
            .map(|(index, step)| {
                let op = interleaving.call(index).map(|call| call.op.to_string());
                let op = op.map_or_else(String::new, |op| format!(" [{op}]"));
                let effects: Vec<String> = step.effects.iter().map(effect).collect();
                format!("{}{op}: {}", trace.name(step.task), effects.join(", "))
            })
            .collect()
    }

    const SCRIPT: &str = "mux incoming=0 queue=0 when-full=wait\nlane\n  watch a\n  action\n  stop a\n";
    const SCHEDULE: &str = "setup*3 dispatcher*3 lane0*7 dispatcher*4 lane0";

    #[test]
    fn each_step_is_known_by_its_op_and_by_what_it_did() {
        let interleaving = interleaving("k8s-906", SCRIPT, SCHEDULE);
        assert_eq!(
            told(&interleaving),
            [
                "setup: Started(TaskId(1))",
                "setup: Started(TaskId(2)), Ended",
                "dispatcher: Waits",
                "lane0 [watch a]: ",
                "lane0 [watch a]: takes lock `watchers`, releases lock `watchers`",
                "lane0 [action]: ",
                "lane0 [action]: sends to channel `incoming`",
                "lane0 [stop a]: ",
                "dispatcher: receives from channel `incoming`",
                "dispatcher: takes lock `watchers`",
                "dispatcher: Waits",
                "lane0 [stop a]: Waits",
            ]
        );
        let last = interleaving.trace.steps.last().unwrap();
        let waits = |task: usize| match &last.state.tasks[task] {
            Doing::Waiting(waiting) => {
                waiting.waits.iter().map(|wait| wait.target.object().unwrap()).collect()
            }
            _ => Vec::new(),
        };
        let names = |task| waits(task).iter().map(|id| &*interleaving.objects[id.0].name).collect::<Vec<_>>();
        assert_eq!((names(1), names(2)), (vec!["watcher `a`"], vec!["lock `watchers`"]));
        assert_eq!(interleaving.op_index(2), 2);
        let spans: Vec<_> = interleaving.spans.iter().map(|span| (span.called, span.returned)).collect();
        assert_eq!(spans, [(7, Some(8)), (9, Some(11)), (12, None)]);
        assert_eq!(
            (interleaving.called_in(9).next(), interleaving.returned_in(8).next()),
            (Some(1), Some(0))
        );
    }

    #[test]
    fn places_are_the_subjects() {
        let interleaving = interleaving("k8s-906", SCRIPT, SCHEDULE);
        let places = interleaving.steps.iter().filter_map(|place| place.location);
        assert!(places.clone().count() > 8);
        for place in places {
            assert!(place.file().starts_with("src/subject/gallery/"), "{place}");
        }
    }

    #[test]
    fn a_schedule_that_does_not_fit_is_refused() {
        let subject = subject::all().into_iter().find(|other| other.name() == "k8s-906").unwrap();
        let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(60));
        let refused = trial.interleaving(&SCRIPT.parse().unwrap(), &"setup*3 lane9".parse().unwrap());
        assert_eq!(refused.unwrap_err().expected.as_deref(), Some("lane9"));
    }
}
