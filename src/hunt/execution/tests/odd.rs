//! Subjects that do odd things, and what is seen of them.

use std::time::Duration;

use super::*;
use crate::oracle::{Blocking, Closed, Guarantee, Verdict};
use crate::script::{Config, OpKind, OpSet, WhenFull};
use crate::subject::{Capabilities, Payload, Received, Refused, Running, Watching};
use crate::sync;
use crate::sync::channel::{Receiver, Sender, bounded};

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
