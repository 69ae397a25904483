use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tempfile::TempDir;

use super::args::{Format, Hunt};
use super::progress::Reporter;
use super::{Command, Exit, Failure, Output, Panic, engines, seed, subjects, trial};
use crate::engine::Shared;
use crate::hunt::{Campaign, Effort, Engines, Found, Group, Outcome, Progress, Trial, corpus, shrink};
use crate::oracle::Verdict;
use crate::report::{json, text};

/// How long a finding is shrunk, at most. Shrinking on fibers and on threads has limits of its own, which come first unless the
/// machine is very slow.
pub(super) const SHRINKING: Duration = Duration::from_secs(60);

impl Command<'_> {
    /// Searches the subjects one after the other, and prints what is found.
    pub(super) fn hunt(&self, options: &Hunt, out: &mut Output) -> Result<Exit, Failure> {
        let subjects = match options.subjects.as_slice() {
            [] => self.subjects.first().cloned().into_iter().collect(),
            names => subjects::find(self.subjects, names)?,
        };
        check_folder("--save", options.save.as_deref())?;
        let seed = seed(options.common.seed);
        if self.is_survey(options) {
            return self.survey(options, seed, out);
        }
        let common = &options.common;
        let trials: Vec<Trial> = subjects
            .into_iter()
            .map(|subject| {
                let trial = trial(subject, common.contract(), common.deadline, Panic::asked(common))?;
                Ok(trial.confirming(options.confirm))
            })
            .collect::<Result<_, Failure>>()?;
        let mut exit = Exit::Pass;
        for (index, trial) in trials.into_iter().enumerate() {
            let engines = engines(&trial, options.engine.into())?;
            let Hunted { outcome, saved, spool } = self.hunt_one(options, &trial, engines, seed);
            let layout = out.layout();
            out.write(|out| match options.common.format {
                Format::Text => {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    let again = |group: &Group| self.again(&trial, &outcome, group, options);
                    text::outcome(out, layout, &outcome, &trial, &again)
                }
                Format::Json => json::outcome(out, &outcome, &trial, options.keep_going),
            })?;
            drop(spool);
            // What could not be saved has been printed at least.
            saved?;
            exit = exit.and(outcome.verdict().into());
            if outcome.interrupted {
                break;
            }
        }
        Ok(exit)
    }

    /// What is to be typed to see a finding again.
    pub(super) fn again(&self, trial: &Trial, outcome: &Outcome, group: &Group, options: &Hunt) -> String {
        let program = self.program;
        if let Some(path) = &group.saved {
            return format!("{program} replay {}", path.display());
        }
        let Outcome { subject, contract, .. } = outcome;
        let seed = outcome.seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
        // Free threads need not do the same again, so it is not told where to end.
        let panic = options.common.panicking();
        let keep_going = if options.keep_going { " --keep-going" } else { "" };
        let hunt =
            format!("hunt --subject {subject} --contract {}{seed}{panic}{keep_going}", contract.name());
        let name = corpus::file_name(trial, &group.found.finding.signature);
        format!("{program} {hunt} --save findings, and then {program} replay findings/{name}")
    }

    /// Searches one subject.
    fn hunt_one(&self, options: &Hunt, trial: &Trial, engines: Engines, seed: u64) -> Hunted {
        let common = &options.common;
        let (budget, twice) = (options.budget(), options.twice);
        let searched = trial.clone().forgetting();
        let campaign =
            Campaign { trial: searched, engines, twice, budget, seed, keep_going: options.keep_going };
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let progress = Arc::new(Progress::default());
        let reporter = Reporter::start(&campaign, effort.jobs, &progress);
        // Where there is no room for one, less is kept if the process ends.
        let spool = options.save.is_none().then(tempfile::tempdir).and_then(Result::ok);
        let keeper = |folder| Keeper { folder, trial, seed, fuzzed: false, failure: Shared::new(None) };
        let spooler = keeper(spool.as_ref().map(TempDir::path));
        let keeper = keeper(options.save.as_deref());
        let keep = |found: &Found| {
            let group = Group { count: 1, found: found.clone(), shrunk: None, saved: None };
            if let Some(file) = keeper.keep(&group).or_else(|| spooler.keep(&group)) {
                reporter.found(&found.finding.signature, &file);
            }
        };
        let news = |found: &Found| {
            // A search that goes on may never get to its end, and unwinds what it finds again.
            if options.keep_going {
                keep(found);
                campaign.trial.told(found);
            }
        };
        let mut outcome = campaign.run(effort, &progress, &news);
        if !options.keep_going {
            // Shrinking runs destructors of code that has gone wrong, over and over.
            outcome.findings.iter().for_each(|group| keep(&group.found));
        }
        reporter.shrinking();
        for group in &mut outcome.findings {
            self.shrink_group(group, engines, effort, &keeper);
        }
        outcome.join_same();
        Hunted { outcome, saved: keeper.finish(), spool }
    }

    /// Shrinks a finding, and saves it before and after.
    pub(super) fn shrink_group(
        &self,
        group: &mut Group,
        engines: Engines,
        effort: Effort<'_>,
        keeper: &Keeper<'_>,
    ) {
        group.saved = keeper.keep(group);
        // What differs from itself cannot be run again.
        let diverged = group.found.finding.signature.verdict == Verdict::Diverged;
        if !diverged && !self.stop.load(Ordering::Relaxed) {
            let effort = Effort { time: Some(SHRINKING), ..effort };
            group.shrunk = Some(shrink(keeper.trial, &group.found, keeper.seed, engines, effort));
            group.saved = keeper.keep(group);
        }
    }
}

/// What came of a hunt.
struct Hunted {
    outcome: Outcome,
    /// Whether it could be saved.
    saved: Result<(), Failure>,
    /// Where it is until it is printed, if it is saved nowhere else.
    spool: Option<TempDir>,
}

/// Refuses a folder to save to that is a file.
pub(super) fn check_folder(option: &str, folder: Option<&Path>) -> Result<(), Failure> {
    match folder.filter(|path| path.exists() && !path.is_dir()) {
        None => Ok(()),
        Some(file) => {
            Err(Failure::Usage(format!("{option}: read `{}`, a file, expected a folder", file.display())))
        }
    }
}

/// Saves what is found, if it is to be saved.
pub(super) struct Keeper<'a> {
    pub(super) folder: Option<&'a Path>,
    pub(super) trial: &'a Trial,
    pub(super) seed: u64,
    /// Whether a fuzzer has found what is kept, and not a run of that seed.
    pub(super) fuzzed: bool,
    /// The first.
    pub(super) failure: Shared<Option<Failure>>,
}

impl Keeper<'_> {
    /// Saves it, and says where; a failure is kept for later.
    pub(super) fn keep(&self, group: &Group) -> Option<PathBuf> {
        let folder = self.folder?;
        let Keeper { trial, seed, .. } = self;
        let name = corpus::file_name(trial, &group.found.finding.signature);
        let seed = (!self.fuzzed).then_some(*seed);
        let entry = corpus::entry(trial, seed, group);
        match corpus::save(folder, &name, &entry) {
            Ok(path) => Some(path),
            Err(error) => {
                let doing = format!("cannot save {}", folder.join(&name).display());
                self.failure.with(|failure| _ = failure.get_or_insert(Failure::tool(&doing, error)));
                None
            }
        }
    }

    /// Whether all could be saved.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }
}
