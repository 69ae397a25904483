//! Where the time of an execution goes.

use crate::limit;
use crate::peer::Searcher;
use crate::scenario::Piece;
use watchmux_peers::statistics::median;

/// How many pieces there are in an execution whose cost is measured; both even.
const FEW: usize = 2;
const MANY: usize = 22;

const EXECUTIONS: u64 = 2000;

/// Prints what the pieces of an execution cost, in nanoseconds.
pub fn print(ours: &dyn Searcher, theirs: &dyn Searcher, rounds: usize) {
    println!("\n## Where the time goes: nanoseconds a piece\n");
    println!("| | {} | {} | ratio |\n| --- | --- | --- | --- |", ours.name(), theirs.name());
    let per_execution = |peer: &dyn Searcher, piece, pieces| {
        peer.repeat(piece, pieces, EXECUTIONS).as_secs_f64() * 1e9 / EXECUTIONS as f64
    };
    let line = |name: &str, cost: &dyn Fn(&dyn Searcher) -> f64| {
        let (own, other): (Vec<f64>, Vec<f64>) = (0..rounds).map(|_| (cost(ours), cost(theirs))).unzip();
        let (own, other) = (median(&own), median(&other));
        println!("| {name} | {own:.0} | {other:.0} | {:.1} |", other / own);
    };
    line("an empty execution", &|peer| per_execution(peer, Piece::Lock, 0));
    for piece in Piece::ALL {
        let each = |peer: &dyn Searcher| {
            (per_execution(peer, piece, MANY) - per_execution(peer, piece, FEW)) / (MANY - FEW) as f64
        };
        line(piece.name(), &each);
    }
    println!(
        "\nA bare switch of the same coroutines by random choice, without a lock, channel or record: {:.0} ns a point, {:.0} ns \
         an execution of 4 tasks and 60 points.",
        limit::per_point(rounds),
        limit::per_point(rounds) * (limit::TASKS * limit::POINTS) as f64
    );
}
