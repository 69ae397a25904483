//! Events that panic, on the built binary: asked for on the command line, and kept in a file.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{assert_refused, folder, objects, run, stderr, stdout, text_of};

/// What is found on fibers when the first clone of the first event panics; all of it is saved to this folder.
fn found(subject: &str, folder: &Path) -> Vec<Value> {
    let line = "--contract strict --engine fibers --runs 1000 --seed 1 --panic clone:0 --keep-going --format json --save";
    let line: Vec<&str> = line.split(' ').chain([text_of(folder), "--subject", subject]).collect();
    let [object] = objects(&run(&line)).try_into().unwrap();
    object["findings"].as_array().unwrap().clone()
}

/// The hang of those who wait for a dispatcher that panicked.
fn hang(folder: &Path) -> Value {
    let waits = |found: &Value| {
        found["shape"] == "action waits to send to channel, served by dispatcher, which panicked"
    };
    found("k8s-1321", folder).into_iter().find(waits).expect("it is found")
}

#[test]
fn an_event_that_panics_in_its_clone_hangs_kubernetes_and_not_the_mux() {
    let (folder, _) = folder(&[]);
    assert_eq!(found("mux", folder.path()), [] as [Value; 0]);
    let hang = hang(folder.path());
    assert_eq!((&hang["verdict"], &hang["panic"]), (&"hang".into(), &"clone:0".into()), "{hang}");
    assert_eq!((&hang["shrunk"]["steered"], &hang["shrunk"]["steered_of"]), (&20.into(), &20.into()));
}

#[test]
fn what_was_found_is_replayed_shrunk_and_explained_from_the_file_alone() {
    let (folder, _) = folder(&[]);
    let found = hang(folder.path());
    let file = found["saved"].as_str().unwrap();
    let kept = fs::read_to_string(file).unwrap();
    assert!(kept.contains("\nsubject k8s-1321\npanic clone:0\nmux "), "{kept}");

    let replayed = |line: &[&str]| run(&[&["replay", file], line].concat()).status.code();
    for engine in ["fibers", "threads", "both", "steered"] {
        assert_eq!(replayed(&["--engine", engine]), Some(0), "as it was saved, on {engine}");
    }
    assert_eq!(replayed(&["--panic", "clone:0"]), Some(0), "what is asked for is what is kept");

    let shrunk = run(&["shrink", file, "--format", "json"]);
    let [shrunk] = objects(&shrunk).try_into().unwrap();
    for field in ["panic", "script", "schedule", "shape"] {
        assert_eq!(shrunk[field], found[field], "{field} of {shrunk}");
    }

    let report = run(&["report", file]);
    assert_eq!(report.status.code(), Some(3), "{}", stderr(&report));
    let said = stdout(&report).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("Planned in each run, the first `Clone` of event 0 panics (`panic clone:0`)"),
        "{said}"
    );
    assert!(said.contains(&format!("Replay watchmux replay {file} ")), "{said}");

    fs::write(file, kept.replace("panic clone:0\n", "")).unwrap();
    let without = run(&["replay", file]);
    assert_eq!(without.status.code(), Some(7), "the dispatcher goes on: {}", stdout(&without));
    assert_eq!(replayed(&["--panic", "clone:0"]), Some(0), "and asked for, it fits again");
}

#[test]
fn a_panic_that_contradicts_or_is_promised_nothing_of_is_refused() {
    let script = "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n";
    let planned = format!("# kept\nsubject k8s-1321\npanic drop:1\n{script}");
    let expecting = format!("{script}expect mux own pass\npanic drop:1\nexpect k8s-1321 own pass\n");
    let (_folder, files) =
        folder(&[("planned.script", planned.as_bytes()), ("expecting.script", expecting.as_bytes())]);
    let [planned, expecting]: [&str; 2] =
        files.iter().map(|path: &PathBuf| text_of(path)).collect::<Vec<_>>().try_into().unwrap();
    for command in ["replay", "shrink", "report"] {
        let contradiction =
            ["planned.script:3: read `panic drop:1`, expected `panic clone:1`, as --panic says"];
        assert_refused(&[command, planned, "--contract", "strict", "--panic", "clone:1"], &contradiction);
        let unpromised =
            "expected none: the own contract of `k8s-1321` promises nothing of events that panic";
        assert_refused(&[command, planned], &["planned.script:3: read `panic drop:1`, ", unpromised]);
        assert_refused(
            &[command, planned, "--subject", "k8s-1321", "--panic", "drop:1"],
            &["planned.script:3", unpromised],
        );
    }
    // One that cannot be run is told before any other is.
    assert_refused(&["replay", expecting], &["expecting.script:5: read `panic drop:1`", "`k8s-1321`"]);
    for subject in ["k8s-1321", "all"] {
        assert_refused(
            &["--subject", subject, "--panic", "clone:0"],
            &["--panic: read `clone:0`, expected none: the own"],
        );
    }
    let to = files[0].parent().unwrap();
    assert_refused(
        &["convert", planned, "--to", text_of(to)],
        &["planned.script:3: read `panic drop:1`", "a fuzzer's input"],
    );
}
