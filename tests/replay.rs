//! The corpus: every file has the verdicts it declares, on the path that `watchmux replay` takes.
#![cfg(feature = "suite")]

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use watchmux::hunt::corpus::{self, Loaded};
use watchmux::hunt::replay::Replay;
use watchmux::hunt::{Effort, Engines, Jobs, Trial};
use watchmux::oracle::Verdict;
use watchmux::script::text;
use watchmux::subject;

const SEED: u64 = 1321;

fn entries() -> Vec<Loaded> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus"));
    corpus::load(&[folder]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_entry_is_as_expected() {
    let subjects = subject::all();
    let stop = AtomicBool::new(false);
    let mut wrong = Vec::new();
    for Loaded { path, entry, .. } in entries() {
        let file = path.display();
        assert!(!entry.expects.is_empty(), "{file} expects nothing");
        for expect in &entry.expects {
            let subject = subjects.iter().find(|subject| subject.name() == expect.subject);
            let subject =
                subject.unwrap_or_else(|| panic!("{file}: no subject is called {}", expect.subject));
            let trial = Trial::new(subject.clone(), expect.contract, Duration::from_secs(1))
                .planning(entry.panic)
                .unwrap_or_else(|error| panic!("{file}: {error}"));
            let expected = Some(expect.verdict);
            let replay = Replay {
                trial: &trial,
                script: &entry.script,
                schedule: entry.schedule.as_ref(),
                choices: None,
                strict: expect.verdict != Verdict::Pass,
                engines: Engines::Both,
                expected,
                times: None,
                seed: SEED,
            };
            let replayed = replay.run(Effort { jobs: Jobs::each(1), time: None, stop: &stop });
            if replayed.verdict != expect.verdict {
                let found = replayed.found.map(|found| found.finding.sentence).unwrap_or_default();
                wrong.push(format!("{file}: `{expect}`, but {} {found}", replayed.verdict));
            }
        }
    }
    assert!(wrong.is_empty(), "see `watchmux replay tests/corpus`:\n{}", wrong.join("\n"));
}

#[test]
fn every_entry_is_written_as_it_is_printed_and_says_what_it_was() {
    for Loaded { path, entry, .. } in entries() {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(entry.to_string(), text, "{file}");
        assert_eq!(text::parse(&file, &text).unwrap(), entry, "{file}");
        assert!(!entry.header.is_empty(), "{file} does not say what it was");
    }
}
