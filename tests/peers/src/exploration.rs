//! All schedules of a program on the correct mux: how many executions that takes, and how long.

use std::time::Duration;

use watchmux_peers::statistics::grouped;

use crate::peer::{Explorer, Extent, Program};
use crate::scenario::{Kind, Scenario};

/// How long anyone may take for one exploration.
const LIMIT: Duration = Duration::from_secs(15);

/// How many preemptions there may be; any number at last.
const BOUNDS: [Option<u32>; 4] = [Some(1), Some(2), Some(3), None];

/// The scenarios that draw nothing.
const FIXED: [Scenario; 4] = [
    Scenario::correct(Kind::F1, 0),
    Scenario::correct(Kind::F2, 0),
    Scenario::correct(Kind::F3, 1),
    Scenario::correct(Kind::F4, 1),
];

/// The one that draws its ops, and how often.
const DRAWN: Scenario = Scenario::correct(Kind::R3, 0);
const DRAWS: u64 = 3;

/// Prints what each needs, with up to so many preemptions and with any number.
pub fn print(ours: &dyn Explorer, theirs: &dyn Explorer) {
    let seconds = LIMIT.as_secs();
    println!("\n## All schedules of the correct mux: executions and time\n");
    println!("*not in* is what was given up after {seconds} s; then the ratios are at least what is told.\n");
    println!(
        "| | preemptions | {} | {} | fewer executions | less time |\n|{}",
        ours.name(),
        theirs.name(),
        " --- |".repeat(6)
    );
    let fixed = FIXED.map(|scenario| (scenario.to_string(), Program { scenario, draw: 0 }));
    let drawn = (1..=DRAWS).map(|draw| (format!("{DRAWN}, draw {draw}"), Program { scenario: DRAWN, draw }));
    for (name, program) in fixed.into_iter().chain(drawn) {
        for bound in BOUNDS {
            let (own, other) = (ours.explore(program, bound, LIMIT), theirs.explore(program, bound, LIMIT));
            let bound = bound.map_or("any".to_owned(), |bound| format!("up to {bound}"));
            let executions = ratio(own, other, |extent| extent.executions as f64);
            let time = ratio(own, other, |extent| extent.elapsed.as_secs_f64());
            println!("| {name} | {bound} | {} | {} | {executions} | {time} |", cell(own), cell(other));
        }
    }
}

fn cell(extent: Extent) -> String {
    let Extent { executions, elapsed, complete } = extent;
    let (executions, seconds) = (grouped(executions as f64), elapsed.as_secs_f64());
    if complete {
        format!("{executions} ({seconds:.3} s)")
    } else {
        format!("not in {executions} ({seconds:.0} s)")
    }
}

/// How many times as much the other needs, where we have come to an end.
fn ratio(own: Extent, other: Extent, of: impl Fn(Extent) -> f64) -> String {
    let at_least = if other.complete { "" } else { "> " };
    match of(other) / of(own) {
        _ if !own.complete => "–".to_owned(),
        ratio if ratio < 10.0 => format!("{at_least}{ratio:.1}"),
        ratio => format!("{at_least}{}", grouped(ratio)),
    }
}
