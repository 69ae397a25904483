//! The report of an exploration: of any code, as its `Display`.

use std::io::{self, Write};

use super::blocked::Left;
use super::style::{self, TITLE, styled, wrap};
use super::text::fact;
use super::{Layout, columns};
use crate::engine::Status;
use crate::explore::{Failure, Found, What};
use crate::oracle::{Class, Verdict, class_of_panic};

/// The report, without colours: it is a panic's message, mostly.
pub(crate) fn text(failure: &Failure) -> String {
    let mut out = Vec::new();
    match write(&mut out, failure, Layout::default()) {
        Ok(()) => anstream::adapter::strip_str(&String::from_utf8_lossy(&out)).to_string(),
        Err(error) => unreachable!("a vector takes anything: {error}"),
    }
}

fn write(out: &mut dyn Write, failure: &Failure, layout: Layout) -> io::Result<()> {
    let class = class(failure).map_or_else(String::new, |class| format!(": {class}"));
    let (verdict, explained) = match &failure.what {
        What::Deadlock => ("deadlock", class),
        What::Livelock => ("livelock", ": it passed more sync points than it may".to_owned()),
        What::Panic => ("panic", class),
        What::Diverged(divergence) => ("diverged", format!(" from the schedule {divergence}")),
        What::Nondeterministic => {
            ("nondeterministic", ": it did something else than before under the same choices".to_owned())
        }
    };
    writeln!(out, "{}{explained}", styled(style::of(Verdict::Hang), verdict))?;
    if let Some(sentence) = sentence(failure) {
        writeln!(out)?;
        wrap(&sentence, layout.width - 2).iter().try_for_each(|line| writeln!(out, "  {line}"))?;
    }
    let interleaving = failure.interleaving();
    if let Some(interleaving) = interleaving {
        columns::write(out, interleaving, None, layout)?;
    }
    let left = Left {
        calls: &[],
        state: &failure.state,
        chain: failure.diagnosis.as_ref().map(|diagnosis| &diagnosis.chain),
        stacks: interleaving.map_or(&[][..], |told| &told.trace.stacks).into(),
        running: true,
    };
    if left.is_any() {
        let title = if failure.what == What::Deadlock { "Blocked for ever:" } else { "Tasks at the end:" };
        writeln!(out, "\n{}", styled(TITLE, title))?;
        left.write(out, layout)?;
    }
    writeln!(out)?;
    if let Some(Found { seed, index }) = failure.found {
        fact(out, layout, "Found", &format!("by execution {index} of seed {seed}"))?;
    }
    // It is to be copied as it is.
    let schedule = failure.schedule.to_string();
    writeln!(out, "{}{schedule}", styled(TITLE, "Schedule    "))?;
    if failure.found.is_some() {
        let replay = "watchmux::explore::replay(&\"SCHEDULE\".parse().unwrap(), f)";
        write!(out, "{}{replay}", styled(TITLE, "Replay      "))?;
    }
    Ok(())
}

/// What kind of bug it is, if that can be said.
fn class(failure: &Failure) -> Option<Class> {
    match failure.what {
        What::Deadlock => failure.diagnosis.as_ref().map(|diagnosis| diagnosis.class),
        What::Panic => failure.panic().map(class_of_panic).filter(|class| *class != Class::SubjectPanic),
        What::Livelock | What::Diverged(_) | What::Nondeterministic => None,
    }
}

/// What went wrong, in one sentence. Where a task panicked, what it left blocked does not matter.
fn sentence(failure: &Failure) -> Option<String> {
    let panicked = failure.state.tasks.iter().find_map(|task| match &task.status {
        Status::Panicked(message) => Some(format!("`{}` panicked: {message}", task.name)),
        Status::Running | Status::Blocked(_) | Status::Ended => None,
    });
    panicked.or_else(|| failure.diagnosis.as_ref().map(|diagnosis| diagnosis.sentence.clone()))
}
