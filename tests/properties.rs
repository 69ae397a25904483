//! Whatever the script, and whatever panics in an event, the shipped mux keeps its contract, with threads and with tasks.
#![cfg(feature = "suite")]

use std::cell::Cell;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use proptest::option::weighted;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestError, TestRunner};
use watchmux::engine::strategy::RandomWalk;
use watchmux::engine::threads::Settings;
use watchmux::hunt::execution::{Engine, execute_planned};
use watchmux::hunt::{Budget, Campaign, Effort, Engines, Group, Jobs, Progress, Trial};
use watchmux::oracle::{Contract, Verdict};
use watchmux::script::generate::{Profile, strategy};
use watchmux::script::{ContractKind, Plan, Script};
use watchmux::subject::{Awaited, Numbers, Shipped, Subject};

/// How many scripts are drawn for each property.
const SCRIPTS: u32 = 2_500;

/// How often each is run, with other noise each time.
const RUNS: u64 = 4;

/// How many runs there are on fibers, of eight schedules a script: no other part of the tests sees as many ways in which
/// the mux's own code can interleave.
const RUNS_ON_FIBERS: u64 = 8_000;

/// The same while it is being shrunk, for a smaller script may show what was found more rarely.
const RERUNS: u64 = 200;

/// How long it is shrunk, in milliseconds.
const SHRINKING: u32 = 20_000;

/// How long a run may take that neither ends nor comes to rest. None is known to.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn every_script_passes_on_fibers() {
    explore(Shipped);
}

#[test]
fn every_script_passes_on_fibers_when_events_are_in_blocks() {
    explore(Numbers);
}

#[test]
fn every_script_passes_on_fibers_as_tasks() {
    explore(Awaited);
}

fn explore(subject: impl Subject + 'static) {
    let name = subject.name().to_owned();
    let trial = Trial::new(Arc::new(subject), ContractKind::Strict, DEADLINE);
    let budget = Budget { time: None, runs: Some(RUNS_ON_FIBERS) };
    let campaign =
        Campaign { trial, engines: Engines::Fibers, twice: false, budget, seed: 0, keep_going: false };
    let effort = Effort { jobs: Jobs::each(2), time: None, stop: &AtomicBool::new(false) };
    let outcome = campaign.run(effort, &Progress::default(), &|_| {});
    if let Some(Group { found, .. }) = outcome.findings.first() {
        let (sentence, script) = (&found.finding.sentence, &found.script);
        let again = format!("cargo run --release -- hunt --subject {name} --engine fibers --seed 0");
        panic!("{sentence}\n\n{script}\n\nFind it again:\n  {again}");
    }
    assert_eq!(outcome.verdict(), Verdict::Pass);
}

#[test]
fn every_script_passes_on_threads() {
    check(Arc::new(Shipped), Just(None), free);
}

#[test]
fn every_script_passes_on_threads_when_events_are_in_blocks() {
    check(Arc::new(Numbers), Just(None), free);
}

#[test]
fn every_script_passes_on_threads_as_tasks_when_an_event_panics() {
    check(Arc::new(Awaited), a_panic(), free);
}

#[test]
fn every_script_passes_on_threads_when_an_event_panics() {
    check(Arc::new(Shipped), a_panic(), free);
}

#[test]
fn every_script_passes_on_fibers_when_an_event_panics() {
    check(Arc::new(Shipped), a_panic(), walk);
}

#[test]
fn every_script_passes_on_fibers_as_tasks_when_an_event_panics() {
    check(Arc::new(Awaited), a_panic(), walk);
}

/// A panic in an event, and now and then none, so that it shrinks to none where it is not what makes the script fail.
fn a_panic() -> impl Strategy<Value = Option<Plan>> {
    let event = 0_u32..8;
    let plan = prop_oneof![event.clone().prop_map(Plan::Clone), event.prop_map(Plan::Drop)];
    weighted(0.95, plan)
}

fn walk(seed: u64) -> Engine {
    Engine::Fibers(Box::new(RandomWalk::new(seed)))
}

fn free(seed: u64) -> Engine {
    Engine::Threads(Settings { seed, deadline: DEADLINE })
}

/// Checks that every script passes on an engine made from a seed, with such panics in the events.
fn check(subject: Arc<dyn Subject>, plans: impl Strategy<Value = Option<Plan>>, engine: fn(u64) -> Engine) {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt");
    let config = ProptestConfig { cases: SCRIPTS, max_shrink_time: SHRINKING, ..ProptestConfig::default() };
    // The environment may have said that nothing is to be kept.
    let persistence = config.failure_persistence.as_ref().map(|_| FileFailurePersistence::Direct(kept));
    let config =
        ProptestConfig { failure_persistence: persistence.map(|kept| Box::new(kept) as _), ..config };
    let scripts = strategy(&Profile::default());
    let runs = Cell::new(RUNS);
    let result = TestRunner::new(config).run(&(scripts, plans, any::<u64>().no_shrink()), |case| {
        let (script, plan, noise) = case;
        for run in 0..runs.get() {
            if let Err(sentence) = passes(&subject, &script, plan, engine(noise.wrapping_add(run))) {
                runs.set(RERUNS);
                return Err(TestCaseError::fail(sentence));
            }
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(sentence, (script, plan, _))) => {
            panic!("{}", report(&sentence.to_string(), subject.name(), &script, plan))
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// Runs a script once; in a sentence what was found, if it did not pass.
fn passes(
    subject: &Arc<dyn Subject>,
    script: &Script,
    plan: Option<Plan>,
    engine: Engine,
) -> Result<(), String> {
    let judgement = execute_planned(subject, script, &Contract::strict(), engine, plan).judgement;
    match (judgement.verdict(), judgement.findings.first()) {
        (Verdict::Pass, _) => Ok(()),
        (verdict, Some(finding)) => Err(format!("{verdict}: {}", finding.sentence)),
        (verdict, None) => Err(format!("{verdict}: {}", judgement.inconclusive.unwrap_or_default())),
    }
}

/// What was found, in which script, and how to see it again.
fn report(sentence: &str, subject: &str, script: &Script, plan: Option<Plan>) -> String {
    let mut report = format!("{sentence}\n\n{script}\n\n");
    let written = match plan {
        Some(plan) => {
            writeln!(report, "It takes a panic in an event, {plan:?}, so only this test shows it again.")
        }
        None => writeln!(
            report,
            "Save this script as FILE, and replay it:\n  cargo run --release -- replay FILE --subject {subject}"
        ),
    };
    written.expect("a string takes any text");
    report
}
