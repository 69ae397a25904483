//! An execution that has just ended, seen before anything of it is written down.

use std::sync::Arc;

use super::Execution;
use super::harness::Harness;
use crate::engine::{End, fibers};
use crate::oracle::Call;

/// An execution on fibers that has just ended.
///
/// Nearly all pass. That is seen here at once, and costs a fraction of what it takes to [tell](Glimpse::told) what an
/// execution was.
pub(in crate::hunt) struct Glimpse<'a> {
    harness: &'a Arc<Harness>,
    engine: &'a mut fibers::Engine,
    end: End,
}

impl<'a> Glimpse<'a> {
    pub(super) fn new(harness: &'a Arc<Harness>, engine: &'a mut fibers::Engine, end: End) -> Glimpse<'a> {
        Glimpse { harness, engine, end }
    }

    pub(in crate::hunt) fn end(&self) -> End {
        self.end
    }

    /// Who went on at each sync point.
    pub(in crate::hunt) fn steps(&self) -> &[fibers::Step] {
        self.engine.steps()
    }

    pub(in crate::hunt) fn sync_points(&self) -> u64 {
        self.engine.sync_points()
    }

    /// Equal for equal interleavings of one script: the order of its calls and returns.
    pub(in crate::hunt) fn interleaving(&self) -> u64 {
        self.harness.with_history(|history| interleaving(&history.calls))
    }

    /// Whether it passes, as far as can be seen at once. What does not may pass all the same, which the oracle has to say.
    pub(in crate::hunt) fn passes(&self) -> bool {
        self.end == End::Finished && !self.engine.has_anyone_panicked() && self.harness.is_plainly_right()
    }

    /// What it was, judged.
    pub(in crate::hunt) fn told(self) -> Execution {
        let Glimpse { harness, engine, end } = self;
        let traced = engine.traced(end);
        let (events, history) = (harness.events(end), harness.take_history());
        harness.cast().judge(harness.script(), events, history, traced.run, traced.steps)
    }
}

/// Equal for equal orders of calls and returns, and hardly for others.
pub(in crate::hunt) fn interleaving(calls: &[Call]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    calls.iter().fold(0, |hash, call| {
        let returned = call.returned_at().map_or(0, |at| at + 1);
        mix(mix(mix(hash, call.task.0 as u64), call.called), returned)
    })
}
