use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::args::{Format, Replay, ReplayEngine};
use super::{Command, Exit, Failure, Output, engines, seed, subjects, target, trial};
use crate::hunt::corpus::{self, Loaded};
use crate::hunt::{Effort, Engines, Trial, replay};
use crate::oracle::Verdict;
use crate::report::{Checked, json};
use crate::script::{Entry, Expect};
use crate::subject::Subject;

/// One subject that one file is run on.
struct Task<'a> {
    loaded: &'a Loaded,
    trial: Trial,
    expected: Option<Verdict>,
}

impl Task<'_> {
    /// Whether the file's schedule is one for this subject, and must fit: schedules are kept of what was found.
    fn is_of_its_own(&self) -> bool {
        let Entry { subject, expects, .. } = &self.loaded.entry;
        let name = self.trial.subject().name();
        let found = |expect: &Expect| expect.subject == name && expect.verdict != Verdict::Pass;
        match self.expected {
            Some(expected) => expected != Verdict::Pass,
            None => subject.as_deref().is_none_or(|subject| subject == name) || expects.iter().any(found),
        }
    }

    /// That it is left out, in a line.
    fn left_out(&self, why: &str) -> String {
        let (file, subject) = (self.loaded.path.display(), self.trial.subject().name());
        format!("{file}: {why} (not run: {subject} {})", self.trial.kind.name())
    }

    /// Why OS threads are not led through it, if they are not: it has no schedule, or has one of another subject, which
    /// nobody asked for.
    fn why_left_out(&self) -> Option<&'static str> {
        let Loaded { entry: Entry { schedule, expects, .. }, choices, .. } = self.loaded;
        let is_of_another = || expects.iter().any(|expect| expect.verdict != Verdict::Pass);
        if schedule.is_none() && choices.is_none() {
            Some(
                "read no `schedule` line, expected one to lead OS threads through, as `shrink --schedule` finds it",
            )
        } else if self.expected == Some(Verdict::Pass) && is_of_another() {
            Some("its schedule is of another subject")
        } else {
            None
        }
    }
}

impl Command<'_> {
    /// Runs the files, and prints their verdicts. All is read before anything is run.
    pub(super) fn replay(&self, options: &Replay, out: &mut Output) -> Result<Exit, Failure> {
        let files = corpus::load(&options.paths).map_err(|error| Failure::Usage(error.to_string()))?;
        let named = subjects::find(self.subjects, &options.subjects)?;
        let mut tasks = Vec::new();
        for loaded in &files {
            tasks.extend(self.tasks(options, loaded, &named)?);
        }
        let mut left_out = Vec::new();
        if options.engine == ReplayEngine::Steered {
            tasks.retain(|task| {
                let why = task.why_left_out();
                left_out.extend(why.map(|why| task.left_out(why)));
                why.is_none()
            });
            if let (true, Some(line)) = (tasks.is_empty(), left_out.first()) {
                return Err(Failure::Usage(line.clone()));
            }
        }
        let seed = seed(options.common.seed);
        let is_text = options.common.format == Format::Text;
        if is_text {
            out.print(&format!("seed {seed}\n"))?;
            left_out.iter().try_for_each(|line| out.print(&format!("{line}\n")))?;
        }
        let (mut exit, mut done, mut failed) = (Exit::Pass, 0, 0);
        for task in &tasks {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let verdict = self.replay_one(options, task, seed, out)?;
            done += 1;
            exit = exit.and(match task.expected {
                None => verdict.into(),
                Some(expected) if expected == verdict => Exit::Pass,
                Some(_) if verdict == Verdict::Diverged => {
                    failed += 1;
                    verdict.into()
                }
                Some(_) => {
                    failed += 1;
                    Exit::Unexpected
                }
            });
        }
        if done < tasks.len() && exit == Exit::Pass {
            exit = Exit::Inconclusive;
        }
        if is_text {
            let interrupted = if done < tasks.len() { ", interrupted" } else { "" };
            out.print(&format!(
                "{done} of {} verdicts, {failed} not as expected{interrupted}\n",
                tasks.len()
            ))?;
        }
        Ok(exit)
    }

    /// What a file is run on: the subjects named, or those it expects something of, or its own.
    fn tasks<'a>(
        &self,
        options: &Replay,
        loaded: &'a Loaded,
        named: &[Arc<dyn Subject>],
    ) -> Result<Vec<Task<'a>>, Failure> {
        let file = loaded.path.display();
        let known = |name: &str| {
            let place = format!("{file}:{}", loaded.line_of(name));
            subjects::named(self.subjects, name, &place, "")
        };
        let common = &options.common;
        let panic = target::panic(loaded, common)?;
        let task = |subject, contract, expected| {
            let trial = trial(subject, contract, common.deadline, panic.clone())?.forgetting();
            Ok(Task { loaded, trial, expected })
        };
        let on = |subject| task(subject, common.contract(), None);
        if !named.is_empty() {
            return named.iter().cloned().map(on).collect();
        }
        let entry = &loaded.entry;
        match &entry.subject {
            Some(name) if entry.expects.is_empty() => Ok(vec![on(known(name)?)?]),
            None if entry.expects.is_empty() => {
                let expected = "expected `--subject`, or a text with one of these lines";
                Err(Failure::Usage(format!("{file}: read no `subject` and no `expect` line, {expected}")))
            }
            _ => entry
                .expects
                .iter()
                .map(|expect| task(known(&expect.subject)?, expect.contract, Some(expect.verdict)))
                .collect(),
        }
    }

    fn replay_one(
        &self,
        options: &Replay,
        task: &Task<'_>,
        seed: u64,
        out: &mut Output,
    ) -> Result<Verdict, Failure> {
        let common = &options.common;
        let trial = &task.trial;
        let engines = engines(trial, options.engine.engines().unwrap_or(Engines::Threads))?;
        let entry = &task.loaded.entry;
        let replay = replay::Replay {
            trial,
            script: &entry.script,
            schedule: entry.schedule.as_ref(),
            choices: task.loaded.choices.as_ref(),
            strict: task.is_of_its_own(),
            engines,
            expected: task.expected,
            times: options.times,
            seed,
        };
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let replayed = match options.engine {
            ReplayEngine::Steered => replay.steer(effort).expect("what has no schedule is left out"),
            _ => replay.run(effort),
        };
        let file = task.loaded.path.display().to_string();
        let layout = out.layout();
        // What is expected is told in a line.
        let told = replayed.found.as_ref().filter(|_| task.expected != Some(replayed.verdict));
        let interleaving = told.and_then(|found| trial.shown(&found.script, &found.execution));
        let checked = Checked {
            file: &file,
            subject: trial.subject().name(),
            contract: trial.kind,
            expected: task.expected,
            verdict: replayed.verdict,
            phases: &replayed.phases,
            schedule: &replayed.schedule,
            found: replayed.found.as_ref(),
            interleaving: interleaving.as_ref(),
        };
        out.write(|out| match common.format {
            Format::Text => checked.write(out, layout),
            Format::Json => json::checked(out, &checked, &trial.clamp(&entry.script), seed),
        })?;
        Ok(replayed.verdict)
    }
}
