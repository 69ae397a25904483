//! watchmux side by side with shuttle and loom: the same mux, the same scenarios, one thread, one run.
//!
//! Without arguments it prints all tables, else those that are named: `rates`, `search`, `costs`.

use std::process::ExitCode;

use watchmux::explore::Search;

mod costs;
mod limit;
mod on_loom;
mod on_shuttle;
mod on_watchmux;
mod peer;
mod rates;
mod scenario;
mod search;
mod statistics;

use on_loom::Loom;
use on_shuttle::Shuttle;
use on_watchmux::Watchmux;

/// How often each figure is measured, those of all peers in turn, for the machine may be busy.
const ROUNDS: usize = 9;

const TABLES: [&str; 3] = ["rates", "search", "costs"];

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = named.iter().find(|name| !TABLES.contains(&name.as_str())) {
        eprintln!("read `{unknown}`, expected one of `{}`", TABLES.join("`, `"));
        return ExitCode::from(2);
    }
    let wants = |table: &str| named.is_empty() || named.iter().any(|name| name == table);
    // A deadlock is a panic for shuttle, and would be printed.
    std::panic::set_hook(Box::new(|_| {}));

    let random = Watchmux("watchmux random", Search::RandomWalk);
    let pct = Watchmux("watchmux PCT 3", Search::Pct { depth: 3 });
    let surw = Watchmux("watchmux SURW", Search::Surw);
    let portfolio = Watchmux("watchmux portfolio", Search::Portfolio);
    if wants("rates") {
        let peers: [&dyn peer::Peer; 7] =
            [&random, &pct, &surw, &Shuttle::Random, &Shuttle::Pct, &Shuttle::Urw, &Loom];
        rates::print(&peers, &[(0, 3), (1, 4), (2, 5), (0, 6)], ROUNDS);
    }
    if wants("search") {
        search::print(&[&portfolio, &random, &pct, &surw], &[&Shuttle::Random, &Shuttle::Pct, &Shuttle::Urw]);
    }
    if wants("costs") {
        costs::print(&random, &Shuttle::Random, ROUNDS);
    }
    ExitCode::SUCCESS
}
