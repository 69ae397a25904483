//! A watch mux that cannot hang, and the property-based fuzzing suite that proves it.

pub mod sync;

#[cfg(feature = "suite")]
pub mod engine;
#[cfg(feature = "suite")]
pub mod oracle;
#[cfg(feature = "suite")]
pub mod script;
#[cfg(feature = "suite")]
pub mod subject;
