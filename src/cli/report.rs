use std::path::Path;
use std::sync::atomic::Ordering;

use super::args::{Format, Report};
use super::hunt::SHRINKING;
use super::target::{self, Target};
use super::{Command, Exit, Failure, Output, engines, seed, trial};
use crate::hunt::replay::{self, Followed};
use crate::hunt::{Effort, EngineKind, Group, Outcome, Trial, corpus, shrink_schedule};
use crate::oracle::Verdict;
use crate::report::{html, json, text};

impl Command<'_> {
    /// Explains what a file shows: prints it, or writes the page.
    pub(super) fn report(&self, options: &Report, out: &mut Output) -> Result<Exit, Failure> {
        let (file, common) = (options.file.display(), &options.common);
        check_file(options.html.as_deref())?;
        let loaded = target::load(&options.file)?;
        let Target { subject, contract, sought } =
            self.target(&loaded, options.subject.as_deref(), common.contract())?;
        let trial = trial(subject, contract, common.deadline, target::panic(&loaded, common)?)?.forgetting();
        let (engines, seed) = (engines(&trial, options.engine.into())?, seed(common.seed));
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let schedule = loaded.entry.schedule.as_ref();
        let replayed = replay::Replay {
            trial: &trial,
            script: &loaded.entry.script,
            schedule,
            choices: loaded.choices.as_ref(),
            strict: options.subject.is_none(),
            engines,
            expected: sought,
            times: options.times.or(Some(replay::attempts(engines.kinds()[0]))),
            seed,
        }
        .run(effort);
        if let (Followed::Diverged(divergence), Verdict::Diverged) = (&replayed.schedule, replayed.verdict) {
            let name = trial.subject().name();
            out.print(&format!("{file}: {name} {} diverged {divergence}\n", contract.name()))?;
            return Ok(Exit::Inconclusive);
        }
        let mut findings: Vec<Group> = replayed
            .found
            .map(|found| Group { count: 1, found, shrunk: None, saved: None })
            .into_iter()
            .collect();
        if replayed.schedule != Followed::Fits && engines.contains(EngineKind::Fibers) {
            // Whatever schedule showed it first is not the one to read.
            let effort = Effort { time: Some(SHRINKING), ..effort };
            for group in &mut findings {
                group.shrunk = shrink_schedule(&trial, &group.found, seed, effort);
            }
        }
        let outcome = Outcome {
            subject: trial.subject().name().to_owned(),
            contract,
            seed: Some(seed),
            phases: replayed.phases,
            interrupted: self.stop.load(Ordering::Relaxed),
            findings,
        };
        let again =
            |_: &Group| format!("{} replay{} {file}", self.program, target::panicking(&loaded, common));
        match (&options.html, outcome.findings.first()) {
            (Some(path), Some(group)) => {
                write_page(path, &trial, &outcome, group, &again(group))?;
                let signature = &group.shown().0.signature;
                let (verdict, class) = (signature.verdict, signature.class);
                out.print(&format!("{}: {verdict} in {}: {class}\n", path.display(), outcome.subject))?;
            }
            (html, _) => {
                let layout = out.layout();
                out.write(|out| {
                    match common.format {
                        Format::Text => text::outcome(out, layout, &outcome, &trial, &again)?,
                        Format::Json => json::outcome(out, &outcome, &trial, false)?,
                    }
                    match html {
                        Some(path) => writeln!(out, "{}: not written, for nothing was found", path.display()),
                        None => Ok(()),
                    }
                })?;
            }
        }
        Ok(outcome.verdict().into())
    }
}

/// Refuses a file to write to that is a folder.
fn check_file(file: Option<&Path>) -> Result<(), Failure> {
    match file.filter(|path| path.is_dir()) {
        None => Ok(()),
        Some(folder) => {
            Err(Failure::Usage(format!("--html: read `{}`, a folder, expected a file", folder.display())))
        }
    }
}

/// Writes a finding as a page.
pub(super) fn write_page(
    path: &Path,
    trial: &Trial,
    outcome: &Outcome,
    group: &Group,
    again: &str,
) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut content = Vec::new();
    let written = html::finding(&mut content, outcome, group, trial, again)
        .and_then(|()| corpus::write(folder, &name, &content));
    written.map(drop).map_err(|error| Failure::tool(&format!("cannot write {}", path.display()), error))
}
