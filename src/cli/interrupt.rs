use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::Exit;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What becomes true when the process is told to end, by Ctrl-C or a signal. Told again, it ends at once.
pub(super) fn flag() -> &'static AtomicBool {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Failed as i32);
        }
    };
    // In place of any other handler: this is the whole command. Where it cannot be set, a signal ends the process.
    let _ = ctrlc::set_handler(handler);
    &INTERRUPTED
}
