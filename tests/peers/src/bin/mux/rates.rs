//! Delivered events a second.

use watchmux::subject::Payload;
use watchmux_peers::statistics::median;

use crate::Extent;
use crate::peer::{Event, Large, Peer};
use crate::peers::{all, subjects};
use crate::run::{Point, Throughput, throughput};

/// How many queues full each producer publishes at least, and how many events are delivered in all.
const FULL_QUEUES: u64 = 3;
const DELIVERIES: u64 = 20_000;

/// How long a round should take.
const SECONDS: f64 = 0.04;

/// Prints the tables.
pub fn print(extent: &Extent) {
    println!("\n## Delivered events, all watchers together, millions a second (watchmux / this one)");
    println!("\nEach table is followed by the processors' time of a delivery, ns (this one / watchmux).");
    for producers in [1, 4] {
        tables::<u64>("`u64`", &all(), producers, extent.queues, extent);
        tables::<Large>("`Arc`", &all(), producers, extent.queues, extent);
    }
    for producers in [1, 4] {
        tables::<Payload>("payloads of the suite", &subjects(), producers, &[25, 100], extent);
    }
}

fn tables<E: Event>(
    events: &str,
    peers: &[Box<dyn Peer<E>>],
    producers: usize,
    queues: &[usize],
    extent: &Extent,
) {
    let plural = if producers == 1 { "producer" } else { "producers" };
    let head = |what: &str| {
        println!("\n| {producers} {plural}, {events}{what} | {} |", names(peers).join(" | "));
        println!("|{}", " --- |".repeat(peers.len() + 1));
    };
    let mut costs = Vec::new();
    head("");
    for watchers in extent.watchers {
        for queue in queues {
            let point = Point { producers, watchers: *watchers, queue: *queue };
            let measured = row(peers, point, extent.rounds);
            let name = format!("{watchers} watching, queue {queue}");
            println!("| {name} | {} |", cells(&measured, |own, other| own / other, |one| one.rate / 1e6));
            costs.push((name, cells(&measured, |own, other| other / own, |one| one.processor)));
        }
    }
    head(": the processors' time");
    costs.iter().for_each(|(name, cells)| println!("| {name} | {cells} |"));
}

/// The names of the peers; those that offer less in brackets.
pub fn names<E>(peers: &[Box<dyn Peer<E>>]) -> Vec<String> {
    let name = |peer: &dyn Peer<E>| match peer.offers_the_same() {
        true => peer.name().to_owned(),
        false => format!("({})", peer.name()),
    };
    peers.iter().map(|peer| name(&**peer)).collect()
}

/// What each peer took, round by round.
fn row<E: Event>(peers: &[Box<dyn Peer<E>>], point: Point, rounds: usize) -> Vec<Vec<Throughput>> {
    let deliveries = (point.producers * point.watchers) as u64;
    let fewest = (DELIVERIES / deliveries).max(FULL_QUEUES * point.queue as u64 / point.producers as u64);
    let mut events = vec![fewest; peers.len()];
    let mut measured: Vec<Vec<Throughput>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for (index, peer) in peers.iter().enumerate() {
            let throughput = throughput(&**peer, point, events[index]);
            if round == 0 {
                // It says how many events take as long as a round should, and warms up.
                events[index] = fewest.max((throughput.rate * SECONDS) as u64 / deliveries);
            } else {
                measured[index].push(throughput);
            }
        }
    }
    measured
}

/// The median of each peer, and of the ratios of neighbours with the first.
fn cells(
    measured: &[Vec<Throughput>],
    ratio: impl Fn(f64, f64) -> f64,
    of: impl Fn(&Throughput) -> f64,
) -> String {
    let values: Vec<Vec<f64>> = measured.iter().map(|rounds| rounds.iter().map(&of).collect()).collect();
    let own = &values[0];
    let cell = |other: &Vec<f64>| {
        let ratios: Vec<f64> = own.iter().zip(other).map(|(own, other)| ratio(*own, *other)).collect();
        format!("{:.2} ({:.2})", median(other), median(&ratios))
    };
    let first = format!("{:.2}", median(own));
    std::iter::once(first).chain(values[1..].iter().map(cell)).collect::<Vec<_>>().join(" | ")
}
