//! The command `watchmux` over tokio 0.2.19.

use std::process::ExitCode;
use std::sync::Arc;

#[path = "../../../src/adapters/support.rs"]
mod support;
#[path = "../../../src/adapters/tokio.rs"]
mod tokio;

/// What is different in this version.
mod tokio_version {
    pub(super) use ::tokio::sync::broadcast::{RecvError, TryRecvError};

    /// Whether a receive after the end gives the end again. Here it sleeps for ever: "the next call to `recv`" is said to
    /// give the end, and of those after it nothing is said.
    pub(super) const ENDS_AGAIN: bool = false;
}

fn main() -> ExitCode {
    watchmux::cli::run(&[Arc::new(self::tokio::subject("tokio", "tokio 0.2.19, sync::broadcast"))])
}
