use std::io::{self, Write};

use super::style::{self, count, many, styled};
use super::{Layout, text};
use crate::engine::Divergence;
use crate::hunt::replay::Followed;
use crate::hunt::{Found, Interleaving, Phase};
use crate::oracle::Verdict;
use crate::script::ContractKind;

/// What there is to say of one file and one subject, when it was replayed.
pub struct Checked<'a> {
    /// The file.
    pub file: &'a str,
    /// The subject's name.
    pub subject: &'a str,
    /// Which contract it was judged by.
    pub contract: ContractKind,
    /// The verdict it must have, if that is known.
    pub expected: Option<Verdict>,
    /// The verdict it has.
    pub verdict: Verdict,
    /// What each engine did that ran it.
    pub phases: &'a [Phase],
    /// What became of its schedule.
    pub schedule: &'a Followed,
    /// What was found, if anything.
    pub found: Option<&'a Found>,
    /// The same, step by step, if it has a schedule.
    pub interleaving: Option<&'a Interleaving>,
}

impl Checked<'_> {
    /// Whether the verdict is not another than expected.
    pub fn is_as_expected(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.verdict)
    }

    /// Where its schedule does not fit, if it does not.
    pub fn divergence(&self) -> Option<&Divergence> {
        match self.schedule {
            Followed::Diverged(divergence) => Some(divergence),
            Followed::Absent | Followed::Unused | Followed::Choices | Followed::Fits | Followed::Led => None,
        }
    }

    /// Writes what came of a replay: a line, and the finding unless it was expected.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write, layout: Layout) -> io::Result<()> {
        let Checked { file, subject, contract, expected, verdict, found, interleaving, .. } = self;
        if let Some(Found { finding, script, execution, .. }) = found.filter(|_| *expected != Some(*verdict))
        {
            text::Shown { subject, finding, script, execution, interleaving: *interleaving }
                .write(out, layout)?;
            text::fact(
                out,
                layout,
                "Broken",
                &format!("{} contract: {}\n", contract.name(), finding.clause),
            )?;
        }
        let comparison = match expected {
            None => String::new(),
            Some(_) if self.is_as_expected() => ", as expected".to_owned(),
            Some(expected) => {
                format!(", {}", styled(style::of(Verdict::Hang), format!("expected {expected}")))
            }
        };
        let verdict = styled(style::of(*verdict), verdict);
        let how = self.how();
        writeln!(out, "{file}: {subject} {} {verdict} {how}{comparison}{}", contract.name(), self.note())
    }

    /// How the verdict was reached.
    fn how(&self) -> String {
        if *self.schedule == Followed::Fits {
            return "by its schedule".to_owned();
        }
        if let (Followed::Led, [phase]) = (self.schedule, self.phases) {
            let times = if phase.runs > 1 { format!(", {} times", count(phase.runs)) } else { String::new() };
            return format!("by its schedule, on OS threads{times}");
        }
        if *self.schedule == Followed::Choices {
            return "by its choices".to_owned();
        }
        if self.verdict == Verdict::Diverged {
            return self.divergence().map(ToString::to_string).unwrap_or_default();
        }
        match (self.found, self.phases) {
            (Some(_), [.., Phase { engine, runs, .. }]) => {
                format!("in run {} {}", count(*runs), engine.phrase())
            }
            (_, phases) => {
                let of = |phase: &Phase| format!("{} {}", many(phase.runs, "run"), phase.engine.phrase());
                format!("in {}", phases.iter().map(of).collect::<Vec<_>>().join(" and "))
            }
        }
    }

    /// What else there is to say of its schedule.
    fn note(&self) -> String {
        match self.schedule {
            Followed::Unused => " (its schedule is not used on free threads)".to_owned(),
            Followed::Diverged(divergence) if self.verdict != Verdict::Diverged => {
                format!(" (explored, for its schedule does not fit: {divergence})")
            }
            _ => String::new(),
        }
    }
}
