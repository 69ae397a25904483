//! The engine of steered threads: OS threads and native primitives, led through the schedule of an execution on fibers.
//!
//! It is what confirms a finding on real threads, what a debugger attaches to, and what Miri can run. Tasks go on one at
//! a time, as the schedule says. A thread enters a native operation only when it is known to complete; the partners of
//! a rendezvous enter theirs together, as one of them goes on; a select is offered only its recorded branch. At the end what
//! is still blocked is let into its native waits, and quiescence is established there, as on free [`threads`].
//!
//! A schedule is a prefix, as it is on fibers: after its end each task goes on for as long as it can.
//!
//! Time is virtual, as it is on fibers: a wait is timed out by being chosen while nothing serves it.

use std::sync::Arc;

use super::fibers::Traced;
use super::{Body, Divergence, Schedule, threads};

mod execution;
mod steering;

pub(super) use steering::Steering;

/// Runs the body once, led through that schedule of an execution on [`fibers`](super::fibers).
///
/// The seed of the settings is not used: there is no noise.
///
/// # Errors
/// If the schedule does not fit: it names what cannot go on, or goes on when all has ended or is blocked.
pub fn run(
    body: Arc<dyn Body>,
    schedule: &Schedule,
    settings: threads::Settings,
) -> Result<Traced, Divergence> {
    threads::drive(body, settings, Some(Steering::new(schedule)))
}

#[cfg(test)]
mod tests;
