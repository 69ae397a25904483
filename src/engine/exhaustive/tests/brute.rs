//! Every schedule, one after the other.

use std::sync::Arc;

use crate::engine::Shared;
use crate::engine::strategy::{Choosing, Point, Strategy};

/// Makes these choices, and then the first of each; notes how many there were, and which are preemptions.
#[derive(Clone, Default)]
pub(super) struct Brute(Arc<Shared<Path>>);

#[derive(Default)]
struct Path {
    choices: Vec<(usize, usize)>,
    at: usize,
}

impl Brute {
    /// Goes on to the next execution; says whether there is one.
    pub(super) fn next(&self) -> bool {
        self.0.with(|path| {
            path.at = 0;
            while let Some((chosen, of)) = path.choices.pop() {
                if chosen + 1 < of {
                    path.choices.push((chosen + 1, of));
                    return true;
                }
            }
            false
        })
    }
}

impl Strategy for Brute {
    fn choose(&mut self, point: &Point<'_>) -> usize {
        debug_assert!(matches!(point.kind, Choosing::Task | Choosing::Branch | Choosing::Waiter));
        self.0.with(|path| {
            let at = path.at;
            path.at += 1;
            if at == path.choices.len() {
                path.choices.push((0, point.alternatives.len()));
            }
            assert_eq!(path.choices[at].1, point.alternatives.len());
            path.choices[at].0
        })
    }
}
