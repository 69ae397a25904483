use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anstream::AutoStream;

use crate::hunt::{Effort, EngineKind, Fuzzing, Group, Jobs, corpus};
use crate::report::{Layout, text};
use crate::script::ContractKind;
use crate::script::bytes::Input;

/// How long a finding is shrunk, at most: where an input takes much longer, libFuzzer calls it a time-out.
const SHRINKING: Duration = Duration::from_secs(4);

/// How many runs at a time there are on free threads, to confirm a finding; there is a fuzzer on each core as a rule.
const JOBS: Jobs = Jobs { fibers: 1, threads: 4 };

/// Runs an input of libFuzzer's. If that finds something, prints the whole report on stderr, with the command that replays
/// the input, and aborts: to libFuzzer this is a crash, and it keeps the input.
pub fn fuzz(fuzzing: &Fuzzing, data: &[u8]) {
    let Some(found) = fuzzing.find(&Input::from_bytes(data)) else { return };
    let stop = AtomicBool::new(false);
    let outcome = fuzzing.outcome(found, Effort { jobs: JOBS, time: Some(SHRINKING), stop: &stop });
    let command = replay(fuzzing, &artifact(data, std::env::args_os()));
    let mut err = AutoStream::auto(io::stderr());
    let again = |_: &Group| command.clone();
    let told = writeln!(err)
        .and_then(|()| text::outcome(&mut err, Layout::default(), &outcome, &fuzzing.trial, &again));
    // There is nowhere left to tell that stderr is closed.
    drop(told);
    std::process::abort();
}

/// The command that replays an input.
fn replay(fuzzing: &Fuzzing, artifact: &Path) -> String {
    let contract = match fuzzing.trial.kind {
        ContractKind::Own => "",
        ContractKind::Strict => " --contract strict",
    };
    let engine = match fuzzing.engine {
        EngineKind::Fibers => "",
        EngineKind::Threads => " --engine threads",
    };
    let folder = std::env::current_dir().unwrap_or_default();
    let artifact = artifact.strip_prefix(folder).unwrap_or(artifact).display();
    let subject = fuzzing.trial.subject().name();
    format!("cargo run --release -- replay --subject {subject}{contract}{engine} {artifact}")
}

/// Where libFuzzer keeps an input that crashes, by its own command line; the file itself, if it is one that was given.
fn artifact(data: &[u8], line: impl Iterator<Item = OsString>) -> PathBuf {
    let mut prefix = String::new();
    for argument in line.skip(1) {
        let text = argument.to_string_lossy();
        if let Some(folder) = text.strip_prefix("-artifact_prefix=") {
            prefix = folder.to_owned();
        } else if let Some(exact) = text.strip_prefix("-exact_artifact_path=") {
            return PathBuf::from(exact);
        } else if !text.starts_with('-') && fs::read(&argument).is_ok_and(|content| content == data) {
            return PathBuf::from(argument);
        }
    }
    // As libFuzzer does: what precedes a name need not end with a slash.
    PathBuf::from(format!("{prefix}crash-{}", corpus::bytes_name(data)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_where_libfuzzer_puts_it() {
        let name = "crash-a9993e364706816aba3e25717850c26c9cd0d89d";
        let kept = |line: &[&str]| artifact(b"abc", line.iter().map(OsString::from));
        assert_eq!(kept(&["mux", "corpus"]), Path::new(name));
        assert_eq!(kept(&["mux", "-artifact_prefix=out/", "-runs=1"]), Path::new("out").join(name));
        assert_eq!(kept(&["mux", "-artifact_prefix=x-"]), PathBuf::from(format!("x-{name}")));
        assert_eq!(kept(&["mux", "-exact_artifact_path=here"]), Path::new("here"));
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("given");
        fs::write(&given, b"abc").unwrap();
        let other = folder.path().join("other");
        fs::write(&other, b"abcd").unwrap();
        assert_eq!(kept(&["mux", other.to_str().unwrap(), given.to_str().unwrap()]), given);
    }
}
