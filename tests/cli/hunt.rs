//! The command `hunt`, on the built binary.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use watchmux::script::text;

use super::{command, folder, objects, run, stderr, stdout};

#[test]
fn a_mux_that_holds_passes() {
    let output = run(&["--runs", "200", "--seed", "7"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        stdout(&output).starts_with("mux: pass, own contract, seed 7\n  160 runs on fibers in"),
        "{}",
        stdout(&output)
    );
    assert!(stdout(&output).contains("40 runs on free threads in"), "{}", stdout(&output));
    assert!(stderr(&output).contains("hunting mux, own contract, seed 7"), "{}", stderr(&output));
}

#[test]
fn kubernetes_1321_is_found_shrunk_and_explained() {
    let output = run(&["hunt", "--subject", "k8s-906", "--seed", "1", "--time", "30"]);
    let report = stdout(&output);
    assert_eq!(output.status.code(), Some(3), "{report}");
    let flat = report.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "HANG in k8s-906",
        "mixed deadlock: channel & lock",
        "[lock] in stop a",
        "[chan send]",
        "of seed 1 (",
        "Script (3 ops, 1 lane)",
        "no op can be removed (every schedule with up to 2 preemptions explored)",
        "none with fewer shows it",
        "Confirmed on OS threads led through its schedule: 20 of 20 reruns hung; on free threads: ",
        "Schedule setup*",
        "watchmux replay findings/k8s-906-",
    ] {
        assert!(flat.contains(part), "`{part}` is missing:\n{report}");
    }
    assert!(!report.contains('\u{1b}'), "no colours where nobody sees them: {report:?}");
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
}

#[test]
fn what_is_found_is_confirmed_as_often_as_is_told() {
    for (times, confirmed) in [("3", Some("3 of 3 reruns hung; on free threads: ")), ("0", None)] {
        let output = run(&["hunt", "--subject", "k8s-906", "--seed", "1", "--confirm", times]);
        let report = stdout(&output);
        let flat = report.split_whitespace().collect::<Vec<_>>().join(" ");
        let told =
            flat.split_once("Confirmed on OS threads led through its schedule: ").map(|(_, told)| told);
        assert_eq!(told.is_some(), confirmed.is_some(), "{report}");
        assert!(told.unwrap_or_default().starts_with(confirmed.unwrap_or_default()), "{report}");
    }
}

#[test]
fn json_is_one_object_a_subject_a_line() {
    let output = run(&[
        "--subject",
        "goker-1321",
        "--subject",
        "mux",
        "--runs",
        "50",
        "--seed",
        "3",
        "--format",
        "json",
        "--jobs",
        "1",
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let [bug, pass] = objects(&output).try_into().unwrap();
    assert_eq!((&bug["subject"], &bug["contract"]), (&"goker-1321".into(), &"own".into()));
    assert_eq!((&bug["verdict"], &bug["class"]), (&"hang".into(), &"mixed deadlock: channel & lock".into()));
    let entry = text::parse("script", bug["script"].as_str().unwrap()).unwrap();
    assert_eq!((bug["ops"].as_u64(), bug["lanes"].as_u64()), (Some(2), Some(1)), "{}", entry.script);
    assert_eq!((entry.script.ops(), entry.script.lanes.len()), (2, 1));
    assert_eq!((&pass["subject"], &pass["verdict"]), (&"mux".into(), &"pass".into()));
    assert_eq!((&pass["class"], &pass["script"]), (&Value::Null, &Value::Null));
    assert_eq!((pass["runs"].as_u64(), pass["seed"].as_u64()), (Some(50), Some(3)));
    for measure in ["runs_per_second", "sync_points_per_run", "sync_points_per_second", "seconds"] {
        assert!(pass[measure].as_f64().unwrap() > 0.0, "{pass}");
    }
    assert!(pass.get("findings").is_none(), "{pass}");
}

#[test]
fn a_hunt_for_all_that_is_known_is_a_line_a_subject_and_contract() {
    let output = run(&["--subject", "all", "--runs", "20", "--seed", "1", "--format", "json"]);
    let surveys: Vec<Value> =
        objects(&output).into_iter().filter(|object| object.get("bugs").is_some()).collect();
    let missing = |survey: &&Value| !survey["agrees"].as_bool().unwrap();
    assert_eq!((surveys.len(), output.status.code()), (28, Some(7)), "{}", stderr(&output));
    assert!(surveys.iter().filter(missing).count() > 1, "rare bugs do not show in so few runs");
    let canary = |survey: &&Value| survey["subject"] == "goker-1321" && survey["contract"] == "own";
    let canary = surveys.iter().find(canary).unwrap();
    assert_eq!((&canary["bugs"][0]["id"], &canary["agrees"]), (&"B1".into(), &true.into()));
}

#[test]
fn keep_going_reports_one_finding_a_signature_and_save_keeps_them() {
    let (folder, _) = folder(&[]);
    let save = folder.path().join("found");
    let line =
        ["--subject", "k8s-906", "--runs", "60", "--seed", "2", "--keep-going", "--format", "json", "--save"];
    let output = command(&line).arg(&save).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let [object] = objects(&output).try_into().unwrap();
    let findings = object["findings"].as_array().unwrap();
    assert_eq!(object["runs"].as_u64(), Some(60));
    let mut saved: Vec<&str> = findings.iter().map(|finding| finding["saved"].as_str().unwrap()).collect();
    saved.sort_unstable();
    let mut files: Vec<PathBuf> = fs::read_dir(&save).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(
        files,
        saved.iter().map(PathBuf::from).collect::<Vec<_>>(),
        "nothing but the findings is left"
    );
    for path in &files {
        let entry = text::parse("saved", &fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(entry.subject.as_deref(), Some("k8s-906"));
        assert_eq!(entry.expects.len(), 1);
        assert!(entry.header.iter().any(|line| line.contains("of seed 2")), "{:?}", entry.header);
    }
}

/// The output without what depends on how long things took.
fn without_timings(output: &Output) -> String {
    let is_timing = |word: &str| {
        word.trim_end_matches(',').ends_with("/s)") || word.parse::<f64>().is_ok_and(|_| word.contains('.'))
    };
    // By words, for where lines are wrapped depends on it too.
    stdout(output).split_whitespace().filter(|word| !is_timing(word)).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_same_seed_gives_the_same_output_on_any_number_of_jobs() {
    for subject in ["k8s-906", "goker-1321"] {
        let [one, two, many] = ["1", "2", "7"].map(|jobs| {
            let line =
                ["--subject", subject, "--engine", "fibers", "--seed", "5", "--contract", "strict", "--jobs"];
            let output = command(&line).arg(jobs).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
            without_timings(&output)
        });
        assert!(one.contains("Schedule setup"), "{one}");
        assert_eq!(one, two);
        assert_eq!(one, many);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_hunt_ends_cleanly() {
    let line = ["--time", "600", "--seed", "1"];
    let mut child = command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut begun = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut begun).unwrap();
    assert!(begun.contains("hunting mux"), "{begun}");
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    // It may have been told before the first run ended.
    assert!(matches!(output.status.code(), Some(0 | 6)), "{}", output.status);
    assert!(stdout(&output).contains("interrupted"), "{}", stdout(&output));
}
