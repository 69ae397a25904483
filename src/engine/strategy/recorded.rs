use std::sync::Arc;

use super::super::{Shared, TaskId};
use super::{Alternative, Choosing, Point, Strategy};

/// Chooses as another strategy does, and records what there was to choose from.
///
/// Two executions of one body under the same choices have equal records, or something in it is not deterministic: that it uses
/// the system's clock, the order of a `HashMap`, an address, or a thread that is no task.
///
/// Clones share the record: one of them is given to the engine, and another is asked afterwards.
#[derive(Clone, Debug)]
pub struct Recorded<S> {
    strategy: S,
    record: Arc<Shared<Vec<Choice>>>,
}

/// A choice, and what there was to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What was chosen.
    pub kind: Choosing,
    /// Who was going on until then, if it could go on.
    pub current: Option<TaskId>,
    /// What there was to choose from.
    pub alternatives: Vec<Alternative>,
    /// The index of the one that was chosen.
    pub chosen: usize,
}

impl<S> Recorded<S> {
    /// Records the choices of that strategy.
    pub fn new(strategy: S) -> Recorded<S> {
        Recorded { strategy, record: Arc::default() }
    }

    /// The record alone, to be asked once the strategy is given away.
    pub fn record(&self) -> Recorded<()> {
        Recorded { strategy: (), record: Arc::clone(&self.record) }
    }

    /// Takes what was recorded so far.
    pub fn take(&self) -> Vec<Choice> {
        self.record.with(std::mem::take)
    }
}

impl<S: Strategy> Strategy for Recorded<S> {
    fn started(&mut self, task: TaskId, given: Option<&str>) {
        self.strategy.started(task, given);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let Point { kind, current, alternatives } = *point;
        let chosen = self.strategy.choose(point) % alternatives.len();
        let alternatives = alternatives.iter().collect();
        self.record.with(|record| record.push(Choice { kind, current, alternatives, chosen }));
        chosen
    }
}
