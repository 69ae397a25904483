//! A watch mux that cannot hang, and the property-based fuzzing suite that proves it.
//!
//! **Limits first.** The suite finds; it does not verify. A pass says that nothing was found in the interleavings that
//! were run. Executions are sequentially consistent, code under test must unwind, and thread-locals are shared by
//! what runs on one thread. A hang is called one only when no task can ever go on.
//!
//! In reading order:
//!
//! - [`mux`], with [`Mux`] and [`Watcher`]: broadcasts [events](Event) to watchers. It is written over [`sync`] alone.
//! - [`sync`]: channels, locks, threads and time under the names people know; a program uses them as they are, and an
//!   engine can take them over.
//!
//! With the feature `suite` (on by default):
//!
//! - `script`: what is done to a mux, as pure data.
//! - `engine`: runs it once, and says how it ended.
//! - `explore`: the engine for any other code written over [`sync`].
//! - `oracle`: judges that by a contract.
//! - `subject`: the muxes under test: this one, a gallery of known-bad ones, and yours.
//! - `hunt`: searches, shrinks, keeps.
//! - `report` and `cli`: tell it.

pub mod mux;
pub mod sync;

#[cfg(feature = "suite")]
pub mod cli;
#[cfg(feature = "suite")]
pub mod engine;
mod event;
#[cfg(feature = "suite")]
pub mod explore;
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

pub use event::{Event, EventKind};
#[cfg(feature = "suite")]
pub use explore::explore;
pub use mux::{
    ActionError, ActionFuture, Closed, Config, Delivery, Mux, Reason, RecvFuture, RecvTimeoutError,
    ShutdownTimeoutError, Stopper, TryActionError, TryRecvError, WatchError, WatchOptions, Watcher, WhenFull,
};

/// The examples of the README are tests.
#[cfg(all(doctest, feature = "suite"))]
#[doc = include_str!("../README.md")]
struct Readme;
