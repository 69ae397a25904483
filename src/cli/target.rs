use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use super::{Command, Common, Failure, Panic, subjects};
use crate::hunt::corpus::{self, Loaded};
use crate::oracle::Verdict;
use crate::script::ContractKind;
use crate::subject::Subject;

/// What a file is run on, and for which verdict.
pub(super) struct Target {
    pub(super) subject: Arc<dyn Subject>,
    pub(super) contract: ContractKind,
    pub(super) sought: Option<Verdict>,
}

/// Reads one script.
pub(super) fn load(file: &PathBuf) -> Result<Loaded, Failure> {
    if file.is_dir() {
        return Err(Failure::Usage(format!("{}: read a folder, expected a file", Path::display(file))));
    }
    let files = corpus::load(slice::from_ref(file)).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(files.into_iter().next().expect("a file is one entry"))
}

/// The panic that is to happen when the file is run: its own, or else the one that is asked for.
pub(super) fn panic(loaded: &Loaded, common: &Common) -> Result<Option<Panic>, Failure> {
    let Some(plan) = loaded.entry.panic else { return Ok(Panic::asked(common)) };
    let read = format!("{}:{}: read `panic {plan}`", loaded.path.display(), loaded.line_of_panic());
    match common.panic.filter(|asked| *asked != plan) {
        Some(asked) => Err(Failure::Usage(format!("{read}, expected `panic {asked}`, as --panic says"))),
        None => Ok(Some(Panic { plan, read })),
    }
}

/// What is to be typed for the file to be run like that again, besides its name.
pub(super) fn panicking(loaded: &Loaded, common: &Common) -> String {
    if loaded.entry.panic.is_none() { common.panicking() } else { String::new() }
}

impl Command<'_> {
    /// What the file is run on: the subject that is named, or the one it expects a finding of, or its own.
    pub(super) fn target(
        &self,
        loaded: &Loaded,
        named: Option<&str>,
        contract: ContractKind,
    ) -> Result<Target, Failure> {
        if let Some(name) = named {
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
