//! How long an event is on its way.

use std::time::{Duration, Instant};

use watchmux_peers::statistics::quantile;

use crate::Extent;
use crate::peer::Peer;
use crate::peers::all;
use crate::rates::names;
use crate::run::{Point, latencies};

/// Of all queues one length is enough: at this pace none is ever full.
const QUEUE: usize = 25;

/// How long the watchers of one event need at most, each.
const A_WATCHER: Duration = Duration::from_micros(40);

/// Prints the table.
pub fn print(extent: &Extent) {
    let peers = all::<Instant>();
    println!(
        "\n## From action to receive, µs: half of the deliveries within / 99 % within (with time to fall asleep between events)\n"
    );
    println!("| | {} |\n|{}", names(&peers).join(" | "), " --- |".repeat(peers.len() + 1));
    for producers in [1, 4] {
        for watchers in extent.watchers {
            let point = Point { producers, watchers: *watchers, queue: QUEUE };
            let plural = if producers == 1 { "producer" } else { "producers" };
            println!(
                "| {producers} {plural}, {watchers} watching | {} |",
                row(&peers, point, extent.rounds).join(" | ")
            );
        }
    }
}

fn row(peers: &[Box<dyn Peer<Instant>>], point: Point, rounds: usize) -> Vec<String> {
    let pause = Duration::from_millis(1).max(A_WATCHER * point.watchers as u32);
    let events = (Duration::from_millis(100).as_micros() / pause.as_micros()).max(10) as u64;
    let mut all = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for (index, peer) in peers.iter().enumerate() {
            all[index].extend(latencies(&**peer, point, events, pause));
        }
    }
    all.iter().map(|own| format!("{:.0} / {:.0}", quantile(own, 0.5), quantile(own, 0.99))).collect()
}
