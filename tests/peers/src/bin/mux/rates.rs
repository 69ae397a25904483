//! Delivered events a second.

use watchmux::subject::Payload;
use watchmux_peers::statistics::median;

use crate::Extent;
use crate::peer::{Event, Large, Peer};
use crate::peers::{all, subjects};
use crate::run::{Point, throughput};

/// How many queues full each producer publishes at least, and how many events are delivered in all.
const FULL_QUEUES: u64 = 3;
const DELIVERIES: u64 = 20_000;

/// How long a round should take.
const SECONDS: f64 = 0.04;

/// Prints the tables.
pub fn print(extent: &Extent) {
    println!("\n## Delivered events, all watchers together, millions a second (watchmux / this one)");
    for producers in [1, 4] {
        table::<u64>("small events", &all(), producers, extent.queues, extent);
        table::<Large>("`Arc`s", &all(), producers, extent.queues, extent);
    }
    for producers in [1, 4] {
        table::<Payload>("payloads of the suite", &subjects(), producers, &[25, 100], extent);
    }
}

fn table<E: Event>(
    events: &str,
    peers: &[Box<dyn Peer<E>>],
    producers: usize,
    queues: &[usize],
    extent: &Extent,
) {
    let plural = if producers == 1 { "producer" } else { "producers" };
    println!("\n| {producers} {plural}, {events} | {} |", names(peers).join(" | "));
    println!("|{}", " --- |".repeat(peers.len() + 1));
    for watchers in extent.watchers {
        for queue in queues {
            let point = Point { producers, watchers: *watchers, queue: *queue };
            let cells = row(peers, point, extent.rounds);
            println!("| {watchers} watching, queue {queue} | {} |", cells.join(" | "));
        }
    }
}

/// The names of the peers; those that offer less in brackets.
pub fn names<E>(peers: &[Box<dyn Peer<E>>]) -> Vec<String> {
    let name = |peer: &dyn Peer<E>| match peer.offers_the_same() {
        true => peer.name().to_owned(),
        false => format!("({})", peer.name()),
    };
    peers.iter().map(|peer| name(&**peer)).collect()
}

fn row<E: Event>(peers: &[Box<dyn Peer<E>>], point: Point, rounds: usize) -> Vec<String> {
    let deliveries = (point.producers * point.watchers) as u64;
    let fewest = (DELIVERIES / deliveries).max(FULL_QUEUES * point.queue as u64 / point.producers as u64);
    let mut events = vec![fewest; peers.len()];
    let mut rates = vec![Vec::new(); peers.len()];
    for round in 0..=rounds {
        for (index, peer) in peers.iter().enumerate() {
            let rate = throughput(&**peer, point, events[index]);
            if round == 0 {
                // It says how many events take as long as a round should, and warms up.
                events[index] = fewest.max((rate * SECONDS) as u64 / deliveries);
            } else {
                rates[index].push(rate / 1e6);
            }
        }
    }
    let own = rates[0].clone();
    let cell = |rates: &Vec<f64>| {
        let ratios: Vec<f64> = own.iter().zip(rates).map(|(own, rate)| own / rate).collect();
        format!("{:.2} ({:.2})", median(rates), median(&ratios))
    };
    let first = format!("{:.2}", median(&own));
    std::iter::once(first).chain(rates[1..].iter().map(cell)).collect()
}
