use super::draw::Draw;
use super::{Estimates, Point, Sealed, Strategy};
use crate::engine::{Access, TaskId, TaskSet};

/// Chooses with equal chances, at every point anew.
#[derive(Clone, Debug)]
pub struct RandomWalk(Draw);

impl RandomWalk {
    /// The walk of this seed.
    pub fn new(seed: u64) -> RandomWalk {
        RandomWalk(Draw::new(seed))
    }
}

impl Strategy for RandomWalk {
    fn renew(&mut self, seed: u64, _: &Estimates) -> bool {
        *self = RandomWalk::new(seed);
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.0.any(point.alternatives.len())
    }

    #[inline(always)]
    fn choose_task(&mut self, current: Option<TaskId>, ready: &TaskSet, _: &[Access], _: Sealed) -> TaskId {
        self.0.any_of(current, ready)
    }

    fn forced(&mut self, _: Option<TaskId>, _: TaskId, _: Access) {}
}
