//! Schedules and time to the first deadlock of the buggy mux.

use std::time::Duration;

use crate::peer::{Found, Searcher};
use crate::scenario::{Kind, Scenario};
use watchmux_peers::statistics::{grouped, quantile};

/// The scenarios, and how many seeds of each.
const SCENARIOS: [(Scenario, u64); 8] = [
    (Scenario::buggy(Kind::F2, 0), 100),
    (Scenario::buggy(Kind::F3, 4), 100),
    (Scenario::buggy(Kind::F4, 0), 100),
    (Scenario::buggy(Kind::F4, 4), 100),
    (Scenario::buggy(Kind::F4, 12), 100),
    (Scenario::buggy(Kind::R, 8), 100),
    (Scenario::buggy(Kind::F4, 25), 20),
    (Scenario::buggy(Kind::F4, 100), 20),
];

/// A search is given up after so many schedules.
const MOST: u64 = 10_000;

/// Who has found nothing with so many seeds is not asked again.
const PATIENCE: usize = 4;

/// What one searcher found.
#[derive(Default)]
struct Finds {
    found: Vec<Found>,
    missed: usize,
}

/// Prints what our searchers and theirs need.
pub fn print(ours: &[&dyn Searcher], theirs: &[&dyn Searcher]) {
    println!(
        "\n## To the first deadlock of the buggy mux: schedules, median (90th percentile), and median time"
    );
    println!("\n– is not within {} schedules for half of the seeds.\n", grouped(MOST as f64));
    let all: Vec<&dyn Searcher> = ours.iter().chain(theirs).copied().collect();
    let names: Vec<&str> = all.iter().map(|peer| peer.name()).collect();
    println!(
        "| | {} | {} against the best of shuttle: times as fast | found within 1 s |\n|{}",
        names.join(" | "),
        names[0],
        " --- |".repeat(all.len() + 3)
    );
    for (scenario, seeds) in SCENARIOS {
        let mut finds: Vec<Finds> = all.iter().map(|_| Finds::default()).collect();
        for seed in 1..=seeds {
            for (peer, finds) in all.iter().zip(&mut finds) {
                if !finds.found.is_empty() || finds.missed < PATIENCE {
                    finds.add(peer.find(scenario, seed, MOST));
                }
            }
        }
        let best = finds[ours.len()..].iter().filter_map(Finds::time).min_by(f64::total_cmp);
        let ratio = match (finds[0].time(), best) {
            (Some(own), Some(best)) => format!("{:.1}", best / own),
            _ => "–".to_owned(),
        };
        let quick = finds[0].found.iter().filter(|found| found.elapsed < Duration::from_secs(1)).count();
        let cells: Vec<String> = finds.iter().map(Finds::cell).collect();
        println!("| {scenario} | {} | {ratio} | {quick} of {seeds} |", cells.join(" | "));
    }
}

impl Finds {
    fn add(&mut self, found: Option<Found>) {
        match found {
            Some(found) => self.found.push(found),
            None => self.missed += 1,
        }
    }

    /// The share that this one of all seeds does not exceed, if it was found.
    fn quantile(&self, share: f64, value: impl Fn(&Found) -> f64) -> Option<f64> {
        let missed = std::iter::repeat_n(f64::INFINITY, self.missed);
        let values: Vec<f64> = self.found.iter().map(value).chain(missed).collect();
        Some(quantile(&values, share)).filter(|value| value.is_finite())
    }

    /// The median time in milliseconds.
    fn time(&self) -> Option<f64> {
        self.quantile(0.5, |found| found.elapsed.as_secs_f64() * 1e3)
    }

    fn cell(&self) -> String {
        let schedules = |share| self.quantile(share, |found| found.schedules as f64);
        let text = |value: Option<f64>| value.map_or("–".to_owned(), grouped);
        match self.time() {
            None => "–".to_owned(),
            Some(time) => format!("{} ({}) {time:.2} ms", text(schedules(0.5)), text(schedules(0.9))),
        }
    }
}
