use std::sync::Arc;
use std::time::Duration;

use super::args::Convert;
use super::hunt::check_folder;
use super::{Command, Exit, Failure, Output, subjects};
use crate::hunt::Trial;
use crate::hunt::corpus::{self, Loaded};
use crate::oracle::Verdict;
use crate::script::bytes::{Choices, Input};
use crate::script::{ContractKind, Entry, Script};

impl Command<'_> {
    /// Writes each file in its other form. All is read before anything is written.
    pub(super) fn convert(&self, options: &Convert, out: &mut Output) -> Result<Exit, Failure> {
        check_folder("--to", options.to.as_deref())?;
        let files = corpus::load(&options.paths).map_err(|error| Failure::Usage(error.to_string()))?;
        for loaded in &files {
            let (name, content) = match &loaded.choices {
                Some(choices) => self.text(options, loaded, choices)?,
                None => self.bytes(options, loaded)?,
            };
            let file = loaded.path.display();
            match &options.to {
                Some(folder) => {
                    let written = corpus::write(folder, &name, &content);
                    let path =
                        written.map_err(|error| Failure::tool(&format!("cannot convert {file}"), error))?;
                    out.print(&format!("{file}: {}\n", path.display()))?;
                }
                None if loaded.choices.is_some() => out.write(|out| out.write_all(&content))?,
                None => {
                    let expected = "expected `--to`, the folder to write a fuzzer's input to";
                    return Err(Failure::Usage(format!("{file}: read a script, {expected}")));
                }
            }
        }
        Ok(Exit::Pass)
    }

    /// An input as a script: its choices become a schedule by running it.
    fn text(
        &self,
        options: &Convert,
        loaded: &Loaded,
        choices: &Choices,
    ) -> Result<(String, Vec<u8>), Failure> {
        let script = &loaded.entry.script;
        let chooses = choices.ops.iter().chain(&choices.tail).any(|choice| *choice != 0);
        let mut entry = Entry::from(script.clone());
        match self.conversion(options, loaded)? {
            Some(trial) => {
                let script = Arc::new(trial.clamp(script));
                entry.schedule = trial.by_choices(&script, choices).schedule();
                entry.script = Script::clone(&script);
                entry.subject = Some(trial.subject().name().to_owned());
            }
            None if chooses => {
                let expected = "expected `--subject`, for they become a schedule by running them";
                let file = loaded.path.display();
                return Err(Failure::Usage(format!("{file}: read choices of a fuzzer, {expected}")));
            }
            None => {}
        }
        let name = loaded.path.file_name().unwrap_or_default().to_string_lossy();
        Ok((format!("{name}.{}", corpus::EXTENSION), entry.to_string().into_bytes()))
    }

    /// A script as an input: its schedule becomes choices by following it.
    fn bytes(&self, options: &Convert, loaded: &Loaded) -> Result<(String, Vec<u8>), Failure> {
        let Entry { panic, script, schedule, .. } = &loaded.entry;
        let file = loaded.path.display();
        if let Some(plan) = panic {
            let line = loaded.line_of_panic();
            let expected = "expected no `panic` line, for a fuzzer's input has none";
            return Err(Failure::Usage(format!("{file}:{line}: read `panic {plan}`, {expected}")));
        }
        let mut input = Input::from(script.clone());
        if let Some(schedule) = schedule {
            let Some(trial) = self.conversion(options, loaded)? else {
                let expected = "expected `--subject`, for it becomes choices by following it";
                return Err(Failure::Usage(format!("{file}: read a schedule and no subject, {expected}")));
            };
            let script = Arc::new(trial.clamp(script));
            let choices = trial.spell(&script, schedule);
            let name = trial.subject().name().to_owned();
            input.choices = choices.map_err(|divergence| {
                Failure::Usage(format!("{file}: its schedule does not fit {name}: {divergence}"))
            })?;
            input.script = Script::clone(&script);
        }
        let content = input.to_bytes();
        Ok((corpus::bytes_name(&content), content))
    }

    /// What choices and schedules are run on: the subject that is named, or the one that the script is about.
    fn conversion(&self, options: &Convert, loaded: &Loaded) -> Result<Option<Trial>, Failure> {
        let Entry { subject, expects, .. } = &loaded.entry;
        let found = expects.iter().find(|expect| expect.verdict != Verdict::Pass);
        let own = found.map(|expect| &expect.subject).or(subject.as_ref());
        let subject = match (&options.subject, own) {
            (Some(name), _) => subjects::named(self.subjects, name, "--subject", "")?,
            (None, Some(name)) => {
                let place = format!("{}:{}", loaded.path.display(), loaded.line_of(name));
                subjects::named(self.subjects, name, &place, "")?
            }
            (None, None) => return Ok(None),
        };
        // Nothing is judged, and nothing runs on free threads.
        Ok(Some(Trial::new(subject, ContractKind::Own, Duration::ZERO)))
    }
}
