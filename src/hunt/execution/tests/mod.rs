mod glance;
mod odd;
mod wind_down;

use std::time::Duration;

use super::*;
use crate::engine::strategy::RandomWalk;
use crate::engine::{self, End};
use crate::oracle::{Blocking, Call, Class, Origin, Verdict};
use crate::script::{Op, OpKind};
use crate::subject::all;

fn subject(name: &str) -> Arc<dyn Subject> {
    all().into_iter().find(|subject| subject.name() == name).unwrap()
}

/// The one engine and the other in turn.
fn engine(seed: u64) -> Engine {
    if seed.is_multiple_of(2) {
        Engine::Threads(threads::Settings { seed, deadline: Duration::from_secs(60) })
    } else {
        Engine::Fibers(Box::new(RandomWalk::new(seed)))
    }
}

fn run(subject: &Arc<dyn Subject>, script: &str, seed: u64) -> Execution {
    execute(subject, &script.parse().unwrap(), &subject.contract(), engine(seed))
}

fn outcomes(execution: &Execution, origin: Origin) -> Vec<(Op, Option<Outcome>)> {
    let calls = execution.history.calls.iter().filter(|call| call.origin == origin);
    calls.map(|call| (call.op, call.outcome().cloned())).collect()
}

fn passes(execution: &Execution) -> bool {
    execution.judgement == Judgement::default() && execution.run.end == End::Finished
}

const BUSY: &str = "\
mux incoming=1 queue=1 when-full=wait
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
  stop b
lane
  recv b
  watch c
  try-recv c
  action
";

#[test]
fn a_script_that_may_pass_does() {
    for name in ["mux", "k8s-1321"] {
        let subject = subject(name);
        for seed in 0..300 {
            let execution = run(&subject, BUSY, seed);
            assert!(passes(&execution), "{name} {seed}: {execution:#?}");
        }
        assert_eq!(Arc::strong_count(&subject), 1, "nothing of an execution is left");
    }
}

#[test]
fn the_seed_case_is_found_and_leaves_nothing() {
    let script = "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\nlane\n  action\n  stop a\n";
    for name in ["k8s-906", "goker-1321"] {
        let subject = subject(name);
        let mut hangs = 0;
        for seed in 0..300 {
            let execution = run(&subject, script, seed);
            assert_eq!(execution.run.forgotten, 0);
            let Some(finding) = execution.judgement.findings.first() else { continue };
            assert_eq!(finding.signature.verdict, Verdict::Hang, "{finding:?}");
            assert_eq!(finding.signature.op, Some(OpKind::Stop));
            assert_eq!(finding.signature.class, Class::MixedChannelLock);
            hangs += usize::from(!finding.signature.wind_down);
        }
        assert!(hangs > 0, "{name}");
        assert_eq!(Arc::strong_count(&subject), 1, "nothing of an execution is left");
    }
    assert!((0..300).all(|seed| passes(&run(&subject("k8s-1321"), script, seed))));
}

#[test]
fn an_op_without_its_watcher_or_its_method_is_skipped() {
    let script = "\
mux incoming=1 queue=0 when-full=wait
setup
  recv a
  watch a
  watch a
  drop a
  stop b
  close
  try-action
  try-recv a
lane
  action
";
    let execution = run(&subject("k8s-1321"), script, 0);
    let skipped: Vec<bool> = outcomes(&execution, Origin::Setup)
        .into_iter()
        .map(|(_, outcome)| outcome == Some(Outcome::Skipped))
        .collect();
    assert_eq!(skipped, [true, false, true, true, true, true, true, false]);
    let watchers: Vec<_> = execution.history.calls.iter().map(|call| call.watcher.map(|id| id.0)).collect();
    assert_eq!(watchers[..8], [None, Some(0), None, Some(0), None, None, None, Some(0)]);
    assert_eq!(execution.history.calls[8].events, 0..1, "skipped ops bring no event");
}

#[test]
fn a_setup_that_blocks_ends_the_script() {
    let script =
        "mux incoming=0 queue=0 when-full=wait\nsetup\n  watch a\n  recv a\n  watch b\nlane\n  action\n";
    let execution = run(&subject("mux"), script, 0);
    assert!(passes(&execution), "{execution:#?}");
    assert!(execution.run.state.tasks.iter().all(|task| task.name != "lane0"));
    let setup = outcomes(&execution, Origin::Setup);
    assert!(matches!(setup[..], [_, (Op::Recv(_), Some(Outcome::Closed(_)))]), "{setup:?}");
}

#[test]
fn a_planned_panic_hurts_nobody() {
    let subject = subject("mux");
    for plan in (0..4).flat_map(|event| [Plan::Clone(event), Plan::Drop(event)]) {
        for seed in 0..40 {
            let contract = subject.contract();
            let execution =
                execute_planned(&subject, &BUSY.parse().unwrap(), &contract, engine(seed), Some(plan));
            assert!(passes(&execution), "{plan:?} {seed}: {execution:#?}");
        }
    }
}

#[test]
fn a_wait_for_a_go_channel_is_one_wait() {
    let script = "mux incoming=1 queue=0 when-full=wait\nsetup\n  watch a\n  action\nlane\n";
    let execution = (0..300)
        .map(|seed| run(&subject("k8s-906"), script, seed))
        .find(|execution| execution.run.end == End::Quiescent)
        .expect("the wind-down stops a watcher that is being sent to");
    for (task, waits) in execution.run.state.blocked() {
        assert_eq!(waits.len(), 1, "{:?}", execution.run.state.task(task));
    }
}

#[test]
fn what_is_left_of_a_hang_is_dropped_where_it_belongs() {
    let subject = subject("mux");
    let script = "mux incoming=1 queue=1 when-full=wait\nsetup\n  watch a\n  watch b\nlane\n  recv a\n";
    let contract = subject.contract().with(OpKind::Recv, Blocking::Never);
    for seed in 0..50 {
        // Outside of its execution, a watcher panics where it is dropped.
        let execution = execute(&subject, &script.parse().unwrap(), &contract, engine(seed));
        assert_eq!(execution.judgement.verdict(), Verdict::Hang);
        assert_eq!((execution.run.end, execution.run.forgotten), (End::Quiescent, 0));
        assert_eq!(Arc::strong_count(&subject), 1);
    }
}
