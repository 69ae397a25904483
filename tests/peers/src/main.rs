//! watchmux side by side with shuttle and loom: the same mux, the same scenarios, one thread, one run.
//!
//! Without arguments it prints all tables, else those that are named: `rates`, `search`, `costs`, `explore`.

use std::io;
use std::process::{Command, ExitCode, Stdio};

use watchmux::explore::Search;

mod costs;
mod exploration;
mod limit;
mod on_loom;
mod on_shuttle;
mod on_watchmux;
mod peer;
mod rates;
mod scenario;
mod search;

use on_loom::Loom;
use on_shuttle::Shuttle;
use on_watchmux::{Exhaustive, Watchmux};

/// How often each figure is measured, those of all peers in turn, for the machine may be busy.
const ROUNDS: usize = 9;

const TABLES: [&str; 4] = ["rates", "search", "costs", "explore"];

/// The argument with which this program runs itself to search. All that shuttle writes about each deadlock goes nowhere: it
/// cannot be told to write nothing, and a terminal would take most of the time.
const QUIET: &str = "search-quietly";

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    if named == [QUIET] {
        search();
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = named.iter().find(|name| !TABLES.contains(&name.as_str())) {
        eprintln!("read `{unknown}`, expected one of `{}`", TABLES.join("`, `"));
        return ExitCode::from(2);
    }
    let wants = |table: &str| named.is_empty() || named.iter().any(|name| name == table);
    if wants("rates") {
        let peers: [&dyn peer::Peer; 7] =
            [&RANDOM, &PCT, &SURW, &Shuttle::Random, &Shuttle::Pct, &Shuttle::Urw, &Loom];
        rates::print(&peers, &[(0, 3), (1, 4), (2, 5), (0, 6)], ROUNDS);
    }
    if wants("search")
        && let Err(error) = search_quietly()
    {
        eprintln!("the searches ended early: {error}");
        return ExitCode::FAILURE;
    }
    if wants("costs") {
        costs::print(&RANDOM, &Shuttle::Random, ROUNDS);
    }
    if wants("explore") {
        exploration::print(&Exhaustive, &Loom);
    }
    ExitCode::SUCCESS
}

const RANDOM: Watchmux = Watchmux("watchmux random", Search::RandomWalk);
const PCT: Watchmux = Watchmux("watchmux PCT 3", Search::Pct { depth: 3 });
const SURW: Watchmux = Watchmux("watchmux SURW", Search::Surw);
const PORTFOLIO: Watchmux = Watchmux("watchmux portfolio", Search::Portfolio);

fn search_quietly() -> io::Result<()> {
    let status = Command::new(std::env::current_exe()?).arg(QUIET).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
}

fn search() {
    // Deadlocks are panics for shuttle; the least that a hook can do is nothing.
    std::panic::set_hook(Box::new(|_| {}));
    search::print(&[&PORTFOLIO, &RANDOM, &PCT, &SURW], &[&Shuttle::Random, &Shuttle::Pct, &Shuttle::Urw]);
}
