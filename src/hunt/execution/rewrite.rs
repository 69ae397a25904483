use crate::oracle::{Call, History, Origin, Outcome};
use crate::script::{MAX_LANES, MAX_OPS, Op, Script};

/// The script with the wind-down's ops as ops of its own, and without the ops that were never called: what a
/// wind-down has shown, as a script shows it.
///
/// Each of these ops is a lane of its own for as long as there are lanes left; then they come after what was
/// not blocked. The script must be the one that the history is of.
pub fn with_wind_down_as_script(script: &Script, history: &History) -> Script {
    let calls_of = |origin| history.calls.iter().filter(move |call| call.origin == origin);
    let begun = calls_of(Origin::WindDown).next().map(|call| call.called);
    let is_late = |call: &Call| call.returned_at().is_none_or(|at| begun.is_some_and(|begun| at > begun));
    let was_blocked = |origin| calls_of(origin).next_back().is_some_and(is_late);

    let mut setup: Vec<Op> = calls_of(Origin::Setup).map(|call| call.op).collect();
    let mut lanes: Vec<(Vec<Op>, bool)> = (0..script.lanes.len() as u8)
        .map(Origin::Lane)
        .map(|lane| (calls_of(lane).map(|call| call.op).collect(), was_blocked(lane)))
        .filter(|(ops, _): &(Vec<Op>, bool)| !ops.is_empty())
        .collect();
    if was_blocked(Origin::Setup) {
        // It has kept the lanes from starting, and would again.
        lanes.push((setup.split_off(setup.len() - 1), true));
    }
    let called = calls_of(Origin::WindDown).filter(|call| call.outcome() != Some(&Outcome::Skipped));
    for op in called.map(|call| call.op).take(MAX_OPS.saturating_sub(script.ops())) {
        if lanes.len() < MAX_LANES {
            lanes.push((vec![op], false));
        } else if let Some((ops, _)) = lanes.iter_mut().rev().min_by_key(|(_, blocked)| *blocked) {
            ops.push(op);
        }
    }
    Script { config: script.config, setup, lanes: lanes.into_iter().map(|(ops, _)| ops).collect() }
}
