//! What is left when the script has come to rest: wound down, and put away.

use super::*;

#[test]
fn what_may_be_blocked_is_wound_down() {
    let script = "\
mux incoming=0 queue=0 when-full=wait
setup
  watch a
  watch b
lane
  action
  action
  action
lane
  recv a
  recv a
  recv a
";
    for (name, close) in [("mux", Op::Close), ("k8s-1321", Op::Shutdown)] {
        let execution = run(&subject(name), script, 0);
        assert!(passes(&execution), "{execution:#?}");
        let ops = outcomes(&execution, Origin::WindDown);
        assert_eq!(ops.len(), 3, "{ops:?}");
        assert!(ops[..2].contains(&(Op::Stop(Slot::new(0)), Some(Outcome::Done))));
        assert!(ops[..2].contains(&(Op::Stop(Slot::new(1)), Some(Outcome::Done))));
        assert_eq!(ops[2], (close, Some(Outcome::Done)));
        assert!(outcomes(&execution, Origin::Lane(0)).len() < 3, "lanes start no further op");
        let names: Vec<_> = execution.run.state.tasks.iter().map(|task| task.name.as_str()).collect();
        assert!(
            ["setup", "lane0", "lane1", "stop-a", "stop-b", "close"].iter().all(|name| names.contains(name))
        );
    }
}

#[test]
fn what_the_script_did_the_wind_down_leaves() {
    let script = "\
mux incoming=1 queue=1 when-full=wait
setup
  watch a
  watch b
lane
  stop a
  drop b
  shutdown
";
    let execution = run(&subject("mux"), script, 0);
    assert!(passes(&execution), "{execution:#?}");
    assert_eq!(outcomes(&execution, Origin::WindDown), []);
}

#[test]
fn what_returns_from_being_unwound_is_no_part_of_the_history() {
    // Unwound, the first stop leaves the second one nothing to do.
    let script =
        "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\n  action\nlane\n  stop a\nlane\n  stop a\n";
    for seed in 0..300 {
        let execution = run(&subject("k8s-906"), script, seed);
        let blocked = execution
            .run
            .state
            .blocked()
            .filter(|(_, waits)| matches!(waits[0].target, engine::Target::Lock(_)));
        let returned = execution
            .history
            .calls
            .iter()
            .filter(|call| call.op.kind() == OpKind::Stop && call.returned.is_some());
        assert_eq!(blocked.count() + returned.count(), 2, "{execution:#?}");
    }
}

#[test]
fn a_wind_down_can_be_written_as_a_script() {
    let written = |script: &str, calls: &[(Origin, Op, Option<Outcome>)]| {
        let call = |(at, (origin, op, outcome)): (usize, &(Origin, Op, Option<Outcome>))| Call {
            task: engine::TaskId(0),
            origin: *origin,
            op: *op,
            watcher: None,
            events: 0..0,
            called: 2 * at as u64,
            returned: outcome.clone().map(|outcome| (2 * at as u64 + 1, outcome)),
        };
        let calls: Vec<Call> = calls.iter().enumerate().map(call).collect();
        let history = History { clock: 2 * calls.len() as u64, calls };
        format!("{}\n", with_wind_down_as_script(&script.parse().unwrap(), &history))
    };
    let (a, b) = (Slot::new(0), Slot::new(1));
    let done = || Some(Outcome::Done);
    let watch = Op::Watch { slot: a, prefix: 0, when_full: None };

    let script =
        "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\nlane\n  action\n  action\nlane\n  recv b\n";
    let calls = [
        (Origin::Setup, watch, Some(Outcome::Joined(None))),
        (Origin::Lane(0), Op::Action, None),
        (Origin::WindDown, Op::Stop(a), None),
        (Origin::WindDown, Op::Stop(b), Some(Outcome::Skipped)),
        (Origin::WindDown, Op::Close, done()),
    ];
    assert_eq!(
        written(script, &calls),
        "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\nlane\n  action\nlane\n  stop a\nlane\n  close\n"
    );

    let script =
        "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\n  recv a\n  action\nlane\n  action\n";
    let calls = [
        (Origin::Setup, watch, Some(Outcome::Joined(None))),
        (Origin::Setup, Op::Recv(a), None),
        (Origin::WindDown, Op::Stop(a), None),
    ];
    assert_eq!(
        written(script, &calls),
        "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\nlane\n  recv a\nlane\n  stop a\n",
        "what blocked the setup must not block the stop"
    );

    let lanes = "lane\n  action\n".repeat(8);
    let script = format!("mux incoming=1 queue=0 when-full=wait\n{lanes}");
    let mut calls: Vec<_> =
        (0..7).map(|lane| (Origin::Lane(lane), Op::Action, Some(Outcome::Accepted(None)))).collect();
    calls.push((Origin::Lane(7), Op::Action, None));
    calls.push((Origin::WindDown, Op::Stop(a), None));
    let lanes = "lane\n  action\n";
    assert_eq!(
        written(&script, &calls),
        format!(
            "mux incoming=1 queue=0 when-full=wait\n{}lane\n  action\n  stop a\n{lanes}",
            lanes.repeat(6)
        ),
        "behind what was not blocked"
    );
}
