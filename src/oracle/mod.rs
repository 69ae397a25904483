//! The oracle: judging an execution by a contract, from its recorded history and quiescent state alone.
//!
//! It is pure: it sees no threads, no clocks and no mux.

pub mod contract;
pub mod history;
mod verdict;

pub use contract::{Blocking, Contract, Guarantee};
pub use history::{Call, Closed, Delivery, EventId, History, Origin, Outcome, Reason, WatcherId};
pub use verdict::{Class, Finding, Judgement, Signature, Verdict};
