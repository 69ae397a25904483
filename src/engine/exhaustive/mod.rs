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
//! makes no difference when it begins to. Only where nobody else can go on do such tasks begin to wait, in a fixed order; that
//! is no event which could come in the place of another, for there the task may have gone ahead. What took away what a task waits
//! for (the lock, the message, the room) races with what the task would do, also if it never does, and whatever let it go on in
//! the end is between them: such a race is not hidden by that. What a task alone waits for, a message or the room for one, it
//! cannot come before, whatever else its event touches. A writer that waits for a reader-writer lock, and all who wait at a
//! rendezvous or for a notification, can be seen, so that to begin to wait is an event.
//!
//! A task whose time is up can give up, until what it waits for comes after all: what brings that races with its giving up,
//! which is no wait any more.
//!
//! Time passes only where nobody can go on, so all that came before comes before all that follows; the same holds where a body
//! adds tasks. What is blocked then races with what has kept it from going on, as at the end.
//!
//! # Why nothing is missed
//!
//! Call two executions *equivalent* if one becomes the other by swapping neighbouring events of different tasks that do not
//! depend on each other (Mazurkiewicz, "Trace theory", 1986). What has to hold is this: **swapping two such events gives an
//! execution again, which does the same from there on.** Then all executions of a class have the same operations with the same
//! results, the same calls before the same returns, and end in the same state, hang or not: whatever the oracle says of one it
//! says of all, and one of each class is enough.
//!
//! - *It is an execution again.* Of the two events neither lets the other's task go on or keeps it from doing so, for whatever
//!   could do that is in the list above: a lock, a message, room for one, a partner, a notification, the end of a task, its start.
//!   Time and what a body adds at quiescence are no event of any task, and come after all before them.
//! - *It does the same.* An event is what its task does from one sync point to the next. What it does depends on its own past, and
//!   on what it reads of the things in the list; what it reads of them is not changed by an event that does not depend on it. What
//!   the engine itself keeps in an order that matters, who has waited longest, is changed only by events that are told
//!   (rendezvous, writers of a reader-writer lock) or is no matter because all orders are choices (notifications).
//! - *An event is short enough.* Between two sync points no other task runs, so that reading and changing several things there is
//!   one step, with the union of their dependences.
//!
//! For a relation like this, and tasks that can be blocked, source-DPOR runs at least one execution of each class, as its paper
//! proves, if all executions are finite; those that are not, or seem so, are reported as inconclusive. The choices that are no
//! races, branches of a select and whom a notification wakes, are all made, each in the event that makes it, and what sleeps
//! there sleeps with all that any of its branches touched.
//!
//! What could be wrong is the relation, and the code. Both are tested against brute force: of hundreds of generated programs
//! over every primitive, and of all small ones of two kinds of op that get in each other's way, all schedules are run, and the
//! reduction must reach the same results of every operation, blocked tasks and final values, with bounds of preemptions and
//! without; of larger ones it must reach whatever random walks do. And what free threads show of a program must be among what is
//! explored of it. The last
//! run of these tests said (`cargo test --lib exhaustive -- --nocapture`):
//!
//! | | programs | schedules | executions | and redundant ones |
//! | --- | --- | --- | --- | --- |
//! | any number of preemptions | 220 | 13,992 | 604 | 2 |
//! | none | 108 | 395 | 229 | – |
//! | up to 1 | 108 | 1,553 | 627 | – |
//! | up to 2 | 108 | 4,147 | 1,361 | – |
//!
//! Redundant executions could be avoided altogether by wakeup trees ("optimal" DPOR, in the same paper); there are so few of
//! them here that this would cost more than it saves.
//!
//! A drop of a receiver depends on the sends of its channel even if it is not the last one: were it only the last that does, which
//! one that is would differ between orders of drops that are called equivalent.
//!
//! # What is not covered
//!
//! - Weak memory: an execution is sequentially consistent, and other atomic orderings are strengthened. For code of locks, channels
//!   and sequentially consistent atomics that is no loss: a program without data races has no other executions (Adve and Hill,
//!   "Weak ordering: a new definition", ISCA 1990; C++ and Rust promise it), and data races are excluded by safe Rust. Code that
//!   asks for a weaker ordering may have behaviours that are not explored.
//! - Time-outs that come while others could go on: an execution has them last.
//! - A `try_lock` that finds a lock held by a task which is between two sync points: to release is none, so that what is done
//!   under a lock without one in it is a single step, and so is the last operation under it with the release.
//! - By which branch a select goes on that waits for one side of one rendezvous in two of them: it is met by the first.
//! - What tasks share that is neither of [`sync`](crate::sync) nor told: the count of an `Arc`, a thread-local, the system.
//! - Who used a handle of a channel last, which reports alone depend on.
//! - An execution that passes more sync points than it may: it is told as one in which nothing could be concluded.
//!
//! # Bounded
//!
//! With a bound of preemptions this is bounded partial order reduction (Coons, Musuvathi and McKinley, "Bounded partial-order
//! reduction", OOPSLA 2013). Equivalent executions may differ in preemptions, so one of a class must not stand for a cheaper one:
//! each race is also reversed where the task was switched to that won it, for there a switch costs nothing more (their conservative
//! backtracking); and nobody sleeps, for what was explored elsewhere may have been cut short by the bound. So a bound can take
//! more executions than none at all. A task that would only begin to wait unseen does not count as interrupted.
//!
//! [Iteratively](Exhaustive::iterative), the bound rises by one each time until nothing is left out: what is found is found with
//! as few preemptions as there can be.

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

    /// First the schedules without preemptions, then those with no more than one, and so on, up to so many, or until none is
    /// left out; each time anew. This is iterative context bounding (Musuvathi and Qadeer, "Iterative context bounding for
    /// systematic testing of multithreaded programs", PLDI 2007): most bugs show with very few preemptions.
    pub fn iterative(most: Option<u32>) -> Exhaustive {
        Exhaustive(Arc::new(Shared::new(Exploration::iterative(most.unwrap_or(u32::MAX)))))
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

    /// Whether the bound, the last one if there were several, has left anything out.
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
