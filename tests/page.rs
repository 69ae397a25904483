//! The command `report`: what it prints and writes, on the built binary. That a page does what it should in a browser is
//! tested by `tests/browser`.
#![cfg(feature = "suite")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchmux"));
    command.arg("report").args(arguments).args(["--engine", "fibers", "--seed", "1"]);
    command.stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

/// The exit code, what is printed, and the data of the page.
fn page(file: &Path, options: &[&str]) -> (Option<i32>, String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let arguments = [&[file.to_str().unwrap(), "--html", path.to_str().unwrap()], options].concat();
    let output = run(&arguments);
    let page = fs::read_to_string(&path).unwrap_or_default();
    let printed = stdout(&output).replace(path.to_str().unwrap(), "OUT");
    let (_, data) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap_or_default();
    let (data, _) = data.split_once("</script>").unwrap_or_default();
    (output.status.code(), printed, serde_json::from_str(data).unwrap_or_default())
}

fn names<'a>(list: &'a Value, of: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry[of].as_str()).collect()
}

#[test]
fn a_hang_is_written_as_a_page() {
    let (exit, printed, data) = page(&corpus("kubernetes-1321.script"), &[]);
    assert_eq!((exit, printed.as_str()), (Some(3), "OUT: hang in k8s-906: mixed deadlock: channel & lock\n"));
    assert_eq!(
        (&data["verdict"], &data["class"]),
        (&"hang".into(), &"mixed deadlock: channel & lock".into())
    );
    let links: Vec<&str> = names(&data["chain"]["links"], "text");
    assert_eq!(links, ["waits for lock `watchers`", "waits to send to watcher `a`"]);
    assert_eq!(names(&data["tasks"], "name"), ["setup", "dispatcher", "lane0", "lane1"]);
    assert_eq!(names(&data["tasks"], "of"), ["script", "subject", "script", "script"]);
    assert_eq!(names(&data["blocked"], "task"), ["dispatcher", "lane1"]);
    // The schedule of the file, and no other.
    assert_eq!(data["steps"].as_array().unwrap().len(), 6 + 3 + 4 + 4 + 3);
    let last = &data["steps"][19];
    assert_eq!(last["did"], "waits for lock `watchers`");
    let index = names(&data["objects"], "name").iter().position(|name| *name == "lock `watchers`").unwrap();
    assert_eq!(last["objects"][index]["holders"], serde_json::json!([1]));
    assert_eq!(last["tasks"][3]["on"], serde_json::json!([[index, "lock"]]));
}

#[test]
fn violations_and_panics_have_a_page_as_well() {
    let (exit, printed, data) = page(&corpus("b2-event-before-watch.script"), &[]);
    assert_eq!((exit, printed.as_str()), (Some(4), "OUT: violation in k8s-1321: order violation\n"));
    let marked = |mark: &str| {
        let calls = data["calls"].as_array().unwrap().iter().filter(|call| call[mark] == true);
        calls.map(|call| call["op"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((marked("shows"), marked("against")), (vec!["recv a"], vec!["action", "watch a"]));

    let (exit, printed, data) = page(&corpus("b4-action-after-shutdown.script"), &[]);
    assert_eq!((exit, printed.as_str()), (Some(5), "OUT: panic in k8s-1321: channel misuse\n"));
    let did = names(&data["steps"], "did");
    assert!(did.contains(&"closes channel `incoming`"), "{did:?}");
    assert!(did.contains(&"panics: send on closed channel; ends"), "{did:?}");
}

#[test]
fn a_script_without_a_schedule_is_explored_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bare.script");
    fs::write(&file, "mux incoming=0 queue=0 when-full=wait\nlane\n  watch a\n  action\n  stop a\n").unwrap();
    let (exit, _, data) = page(&file, &["--subject", "k8s-906"]);
    assert_eq!(exit, Some(3));
    let preempts = data["steps"].as_array().unwrap().iter().filter(|step| step["switch"] == "preempts");
    assert_eq!(preempts.count(), 1, "of all schedules that show it, it is one of the simplest");
}

#[test]
fn without_a_page_it_is_printed() {
    let output = run(&[corpus("kubernetes-1321.script").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).starts_with("HANG in k8s-906: mixed deadlock: channel & lock\n"), "{output:?}");
}

#[test]
fn where_nothing_is_found_nothing_is_written() {
    let (exit, printed, data) =
        page(&corpus("kubernetes-1321.script"), &["--subject", "mux", "--times", "20"]);
    assert_eq!((exit, data), (Some(0), Value::Null));
    assert!(printed.ends_with("OUT: not written, for nothing was found\n"), "{printed}");
}

#[test]
fn what_cannot_be_done_is_told_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let (here, bug) = (folder.path().to_str().unwrap(), corpus("kubernetes-1321.script"));
    let bug = bug.to_str().unwrap();
    let page = folder.path().join("page.html");
    let page = page.to_str().unwrap();
    for (arguments, exit, told) in [
        (&[here][..], 2, format!("error: {here}: read a folder, expected a file\n")),
        (&[bug, "--html", here], 2, format!("error: --html: read `{here}`, a folder, expected a file\n")),
        (&[page], 2, format!("error: {page}: cannot be read: No such file or directory (os error 2)\n")),
    ] {
        let output = run(arguments);
        assert_eq!((output.status.code(), str::from_utf8(&output.stderr).unwrap()), (Some(exit), &*told));
    }
    let output = run(&[bug, "--subject", "none"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with("error: --subject: read `none`, expected a subject: "), "{error}");
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1));

    let under_a_file = format!("{bug}/page.html");
    let output = run(&[bug, "--html", &under_a_file]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with(&format!("error: cannot write {under_a_file}: ")), "{error}");
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1));

    let misfit = folder.path().join("misfit.script");
    let text = fs::read_to_string(bug).unwrap().replace("lane1*3", "lane1*3 lane9");
    fs::write(&misfit, text).unwrap();
    let output = run(&[misfit.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        stdout(&output).contains(": k8s-906 own diverged at sync point 21: `lane9` was expected"),
        "{output:?}"
    );
}
