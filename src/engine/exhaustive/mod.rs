//! Exploring all schedules of a body, up to those that differ in nothing but the order of steps that commute.
//!
//! # How
//!
//! This is source-DPOR with sleep sets (Abdulla, Aronis, Jonsson and Sagonas, "Optimal dynamic partial order reduction", POPL
//! 2014). An execution is a sequence of *events*: what a task does from one sync point to the next. The seam tells what each
//! really touched, and from that follows which events *depend* on each other; what happens before what is the
//! closure of that and of the order within each task. Two dependent events of different tasks, with nothing between them that
//! comes after the one and before the other, *race*, and for each race one of the tasks that could begin the other order is
//! explored from the point before the earlier. What was explored from a point sleeps, there and below, until something happens
//! that it depends on; an execution in which all that could go on sleep is *redundant*, and is counted apart.
//!
//! # What depends on what
//!
//! - Two acquisitions of one lock; looking at a lock, and what changes it. A release comes before the acquisition that waits for
//!   it, and is no race.
//! - The sends of one channel, and its receives. A receive comes after the send of its message, and a send after the receive that
//!   made room for it; a send and a receive of another message commute. An operation that failed, or a branch of a select that
//!   was not taken, has *seen* whether that side could go ahead, and depends on whatever changes that. A handle's drop depends on
//!   what has seen that side alive.
//! - At a rendezvous all who come, wait, leave or look: who has waited longest is met first, so that all orders of waiting are
//!   explored. Handing a message over commutes with these.
//! - Notifications and waits for them; of several that wait, each is woken in some execution.
//! - The end of a task and whoever asks for it; its start is part of what starts it.
//! - Accesses of one atomic, unless both read.
//! - What the body tells of itself: the harness of scripts tells of its slots, and that a call and a return are in an order
//!   (calls among themselves, and returns, are not: no guarantee is about that).
//!
//! # Waiting
//!
//! A task at a lock, a channel with room or a join that it would have to wait for is not chosen: as nobody sees that it waits, it
//! makes no difference when it begins to. Only where nobody else can go on do such tasks begin to wait, in a fixed order. What
//! took away what a task waits for (the lock, the message, the room) races with what the task would do, also if it never does,
//! and whatever let it go on in the end is between them: such a race is not hidden by that. A writer that waits for a
//! reader-writer lock, and all who wait at a rendezvous or for a notification, can be seen, so that to begin to wait is an event.
//!
//! Time passes only where nobody can go on, so all that came before comes before all that follows; the same holds where a body
//! adds tasks. What is blocked then races with what has kept it from going on, as at the end.
//!
//! # What is not covered
//!
//! - Weak memory: an execution is sequentially consistent. For code of locks, channels and sequentially consistent atomics that
//!   is no loss, for it has no other executions where data are only shared under locks or sent. Other atomic orderings are
//!   strengthened.
//! - Time-outs that come while others could go on: an execution has them last.
//! - What tasks share that is neither of [`sync`](crate::sync) nor told: the count of an `Arc`, a thread-local, the system.
//! - Who used a handle of a channel last, which reports alone depend on.
//! - An execution that passes more sync points than it may.
//!
//! # Bounded
//!
//! With a bound of preemptions this is bounded partial order reduction (Coons, Musuvathi and McKinley, "Bounded partial-order
//! reduction", OOPSLA 2013): each race is also reversed where the task was switched to that won it, for there a switch costs
//! nothing more; and nobody sleeps, for what was explored elsewhere may have been cut short by the bound.

use std::sync::Arc;

use super::strategy::{Point, Strategy};
use super::{Shared, TaskId};
use crate::sync::seam::footprint;

mod books;
mod dependence;
mod events;
mod exploration;
mod node;
#[cfg(test)]
mod tests;

use exploration::Exploration;

/// All schedules of one body, one execution after the other.
#[derive(Clone, Debug)]
pub struct Exhaustive(Arc<Shared<Exploration>>);

/// What an execution was to the exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One that is like none before.
    New,
    /// It was given up when it turned out that all that could follow was explored already.
    Redundant,
    /// It did something else than before under the same choices: the body is not deterministic.
    Diverged,
}

impl Exhaustive {
    /// All schedules, or those with no more than so many preemptions.
    pub fn new(preemptions: Option<u32>) -> Exhaustive {
        Exhaustive(Arc::new(Shared::new(Exploration::new(preemptions))))
    }

    /// Has the next execution run, on the calling thread, by that strategy; and says what it was.
    pub fn execute<R>(&self, run: impl FnOnce(Box<dyn Strategy>) -> R) -> (R, Seen) {
        self.0.with(Exploration::begin);
        footprint::recording(|| {
            let result = run(Box::new(self.clone()));
            let seen = self.0.with(|exploration| {
                exploration.end();
                match exploration {
                    Exploration { diverged: true, .. } => Seen::Diverged,
                    Exploration { redundant: true, .. } => Seen::Redundant,
                    _ => Seen::New,
                }
            });
            (result, seen)
        })
    }

    /// Goes on to the next execution; says whether there is one.
    pub fn next(&self) -> bool {
        self.0.with(Exploration::next)
    }

    /// Whether the bound has left anything out.
    pub fn left_out(&self) -> bool {
        self.0.with(|exploration| exploration.left_out)
    }
}

impl Strategy for Exhaustive {
    fn started(&mut self, _: TaskId, _: Option<&str>) {
        self.0.with(Exploration::started);
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.0.with(|exploration| exploration.choose(point))
    }
}
