mod glance;

use std::time::Duration;

use super::*;
use crate::engine::strategy::RandomWalk;
use crate::engine::{self, End};
use crate::oracle::{Blocking, Call, Class, Closed, Guarantee, Origin, Verdict};
use crate::script::{Config, Op, OpKind, OpSet, WhenFull};
use crate::subject::{Capabilities, Payload, Received, Refused, Running, Watching, all};
use crate::sync;
use crate::sync::channel::{Receiver, Sender, bounded};

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

/// A mux of which each op does what a test needs.
#[derive(Clone, Copy)]
struct Odd;

struct OddMux {
    /// Whoever watches waits for it to be closed.
    closed: (sync::Mutex<Option<Sender<()>>>, Receiver<()>),
}

struct OddWatcher;

impl Subject for Odd {
    fn name(&self) -> &str {
        "odd"
    }

    fn provenance(&self) -> &str {
        "made up"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { ops: OpSet::ALL, ..subject("k8s-906").capabilities() }
    }

    fn contract(&self) -> Contract {
        Contract::silent().with(OpKind::Close, Blocking::Never).guaranteeing(&[Guarantee::Once])
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        let (tx, rx) = bounded(0);
        Box::new(OddMux { closed: (sync::Mutex::new(Some(tx)), rx) })
    }
}

impl Running for OddMux {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let _ = self.closed.1.recv();
        Ok(Box::new(OddWatcher))
    }

    /// Leaks it.
    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        std::mem::forget(event);
        Ok(None)
    }

    fn try_action(&self, _: Payload) -> Result<Option<u64>, crate::subject::TryRefused> {
        panic!("no")
    }

    fn close(&self) {
        drop(self.closed.0.lock().take());
    }
}

impl Watching for OddWatcher {
    fn recv(&mut self) -> Result<Received, Closed> {
        unreachable!()
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        Ok(None)
    }

    fn stop(&mut self) {}
}

#[test]
fn a_watcher_that_appears_late_is_stopped_too() {
    let odd: Arc<dyn Subject> = Arc::new(Odd);
    let execution =
        run(&odd, "mux incoming=0 queue=0 when-full=wait\nsetup\nlane\n  watch a\n  watch b\n", 0);
    assert!(passes(&execution), "{execution:#?}");
    let ops: Vec<Op> = outcomes(&execution, Origin::WindDown).into_iter().map(|(op, _)| op).collect();
    assert_eq!(ops, [Op::Close, Op::Stop(Slot::new(0))]);
    assert_eq!(Arc::strong_count(&odd), 1);
}

/// A black box that takes so long to be dropped.
struct Slow(Duration);

struct SlowMux(Duration);

impl Subject for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn provenance(&self) -> &str {
        "made up"
    }

    fn capabilities(&self) -> Capabilities {
        Odd.capabilities()
    }

    fn contract(&self) -> Contract {
        Contract::strict().guaranteeing(&[])
    }

    fn is_black_box(&self) -> bool {
        true
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        Box::new(SlowMux(self.0))
    }
}

impl Running for SlowMux {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        Ok(Box::new(OddWatcher))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        drop(event);
        Ok(None)
    }

    fn close(&self) {}
}

impl Drop for SlowMux {
    #[expect(clippy::disallowed_methods, reason = "no engine sees into a black box")]
    fn drop(&mut self) {
        std::thread::sleep(self.0);
    }
}

#[test]
fn to_be_put_away_slowly_is_no_hang_and_never_is_one() {
    let dropped_within = |time| {
        let slow: Arc<dyn Subject> = Arc::new(Slow(time));
        let script = "mux incoming=0 queue=0 when-full=wait\nsetup\n  watch a\nlane\n  action\n";
        let engine = Engine::Threads(threads::Settings { seed: 0, deadline: Duration::from_millis(100) });
        execute(&slow, &script.parse().unwrap(), &slow.contract(), engine)
    };
    let slow = dropped_within(Duration::from_millis(50));
    assert!(passes(&slow), "{slow:#?}");
    let never = dropped_within(Duration::from_secs(3600));
    let [finding] = &never.judgement.findings[..] else { panic!("{never:#?}") };
    assert!(finding.sentence.ends_with("nothing moved for 1 s"), "{}", finding.sentence);
    assert!(finding.clause.ends_with("everything ends"), "{}", finding.clause);
}

#[test]
fn a_leak_is_a_violation() {
    let odd: Arc<dyn Subject> = Arc::new(Odd);
    let execution = run(&odd, "mux incoming=0 queue=0 when-full=wait\nsetup\n  action\nlane\n", 0);
    let [finding] = &execution.judgement.findings[..] else { panic!("{execution:#?}") };
    assert_eq!(finding.signature.verdict, Verdict::Violation);
    assert!(finding.sentence.contains("never dropped"), "{finding:?}");
}

#[test]
fn a_panic_is_an_outcome_and_the_lane_goes_on() {
    let odd: Arc<dyn Subject> = Arc::new(Odd);
    let script = "mux incoming=0 queue=0 when-full=wait\nsetup\nlane\n  try-action\n  close\n";
    let execution = run(&odd, script, 0);
    let calls = outcomes(&execution, Origin::Lane(0)).into_iter().map(|(_, outcome)| outcome.unwrap());
    assert_eq!(calls.collect::<Vec<_>>(), [Outcome::Panicked("no".to_owned()), Outcome::Done]);
    assert_eq!(execution.judgement.verdict(), Verdict::Panic);
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
