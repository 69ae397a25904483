//! The seeds of the fuzz targets: each is run as its target runs it, and finds nothing.
#![cfg(feature = "suite")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use watchmux::hunt::corpus;
use watchmux::hunt::{EngineKind, Fuzzing, Trial};
use watchmux::script::bytes::Input;
use watchmux::script::{ContractKind, forms};
use watchmux::subject;

/// Each seed of a target, by name.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds")).join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn finds_nothing(target: &str, subject: &str, engine: EngineKind) {
    let subject = subject::all().into_iter().find(|other| other.name() == subject).unwrap();
    let fuzzing = Fuzzing::new(Trial::new(subject, ContractKind::Own, Duration::from_secs(10)), engine);
    for (path, content) in seeds(target) {
        assert!(corpus::is_bytes(&path), "{} is not named as libFuzzer names it", path.display());
        assert!(path.ends_with(corpus::bytes_name(&content)), "{} has another content", path.display());
        let found = fuzzing.find(&Input::from_bytes(&content));
        let sentence = found.map(|found| found.finding.sentence);
        assert_eq!(sentence, None, "see `watchmux replay {}`", path.display());
    }
}

#[test]
fn the_mux_holds_on_its_seeds() {
    finds_nothing("mux", "mux", EngineKind::Fibers);
    finds_nothing("any", "mux", EngineKind::Fibers);
    finds_nothing("threads", "mux", EngineKind::Threads);
}

#[test]
fn the_canary_is_not_given_its_bug() {
    finds_nothing("canary", "k8s-906", EngineKind::Fibers);
}

#[test]
fn every_text_is_read_or_refused() {
    seeds("text").iter().for_each(|(_, content)| forms::check(content));
}
