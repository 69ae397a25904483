//! Executions a second on the correct mux.

use crate::peer::Peer;
use crate::scenario::{Kind, Scenario};
use watchmux_peers::statistics::{grouped, median};

/// The scenarios, and how many times as fast as shuttle's random scheduler a throwaway engine ran each: modelled locks and
/// channels over the same coroutines, random choice, no records, no reports. It is the limit in sight.
const SCENARIOS: [(Scenario, f64); 6] = [
    (Scenario::correct(Kind::F1, 0), 8.2),
    (Scenario::correct(Kind::F2, 0), 8.8),
    (Scenario::correct(Kind::F3, 4), 7.2),
    (Scenario::correct(Kind::F4, 4), 8.0),
    (Scenario::correct(Kind::R, 0), 7.3),
    (Scenario::correct(Kind::R, 4), 7.1),
];

/// Prints executions a second of all peers, the medians of so many interleaved rounds; and for each of the `pairs`, by index,
/// how many times as fast the first is as the second, as the median of the rounds' own ratios.
pub fn print(peers: &[&dyn Peer], pairs: &[(usize, usize)], rounds: usize) {
    println!("\n## Executions a second, correct mux, one thread (points an execution)\n");
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    println!("| | {} |\n|{}", names.join(" | "), " --- |".repeat(peers.len() + 1));
    let mut ratios = Vec::new();
    for (scenario, limit) in SCENARIOS {
        let (cells, own) = row(peers, pairs, scenario, rounds);
        println!("| {scenario} | {} |", cells.join(" | "));
        ratios.push((scenario, own, limit));
    }
    println!("\n## Times as fast, medians of the rounds' own ratios\n");
    let names: Vec<String> =
        pairs.iter().map(|pair| format!("{} / {}", names[pair.0], names[pair.1])).collect();
    println!(
        "| | {} | throwaway engine / shuttle random | of that limit |\n|{}",
        names.join(" | "),
        " --- |".repeat(pairs.len() + 3)
    );
    for (scenario, own, limit) in ratios {
        let cells: Vec<String> =
            own.iter().map(|ratio| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"))).collect();
        let share = own[0].unwrap_or_default() / limit * 100.0;
        println!("| {scenario} | {} | {limit:.1} | {share:.0} % |", cells.join(" | "));
    }
}

fn row(
    peers: &[&dyn Peer],
    pairs: &[(usize, usize)],
    scenario: Scenario,
    rounds: usize,
) -> (Vec<String>, Vec<Option<f64>>) {
    let mut rates = vec![Vec::new(); peers.len()];
    let mut points = vec![None; peers.len()];
    // How many executions take about 30 ms; the round that finds out also warms up.
    let mut executions = vec![200; peers.len()];
    for round in 0..=rounds {
        for (index, peer) in peers.iter().enumerate().filter(|(_, peer)| peer.runs(scenario)) {
            let rate = peer.rate(scenario, executions[index]);
            if round == 0 {
                executions[index] = (rate.a_second() * 0.03) as u64 + 1;
            } else {
                rates[index].push(rate.a_second());
                points[index] = rate.points();
            }
        }
    }
    let cell = |(rates, points): (&Vec<f64>, &Option<f64>)| match (rates.as_slice(), points) {
        ([], _) => "–".to_owned(),
        (rates, None) => grouped(median(rates)),
        (rates, Some(points)) => format!("{} ({points:.0})", grouped(median(rates))),
    };
    let ratio = |(one, other): &(usize, usize)| {
        let ratios: Vec<f64> =
            rates[*one].iter().zip(&rates[*other]).map(|(one, other)| one / other).collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    };
    (rates.iter().zip(&points).map(cell).collect(), pairs.iter().map(ratio).collect())
}
