//! The command `watchmux` over bus 1.0.0.

use std::process::ExitCode;
use std::sync::Arc;

#[path = "../../../src/adapters/bus.rs"]
mod bus;
#[path = "../../../src/adapters/support.rs"]
mod support;

fn main() -> ExitCode {
    watchmux::cli::run(&[Arc::new(self::bus::subject("bus", "bus 1.0.0, shared behind a Mutex"))])
}
