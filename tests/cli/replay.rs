//! The commands `replay` and `shrink`, on the built binary.

use std::fs;

use serde_json::Value;
use watchmux::script::text;

use super::{BUG, assert_refused, command, folder, objects, run, stderr, stdout, text_of};

#[test]
fn replay_compares_with_what_is_expected() {
    for (engine, parts) in [
        (
            "both",
            [
                "k8s-906 own hang by its schedule, as expected",
                "mux strict pass in 500 runs on fibers and 50 runs on free threads, as expected (explored, for its \
                 schedule does not fit: at sync point",
            ],
        ),
        (
            "fibers",
            ["k8s-906 own hang by its schedule, as expected", "mux strict pass in 500 runs on fibers, as"],
        ),
        (
            "threads",
            [
                "k8s-906 own hang in run",
                "mux strict pass in 50 runs on free threads, as expected (its schedule is not used on free threads)",
            ],
        ),
    ] {
        let output = run(&["replay", BUG, "--engine", engine]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        for part in parts {
            assert!(stdout(&output).contains(part), "`{part}` is missing:\n{}", stdout(&output));
        }
    }
    let wrong = fs::read_to_string(BUG).unwrap().replace("mux strict pass", "mux strict hang");
    let wrong: String = wrong
        .lines()
        .filter(|line| !line.starts_with("schedule"))
        .fold(String::new(), |text, line| text + line + "\n");
    let (_folder, paths) = folder(&[("wrong.script", wrong.as_bytes())]);
    let output = run(&["replay", "--times", "30", text_of(&paths[0])]);
    assert_eq!(output.status.code(), Some(7), "{}", stdout(&output));
    assert!(
        stdout(&output)
            .contains("mux strict pass in 30 runs on fibers and 30 runs on free threads, expected hang"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn os_threads_are_led_through_the_schedule_of_a_file() {
    let output = run(&["replay", BUG, "--engine", "steered", "--times", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    for part in [
        "k8s-906 own hang by its schedule, on OS threads, 5 times, as expected",
        "its schedule is of another subject (not run: mux strict)",
    ] {
        assert!(stdout(&output).contains(part), "`{part}` is missing:\n{}", stdout(&output));
    }
    let output = run(&["replay", BUG, "--engine", "steered", "--subject", "k8s-906", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    let [object] = objects(&output).try_into().unwrap();
    assert_eq!((&object["verdict"], &object["schedule"]), (&"hang".into(), &"led".into()), "{object}");
    let output = run(&["replay", BUG, "--engine", "steered", "--subject", "mux"]);
    assert_eq!(output.status.code(), Some(6), "{}", stdout(&output));
    assert!(stdout(&output).contains("mux own diverged at sync point"), "{}", stdout(&output));
    let bare = "subject k8s-906\nmux incoming=0 queue=0 when-full=wait\nlane\n  watch a\n";
    let (_folder, paths) = folder(&[("bare.script", bare.as_bytes())]);
    let file = text_of(&paths[0]);
    assert_refused(&["replay", file, "--engine", "steered"], &["bare.script: read no `schedule` line"]);
    assert_refused(&["hunt", "--engine", "steered"], &["--engine", "steered", "fibers, threads, both"]);
}

#[test]
fn replay_on_a_subject_reports_its_verdict() {
    let output = run(&["replay", BUG, "--subject", "mux", "--times", "20"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let output = run(&["replay", BUG, "--subject", "k8s-906", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    let [object] = objects(&output).try_into().unwrap();
    assert_eq!((&object["verdict"], &object["expected"]), (&"hang".into(), &Value::Null));
    let own = "subject k8s-1321\nmux incoming=0 queue=0 when-full=wait\nlane\n  shutdown\n  shutdown\n";
    let (_folder, paths) = folder(&[("own.script", own.as_bytes())]);
    let output = run(&["replay", text_of(&paths[0]), "--contract", "strict"]);
    assert_eq!(output.status.code(), Some(5), "{}", stdout(&output));
}

#[test]
fn a_schedule_that_does_not_fit_diverges() {
    let stale = fs::read_to_string(BUG).unwrap().replace("schedule setup*", "schedule setup*9 lane1 setup*");
    let (_folder, paths) = folder(&[("stale.script", stale.as_bytes())]);
    let output = run(&["replay", text_of(&paths[0]), "--seed", "1"]);
    assert_eq!(output.status.code(), Some(6), "{}", stdout(&output));
    let expected = "k8s-906 own diverged at sync point 7: `setup` was expected, and `";
    assert!(stdout(&output).contains(expected), "{}", stdout(&output));
    assert!(stdout(&output).contains("1 not as expected"), "{}", stdout(&output));
    let output = run(&["replay", text_of(&paths[0]), "--subject", "k8s-906", "--format", "json"]);
    assert_eq!(output.status.code(), Some(6), "{}", stdout(&output));
    let [object] = objects(&output).try_into().unwrap();
    assert_eq!((&object["verdict"], &object["schedule"]), (&"diverged".into(), &"diverged".into()));
    assert!(object["divergence"].as_str().unwrap().contains("`setup` was expected"), "{object}");
}

#[test]
fn what_was_saved_is_replayed_by_its_schedule_and_shrunk_to_itself() {
    let (folder, _) = folder(&[]);
    let line = ["--subject", "k8s-906", "--engine", "fibers", "--seed", "3", "--format", "json", "--save"];
    let output = command(&line).arg(folder.path()).output().unwrap();
    let [object] = objects(&output).try_into().unwrap();
    let saved = object["saved"].as_str().unwrap();
    let entry = text::parse("saved", &fs::read_to_string(saved).unwrap()).unwrap();
    assert_eq!(entry.schedule.unwrap().to_string(), object["schedule"].as_str().unwrap());
    let replayed = run(&["replay", saved, "--format", "json"]);
    assert_eq!(replayed.status.code(), Some(0), "{}", stdout(&replayed));
    let [replayed] = objects(&replayed).try_into().unwrap();
    assert_eq!((&replayed["schedule"], &replayed["runs"]), (&"fits".into(), &1.into()));
    let shrunk = run(&["shrink", saved, "--engine", "fibers", "--format", "json"]);
    assert_eq!(shrunk.status.code(), Some(3), "{}", stderr(&shrunk));
    let [shrunk] = objects(&shrunk).try_into().unwrap();
    assert_eq!((&shrunk["script"], &shrunk["schedule"]), (&object["script"], &object["schedule"]));
}

#[test]
fn a_script_is_shrunk_on_the_subject_it_names_or_the_one_that_is_named() {
    let big = "mux incoming=3 queue=0 when-full=wait\nsetup\n  watch a\n  watch b\nlane\n  action\n  action\nlane\n  \
               recv b\n  stop a\n  stop b\nexpect mux own pass\nexpect k8s-906 own hang\n";
    let (_folder, paths) = folder(&[("big.script", big.as_bytes())]);
    let file = text_of(&paths[0]);
    let shrunk = |options: &[&str]| {
        let output = run(&[&["shrink", file, "--format", "json", "--seed", "1"], options].concat());
        let [object] = objects(&output).try_into().unwrap();
        (output.status.code().unwrap(), object)
    };
    let (exit, object) = shrunk(&[]);
    assert_eq!((exit, &object["subject"], &object["ops"]), (3, &"k8s-906".into(), &3.into()), "{object}");
    let (exit, object) = shrunk(&["--schedule"]);
    assert_eq!((exit, &object["ops"]), (3, &7.into()), "{object}");
    assert!(object["schedule"].is_string() && object["shrunk"]["schedule_alone"] == true, "{object}");
    let (exit, object) = shrunk(&["--subject", "mux", "--times", "20"]);
    assert_eq!((exit, &object["verdict"], &object["script"]), (0, &"pass".into(), &Value::Null), "{object}");
}

#[test]
fn a_folder_is_read_by_name_and_files_of_libfuzzers_as_bytes() {
    let bytes = format!("crash-{}", "0123456789".repeat(4));
    let script = fs::read(BUG).unwrap();
    let (folder, _) = folder(&[("a.script", &script), (&bytes, b"\x00\xff\x13"), ("notes.txt", b"not read")]);
    let output =
        run(&["replay", text_of(folder.path()), "--subject", "mux", "--times", "2", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let files: Vec<Value> = objects(&output).iter().map(|object| object["file"].clone()).collect();
    let name = |file: &str| Value::from(text_of(&folder.path().join(file)));
    assert_eq!(files, [name("a.script"), name(&bytes)]);
}
