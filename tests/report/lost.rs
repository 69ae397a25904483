//! Nothing that is known is lost when a destructor ends the process.

use std::cell::Cell;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use watchmux::hunt::{Budget, Campaign, Effort, Engines, Jobs, Progress, Trial};
use watchmux::script::ContractKind;
use watchmux::sync::Mutex;

use super::faulty::{Fault, Faulty};

/// Set in the processes that are meant to end early.
const DOOMED: &str = "WATCHMUX_TEST_DOOMED";

/// Runs this test in a process of its own.
fn doomed(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("lost::{test}"), "--exact", "--nocapture"]).env(DOOMED, "1").output().unwrap()
}

fn is_doomed() -> bool {
    std::env::var_os(DOOMED).is_some()
}

#[track_caller]
fn assert_told(output: &Output, parts: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it was to end early: {told}");
    for part in parts {
        assert!(told.contains(part), "`{part}` is missing:\n{told}");
    }
}

#[test]
fn what_a_hunt_has_found_is_told_before_the_process_ends() {
    if is_doomed() {
        let trial = Trial::new(Arc::new(Faulty(Fault::Loud)), ContractKind::Own, Duration::from_secs(60));
        let budget = Budget { time: None, runs: Some(100) };
        let campaign =
            Campaign { trial, engines: Engines::Fibers, twice: false, budget, seed: 1, keep_going: false };
        let effort = Effort { jobs: Jobs::each(1), time: None, stop: &AtomicBool::new(false) };
        campaign.run(effort, &Progress::default(), &|_| {});
        return;
    }
    let output = doomed("what_a_hunt_has_found_is_told_before_the_process_ends");
    assert_told(
        &output,
        &[
            "dropped in the middle of it",
            "HANG in loud: resource deadlock: double locking",
            " waits in action for lock `queue`, held by itself",
            "Script, not shrunk:\n  mux incoming=0",
            "    action",
        ],
    );
}

#[test]
fn what_an_exploration_has_found_is_told_before_the_process_ends() {
    if is_doomed() {
        watchmux::explore::check(|| {
            struct Loud;
            impl Drop for Loud {
                fn drop(&mut self) {
                    panic!("not now");
                }
            }
            let _loud = Loud;
            let account = Mutex::new(100).named("account");
            let _balance = account.lock();
            let _again = account.lock();
        });
        return;
    }
    let output = doomed("what_an_exploration_has_found_is_told_before_the_process_ends");
    let told =
        ["not now", "deadlock: resource deadlock: double locking", "for lock `account`, held by itself"];
    assert_told(&output, &told);
}

thread_local! {
    /// Whether a task of this thread was unwound while it held a [`Witness`].
    static UNWOUND: Cell<bool> = const { Cell::new(false) };
}

#[test]
fn an_interleaving_is_told_before_it_is_unwound() {
    let subject = Arc::new(Faulty(Fault::DoubleLock));
    let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(60));
    let script = "mux incoming=0 queue=0 when-full=wait\nlane\n  action".parse().unwrap();
    let schedule = "setup*2 lane0*4".parse().unwrap();
    let mut told = false;
    trial.tell_interleaving(&script, &schedule, &mut |interleaving| {
        let interleaving = interleaving.expect("its schedule fits");
        assert_eq!(interleaving.trace.stacks.len(), 1);
        assert!(!UNWOUND.get(), "its stack was captured first");
        told = true;
    });
    assert!(told && UNWOUND.get());
}

/// Notes that its task was unwound while it held this.
pub(crate) struct Witness;

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            UNWOUND.set(true);
        }
    }
}
