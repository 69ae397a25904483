//! One script run once: driving a subject, recording its history, winding it down, and having it judged.

use std::sync::Arc;

use crate::engine::strategy::{Cue, Strategy};
use crate::engine::{ObjectId, Run, fibers, schedule_of, threads};
use crate::oracle::{Contract, History, Judgement, Outcome};
use crate::script::{Plan, Schedule, Script, Slot};
use crate::subject::Subject;

mod call;
mod cast;
mod desk;
mod glimpse;
mod harness;
mod rewrite;

pub(super) use cast::{Cast, Forgetting, Orders};
pub(super) use desk::{Tell, Told};
pub(super) use glimpse::{Glimpse, interleaving};
pub(super) use harness::{Events, FILE};
pub use rewrite::with_wind_down_as_script;

/// How many sync points an execution on fibers may pass: what passes more may never come to rest.
pub const MOST_POINTS: u64 = 10_000;

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

#[cfg(test)]
mod tests;
