use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use super::{Command, Failure, subjects};
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
