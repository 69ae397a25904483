//! Scripts: what an execution does to a subject, as pure data with total meaning.
//!
//! A [`Script`] is a mux configuration, a *setup* run in order by one task, and *lanes* of ops run
//! concurrently after it. Every sequence of ops is valid: an op on an empty slot, or a `watch` on a
//! used one, is skipped and recorded as such, so any op can be removed and what is left still runs.
//!
//! A script has four forms: this value, [text], [bytes] and a
//! [proptest strategy](generate). A fuzzer [mutates](mutate) the bytes form.

use std::fmt;

pub mod bytes;
mod draw;
mod edit;
pub mod enumerate;
mod error;
pub mod forms;
pub mod generate;
mod line;
pub mod mutate;
mod op;
mod parse;
mod plan;
mod strand;
#[cfg(test)]
mod testing;
pub mod text;
mod tree;

pub use error::ParseError;
pub use op::{Op, OpKind, OpSet, Slot, WhenFull};
pub use plan::Plan;
pub use text::{ContractKind, Entry, Expect};
pub use tree::ScriptTree;

pub use crate::engine::Schedule;

/// The most lanes a script can have: `lane0` to `lane7`.
pub const MAX_LANES: usize = 8;

/// The most ops a script can have, setup and lanes together.
pub const MAX_OPS: usize = 1023;

/// How the mux of a script is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Capacity of the incoming queue.
    pub incoming: u8,
    /// Capacity of a watcher's queue; 0 is a rendezvous.
    pub queue: u8,
    /// What to do when a watcher's queue is full, unless its `watch` says otherwise.
    pub when_full: WhenFull,
}

/// A mux configuration, a setup, and lanes of ops.
///
/// `Debug` prints the text form, so that every tool that prints a failing value prints a script.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Script {
    /// The mux under test is made with this.
    pub config: Config,
    /// Run in order by one task, before any lane.
    pub setup: Vec<Op>,
    /// Run concurrently, a task each, once the setup is done. At most [`MAX_LANES`].
    pub lanes: Vec<Vec<Op>>,
}

impl Script {
    /// How many ops the script has, setup and lanes together.
    pub fn ops(&self) -> usize {
        self.setup.len() + self.lanes.iter().map(Vec::len).sum::<usize>()
    }

    /// All ops, setup first and then lane by lane.
    pub fn iter(&self) -> impl Iterator<Item = &Op> {
        self.setup.iter().chain(self.lanes.iter().flatten())
    }

    /// The script without the op of this index, as [`Script::iter`] counts them.
    pub fn without(&self, index: usize) -> Script {
        let mut script = self.clone();
        let mut left = index;
        for ops in std::iter::once(&mut script.setup).chain(&mut script.lanes) {
            if left < ops.len() {
                ops.remove(left);
                break;
            }
            left -= ops.len();
        }
        script
    }

    /// As [`Script::iter`], to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Op> {
        self.setup.iter_mut().chain(self.lanes.iter_mut().flatten())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
