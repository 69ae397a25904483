//! What is said should the process have to end while an execution is unwound.
//!
//! To unwind what is blocked is to run destructors of code that has gone wrong. One that panics there ends the process, by
//! Rust's rule, and with it all that was known: a panic's hook is the last to speak, so it says what the body knows. One
//! that never returns keeps its thread for ever, and on fibers whoever waits for that thread: it is given some time, and
//! then the same is said, and the process ended.

use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Body, Shared};

/// How often it is looked whether an execution is still being unwound.
const TICK: Duration = Duration::from_secs(1);

/// How often one may be seen. Ticks are counted, and not time, of which a machine that is busy or asleep has too much; Miri is
/// busy always.
const PATIENCE: u32 = if cfg!(miri) { 300 } else { 5 };

static WATCH: Shared<Watch> = Shared::new(Watch { unwinding: Vec::new(), is_awake: false, is_needed: false });

/// Looks after the executions that are being unwound.
struct Watch {
    unwinding: Vec<Entry>,
    /// Whether a thread looks every tick.
    is_awake: bool,
    /// Whether any was unwound since it did last.
    is_needed: bool,
}

struct Entry {
    execution: u64,
    body: Arc<dyn Body>,
    /// How often it was seen.
    ticks: u32,
}

/// While it lives its body may have to speak.
pub(super) struct Unwinding(u64);

impl Unwinding {
    pub(super) fn of(execution: u64, body: &Arc<dyn Body>) -> Unwinding {
        let entry = Entry { execution, body: Arc::clone(body), ticks: 0 };
        let was_awake = WATCH.with(|watch| {
            watch.unwinding.push(entry);
            watch.is_needed = true;
            std::mem::replace(&mut watch.is_awake, true)
        });
        if !was_awake && thread::Builder::new().name("watchmux watch".to_owned()).spawn(look).is_err() {
            // The next one tries again.
            WATCH.with(|watch| watch.is_awake = false);
        }
        Unwinding(execution)
    }
}

impl Drop for Unwinding {
    fn drop(&mut self) {
        take(self.0);
    }
}

fn take(execution: u64) -> Option<Arc<dyn Body>> {
    WATCH.with(|watch| {
        let place = watch.unwinding.iter().position(|entry| entry.execution == execution)?;
        Some(watch.unwinding.swap_remove(place).body)
    })
}

/// Looks every tick, for as long as there is anything to look at.
fn look() {
    loop {
        thread::sleep(TICK);
        let mut stuck = None;
        let is_done = WATCH.with(|watch| {
            watch.unwinding.iter_mut().for_each(|entry| entry.ticks += 1);
            stuck = watch.unwinding.iter().find(|entry| entry.ticks > PATIENCE).map(|entry| entry.execution);
            watch.is_awake = !watch.unwinding.is_empty() || std::mem::take(&mut watch.is_needed);
            !watch.is_awake
        });
        if let Some(body) = stuck.and_then(take) {
            tell(
                "A destructor does not return while what was blocked is unwound. The process is ended.",
                &*body,
            );
            std::process::abort();
        }
        if is_done {
            return;
        }
    }
}

/// Says what is known of an execution, once: a task of it that is unwound has panicked.
pub(super) fn say(execution: u64, panic: &PanicHookInfo<'_>) {
    let Some(body) = take(execution) else { return };
    let panic = panic.to_string().replace('\n', "\n  ");
    let why = "A destructor panicked while what was blocked was unwound, which ends the process:";
    tell(&format!("{why}\n\n  {panic}"), &*body);
}

/// Says what is known of an execution that is about to be unwound, although it should be left as it is.
pub(super) fn foretell(body: &dyn Body) {
    tell("What is blocked on free threads is unwound, for its stacks.", body);
}

fn tell(why: &str, body: &dyn Body) {
    let words = body
        .last_words()
        .map_or_else(String::new, |words| format!("\n\nWhat had been found by then:\n\n{words}"));
    // There is nowhere left to tell that stderr is closed.
    let _ = writeln!(std::io::stderr(), "\n{why}{words}");
}
