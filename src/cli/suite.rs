//! A subject under the suite as a set of `#[test]`s.

use std::env::{temp_dir, var_os};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::hunt::black_box::{self, SERVES};
use crate::hunt::replay::Replay;
use crate::hunt::{
    Budget, Campaign, Effort, EngineKind, Engines, Group, Jobs, Outcome, Progress, Trial, corpus, shrink,
};
use crate::report::{Layout, text};
use crate::script::ContractKind;
use crate::subject::Subject;

/// Puts a subject under the suite: `suite!(my_mux, MyMux::default())` is a module `my_mux` with a `#[test]` for each engine.
///
/// Each hunts the subject under its own contract, with the same seed each time: on fibers, in 4,000 runs, each done twice to
/// see that it does the same again; and on free threads, in 400 runs. What is found is shrunk, and the test fails with the
/// report, and with the command that runs the script again.
///
/// A [black box](crate::subject::Subject::is_black_box) runs on free threads alone, so it has no test of fibers:
/// `suite!(black_box my_mux, MyMux)`. Its test runs it in child processes, which are this test program again with the one
/// test `child`; run by itself, that sees whether such a child can be started.
///
/// `tests/suite.rs` has examples of both.
#[macro_export]
macro_rules! suite {
    (black_box $name:ident, $subject:expr) => {
        $crate::suite!(@module $name, $subject, {
            #[test]
            fn keeps_its_contract_on_free_threads() {
                suite().on_free_threads_in_children();
            }

            #[test]
            fn child() {
                suite().serve();
            }
        });
    };
    ($name:ident, $subject:expr) => {
        $crate::suite!(@module $name, $subject, {
            #[test]
            fn keeps_its_contract_on_fibers() {
                suite().on_fibers();
            }

            #[test]
            fn keeps_its_contract_on_free_threads() {
                suite().on_free_threads();
            }
        });
    };
    (@module $name:ident, $subject:expr, { $($tests:item)* }) => {
        mod $name {
            #[allow(unused_imports, reason = "the subject may be named by its full path")]
            use super::*;

            fn suite() -> $crate::cli::Suite {
                $crate::cli::Suite::new(module_path!(), ::std::sync::Arc::new($subject))
            }

            $($tests)*
        }
    };
}

/// Runs on each engine.
const ON_FIBERS: u64 = 4_000;
const ON_THREADS: u64 = 400;

/// How long a run on free threads may take before nothing is concluded from it; of a black box a tenth of what proves a hang.
const DEADLINE: Duration = Duration::from_millis(200);

/// How long a finding is shrunk.
const SHRINKING: Duration = Duration::from_secs(20);

/// Each time the same.
const SEED: u64 = 1;

/// The environment variable that names a kept script, to be run in place of the hunt.
const REPLAY: &str = "WATCHMUX_REPLAY";

/// What the tests of [`suite!`](crate::suite!) run.
pub struct Suite {
    module: &'static str,
    subject: Arc<dyn Subject>,
}

impl Suite {
    /// The suite of a subject, with its tests in this module.
    pub fn new(module: &'static str, subject: Arc<dyn Subject>) -> Suite {
        Suite { module, subject }
    }

    /// Hunts on fibers.
    ///
    /// # Panics
    /// With the report, if something is found; or if it is a black box.
    pub fn on_fibers(&self) {
        self.expect(false);
        self.hunt(Engines::Fibers, ON_FIBERS);
    }

    /// Hunts on free threads.
    ///
    /// # Panics
    /// With the report, if something is found; or if it is a black box.
    pub fn on_free_threads(&self) {
        self.expect(false);
        self.hunt(Engines::Threads, ON_THREADS);
    }

    /// Hunts a black box, which is on free threads in child processes.
    ///
    /// # Panics
    /// With the report, if something is found; or if it is no black box.
    pub fn on_free_threads_in_children(&self) {
        self.expect(true);
        self.hunt(Engines::Threads, ON_THREADS);
    }

    /// Serves the subject if this process is a child of another, and otherwise sees whether there can be a child.
    ///
    /// # Panics
    /// If the parent process cannot be served, or a child not be started.
    pub fn serve(&self) {
        match var_os(SERVES) {
            Some(name) if *name == *self.subject.name() => {
                black_box::serve(&self.subject).unwrap_or_else(|error| panic!("the parent process: {error}"));
            }
            Some(_) => {}
            None => self.trial().muster().unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// The macro cannot know whether it is a black box, so its user says it.
    fn expect(&self, black_box: bool) {
        let name = self.subject.name();
        match (self.subject.is_black_box(), black_box) {
            (true, false) => panic!("`{name}` is a black box: write `suite!(black_box …)`"),
            (false, true) => panic!("`{name}` is no black box: write `suite!(…)` without `black_box`"),
            _ => {}
        }
    }

    fn trial(&self) -> Trial {
        let arguments = [self.test("child"), "--exact".to_owned(), "--nocapture".to_owned()];
        Trial::new(Arc::clone(&self.subject), ContractKind::Own, DEADLINE)
            .with_arguments(arguments.map(OsString::from).to_vec())
    }

    /// The name of a test as libtest knows it: without that of the crate.
    fn test(&self, name: &str) -> String {
        match self.module.split_once("::") {
            Some((_, module)) => format!("{module}::{name}"),
            None => name.to_owned(),
        }
    }

    fn hunt(&self, engines: Engines, runs: u64) {
        let trial = self.trial();
        trial.muster().unwrap_or_else(|error| panic!("{error}"));
        let stop = AtomicBool::new(false);
        let effort = Effort { jobs: Jobs { fibers: 1, threads: 4 }, time: None, stop: &stop };
        if let Some(file) = var_os(REPLAY) {
            return self.replay(&trial, engines, &PathBuf::from(file), effort);
        }
        let campaign = Campaign {
            trial,
            engines,
            twice: engines == Engines::Fibers,
            budget: Budget { time: None, runs: Some(runs) },
            seed: SEED,
            keep_going: false,
        };
        let mut outcome = campaign.run(effort, &Progress::default(), &|_| {});
        for group in &mut outcome.findings {
            let effort = Effort { time: Some(SHRINKING), ..effort };
            group.shrunk = Some(shrink(&campaign.trial, &group.found, SEED, engines, effort));
        }
        self.report(&campaign.trial, outcome);
    }

    /// Runs a kept script: the test fails as long as it does not pass.
    fn replay(&self, trial: &Trial, engines: Engines, file: &PathBuf, effort: Effort<'_>) {
        let files = corpus::load(slice::from_ref(file)).unwrap_or_else(|error| panic!("{REPLAY}: {error}"));
        for corpus::Loaded { entry, choices, .. } in &files {
            let planned = trial.clone().planning(entry.panic);
            let trial = &planned.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let replay = Replay {
                trial,
                script: &entry.script,
                schedule: entry.schedule.as_ref(),
                choices: choices.as_ref(),
                strict: false,
                engines,
                expected: None,
                times: None,
                seed: SEED,
            };
            let replayed = replay.run(effort);
            let group = |found| Group { count: 1, found, shrunk: None, saved: Some(file.clone()) };
            let outcome = Outcome {
                subject: self.subject.name().to_owned(),
                contract: trial.kind,
                seed: Some(SEED),
                phases: replayed.phases,
                interrupted: false,
                findings: replayed.found.into_iter().map(group).collect(),
            };
            self.report(trial, outcome);
        }
    }

    /// Fails with what was found, if anything was.
    fn report(&self, trial: &Trial, mut outcome: Outcome) {
        if outcome.findings.is_empty() {
            return;
        }
        let Outcome { seed, findings, .. } = &mut outcome;
        for group in findings.iter_mut().filter(|group| group.saved.is_none()) {
            let name = corpus::file_name(trial, &group.found.finding.signature);
            let entry = corpus::entry(trial, *seed, group);
            // Where it cannot be saved, it is printed all the same.
            group.saved = corpus::save(&temp_dir(), &name, &entry).ok();
        }
        let again = |group: &Group| {
            let file = group.saved.as_deref().unwrap_or(Path::new("FILE"));
            let engine = match group.found.engine {
                EngineKind::Fibers => "keeps_its_contract_on_fibers",
                EngineKind::Threads => "keeps_its_contract_on_free_threads",
            };
            format!("{REPLAY}={} cargo test {}", file.display(), self.test(engine))
        };
        let mut report = Vec::new();
        text::outcome(&mut report, Layout::default(), &outcome, trial, &again).expect("there is memory");
        // What a test writes when it fails is kept in files as often as it is read on a terminal.
        panic!("\n{}", anstream::adapter::strip_str(&String::from_utf8_lossy(&report)));
    }
}
