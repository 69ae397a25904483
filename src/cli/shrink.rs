use std::sync::atomic::Ordering;

use super::args::{Format, Shrink};
use super::hunt::{Keeper, SHRINKING, check_folder};
use super::target::{self, Target};
use super::{Command, Exit, Failure, Output, engines, seed, trial};
use crate::engine::Shared;
use crate::hunt::{Effort, EngineKind, Group, Outcome, replay, shrink_schedule};
use crate::report::{json, text};

impl Command<'_> {
    /// Shrinks what a file shows, and prints it.
    pub(super) fn shrink(&self, options: &Shrink, out: &mut Output) -> Result<Exit, Failure> {
        check_folder("--save", options.save.as_deref())?;
        let (file, common) = (options.file.display(), &options.common);
        let loaded = &target::load(&options.file)?;
        let Target { subject, contract, sought } =
            self.target(loaded, options.subject.as_deref(), common.contract())?;
        let seed = seed(common.seed);
        let trial = trial(subject, contract, common.deadline, target::panic(loaded, common)?)?
            .confirming(options.confirm);
        let engines = engines(&trial, options.engine.into())?;
        if options.schedule && !engines.contains(EngineKind::Fibers) {
            let (read, expected) =
                (trial.subject().name(), "what runs on fibers, for only there it has a schedule");
            return Err(Failure::Usage(format!("--schedule: read `{read}`, expected {expected}")));
        }
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let replayed = replay::Replay {
            trial: &trial.clone().forgetting(),
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
            None => {
                let panic = target::panicking(loaded, common);
                format!("{} shrink{panic} {file} --seed {seed} --save findings", self.program)
            }
        };
        let layout = out.layout();
        out.write(|out| match common.format {
            Format::Text => text::outcome(out, layout, &outcome, &trial, &again),
            Format::Json => json::outcome(out, &outcome, &trial, false),
        })?;
        keeper.finish()?;
        Ok(outcome.verdict().into())
    }
}
