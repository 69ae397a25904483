//! The command: exit codes and output, on the built binary.
#![cfg(feature = "suite")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use watchmux::report::json;

mod convert;
mod explore;
mod hunt;
mod panic;
mod replay;

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
