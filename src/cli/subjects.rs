use std::sync::Arc;

use super::{Failure, Output};
use crate::subject::Subject;

/// What stands for all subjects.
const ALL: &str = "all";

/// The subjects of these names.
pub(super) fn find(
    subjects: &[Arc<dyn Subject>],
    names: &[String],
) -> Result<Vec<Arc<dyn Subject>>, Failure> {
    if names.iter().any(|name| name == ALL) {
        return Ok(subjects.to_vec());
    }
    let mut found: Vec<Arc<dyn Subject>> = Vec::new();
    for name in names {
        let subject = named(subjects, name, "--subject", " or `all`")?;
        if !found.iter().any(|other| other.name() == name) {
            found.push(subject);
        }
    }
    Ok(found)
}

/// The subject that `place` names.
pub(super) fn named(
    subjects: &[Arc<dyn Subject>],
    name: &str,
    place: &str,
    or: &str,
) -> Result<Arc<dyn Subject>, Failure> {
    let unknown = || {
        let names: Vec<String> = subjects.iter().map(|subject| format!("`{}`", subject.name())).collect();
        let read = name.escape_debug();
        Failure::Usage(format!("{place}: read `{read}`, expected a subject: {}{or}", names.join(", ")))
    };
    subjects.iter().find(|subject| subject.name() == name).cloned().ok_or_else(unknown)
}

/// Lists them in a table: the name, and beside it where it comes from, its ops and its policies.
pub(super) fn list(out: &mut Output, subjects: &[Arc<dyn Subject>]) -> Result<(), Failure> {
    let wide = subjects.iter().map(|subject| subject.name().len()).max().unwrap_or(0);
    out.write(|out| {
        for subject in subjects {
            let capabilities = subject.capabilities();
            let ops: Vec<&str> = capabilities.ops.iter().map(|op| op.name()).collect();
            let policies: Vec<&str> = capabilities.when_full.iter().map(|policy| policy.name()).collect();
            writeln!(out, "{:wide$}  {}", subject.name(), subject.provenance())?;
            writeln!(out, "{:wide$}    ops        {}", "", ops.join(", "))?;
            writeln!(out, "{:wide$}    when full  {}", "", policies.join(", "))?;
        }
        Ok(())
    })
}
