//! watchmux side by side with shuttle and loom: the same mux, the same scenarios, one thread, one run.

mod on_loom;
mod on_shuttle;
mod on_watchmux;
mod peer;
mod scenario;

use peer::Peer;
use scenario::{Kind, Scenario};
use watchmux::explore::Search;

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let scenarios = [
        Scenario::correct(Kind::F1, 0), Scenario::correct(Kind::F2, 0), Scenario::correct(Kind::F3, 4),
        Scenario::correct(Kind::F4, 4), Scenario::correct(Kind::R, 0), Scenario::correct(Kind::R, 4),
    ];
    let peers: Vec<Box<dyn Peer>> = vec![
        Box::new(on_watchmux::Watchmux("watchmux random", Search::RandomWalk)),
        Box::new(on_shuttle::Shuttle::Random), Box::new(on_shuttle::Shuttle::Pct),
        Box::new(on_shuttle::Shuttle::Urw), Box::new(on_loom::Loom(2)),
    ];
    for s in scenarios {
        let mut rates = vec![vec![]; peers.len()];
        let mut points = vec![0.0; peers.len()];
        for _ in 0..7 {
            for (i, p) in peers.iter().enumerate() {
                if i == 4 && matches!(s.kind, Kind::F4 | Kind::R) { continue; }
                let n = if i == 4 { 300 } else { 2000 };
                let r = p.rate(s, n);
                rates[i].push(r.a_second());
                points[i] = r.points as f64 / r.executions as f64;
            }
        }
        print!("{s}: ");
        for (i, p) in peers.iter().enumerate() {
            if rates[i].is_empty() { continue; }
            let ratio: Vec<f64> = rates[0].iter().zip(&rates[i]).map(|(a, b)| a / b).collect();
            print!("{} {:.0}/s ({:.0} points) x{:.2} | ", p.name(), median(rates[i].clone()), points[i], median(ratio));
        }
        println!();
    }
    for s in [peer::Empty::Body, peer::Empty::Tasks(3), peer::Empty::Points(100)] {
        let w = median((0..7).map(|_| peers[0].repeat(5000, s).as_secs_f64() / 5000.0 * 1e9).collect());
        let sh = median((0..7).map(|_| peers[1].repeat(5000, s).as_secs_f64() / 5000.0 * 1e9).collect());
        println!("{s:?}: watchmux {w:.0} ns, shuttle {sh:.0} ns");
    }
}
