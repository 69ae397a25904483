//! The mux side by side with what one would pick instead, in one run.
//!
//! Without arguments it prints all tables, else those that are named: `rates`, `latency`, `standing`. With `--quick` it takes
//! fewer rounds and fewer points.
//!
//! Criterion and divan measure one thing after the other, and the machine is never the same for two of them. Here all take
//! turns, round by round, so that a ratio is one of neighbours; and a latency is one of each delivery, not of a call.

use std::process::ExitCode;

mod latency;
mod on_tasks;
mod on_threads;
mod peer;
mod peers;
mod rates;
mod run;
mod standing;
mod subjects;

/// How much is measured.
struct Extent {
    watchers: &'static [usize],
    queues: &'static [usize],
    rounds: usize,
}

const FULL: Extent = Extent { watchers: &[1, 4, 16, 64, 1000], queues: &[25, 100, 1000], rounds: 5 };
const QUICK: Extent = Extent { watchers: &[1, 4, 64], queues: &[25, 1000], rounds: 3 };

const TABLES: [&str; 3] = ["rates", "latency", "standing"];

fn main() -> ExitCode {
    let (flags, named): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if let [standing::MEASURE, peer] = named.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return standing::measure(peer);
    }
    let unknown = flags.iter().find(|flag| *flag != "--quick");
    if let Some(unknown) = unknown.or(named.iter().find(|name| !TABLES.contains(&name.as_str()))) {
        eprintln!("read `{unknown}`, expected `--quick` or one of `{}`", TABLES.join("`, `"));
        return ExitCode::from(2);
    }
    let extent = if flags.is_empty() { FULL } else { QUICK };
    let wants = |table: &str| named.is_empty() || named.iter().any(|name| name == table);
    if wants("rates") {
        rates::print(&extent);
    }
    if wants("latency") {
        latency::print(&extent);
    }
    if wants("standing")
        && let Err(error) = standing::print()
    {
        eprintln!("what stands by: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
