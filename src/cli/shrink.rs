use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::args::{Format, Shrink};
use super::hunt::{Keeper, SHRINKING, check_folder};
use super::{Command, Exit, Failure, Output, seed, subjects};
use crate::engine::Shared;
use crate::hunt::corpus::{self, Loaded};
use crate::hunt::{Effort, Engines, Group, Outcome, Trial, replay, shrink_schedule};
use crate::oracle::Verdict;
use crate::report::{json, text};
use crate::script::ContractKind;
use crate::subject::Subject;

/// What a file is shrunk on, and for which verdict.
struct Target {
    subject: Arc<dyn Subject>,
    contract: ContractKind,
    sought: Option<Verdict>,
}

impl Command<'_> {
    /// Shrinks what a file shows, and prints it.
    pub(super) fn shrink(&self, options: &Shrink, out: &mut Output) -> Result<Exit, Failure> {
        check_folder("--save", options.save.as_deref())?;
        let file = options.file.display();
        if options.file.is_dir() {
            return Err(Failure::Usage(format!("{file}: read a folder, expected a file")));
        }
        let files = corpus::load(slice::from_ref(&options.file));
        let files = files.map_err(|error| Failure::Usage(error.to_string()))?;
        let loaded = files.first().expect("a file is one entry");
        let Target { subject, contract, sought } = self.target(options, loaded)?;
        let common = &options.common;
        let (engines, seed) = (Engines::from(common.engine), seed(common.seed));
        let trial = Trial::new(subject, contract, common.deadline);
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let replayed = replay::Replay {
            trial: &trial,
            script: &loaded.entry.script,
            schedule: loaded.entry.schedule.as_ref(),
            choices: loaded.choices.as_ref(),
            strict: false,
            engines,
            expected: sought,
            times: options.times.or(Some(replay::attempts(engines.kinds()[0]))),
            seed,
        }
        .run(effort);
        let keeper = Keeper {
            folder: options.save.as_deref(),
            trial: &trial,
            seed,
            fuzzed: loaded.choices.is_some(),
            failure: Shared::new(None),
        };
        let mut findings: Vec<Group> = replayed
            .found
            .map(|found| Group { count: 1, found, shrunk: None, saved: None })
            .into_iter()
            .collect();
        for group in &mut findings {
            if options.schedule {
                let effort = Effort { time: Some(SHRINKING), ..effort };
                group.shrunk = shrink_schedule(&trial, &group.found, seed, effort);
                group.saved = keeper.keep(group);
            } else {
                self.shrink_group(group, engines, effort, &keeper);
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
        let again = |group: &Group| match &group.saved {
            Some(path) => format!("{} replay {}", self.program, path.display()),
            None => format!("{} shrink {file} --seed {seed} --save findings", self.program),
        };
        out.write(|out| match common.format {
            Format::Text => text::outcome(out, &outcome, &again),
            Format::Json => json::outcome(out, &outcome, false),
        })?;
        keeper.finish()?;
        Ok(outcome.verdict().into())
    }

    /// What the file is shrunk on: the subject that is named, or the one it expects a finding of, or its own.
    fn target(&self, options: &Shrink, loaded: &Loaded) -> Result<Target, Failure> {
        let contract = options.common.contract;
        if let Some(name) = &options.subject {
            let subject = subjects::named(self.subjects, name, "--subject", "")?;
            return Ok(Target { subject, contract, sought: None });
        }
        let file = loaded.path.display();
        let known = |name: &str| {
            let place = format!("{file}:{}", loaded.line_of(name));
            subjects::named(self.subjects, name, &place, "")
        };
        let entry = &loaded.entry;
        let found = entry.expects.iter().find(|expect| expect.verdict != Verdict::Pass);
        match (found, &entry.subject) {
            (Some(expect), _) => Ok(Target {
                subject: known(&expect.subject)?,
                contract: expect.contract,
                sought: Some(expect.verdict),
            }),
            (None, Some(name)) => Ok(Target { subject: known(name)?, contract, sought: None }),
            (None, None) => Err(Failure::Usage(format!(
                "{file}: read no `expect` line of a finding and no `subject` line, expected `--subject`, or one of these"
            ))),
        }
    }
}
