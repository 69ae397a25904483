//! Every schedule, one after the other.

use std::sync::Arc;

use crate::engine::strategy::{Choosing, Point, Strategy};
use crate::engine::{Shared, TaskId};

/// Makes these choices, and then the first of each; notes how many there were, and which are preemptions.
///
/// The first task only starts the others, which differs in nothing from when it does so: it goes first.
#[derive(Clone)]
pub(super) struct Brute(Arc<Shared<Path>>);

struct Path {
    /// The most preemptions.
    bound: u32,
    choices: Vec<Choice>,
    at: usize,
}

struct Choice {
    chosen: usize,
    of: usize,
    /// Whether each but the first is a preemption.
    interrupts: bool,
}

impl Choice {
    fn preemptions(&self) -> u32 {
        u32::from(self.interrupts && self.chosen > 0)
    }
}

impl Brute {
    /// Every schedule with no more than so many preemptions.
    pub(super) fn new(bound: u32) -> Brute {
        Brute(Arc::new(Shared::new(Path { bound, choices: Vec::new(), at: 0 })))
    }

    /// Goes on to the next execution; says whether there is one.
    pub(super) fn next(&self) -> bool {
        self.0.with(|path| {
            path.at = 0;
            let mut preemptions: u32 = path.choices.iter().map(Choice::preemptions).sum();
            while let Some(Choice { chosen, of, interrupts }) = path.choices.pop() {
                let next = Choice { chosen: chosen + 1, of, interrupts };
                preemptions -= Choice { chosen, of, interrupts }.preemptions();
                if next.chosen < of && preemptions + next.preemptions() <= path.bound {
                    path.choices.push(next);
                    return true;
                }
            }
            false
        })
    }
}

impl Strategy for Brute {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        if point.kind == Choosing::Task
            && let Some(first) =
                point.alternatives.iter().position(|alternative| alternative.task == TaskId(0))
        {
            return first;
        }
        self.0.with(|path| {
            let at = path.at;
            path.at += 1;
            let of = point.alternatives.len();
            if at == path.choices.len() {
                let interrupts = point.kind == Choosing::Task && point.current.is_some();
                path.choices.push(Choice { chosen: 0, of, interrupts });
            }
            assert_eq!(path.choices[at].of, of);
            path.choices[at].chosen
        })
    }
}
