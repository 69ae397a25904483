//! What free threads show is among what is explored.

use std::collections::BTreeSet;
use std::time::Duration;

use super::op::{self, Op};
use super::program::{self, Shown};
use super::{Exhaustive, explore_by, programs};
use crate::engine::strategy::mix;
use crate::engine::threads::Settings;

/// How long an execution may take. None is known to get there.
const DEADLINE: Duration = Duration::from_secs(30);

/// Native threads choose for themselves, so this fails only where something is not explored; how much of it they come upon is
/// their own matter.
///
/// Of what is not explored, as the [module](super::super) says, two things are made up for. A time-out can come at any moment
/// there, and is explored last: one that comes earlier shows what an op that does not wait would have shown then, so programs
/// with such ops are explored as well. And where somebody only tries for a lock, there is a sync point before each release. A
/// select that waits at one rendezvous twice is left out.
#[test]
fn what_free_threads_show_is_explored() {
    let (mut executions, mut distinct, mut explored) = (0, 0, 0);
    let waits_twice = |op: &Op| matches!(op, Op::Select(0, 0));
    let programs = programs(3).filter(|tasks| !tasks.iter().flatten().any(waits_twice));
    for (number, tasks) in (0..).zip(programs.take(200)) {
        let lingers = op::tries(&tasks);
        let explore = |tasks: Vec<_>| {
            let run = |strategy| program::run_on_fibers(&tasks, lingers, strategy);
            explore_by(run, &Exhaustive::new(None), 1000).map(|explored| explored.shown)
        };
        let all = op::with_hurried(&tasks).into_iter().map(explore);
        let Some(all) = all.collect::<Option<Vec<BTreeSet<Shown>>>>() else { continue };
        let all: BTreeSet<Shown> = all.into_iter().flatten().collect();
        let mut native = BTreeSet::new();
        for run in 0..25 {
            let settings = Settings { seed: mix(number, run), deadline: DEADLINE };
            let shown =
                program::run_on_threads(&tasks, lingers, settings).expect("it ends, or comes to rest");
            assert!(all.contains(&shown), "{tasks:?}\nmissing {shown:#?}\nof {all:#?}");
            native.insert(shown);
            executions += 1;
        }
        (distinct, explored) = (distinct + native.len(), explored + all.len());
    }
    println!(
        "{executions} executions on free threads showed {distinct} of {explored} outcomes that are explored"
    );
    assert!(executions > 2000, "{executions}");
}
