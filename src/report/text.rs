//! Reports for people, to be read in 80 to 100 columns, with colours or without.

use std::io::{self, Write};

use super::blocked::Left;
use super::style::{self, TITLE, count, many, styled, wrap};
use super::{Layout, calls, columns};
use crate::hunt::{
    Confirmation, Execution, Found, Group, Interleaving, Method, Outcome, Phase, Shrunk, Trial,
};
use crate::oracle::{Finding, Verdict};
use crate::script::{Plan, Script};

/// Where the facts of a finding begin.
const MARGIN: usize = 12;

/// Writes what came of a campaign. `again` is what is to be typed to see a finding again.
///
/// Each finding is replayed once for its interleaving and its stacks.
///
/// # Errors
/// Those of the writer.
pub fn outcome(
    out: &mut dyn Write,
    layout: Layout,
    outcome: &Outcome,
    trial: &Trial,
    again: &dyn Fn(&Group) -> String,
) -> io::Result<()> {
    for group in &outcome.findings {
        let (finding, script, execution) = group.shown();
        let interleaving = trial.shown(script, execution);
        let interleaving = interleaving.as_ref();
        let shown = Shown { subject: &outcome.subject, finding, script, execution, interleaving };
        shown.write(out, layout)?;
        facts(out, layout, outcome, group, trial, again)?;
        writeln!(out)?;
    }
    summary(out, layout, outcome)
}

/// A finding, and what shows it.
pub(super) struct Shown<'a> {
    pub(super) subject: &'a str,
    pub(super) finding: &'a Finding,
    pub(super) script: &'a Script,
    pub(super) execution: &'a Execution,
    /// The same, step by step, if it has a schedule.
    pub(super) interleaving: Option<&'a Interleaving>,
}

impl Shown<'_> {
    /// Writes what it is, the script that shows it, what happened step by step, and who is blocked.
    ///
    /// # Errors
    /// Those of the writer.
    pub(super) fn write(&self, out: &mut dyn Write, layout: Layout) -> io::Result<()> {
        let Shown { subject, finding, script, execution, interleaving } = *self;
        let signature = &finding.signature;
        let verdict = styled(style::of(signature.verdict), signature.verdict.to_string().to_uppercase());
        writeln!(out, "{verdict} in {}: {}\n", styled(TITLE, subject), signature.class)?;
        for line in wrap(&finding.sentence, layout.width - 2) {
            writeln!(out, "  {line}")?;
        }
        writeln!(out, "\n{} ({}):", title("Script"), size(script))?;
        for line in script.to_string().lines() {
            writeln!(out, "  {line}")?;
        }
        if signature.verdict != Verdict::Hang {
            writeln!(out, "\n{}{}:", title("History"), calls::legend(finding))?;
            calls::write(out, execution, finding)?;
        }
        if let Some(interleaving) = interleaving {
            let shown_by = if signature.verdict == Verdict::Hang { None } else { finding.call };
            columns::write(out, interleaving, shown_by, layout)?;
        }
        let left = Left::of(execution, interleaving, finding.chain.as_ref());
        if left.is_any() {
            let heading =
                if signature.verdict == Verdict::Hang { "Blocked for ever:" } else { "Tasks at the end:" };
            writeln!(out, "\n{}", title(heading))?;
            left.write(out, layout)?;
        }
        writeln!(out)
    }
}

/// How a finding was found, shrunk and confirmed, and how to see it again.
fn facts(
    out: &mut dyn Write,
    layout: Layout,
    outcome: &Outcome,
    group: &Group,
    trial: &Trial,
    again: &dyn Fn(&Group) -> String,
) -> io::Result<()> {
    for (name, text) in told(outcome, group, trial) {
        fact(out, layout, name, &text)?;
    }
    if let Some(schedule) = group.shown().2.schedule() {
        fact(out, layout, "Schedule", &schedule.to_string())?;
    }
    fact(out, layout, "Replay", &again(group))
}

/// What there is to say of how a finding was found, shrunk and confirmed, by name.
pub(super) fn told(outcome: &Outcome, group: &Group, trial: &Trial) -> Vec<(&'static str, String)> {
    let Found { engine, run, strategy, script, .. } = &group.found;
    let finding = group.shown().0;
    let broken = format!("{} contract: {}", outcome.contract.name(), finding.clause);
    let times = match group.count {
        1 => String::new(),
        count => format!(", and in {} in all", many(count, "run")),
    };
    let search = outcome.seed.map_or_else(|| "the fuzzer's".to_owned(), |seed| format!("seed {seed}"));
    let found = format!("{}, in run {} of {search}", engine.phrase(), count(run + 1));
    let found = format!("{found} ({strategy}){times}, as {}", size(script));
    let mut told = vec![("Broken", broken), ("Found", found)];
    if let Some(plan) = trial.plan() {
        let (call, event) = match plan {
            Plan::Clone(event) => ("`Clone`", event),
            Plan::Drop(event) => ("`Drop`", event),
        };
        told.insert(
            1,
            ("Planned", format!("in each run, the first {call} of event {event} panics (`panic {plan}`)")),
        );
    }
    if let Some(shrunk) = &group.shrunk {
        told.push(("Shrunk", shrinking(shrunk)));
        let did = if finding.signature.verdict == Verdict::Hang { "hung" } else { "showed it again" };
        let confirmed = |how: &str, confirmation: Option<Confirmation>| {
            let Confirmation { hits, runs } = confirmation.filter(|confirmation| confirmation.runs > 0)?;
            Some(format!("{how}: {} of {} {did}", count(hits), many(runs, "rerun")))
        };
        let steered = confirmed("on OS threads led through its schedule", shrunk.steered);
        let free = confirmed("on free threads", shrunk.confirmation);
        let both: Vec<String> = steered.into_iter().chain(free).collect();
        if !both.is_empty() {
            told.push(("Confirmed", both.join("; ")));
        }
    }
    told
}

fn shrinking(shrunk: &Shrunk) -> String {
    let Shrunk { script, rewritten, method, executions, elapsed, .. } = shrunk;
    let (on, seconds) = (method.engine().phrase(), elapsed.as_secs_f64());
    let took = format!("in {} {on}, {seconds:.1} s", many(*executions, "run"));
    let schedule = match *method {
        Method::Joint { preemptions, fewest, .. } | Method::Schedule { preemptions, fewest } => {
            Some(with_preemptions(preemptions, fewest))
        }
        Method::Sampled { .. } => None,
    };
    let Some(claim) = shrunk.claim() else {
        return format!("its schedule alone, {took}: it has {}", schedule.unwrap_or_default());
    };
    let schedule = schedule.map(|schedule| format!("; its schedule has {schedule}")).unwrap_or_default();
    let rewritten = if *rewritten { "; what the wind-down did are ops now" } else { "" };
    format!("to {} {took}: {claim}{schedule}{rewritten}", size(script))
}

/// What is claimed about the schedule.
fn with_preemptions(preemptions: u32, fewest: bool) -> String {
    let claim = match (preemptions, fewest) {
        (0, _) => "",
        (_, true) => ", and none with fewer shows it",
        (_, false) => ", the fewest that were found",
    };
    format!("{}{claim}", many(preemptions.into(), "preemption"))
}

/// Writes the last lines about a subject: the verdict, and what was done.
fn summary(out: &mut dyn Write, layout: Layout, outcome: &Outcome) -> io::Result<()> {
    let verdict = outcome.verdict();
    let phases: Vec<String> = outcome.phases.iter().map(phase).collect();
    let mut text = phases.join(", ");
    // Where a script was only run again, this is not counted.
    if outcome.interleavings() > 0 {
        let interleavings = many(outcome.interleavings(), "distinct interleaving");
        let (points, rate) = (outcome.sync_points_per_run(), count(outcome.sync_points_per_second() as u64));
        text += &format!(", {interleavings}, {points:.1} sync points a run ({rate}/s)");
    }
    if outcome.findings.len() > 1 {
        text += &format!(", {} signatures", outcome.findings.len());
    }
    if outcome.inconclusive() > 0 {
        text += &format!(", {} inconclusive", count(outcome.inconclusive()));
    }
    if outcome.forgotten() > 0 {
        text += &format!(", {} forgotten", many(outcome.forgotten(), "task"));
    }
    if outcome.interrupted {
        text += ", interrupted";
    }
    let subject = styled(TITLE, &outcome.subject);
    let verdict = styled(style::of(verdict), verdict);
    let seed = outcome.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    writeln!(out, "{subject}: {verdict}, {} contract{seed}", outcome.contract.name())?;
    wrap(&text, layout.width - 2).iter().try_for_each(|line| writeln!(out, "  {line}"))
}

/// `12,345 runs on fibers in 1.0 s (12,345/s)`
fn phase(phase: &Phase) -> String {
    let Phase { engine, runs, elapsed, .. } = *phase;
    let seconds = elapsed.as_secs_f64();
    let rate = count((runs as f64 / seconds.max(f64::MIN_POSITIVE)) as u64);
    format!("{} {} in {seconds:.1} s ({rate}/s)", many(runs, "run"), engine.phrase())
}

fn title(text: &str) -> impl std::fmt::Display {
    styled(TITLE, text.to_owned())
}

/// `3 ops, 1 lane`
fn size(script: &Script) -> String {
    format!("{}, {}", many(script.ops() as u64, "op"), many(script.lanes.len() as u64, "lane"))
}

/// A name, and what is so called, beside it.
pub(super) fn fact(out: &mut dyn Write, layout: Layout, name: &str, text: &str) -> io::Result<()> {
    for (index, line) in wrap(text, layout.width - MARGIN).iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        writeln!(out, "{}{line}", styled(TITLE, format!("{name:MARGIN$}")))?;
    }
    Ok(())
}
