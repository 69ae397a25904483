//! Reports for people, to be read in 100 columns.

use std::io::{self, Write};

use super::style::{self, TITLE, count, many, styled, wrap};
use super::{blocked, calls};
use crate::hunt::{Execution, Found, Group, Outcome, Shrunk};
use crate::oracle::{Finding, Verdict};
use crate::script::{ContractKind, Script};

/// How wide a line may be.
const WIDTH: usize = 96;

/// Where the facts of a finding begin.
const MARGIN: usize = 12;

/// Writes what came of a campaign. `program` is the command's name, for what is to be typed.
///
/// # Errors
/// Those of the writer.
pub fn outcome(out: &mut dyn Write, outcome: &Outcome, program: &str) -> io::Result<()> {
    for group in &outcome.findings {
        let (finding, script, execution) = shown(group);
        self::finding(out, &outcome.subject, finding, script, execution)?;
        facts(out, outcome, group, program)?;
        writeln!(out)?;
    }
    summary(out, outcome)
}

/// What a group is shown by: what it was shrunk to, if it was.
pub(super) fn shown(group: &Group) -> (&Finding, &Script, &Execution) {
    match &group.shrunk {
        Some(shrunk) => (&shrunk.finding, &shrunk.script, &shrunk.execution),
        None => (&group.found.finding, &group.found.script, &group.found.execution),
    }
}

/// Writes a finding: what it is, the script that shows it, and who is blocked, or what happened.
///
/// # Errors
/// Those of the writer.
pub fn finding(
    out: &mut dyn Write,
    subject: &str,
    finding: &Finding,
    script: &Script,
    execution: &Execution,
) -> io::Result<()> {
    let signature = &finding.signature;
    let verdict = styled(style::of(signature.verdict), signature.verdict.to_string().to_uppercase());
    writeln!(out, "{verdict} in {}: {}\n", styled(TITLE, subject), signature.class)?;
    for line in wrap(&finding.sentence, WIDTH - 2) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "\n{}", title(&format!("Script ({}):", size(script))))?;
    for line in script.to_string().lines() {
        writeln!(out, "  {line}")?;
    }
    if signature.verdict != Verdict::Hang {
        writeln!(out, "\n{}", title("Calls and returns, in order:"))?;
        calls::write(out, execution)?;
    }
    if blocked::is_any(&execution.run.state) {
        let heading =
            if signature.verdict == Verdict::Hang { "Blocked for ever:" } else { "Tasks at the end:" };
        writeln!(out, "\n{}", title(heading))?;
        blocked::write(out, execution)?;
    }
    writeln!(out)
}

/// How a finding was found, shrunk and confirmed, and how to see it again.
fn facts(out: &mut dyn Write, outcome: &Outcome, group: &Group, program: &str) -> io::Result<()> {
    let Outcome { subject, contract, seed, .. } = outcome;
    let Found { run, script, .. } = &group.found;
    let (finding, ..) = shown(group);
    let kind = contract.name();
    fact(out, "Broken", &format!("{kind} contract: {}", finding.clause))?;
    let times = match group.count {
        1 => String::new(),
        count => format!(", and in {} in all", many(count, "run")),
    };
    fact(out, "Found", &format!("in run {} of seed {seed}{times}, as {}", count(run + 1), size(script)))?;
    if let Some(shrunk) = &group.shrunk {
        fact(out, "Shrunk", &shrinking(shrunk))?;
        let (hits, runs) = (shrunk.confirmation.hits, shrunk.confirmation.runs);
        if runs > 0 {
            let did = if finding.signature.verdict == Verdict::Hang { "hung" } else { "showed it again" };
            fact(out, "Confirmed", &format!("{} of {} {did}", count(hits), many(runs, "rerun")))?;
        }
    }
    let again = match &group.saved {
        Some(path) => format!("{program} replay {}", path.display()),
        None => {
            // Free threads need not do the same again, so it is not told where to end.
            let keep_going = if outcome.findings.len() > 1 { " --keep-going" } else { "" };
            let hunt = format!("hunt --subject {subject} --contract {kind} --seed {seed}");
            format!("{program} {hunt}{keep_going} --save findings")
        }
    };
    fact(out, "Replay", &again)
}

fn shrinking(shrunk: &Shrunk) -> String {
    let Shrunk { script, candidates, reruns, capped, minimal, rewritten, .. } = shrunk;
    let claim = match (minimal, capped) {
        (true, false) => format!("no op can be removed ({} of each candidate)", many(*reruns, "rerun")),
        (true, true) => {
            format!("with an op less, not in {} (it shows too rarely to say more)", many(*reruns, "rerun"))
        }
        (false, _) => format!("time was up after {}", many(*candidates, "candidate")),
    };
    let rewritten = if *rewritten { "; what the wind-down did are ops now" } else { "" };
    format!("to {} in {:.1} s: {claim}{rewritten}", size(script), shrunk.elapsed.as_secs_f64())
}

/// Writes the last lines about a subject: the verdict, and what was done.
fn summary(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let verdict = outcome.verdict();
    let mut text = format!(
        "{} in {:.1} s ({}/s), {}, {:.0} sync points a run",
        many(outcome.runs, "run"),
        outcome.elapsed.as_secs_f64(),
        count(outcome.runs_per_second as u64),
        many(outcome.interleavings, "distinct interleaving"),
        outcome.sync_points_per_run,
    );
    if outcome.findings.len() > 1 {
        text += &format!(", {} signatures", outcome.findings.len());
    }
    if outcome.inconclusive > 0 {
        text += &format!(", {} inconclusive", count(outcome.inconclusive));
    }
    if outcome.interrupted {
        text += ", interrupted";
    }
    let subject = styled(TITLE, &outcome.subject);
    let verdict = styled(style::of(verdict), verdict);
    writeln!(out, "{subject}: {verdict}, {} contract, seed {}", outcome.contract.name(), outcome.seed)?;
    wrap(&text, WIDTH - 2).iter().try_for_each(|line| writeln!(out, "  {line}"))
}

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
    /// How many runs that took.
    pub runs: u64,
    /// Whether the file has a schedule, which free threads do not follow.
    pub has_schedule: bool,
    /// What was found, if anything.
    pub found: Option<&'a Found>,
}

impl Checked<'_> {
    /// Whether the verdict is not another than expected.
    pub fn is_as_expected(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.verdict)
    }
}

/// Writes what came of a replay: a line, and the finding unless it was expected.
///
/// # Errors
/// Those of the writer.
pub fn checked(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let Checked { file, subject, contract, expected, verdict, runs, has_schedule, found } = checked;
    if let Some(found) = found.filter(|_| *expected != Some(*verdict)) {
        finding(out, subject, &found.finding, &found.script, &found.execution)?;
        fact(out, "Broken", &format!("{} contract: {}\n", contract.name(), found.finding.clause))?;
    }
    let runs = match verdict {
        Verdict::Hang | Verdict::Violation | Verdict::Panic => format!("in run {}", count(*runs)),
        _ => format!("in {}", many(*runs, "run")),
    };
    let verdict = styled(style::of(*verdict), verdict);
    let comparison = match expected {
        None => String::new(),
        Some(_) if checked.is_as_expected() => ", as expected".to_owned(),
        Some(expected) => format!(", {}", styled(style::of(Verdict::Hang), format!("expected {expected}"))),
    };
    let schedule = if *has_schedule { " (its schedule is not used on free threads)" } else { "" };
    writeln!(out, "{file}: {subject} {} {verdict} {runs}{comparison}{schedule}", contract.name())
}

fn title(text: &str) -> impl std::fmt::Display {
    styled(TITLE, text.to_owned())
}

/// `3 ops, 1 lane`
fn size(script: &Script) -> String {
    format!("{}, {}", many(script.ops() as u64, "op"), many(script.lanes.len() as u64, "lane"))
}

/// A name, and what is so called, beside it.
fn fact(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    for (index, line) in wrap(text, WIDTH - MARGIN).iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        writeln!(out, "{}{line}", styled(TITLE, format!("{name:MARGIN$}")))?;
    }
    Ok(())
}
