//! The command `explore`, on the built binary: what it says, and that nothing is lost when it is killed.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use watchmux::sync::thread;

use super::{command, run, stderr, stdout};

/// What it printed, without the time it took.
fn timeless(output: &Output) -> String {
    let text = stdout(output);
    let line = text.lines().find(|line| line.contains(" executions, ")).expect("it says how many");
    let (before, _) = line.rsplit_once(", ").expect("it says how long");
    text.replace(line, before)
}

#[test]
fn the_shipped_mux_is_explored_and_what_that_covers_is_told() {
    let output = run(&["explore", "--ops", "2", "--lanes", "2", "--subject", "mux"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    for part in [
        " scripts, ",
        " executions, no finding in mux (own contract, ",
        "Covers: every script of up to 2 ops in up to 2 lanes of watch, action, recv, try-recv, stop and shutdown",
        "under `mux incoming=1 queue=0 when-full=wait` and `mux incoming=1 queue=1 when-full=wait`",
        "every schedule, up to the order of steps that commute",
        "sequentially consistent",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    assert!(!text.contains("Not covered"), "{text}");
}

#[test]
fn the_smallest_script_comes_first_and_each_finding_replays_by_its_schedule() {
    let output = run(&["explore", "--ops", "3", "--lanes", "1", "--subject", "k8s-906"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(3), "{text}{}", stderr(&output));
    let entries: Vec<&str> = text.split("\n\n").filter(|entry| entry.contains("\nschedule ")).collect();
    assert!(!entries.is_empty(), "{text}");
    assert!(entries[0].contains("\n  watch a\n  action\n  stop a\n"), "{}", entries[0]);
    let folder = tempfile::tempdir().unwrap();
    for (number, entry) in entries.iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.script")), entry).unwrap();
    }
    let replayed = run(&["replay", folder.path().to_str().unwrap()]);
    let told = stdout(&replayed);
    assert_eq!(replayed.status.code(), Some(0), "{told}{}", stderr(&replayed));
    assert!(told.contains(&format!("{0} of {0} verdicts", entries.len())), "{told}");
    assert_eq!(told.matches("by its schedule").count(), entries.len(), "{told}");
}

/// It is killed whenever it has written down that more is done, until it comes to its end.
#[test]
fn a_kill_loses_nothing_that_was_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let line = ["explore", "--ops", "3", "--lanes", "2", "--subject", "k8s-906", "--jobs", "2"];
    let whole = run(&line);
    let resuming = [line.as_slice(), &["--resume", file.to_str().unwrap()]].concat();
    let mut kept = String::new();
    let mut kills = 0;
    let last = loop {
        let mut child = command(&resuming).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let killed = loop {
            if child.try_wait().unwrap().is_some() {
                break false;
            }
            if let Ok(text) = fs::read_to_string(&file)
                && text != kept
            {
                // There can only be more of it.
                assert!(done(&text) >= done(&kept), "{kept}\n{text}");
                kept = text;
                child.kill().unwrap();
                break true;
            }
            thread::sleep(Duration::from_millis(1));
        };
        let output = child.wait_with_output().unwrap();
        if !killed {
            break output;
        }
        kills += 1;
    };
    assert!(kills > 0);
    assert_eq!((last.status.code(), timeless(&last)), (Some(3), timeless(&whole)));
    // And once more, where all is done.
    let again = run(&resuming);
    assert_eq!((again.status.code(), timeless(&again)), (Some(3), timeless(&whole)));
}

/// How many scripts are done, as that is kept.
fn done(text: &str) -> u64 {
    let ranges = text.lines().find_map(|line| line.strip_prefix("done")).unwrap_or_default();
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        last.parse::<u64>().unwrap() - first.parse::<u64>().unwrap() + 1
    };
    ranges.split_whitespace().map(count).sum()
}

fn assert_refused(file: &Path, named: &[&str]) {
    let line = ["explore", "--ops", "1", "--resume", file.to_str().unwrap()];
    let before = fs::read(file).ok();
    let output = run(&line);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!((error.lines().count(), stdout(&output)), (1, ""), "{error}");
    assert!(error.starts_with("error: ") && named.iter().all(|name| error.contains(name)), "{error}");
    assert_eq!(fs::read(file).ok(), before, "it is left as it was");
}

#[test]
fn a_file_that_is_no_state_of_this_exploration_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let good = folder.path().join("good");
    assert_eq!(run(&["explore", "--ops", "1", "--resume", good.to_str().unwrap()]).status.code(), Some(0));
    let text = fs::read_to_string(&good).unwrap();
    let cut = write("cut", &text.as_bytes()[..text.len() - 5]);
    assert_refused(&cut, &["cut:6: ", "expected `end`"]);
    let half = write("half", &text.as_bytes()[..text.len() / 2]);
    assert_refused(&half, &["half:"]);
    let foreign = write("foreign", b"subject mux\nmux incoming=1\n");
    assert_refused(&foreign, &["foreign:1: read `subject mux`, expected `watchmux ", "--ops 1 --lanes 2"]);
    assert_refused(&write("empty", b""), &["empty:1: read nothing, expected `watchmux "]);
    assert_refused(&write("binary", &[0xff, 0xfe, 0]), &["binary: cannot be read: "]);
    let other = write("other", text.replace("--ops 1", "--ops 2").as_bytes());
    assert_refused(&other, &["other:1: read `watchmux ", "--ops 2", "expected `watchmux ", "--ops 1"]);
    let nowhere = folder.path().join("no/such/folder/state");
    fs::write(folder.path().join("no"), "a file").unwrap();
    let output = run(&["explore", "--ops", "1", "--resume", nowhere.to_str().unwrap()]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), ""), "{}", stderr(&output));
}
