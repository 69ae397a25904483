//! The hunt: searching a subject for findings, shrinking what was found, and keeping it.
//!
//! Property tests, fuzz targets and the command share this one path: a [`Trial`] executes scripts and judges
//! them, a [`Campaign`] draws the scripts, [`shrink`] makes what was found small, [`corpus`] keeps it, and
//! [`replay`] runs it again.

mod campaign;
pub mod corpus;
pub mod execution;
pub mod replay;
mod rerun;
mod shrink;
#[cfg(test)]
mod testing;
mod trial;

pub use campaign::{Budget, Campaign, Found, Group, Outcome, Progress};
pub use execution::Execution;
pub use rerun::Effort;
pub use shrink::{Confirmation, Shrunk, shrink};
pub use trial::Trial;
