//! A watch mux that cannot hang, and the property-based fuzzing suite that proves it.

mod event;
pub mod mux;
pub mod sync;

#[cfg(feature = "suite")]
pub mod cli;
#[cfg(feature = "suite")]
pub mod engine;
#[cfg(feature = "suite")]
pub mod hunt;
#[cfg(feature = "suite")]
pub mod oracle;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod script;
#[cfg(feature = "suite")]
pub mod subject;

#[cfg(feature = "suite")]
pub use engine::explore::{self, explore};
pub use event::{Event, EventKind};
pub use mux::{
    ActionError, Closed, Config, Delivery, Mux, Reason, RecvTimeoutError, ShutdownTimeoutError, Stopper,
    TryActionError, TryRecvError, WatchError, WatchOptions, Watcher, WhenFull,
};
