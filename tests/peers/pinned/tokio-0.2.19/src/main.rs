//! The command `watchmux` over tokio 0.2.19.

use std::process::ExitCode;
use std::sync::Arc;

#[path = "../../../src/adapters/support.rs"]
mod support;
#[path = "../../../src/adapters/tokio.rs"]
mod tokio;

/// The errors of this version.
mod tokio_errors {
    pub(super) use ::tokio::sync::broadcast::{RecvError, TryRecvError};
}

fn main() -> ExitCode {
    watchmux::cli::run(&[Arc::new(self::tokio::subject("tokio", "tokio 0.2.19, sync::broadcast"))])
}
