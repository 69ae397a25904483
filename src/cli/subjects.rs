use std::sync::Arc;

use super::{Failure, Output};
use crate::script::ContractKind;
use crate::subject::{Bug, Subject};

/// What stands for all subjects.
pub(super) const ALL: &str = "all";

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

/// Lists them: the name, and beside it where it comes from, its ops, its policies, and the bugs it is known to have under
/// either contract; then what each of these is.
pub(super) fn list(out: &mut Output, subjects: &[Arc<dyn Subject>]) -> Result<(), Failure> {
    let wide = subjects.iter().map(|subject| subject.name().len()).max().unwrap_or(0);
    let mut all: Vec<&'static Bug> = Vec::new();
    out.write(|out| {
        for subject in subjects {
            let capabilities = subject.capabilities();
            let ops: Vec<&str> = capabilities.ops.iter().map(|op| op.name()).collect();
            let policies: Vec<&str> = capabilities.when_full.iter().map(|policy| policy.name()).collect();
            writeln!(out, "{:wide$}  {}", subject.name(), subject.provenance())?;
            writeln!(out, "{:wide$}    ops        {}", "", ops.join(", "))?;
            writeln!(out, "{:wide$}    when full  {}", "", policies.join(", "))?;
            let bugs = subject.bugs();
            for kind in ContractKind::ALL {
                let under = bugs.iter().filter(|bug| bug.under.contains(&kind));
                let ids: Vec<&str> = under.map(|bug| bug.id).collect();
                if !ids.is_empty() {
                    writeln!(out, "{:wide$}    {:9}  {}", "", kind.name(), ids.join(", "))?;
                }
            }
            all.extend(bugs);
        }
        all.sort_by_key(|bug| bug.id);
        all.dedup_by_key(|bug| (bug.id, bug.title));
        if !all.is_empty() {
            writeln!(out, "\nKnown bugs (`hunt --subject all` looks for each, and for others):")?;
        }
        all.iter().try_for_each(|bug| writeln!(out, "{:4} {}", bug.id, bug.title))
    })
}
