//! The command over the shipped subject and the gallery.

use std::process::ExitCode;

fn main() -> ExitCode {
    watchmux::cli::run(&watchmux::subject::all())
}
