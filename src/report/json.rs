//! Reports for programs: one object a line, as [`SCHEMA`] describes them.

use std::io::{self, Write};

use serde::Serialize;

use super::checked::Checked;
use crate::hunt::replay::Followed;
use crate::hunt::{self, Extent, Group, Method, Outcome, Phase, Trial};
use crate::script::Script;

mod told;

use told::Told;

/// What the lines are like: a JSON Schema (2020-12). A line's `version` is the schema's; it rises when a field is removed or
/// means something else, and not when one is added.
pub const SCHEMA: &str = include_str!("json/schema.json");

/// The version of [`SCHEMA`].
pub const VERSION: u32 = 1;

/// What came of a campaign: a subject's line.
#[derive(Serialize)]
struct Subject<'a> {
    version: u32,
    subject: &'a str,
    contract: &'static str,
    verdict: &'static str,
    #[serde(flatten)]
    finding: Finding,
    runs: u64,
    runs_per_second: f64,
    engines: Vec<Engine>,
    interleavings: u64,
    sync_points_per_run: f64,
    sync_points_per_second: f64,
    inconclusive: u64,
    forgotten: u64,
    interrupted: bool,
    seconds: f64,
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<Listed>>,
}

/// What one engine did.
#[derive(Serialize)]
struct Engine {
    engine: &'static str,
    runs: u64,
    sync_points: u64,
    seconds: f64,
}

/// What was found; `null` in each where nothing was.
#[derive(Default, Serialize)]
struct Finding {
    class: Option<&'static str>,
    op: Option<&'static str>,
    shape: Option<String>,
    wind_down: Option<bool>,
    sentence: Option<String>,
    clause: Option<String>,
    panic: Option<String>,
    script: Option<String>,
    schedule: Option<String>,
    ops: Option<usize>,
    lanes: Option<usize>,
    engine: Option<&'static str>,
    strategy: Option<String>,
    shrunk: Option<Shrunk>,
    saved: Option<String>,
    told: Option<Told>,
}

/// How the script was made small.
#[derive(Serialize)]
struct Shrunk {
    minimal: bool,
    candidates: u64,
    executions: u64,
    engine: &'static str,
    /// Whether only the schedule was made simpler.
    schedule_alone: bool,
    /// How far the scripts with one op less were explored: `all` schedules, those of up to so many preemptions, or so
    /// many schedules or reruns.
    explored: Option<String>,
    preemptions: Option<u32>,
    fewest_preemptions: Option<bool>,
    seconds: f64,
    /// Reruns on free threads, and reruns led through the schedule.
    confirmed: Option<u64>,
    confirmed_of: Option<u64>,
    steered: Option<u64>,
    steered_of: Option<u64>,
}

/// One of `findings`.
#[derive(Serialize)]
struct Listed {
    verdict: &'static str,
    count: u64,
    first_run: u64,
    #[serde(flatten)]
    finding: Finding,
}

/// Writes what came of a campaign, with a list of its findings if it was to keep going. Each is replayed once for what
/// happened in it to be told.
///
/// # Errors
/// Those of the writer.
pub fn outcome(out: &mut dyn Write, outcome: &Outcome, trial: &Trial, keep_going: bool) -> io::Result<()> {
    let listed = || outcome.findings.iter().map(|group| listed(group, trial)).collect();
    let object = Subject {
        version: VERSION,
        subject: &outcome.subject,
        contract: outcome.contract.name(),
        verdict: outcome.verdict().name(),
        finding: outcome.findings.first().map(|group| finding(group, trial)).unwrap_or_default(),
        runs: outcome.runs(),
        runs_per_second: outcome.runs_per_second(),
        engines: outcome.phases.iter().map(engine).collect(),
        interleavings: outcome.interleavings(),
        sync_points_per_run: outcome.sync_points_per_run(),
        sync_points_per_second: outcome.sync_points_per_second(),
        inconclusive: outcome.inconclusive(),
        forgotten: outcome.forgotten(),
        interrupted: outcome.interrupted,
        seconds: outcome.elapsed().as_secs_f64(),
        seed: outcome.seed,
        findings: keep_going.then(listed),
    };
    line(out, &object)
}

fn engine(phase: &Phase) -> Engine {
    let Phase { engine, runs, sync_points, elapsed, .. } = *phase;
    Engine { engine: engine.name(), runs, sync_points, seconds: elapsed.as_secs_f64() }
}

fn listed(group: &Group, trial: &Trial) -> Listed {
    let verdict = group.found.finding.signature.verdict.name();
    Listed { verdict, count: group.count, first_run: group.found.run, finding: finding(group, trial) }
}

fn finding(group: &Group, trial: &Trial) -> Finding {
    let (finding, script, execution) = group.shown();
    let interleaving = trial.shown(script, execution);
    let signature = &finding.signature;
    Finding {
        class: Some(signature.class.name()),
        op: signature.op.map(|op| op.name()),
        shape: Some(signature.shape.clone()),
        wind_down: Some(signature.wind_down),
        sentence: Some(finding.sentence.clone()),
        clause: Some(finding.clause.clone()),
        panic: trial.plan().map(|plan| plan.to_string()),
        script: Some(script.to_string()),
        schedule: execution.schedule().map(|schedule| schedule.to_string()),
        ops: Some(script.ops()),
        lanes: Some(script.lanes.len()),
        engine: Some(group.found.engine.name()),
        strategy: Some(group.found.strategy.clone()),
        shrunk: group.shrunk.as_ref().map(shrunk),
        saved: group.saved.as_ref().map(|path| path.display().to_string()),
        told: Some(Told::of(finding, execution, interleaving.as_ref())),
    }
}

fn shrunk(shrunk: &hunt::Shrunk) -> Shrunk {
    let (explored, preemptions, fewest_preemptions) = match shrunk.method {
        Method::Joint { removals, preemptions, fewest } => {
            let explored = match removals {
                Extent::All => "all schedules".to_owned(),
                Extent::Preemptions(most) => format!("up to {most} preemptions"),
                Extent::Schedules(count) => format!("{count} schedules"),
            };
            (Some(explored), Some(preemptions), Some(fewest))
        }
        Method::Schedule { preemptions, fewest } => (None, Some(preemptions), Some(fewest)),
        Method::Sampled { reruns, .. } => (Some(format!("{reruns} reruns")), None, None),
    };
    Shrunk {
        minimal: shrunk.minimal,
        candidates: shrunk.candidates,
        executions: shrunk.executions,
        engine: shrunk.method.engine().name(),
        schedule_alone: matches!(shrunk.method, Method::Schedule { .. }),
        explored,
        preemptions,
        fewest_preemptions,
        seconds: shrunk.elapsed.as_secs_f64(),
        confirmed: shrunk.confirmation.map(|confirmation| confirmation.hits),
        confirmed_of: shrunk.confirmation.map(|confirmation| confirmation.runs),
        steered: shrunk.steered.map(|confirmation| confirmation.hits),
        steered_of: shrunk.steered.map(|confirmation| confirmation.runs),
    }
}

/// What came of a replay: a line for each file, subject and contract.
#[derive(Serialize)]
struct Entry<'a> {
    version: u32,
    file: &'a str,
    subject: &'a str,
    contract: &'static str,
    expected: Option<&'static str>,
    verdict: &'static str,
    as_expected: bool,
    class: Option<&'static str>,
    sentence: Option<&'a str>,
    script: String,
    ops: usize,
    lanes: usize,
    runs: u64,
    engine: Option<&'static str>,
    schedule: &'static str,
    divergence: Option<String>,
    seed: u64,
    told: Option<Told>,
}

/// Writes what came of a replay of this script, with the seed of its noise.
///
/// # Errors
/// Those of the writer.
pub fn checked(out: &mut dyn Write, checked: &Checked<'_>, script: &Script, seed: u64) -> io::Result<()> {
    let finding = checked.found.map(|found| &found.finding);
    let told = checked.found.filter(|_| !checked.is_as_expected() || checked.expected.is_none());
    let object = Entry {
        version: VERSION,
        file: checked.file,
        subject: checked.subject,
        contract: checked.contract.name(),
        expected: checked.expected.map(|verdict| verdict.name()),
        verdict: checked.verdict.name(),
        as_expected: checked.is_as_expected(),
        class: finding.map(|finding| finding.signature.class.name()),
        sentence: finding.map(|finding| finding.sentence.as_str()),
        script: script.to_string(),
        ops: script.ops(),
        lanes: script.lanes.len(),
        runs: checked.phases.iter().map(|phase| phase.runs).sum(),
        engine: checked.phases.last().map(|phase| phase.engine.name()),
        schedule: match checked.schedule {
            Followed::Absent => "absent",
            Followed::Unused => "unused",
            Followed::Choices => "choices",
            Followed::Fits => "fits",
            Followed::Led => "led",
            Followed::Diverged(_) => "diverged",
        },
        divergence: checked.divergence().map(ToString::to_string),
        seed,
        told: told.map(|found| Told::of(&found.finding, &found.execution, checked.interleaving)),
    };
    line(out, &object)
}

fn line(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)
}
