use std::io::Write;
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
            let outcome = self.hunt_one(options, subject, seed)?;
            out.write(|out| match options.common.format {
                Format::Text => {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    text::outcome(out, &outcome, self.program)
                }
                Format::Json => json::outcome(out, &outcome, options.keep_going),
            })?;
            exit = exit.and(outcome.verdict().into());
            if outcome.interrupted {
                break;
            }
        }
        Ok(exit)
    }

    fn hunt_one(&self, options: &Hunt, subject: Arc<dyn Subject>, seed: u64) -> Result<Outcome, Failure> {
        let common = &options.common;
        let trial = Trial::new(subject, common.contract, common.deadline);
        let campaign = Campaign { trial, budget: options.budget(), seed, keep_going: options.keep_going };
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let progress = Arc::new(Progress::default());
        let reporter = Reporter::start(&campaign, effort.jobs, &progress);
        let trial = &campaign.trial;
        let save = |group: &Group| match &options.save {
            Some(folder) => save(folder, trial, seed, group).map(Some),
            None => Ok(None),
        };
        let failure = Shared::new(None);
        let news = |found: &Found| {
            // A search that goes on may never get to its end: what it finds is kept at once.
            if options.keep_going {
                let saved = save(&Group { count: 1, found: found.clone(), shrunk: None, saved: None });
                failure.with(|failure| *failure = failure.take().or(saved.err()));
            }
        };
        let mut outcome = campaign.run(effort, &progress, &news);
        if let Some(failure) = failure.into_inner() {
            return Err(failure);
        }
        reporter.shrinking();
        for group in &mut outcome.findings {
            group.saved = save(group)?;
            if !self.stop.load(Ordering::Relaxed) {
                let effort = Effort { time: Some(SHRINKING), ..effort };
                group.shrunk = Some(shrink(trial, &group.found, seed, effort));
                group.saved = save(group)?;
            }
        }
        Ok(outcome)
    }
}

fn save(folder: &Path, trial: &Trial, seed: u64, group: &Group) -> Result<PathBuf, Failure> {
    let subject = trial.subject.name();
    let name = corpus::file_name(subject, trial.kind, &group.found.finding.signature);
    let entry = corpus::entry(subject, trial.kind, seed, group);
    let doing = format!("cannot save {}", folder.join(&name).display());
    corpus::save(folder, &name, &entry).map_err(|error| Failure::tool(&doing, error))
}
