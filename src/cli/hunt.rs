use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::args::{Format, Hunt};
use super::progress::Reporter;
use super::{Command, Exit, Failure, Output, seed, subjects};
use crate::engine::Shared;
use crate::hunt::{Campaign, Effort, Found, Group, Outcome, Progress, Trial, corpus, shrink};
use crate::report::{json, text};
use crate::subject::Subject;

/// How long a finding is shrunk, at most.
const SHRINKING: Duration = Duration::from_secs(8);

impl Command<'_> {
    /// Searches the subjects one after the other, and prints what is found.
    pub(super) fn hunt(&self, options: &Hunt, out: &mut Output) -> Result<Exit, Failure> {
        let subjects = match options.subjects.as_slice() {
            [] => self.subjects.first().cloned().into_iter().collect(),
            names => subjects::find(self.subjects, names)?,
        };
        if let Some(folder) = options.save.as_deref().filter(|path| path.exists() && !path.is_dir()) {
            return Err(Failure::Usage(format!(
                "--save: read `{}`, a file, expected a folder",
                folder.display()
            )));
        }
        let seed = seed(options.common.seed);
        let mut exit = Exit::Pass;
        for (index, subject) in subjects.into_iter().enumerate() {
            let (outcome, saved) = self.hunt_one(options, subject, seed);
            out.write(|out| match options.common.format {
                Format::Text => {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    text::outcome(out, &outcome, self.program)
                }
                Format::Json => json::outcome(out, &outcome, options.keep_going),
            })?;
            // What could not be saved has been printed at least.
            saved?;
            exit = exit.and(outcome.verdict().into());
            if outcome.interrupted {
                break;
            }
        }
        Ok(exit)
    }

    /// Searches one subject; with what it found, and whether that could be saved.
    fn hunt_one(
        &self,
        options: &Hunt,
        subject: Arc<dyn Subject>,
        seed: u64,
    ) -> (Outcome, Result<(), Failure>) {
        let common = &options.common;
        let trial = Trial::new(subject, common.contract, common.deadline);
        let campaign = Campaign { trial, budget: options.budget(), seed, keep_going: options.keep_going };
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let progress = Arc::new(Progress::default());
        let reporter = Reporter::start(&campaign, effort.jobs, &progress);
        let keeper =
            Keeper { folder: options.save.as_deref(), campaign: &campaign, failure: Shared::new(None) };
        let news = |found: &Found| {
            // A search that goes on may never get to its end: what it finds is kept at once.
            if options.keep_going {
                keeper.keep(&Group { count: 1, found: found.clone(), shrunk: None, saved: None });
            }
        };
        let mut outcome = campaign.run(effort, &progress, &news);
        reporter.shrinking();
        for group in &mut outcome.findings {
            group.saved = keeper.keep(group);
            if !self.stop.load(Ordering::Relaxed) {
                let effort = Effort { time: Some(SHRINKING), ..effort };
                group.shrunk = Some(shrink(&campaign.trial, &group.found, seed, effort));
                group.saved = keeper.keep(group);
            }
        }
        (outcome, keeper.failure.into_inner().map_or(Ok(()), Err))
    }
}

/// Saves what is found, if it is to be saved.
struct Keeper<'a> {
    folder: Option<&'a Path>,
    campaign: &'a Campaign,
    /// The first.
    failure: Shared<Option<Failure>>,
}

impl Keeper<'_> {
    /// Saves it, and says where; a failure is kept for later.
    fn keep(&self, group: &Group) -> Option<PathBuf> {
        let folder = self.folder?;
        let Campaign { trial, seed, .. } = self.campaign;
        let subject = trial.subject.name();
        let name = corpus::file_name(subject, trial.kind, &group.found.finding.signature);
        let entry = corpus::entry(subject, trial.kind, *seed, group);
        match corpus::save(folder, &name, &entry) {
            Ok(path) => Some(path),
            Err(error) => {
                let doing = format!("cannot save {}", folder.join(&name).display());
                self.failure.with(|failure| _ = failure.get_or_insert(Failure::tool(&doing, error)));
                None
            }
        }
    }
}
