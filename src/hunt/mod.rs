//! The hunt: searching a subject for findings, shrinking what was found, and keeping it.
//!
//! Property tests, fuzz targets and the command share this one path: a [`Trial`] executes scripts and judges
//! them, a [`Campaign`] draws the scripts, [`shrink`] makes what was found small, [`corpus`] keeps it, and
//! [`replay`] runs it again. [`exploration`] searches nothing: it runs every script up to a size in every schedule.
//! [`black_box`] runs subjects that are not written over [`sync`](crate::sync), in child processes. [`twice`] checks what all
//! of this rests on: that fibers do the same each time.

pub mod black_box;
mod brief;
mod campaign;
mod confirm;
pub mod corpus;
mod engines;
pub mod execution;
pub mod exploration;
mod explore;
mod fuzzing;
mod interleaving;
mod lead;
mod outcome;
pub(crate) mod quantity;
pub mod replay;
mod rerun;
mod shrink;
mod survey;
mod tally;
#[cfg(test)]
mod testing;
mod trial;
mod twice;

pub use campaign::{Budget, Campaign, Progress, SCHEDULES};
pub use confirm::{CONFIRMATIONS, Confirmation};
pub use engines::{EngineKind, Engines};
pub use execution::Execution;
pub use explore::Extent;
pub use fuzzing::Fuzzing;
pub use interleaving::{Interleaving, Place, Role, Span};
pub use outcome::{Found, Group, Outcome, Phase};
pub use rerun::{Effort, Jobs};
pub use shrink::{Method, Shrunk, shrink, shrink_schedule};
pub use survey::{Cell, Survey};
pub use trial::{Trial, Unpromised};
pub use twice::{Difference, twice};
