//! The command `watchmux` over the newest releases of broadcast crates.

use std::process::ExitCode;

fn main() -> ExitCode {
    watchmux::cli::run(&watchmux_peers::adapters::all())
}
