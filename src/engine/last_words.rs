//! What is said should the process end while an execution is unwound.
//!
//! To unwind what is blocked is to run destructors of code that has gone wrong. One that panics there ends the process,
//! by Rust's rule, and with it all that was known. A panic's hook is the last to speak, so it says what the body knows.

use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::Arc;

use super::{Body, Shared};

/// The executions that are being unwound, by number.
static UNWINDING: Shared<Vec<(u64, Arc<dyn Body>)>> = Shared::new(Vec::new());

/// While it lives its body may have to speak.
pub(super) struct Unwinding(u64);

impl Unwinding {
    pub(super) fn of(execution: u64, body: &Arc<dyn Body>) -> Unwinding {
        UNWINDING.with(|unwinding| unwinding.push((execution, Arc::clone(body))));
        Unwinding(execution)
    }
}

impl Drop for Unwinding {
    fn drop(&mut self) {
        take(self.0);
    }
}

fn take(execution: u64) -> Option<Arc<dyn Body>> {
    UNWINDING.with(|unwinding| {
        let place = unwinding.iter().position(|(other, _)| *other == execution)?;
        Some(unwinding.swap_remove(place).1)
    })
}

/// Says what is known of an execution, once: a task of it that is unwound has panicked.
pub(super) fn say(execution: u64, panic: &PanicHookInfo<'_>) {
    let Some(words) = take(execution).and_then(|body| body.last_words()) else { return };
    // There is nowhere left to tell that stderr is closed.
    let _ = writeln!(
        std::io::stderr(),
        "\nA destructor panicked while what was blocked was unwound, which ends the process:\n\n  {}\n\n\
         What had been found by then:\n\n{words}",
        panic.to_string().replace('\n', "\n  ")
    );
}
