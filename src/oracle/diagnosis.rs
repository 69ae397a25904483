//! Why a task is blocked: the chain of waits it reaches, its class, and how to say it.
//!
//! A chain goes from the task to whoever could serve it, and on, until it comes to a watcher that is sent to,
//! back to a task of its own, or to nobody. Its shape names no task, lock or channel, so that it is the same in
//! every execution of the same bug: of the ops it has the kinds, and of the subject's own tasks the names they
//! were given. For the same reason it follows a channel to the subject's own tasks alone: which op used a handle
//! last is a matter of the schedule.
//!
//! Of code that is no subject nothing is known but its tasks and objects; there it is whoever used a handle last
//! that could serve a channel. See [`explain`].

use std::panic::Location;

use super::model::Model;
use super::{Call, Class};
use crate::engine::{State, Status, Target, TaskId};

mod class;
mod graph;
mod words;

use graph::Graph;
pub(super) use graph::kind_of_task;

/// Tasks and what each waits for; each but the first could serve the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The blocked task it is about first.
    pub links: Vec<Link>,
    /// What the last of them leads to.
    pub end: ChainEnd,
}

/// A blocked task of a [`Chain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The task.
    pub task: TaskId,
    /// What it waits for; of several things the one that tells most.
    pub target: Target,
}

/// What a [`Chain`] leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainEnd {
    /// The last task waits for a watcher to take an event, and only these could.
    Watcher(Vec<TaskId>),
    /// The last task waits for this one, which is of the chain.
    Cycle(TaskId),
    /// Only this task could serve the last one, and it has ended.
    Ended(TaskId),
    /// Nobody can serve the last task, and this one of the subject's own, which might have, has panicked.
    Panicked(TaskId),
    /// The last task waits for a notification, and the last one, by this task, came when nobody waited.
    Lost(TaskId, &'static Location<'static>),
    /// Nobody can serve the last task.
    Nobody,
    /// It is not known what the last task waits for.
    Unknown,
}

impl Chain {
    /// The tasks that wait for each other in a circle, each for the next and the last for the first; none if it is no
    /// circle. One that waits for a watcher is closed by a reader of it.
    pub fn cycle(&self) -> &[Link] {
        let place = |task: &TaskId| self.links.iter().position(|link| link.task == *task);
        let first = match &self.end {
            ChainEnd::Cycle(task) => place(task),
            ChainEnd::Watcher(readers) => readers.iter().filter_map(place).min(),
            ChainEnd::Ended(_)
            | ChainEnd::Panicked(_)
            | ChainEnd::Lost(..)
            | ChainEnd::Nobody
            | ChainEnd::Unknown => None,
        };
        first.map_or(&[], |first| &self.links[first..])
    }
}

/// Why tasks are blocked for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What kind of bug that is.
    pub class: Class,
    /// Who waits for whom.
    pub chain: Chain,
    /// In one sentence, with names.
    pub sentence: String,
}

/// Says why nobody can go on, of any code; `None` if no task is blocked.
///
/// Of all chains of waits it tells the one that explains the others: a circle rather than what waits for a task of
/// it, and otherwise the shortest.
pub fn explain(state: &State) -> Option<Diagnosis> {
    let graph = Graph { state, script: None };
    let chains = state.blocked().map(|(task, _)| graph.chain(task));
    // What leads to a circle is longer than the circle.
    let rank = |chain: &Chain| match &chain.end {
        ChainEnd::Cycle(_) => 0,
        ChainEnd::Ended(_) | ChainEnd::Panicked(_) => 1,
        ChainEnd::Lost(..) => 2,
        ChainEnd::Nobody => 3,
        ChainEnd::Watcher(_) => 4,
        ChainEnd::Unknown => 5,
    };
    let chain = chains.min_by_key(|chain| (rank(chain), chain.links.len()))?;
    let start = chain
        .links
        .first()
        .map_or_else(|| state.blocked().next().map(|(task, _)| task), |link| Some(link.task));
    let (class, sentence) = (graph.class(&chain), graph.sentence(start?, &chain));
    Some(Diagnosis { class, chain, sentence })
}

/// Follows the waits from this task, which is blocked in this call or in code of the subject's own; with the shape of
/// the chain: `stop waits for lock, held by dispatcher, which waits to send to own watcher`.
pub(super) fn diagnose(
    model: &Model<'_>,
    state: &State,
    task: TaskId,
    call: Option<&Call>,
) -> (Diagnosis, String) {
    let graph = Graph { state, script: Some((model, call)) };
    let chain = graph.chain(task);
    let shape = graph.shape(task, &chain);
    let (class, sentence) = (graph.class(&chain), graph.sentence(task, &chain));
    (Diagnosis { class, chain, sentence }, shape)
}

/// Whether a task is blocked in this state.
fn is_blocked(state: &State, task: TaskId) -> bool {
    matches!(state.task(task).status, Status::Blocked(_))
}
