//! The command `watchmux` over async-broadcast 0.3.2.

use std::process::ExitCode;
use std::sync::Arc;

#[path = "../../../src/adapters/async_broadcast.rs"]
mod async_broadcast;
#[path = "../../../src/adapters/support.rs"]
mod support;

fn main() -> ExitCode {
    let provenance = "async-broadcast 0.3.2, with an inactive receiver kept";
    watchmux::cli::run(&[Arc::new(self::async_broadcast::subject("async-broadcast", provenance))])
}
