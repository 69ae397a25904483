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

/// Lists them in a table.
pub(super) fn list(out: &mut Output, subjects: &[Arc<dyn Subject>]) -> Result<(), Failure> {
    let mut rows = vec![["SUBJECT", "OPS", "WHEN FULL", "PROVENANCE"].map(str::to_owned)];
    rows.extend(subjects.iter().map(|subject| {
        let capabilities = subject.capabilities();
        let ops: Vec<&str> = capabilities.ops.iter().map(|op| op.name()).collect();
        let policies: Vec<&str> = capabilities.when_full.iter().map(|policy| policy.name()).collect();
        [subject.name().to_owned(), ops.join(" "), policies.join(" "), subject.provenance().to_owned()]
    }));
    let wide: Vec<usize> =
        (0..3).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    out.write(|out| {
        rows.iter().try_for_each(|[name, ops, policies, provenance]| {
            let (first, second, third) = (wide[0], wide[1], wide[2]);
            writeln!(out, "{name:first$}  {ops:second$}  {policies:third$}  {provenance}")
        })
    })
}
