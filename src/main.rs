//! The command over the shipped subject and the gallery.

use std::process::ExitCode;

/// An execution makes some twenty things on the heap; what the system takes for that is an eighth of all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    watchmux::cli::run(&watchmux::subject::all())
}
