//! The command: exit codes and output, on the built binary.
#![cfg(feature = "suite")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use watchmux::report::json;
use watchmux::script::text;

mod explore;

const BUG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/kubernetes-1321.script");
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");

fn command(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchmux"));
    command.args(line).stdin(Stdio::null());
    command
}

fn run(line: &[&str]) -> Output {
    command(line).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// The lines of JSON, each of which must be as the schema says.
fn objects(output: &Output) -> Vec<Value> {
    let schema = jsonschema::validator_for(&serde_json::from_str(json::SCHEMA).unwrap()).unwrap();
    let object = |line| {
        let object: Value = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = schema.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {object}");
        object
    };
    stdout(output).lines().map(object).collect()
}

/// Asserts that the line is refused by one line on stderr, which names all of this.
fn assert_refused(line: &[&str], named: &[&str]) {
    let output = run(line);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{line:?} is answered {error}");
    assert_eq!(error.lines().count(), 1, "{line:?} is answered {error}");
    assert!(error.starts_with("error: "), "{line:?} is answered {error}");
    assert!(named.iter().all(|name| error.contains(name)), "{line:?} is answered {error}");
    assert_eq!(stdout(&output), "", "{line:?}");
}

/// A folder with files of this content.
fn folder(files: &[(&str, &[u8])]) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |(name, content): &(&str, &[u8])| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let paths = files.iter().map(write).collect();
    (folder, paths)
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

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
    assert_eq!((surveys.len(), output.status.code()), (24, Some(7)), "{}", stderr(&output));
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

#[test]
fn an_event_that_panics_in_its_clone_hangs_kubernetes_and_not_the_mux() {
    let folder = tempfile::tempdir().unwrap();
    let hunt = |subject: &str| {
        let line = ["--engine", "fibers", "--runs", "2000", "--seed", "1", "--panic", "clone:0", "--save"];
        run(&[&["--subject", subject][..], &line, &[text_of(folder.path())]].concat())
    };
    assert_eq!(hunt("mux").status.code(), Some(0));
    let found = hunt("k8s-1321");
    assert_eq!(found.status.code(), Some(3));
    let said = stdout(&found).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("replay --panic clone:0"), "{said}");
    assert!(said.contains("led through its schedule: 20 of 20 reruns hung"), "{said}");
    let again = |line: &[&str]| run(&[&["replay", text_of(folder.path())], line].concat()).status.code();
    assert_eq!(again(&["--panic", "clone:0"]), Some(0), "as it was saved");
    assert_eq!(
        again(&[]),
        Some(6),
        "without the panic the dispatcher goes on, and the schedule does not fit"
    );
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

#[test]
fn bad_usage_is_refused() {
    assert_refused(&["--subject", "nobody"], &["--subject", "`nobody`", "`k8s-906`", "`all`"]);
    assert_refused(&["--time", "-1"], &["--time", "-1"]);
    assert_refused(&["--time", "0"], &["--time"]);
    assert_refused(&["--seed", "x"], &["--seed", "x"]);
    assert_refused(&["--seed", "18446744073709551616"], &["--seed", "18446744073709551616"]);
    assert_refused(&["--runs", "0"], &["--runs"]);
    assert_refused(&["--jobs", "many"], &["--jobs", "many"]);
    assert_refused(&["--deadline", "-0.5"], &["--deadline", "-0.5"]);
    assert_refused(&["--engine", "steam"], &["--engine", "steam", "fibers, threads, both"]);
    assert_refused(&["--contract", "other"], &["--contract", "other", "own"]);
    assert_refused(&["--format", "html"], &["--format", "html", "json"]);
    assert_refused(&["--save", BUG, "--runs", "1"], &["--save", "kubernetes-1321.script", "folder"]);
    assert_refused(&["dance"], &["dance"]);
    assert_refused(&["replay"], &["PATH"]);
    assert_refused(&["shrink"], &["FILE"]);
    assert_refused(&["shrink", CORPUS], &["corpus", "a folder", "a file"]);
    assert_refused(&["shrink", BUG, "--subject", "nobody"], &["--subject", "`nobody`"]);
    assert_refused(&["replay", CORPUS, "--subject", "nobody"], &["--subject", "`nobody`"]);
}

#[test]
fn bad_input_is_refused() {
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let stranger = b"mux incoming=0 queue=0 when-full=wait\n\nexpect stranger own pass\n";
    let (folder, paths) = folder(&[
        ("malformed.script", b"mux incoming=1 queue=0 when-full=wait\nlane\n  stop i\n"),
        ("empty.script", b""),
        ("picture.png", picture),
        ("silent.script", b"mux incoming=0 queue=0 when-full=wait\n"),
        ("stranger.script", stranger),
    ]);
    let [malformed, empty, picture, silent, stranger] = paths.each_str();
    assert_refused(&["replay", malformed], &["malformed.script:3", "`i`", "`a` to `h`"]);
    assert_refused(&["replay", empty], &["empty.script:1", "`mux`"]);
    assert_refused(&["replay", picture], &["picture.png:1", "PNG"]);
    assert_refused(&["replay", silent], &["silent.script", "`subject`", "`expect`", "--subject"]);
    assert_refused(&["shrink", silent], &["silent.script", "`subject`", "`expect`", "--subject"]);
    assert_refused(&["shrink", malformed], &["malformed.script:3", "`i`", "`a` to `h`"]);
    assert_refused(&["replay", stranger], &["stranger.script:3", "`stranger`", "`k8s-906`"]);
    // One bad file is told before any other is run.
    assert_refused(&["replay", BUG, malformed], &["malformed.script:3"]);
    assert_refused(&["replay", text_of(folder.path())], &["empty.script:1"]);
    let nowhere = folder.path().join("nowhere");
    assert_refused(&["replay", text_of(&nowhere)], &["nowhere"]);
    fs::create_dir(&nowhere).unwrap();
    assert_refused(&["replay", text_of(&nowhere)], &["nowhere", "*.script"]);
}

/// The paths as arguments.
trait EachStr {
    fn each_str<const N: usize>(&self) -> [&str; N];
}

impl EachStr for Vec<PathBuf> {
    fn each_str<const N: usize>(&self) -> [&str; N] {
        let paths: Vec<&str> = self.iter().map(|path| text_of(path)).collect();
        paths.try_into().unwrap()
    }
}

#[test]
fn help_version_and_subjects_are_printed() {
    for line in [&["--help"][..], &["hunt", "--help"], &["replay", "--help"], &["shrink", "--help"]] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("--seed"), "{}", stdout(&output));
    }
    assert!(stdout(&run(&["--help"])).contains("7  a corpus entry, or a known bug, is not as expected"));
    assert!(stdout(&run(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
    let output = run(&["subjects"]);
    assert_eq!(output.status.code(), Some(0));
    for subject in ["mux", "k8s-906", "k8s-1321", "goker-1321"] {
        assert!(stdout(&output).lines().any(|line| line.starts_with(subject)), "{}", stdout(&output));
    }
}

#[test]
fn nobody_reading_is_no_failure() {
    let mut child = command(&["subjects"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
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

#[test]
fn a_script_is_converted_to_an_input_and_back_and_does_the_same() {
    let (folder, files) = folder(&[("bug.script", &fs::read(BUG).unwrap())]);
    let shrunk = run(&["shrink", text_of(&files[0]), "--seed", "1", "--save", text_of(folder.path())]);
    assert_eq!(shrunk.status.code(), Some(3), "{}", stderr(&shrunk));
    let scripts = |dir: &Path| -> Vec<PathBuf> {
        let files = fs::read_dir(dir).unwrap().map(|item| item.unwrap().path());
        files.filter(|path| *path != dir.join("bug.script") && path.is_file()).collect()
    };
    let [kept] = scripts(folder.path()).try_into().unwrap();

    let inputs = folder.path().join("inputs");
    let output = run(&["convert", text_of(&kept), "--to", text_of(&inputs)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let [input] = scripts(&inputs).try_into().unwrap();
    assert!(stdout(&output).ends_with(&format!(": {}\n", input.display())), "{}", stdout(&output));

    let output = run(&["replay", text_of(&input), "--subject", "k8s-906"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stdout(&output).contains(": k8s-906 own hang by its choices"), "{}", stdout(&output));

    let output = run(&["convert", text_of(&input), "--subject", "k8s-906"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let again = text::parse("again", stdout(&output)).unwrap();
    let kept = text::parse("kept", &fs::read_to_string(&kept).unwrap()).unwrap();
    assert_eq!((again.script, again.schedule), (kept.script, kept.schedule));

    let output = run(&["shrink", text_of(&input), "--subject", "k8s-906", "--save", text_of(&inputs)]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let script = scripts(&inputs).into_iter().find(|path| *path != input).unwrap();
    let saved = fs::read_to_string(&script).unwrap();
    assert!(
        saved.contains("# Found on fibers by a fuzzer,") && saved.contains("# Postmortem (to be filled in)"),
        "{saved}"
    );
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let input = "0123456789abcdef0123456789abcdef01234567";
    let script = "mux incoming=0 queue=0 when-full=wait\nlane\n  action\n";
    let scheduled = format!("{script}schedule setup lane0*2\n");
    let misfit = format!("subject k8s-906\n{script}schedule lane1\n");
    let choices = [0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 7];
    let files: [(&str, &[u8]); 4] = [
        ("plain.script", script.as_bytes()),
        ("scheduled.script", scheduled.as_bytes()),
        ("misfit.script", misfit.as_bytes()),
        (input, &choices),
    ];
    let (folder, files) = folder(&files);
    let [plain, scheduled, misfit, input] = files.iter().map(|path| text_of(path)).collect::<Vec<_>>()[..]
    else {
        panic!("four files")
    };
    let to = text_of(folder.path());
    assert_refused(&["convert", plain], &["plain.script", "read a script", "`--to`"]);
    assert_refused(&["convert", scheduled, "--to", to], &["scheduled.script", "no subject", "`--subject`"]);
    assert_refused(
        &["convert", misfit, "--to", to],
        &["misfit.script", "at sync point", "`lane1` was expected"],
    );
    assert_refused(&["convert", input], &["read choices", "`--subject`"]);
    assert_refused(&["convert", plain, "--to", plain], &["--to: read", "a file, expected a folder"]);
    assert_refused(&["convert", input, "--subject", "none"], &["--subject: read `none`"]);
}
