//! The oracle: judging an execution by a contract, from its recorded history and quiescent state alone.
//!
//! It is pure: it sees no threads, no clocks and no mux. [`blocked`] asks the contract about each op that is
//! blocked at a quiescence; [`judge`] has the last word on an execution. Neither ever takes for an error what the
//! concurrency of the calls leaves open.

mod blocked;
pub mod contract;
mod diagnosis;
mod glance;
pub mod history;
mod judge;
mod model;
mod rules;
#[cfg(test)]
mod tests;
mod verdict;

pub use blocked::{all_may_be_blocked, blocked};
pub use contract::{Blocking, Contract, Guarantee};
pub use diagnosis::{Chain, ChainEnd, Diagnosis, Link, explain};
pub use glance::Glance;
pub use history::{
    Call, Closed, Delivery, EventId, History, Origin, Outcome, PLANNED_PANIC, Reason, WatcherId,
};
pub use judge::{class_of_panic, hangs, judge};
pub use verdict::{Class, Finding, Judgement, Signature, Verdict};

use crate::script::Script;
use crate::subject::Capabilities;

/// What an execution is judged by, besides what happened in it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The script, as clamped to the subject.
    pub script: &'a Script,
    /// What the subject supports.
    pub capabilities: &'a Capabilities,
    /// What it is held to.
    pub contract: &'a Contract,
}
