//! What the tests of this module share.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Config, MAX_LANES, Op, OpKind, Script, Slot, WhenFull};

/// So many cases, whose seeds are kept nowhere: a failure prints the script.
pub(super) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Every script there can be, but for its length.
pub(super) fn any_script() -> impl Strategy<Value = Script> {
    let config = (any::<u8>(), any::<u8>(), select(WhenFull::ALL.as_slice()));
    let ops = || vec(any_op(), 0..6);
    (config, ops(), vec(ops(), 0..=MAX_LANES)).prop_map(|((incoming, queue, when_full), setup, lanes)| {
        Script { config: Config { incoming, queue, when_full }, setup, lanes }
    })
}

fn any_op() -> impl Strategy<Value = Op> {
    let own = proptest::option::of(select(WhenFull::ALL.as_slice()));
    (select(OpKind::ALL.as_slice()), any::<u8>(), any::<u8>(), own).prop_map(
        |(kind, slot, prefix, when_full)| {
            let slot = Slot::new(slot);
            match kind {
                OpKind::Watch => Op::Watch { slot, prefix, when_full },
                OpKind::Action => Op::Action,
                OpKind::TryAction => Op::TryAction,
                OpKind::Recv => Op::Recv(slot),
                OpKind::TryRecv => Op::TryRecv(slot),
                OpKind::Stop => Op::Stop(slot),
                OpKind::Drop => Op::Drop(slot),
                OpKind::Close => Op::Close,
                OpKind::Shutdown => Op::Shutdown,
            }
        },
    )
}

/// A script in one line: `watch a; action | stop a` has two lanes and no setup; queues of capacity 0 wait.
pub(super) fn lanes(line: &str) -> Script {
    let lanes = line.split('|').map(|lane| format!("lane\n{}\n", lane.replace(';', "\n")));
    let text = format!("mux incoming=0 queue=0 when-full=wait\n{}", lanes.collect::<String>());
    text.parse().expect("a script in one line")
}
