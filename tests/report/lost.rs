//! Nothing that is known is lost when a destructor ends the process, or never returns; and free threads have stacks.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use watchmux::engine::Run;
use watchmux::hunt::{Budget, Campaign, Effort, Engines, Jobs, Progress, Trial};
use watchmux::script::ContractKind;
use watchmux::sync::Mutex;

use super::faulty::{Fault, Faulty};
use super::programs;

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

/// Searches a faulty mux, and unwinds all that it finds.
fn hunt(fault: Fault) {
    let trial = Trial::new(Arc::new(Faulty(fault)), ContractKind::Own, Duration::from_secs(60));
    let budget = Budget { time: None, runs: Some(100) };
    let campaign =
        Campaign { trial, engines: Engines::Fibers, twice: false, budget, seed: 1, keep_going: false };
    let effort = Effort { jobs: Jobs::each(1), time: None, stop: &AtomicBool::new(false) };
    campaign.run(effort, &Progress::default(), &|_| {});
}

#[test]
fn what_is_known_is_told_before_a_destructor_ends_the_process() {
    if is_doomed() {
        return hunt(Fault::Loud);
    }
    let output = doomed("what_is_known_is_told_before_a_destructor_ends_the_process");
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
fn what_is_known_is_told_when_a_destructor_never_returns() {
    if is_doomed() {
        return hunt(Fault::Endless);
    }
    let output = doomed("what_is_known_is_told_when_a_destructor_never_returns");
    let told =
        ["A destructor does not return", "HANG in endless: resource deadlock: double locking", "    action"];
    assert_told(&output, &told);
}

/// The command over the muxes whose destructors must not run; its words are in this variable.
const LINE: &str = "WATCHMUX_TEST_LINE";

fn command(words: &[&str]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["lost::what_is_found_outlives_the_process", "--exact", "--nocapture"]);
    command.env(DOOMED, "1").env(LINE, words.join("\n")).output().unwrap()
}

#[test]
fn what_is_found_outlives_the_process() {
    if let Ok(line) = std::env::var(LINE) {
        let subjects = [Fault::Loud, Fault::Fatal, Fault::Endless].map(|fault| Arc::new(Faulty(fault)) as _);
        let line = ["watchmux"].into_iter().chain(line.lines()).map(OsString::from).collect();
        std::process::exit(watchmux::cli::run_line(&subjects, line) as i32);
    }
    let out = tempfile::tempdir().unwrap();
    for subject in ["loud", "fatal", "endless"] {
        // Shrinking ends it.
        let hunted =
            command(&["hunt", "--subject", subject, "--engine", "fibers", "--runs", "100", "--seed", "1"]);
        assert_told(&hunted, &["found a hang, resource deadlock: double locking"]);
        let told = String::from_utf8_lossy(&hunted.stderr).into_owned();
        let file = told.lines().find_map(|line| line.split_once("; it is in ")).expect("it says where").1;
        // What was kept is told whole, stack and all, for nothing is unwound for it.
        let text = command(&["report", file]);
        let json = command(&["report", file, "--format", "json"]);
        let page = out.path().join("page.html");
        let paged = command(&["report", file, "--html", page.to_str().unwrap()]);
        for output in [&text, &json, &paged] {
            assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let page = std::fs::read_to_string(page).unwrap();
        for told in
            [String::from_utf8_lossy(&text.stdout), String::from_utf8_lossy(&json.stdout), page.into()]
        {
            for part in ["resource deadlock: double locking", "held by itself", "FaultyMux::len", "faulty.rs"]
            {
                assert!(told.contains(part), "{subject}, {part}:\n{told}");
            }
        }
        std::fs::remove_dir_all(Path::new(file).parent().unwrap()).unwrap();
        // Free threads are unwound for their stacks.
        let hunted =
            command(&["hunt", "--subject", subject, "--engine", "threads", "--runs", "100", "--seed", "1"]);
        let known = [
            &format!("HANG in {subject}: resource deadlock: double locking"),
            " waits in action for lock `queue`, held by itself",
            "Script, not shrunk:\n  mux incoming=0",
        ];
        assert_told(&hunted, &known);
    }
}

#[test]
fn an_exploration_tells_all_whatever_its_destructors_do() {
    let failure = programs::failure(|| {
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
    let told = failure.to_string();
    assert!(told.starts_with("deadlock: resource deadlock: double locking"), "{told}");
    assert!(told.contains("an_exploration_tells_all_whatever_its_destructors_do"), "{told}");
}

#[test]
fn what_free_threads_found_has_the_stacks_of_who_is_blocked() {
    let subject = Arc::new(Faulty(Fault::DoubleLock));
    let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(60));
    let script = Arc::new("mux incoming=0 queue=0 when-full=wait\nlane\n  action".parse().unwrap());
    let Run { state, stacks, .. } = trial.on_threads(&script, 1).run;
    let stacks = stacks.resolve(&state);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert_eq!(state.task(stacks[0].task).name, "lane0");
    let calls: Vec<String> = stacks[0].frames.iter().map(|frame| frame.short_function()).collect();
    assert_eq!(calls, ["FaultyMux::len", "Running::action for FaultyMux"]);
    assert!(stacks[0].frames.iter().all(|frame| frame.file == "tests/report/faulty.rs"), "{stacks:?}");
}

#[test]
fn who_is_let_go_on_by_the_unwinding_of_another_has_its_stack_as_well() {
    let subject = watchmux::subject::all().into_iter().find(|subject| subject.name() == "k8s-906").unwrap();
    let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(60));
    let script =
        "mux incoming=0 queue=0 when-full=wait\nlane\n  watch a\n  action\n  stop a".parse().unwrap();
    let script = Arc::new(script);
    let mut runs = (0..5_000).map(|noise| trial.on_threads(&script, noise));
    let hung = runs.find(|execution| !execution.judgement.findings.is_empty()).expect("it hangs at times");
    let Run { state, stacks, .. } = hung.run;
    let mut innermost: Vec<String> =
        stacks.resolve(&state).iter().map(|stack| stack.frames[0].short_function()).collect();
    innermost.sort();
    assert_eq!(innermost, ["Stop::send for Waiting", "StopWatching::stop_watching for Mux"]);
}
