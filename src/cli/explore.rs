use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Explore;
use super::{Command, Exit, Failure, Output, subjects};
use crate::engine::Shared;
use crate::hunt::exploration::{Checkpoint, Count, Exploration, Explored, Progress, Shown};
use crate::hunt::{Effort, Jobs, Trial, corpus};
use crate::script::enumerate::Bounds;
use crate::script::{Entry, Expect};

/// How wide the bar is, in characters.
const WIDTH: usize = 20;

/// How much time one execution on free threads may take: there is none.
const DEADLINE: Duration = Duration::from_secs(1);

impl Command<'_> {
    /// Explores all scripts up to a size, and prints what was found, and what that covers.
    pub(super) fn explore(&self, options: &Explore, out: &mut Output) -> Result<Exit, Failure> {
        let names: Vec<String> = options.subject.iter().cloned().collect();
        let found = match names.as_slice() {
            [] => self.subjects.first().cloned(),
            names => subjects::find(self.subjects, names)?.into_iter().next(),
        };
        let subject = found.ok_or_else(|| Failure::Usage("there is no subject to explore".to_owned()))?;
        if subject.is_black_box() {
            let name = subject.name();
            return Err(Failure::Usage(format!(
                "--subject: read `{name}`, expected one over `sync`: it is a black box, whose schedules nobody can lead"
            )));
        }
        let trial = Trial::new(subject, options.contract, DEADLINE);
        let bounds = Bounds { ops: options.ops as usize, lanes: options.lanes as usize };
        let exploration = Arc::new(Exploration::new(trial, bounds, options.preemptions));
        let from = match options.resume.as_deref() {
            Some(file) if file.exists() => read(&exploration, file)?,
            _ => Checkpoint::default(),
        };
        if let Some(file) = options.resume.as_deref() {
            // What cannot be kept is not begun.
            keep(&exploration, &from, file).map_err(|error| cannot_keep(file, error))?;
        }
        let progress = Arc::new(Progress::new(&exploration, &from));
        let bar = bar(exploration.scripts(), &progress);
        let failure: Shared<Option<Failure>> = Shared::new(None);
        let keep = |checkpoint: &Checkpoint| {
            if let Some(file) = options.resume.as_deref()
                && let Err(error) = keep(&exploration, checkpoint, file)
            {
                failure.with(|failure| _ = failure.get_or_insert(cannot_keep(file, error)));
            }
        };
        let news = |shown: &Shown| {
            let script = shown.script.to_string().replace('\n', "\n  ");
            bar.suspend(|| {
                // What cannot be told on stderr is in the result as well.
                _ = writeln!(io::stderr(), "found: {}\n  {script}", shown.finding.sentence);
            });
        };
        let jobs = options.jobs.map_or_else(super::args::cores, |jobs| jobs as usize);
        let effort = Effort { jobs: Jobs::each(jobs), time: None, stop: self.stop };
        let explored = exploration.run(effort, from, &progress, &news, &keep);
        bar.finish_and_clear();
        out.write(|out| report(out, &explored))?;
        failure.into_inner().map_or(Ok(()), Err)?;
        if self.stop.load(Ordering::Relaxed) && explored.findings.is_empty() {
            return Ok(Exit::Inconclusive);
        }
        Ok(explored.verdict().into())
    }
}

fn cannot_keep(file: &Path, error: io::Error) -> Failure {
    Failure::tool(&format!("cannot save {}", file.display()), error)
}

fn read(exploration: &Exploration, file: &Path) -> Result<Checkpoint, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("{name}: cannot be read: {error}")))?;
    Checkpoint::parse(exploration, &text).map_err(|unfit| Failure::Usage(format!("{name}:{unfit}")))
}

/// Writes the file whole or not at all.
fn keep(exploration: &Exploration, checkpoint: &Checkpoint, file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    corpus::write(folder, &name, checkpoint.text(exploration).as_bytes()).map(|_| ())
}

/// Tells on stderr how far it is, on a terminal.
fn bar(scripts: u64, progress: &Arc<Progress>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let progress = Arc::clone(progress);
    let line = move |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
        // A terminal that cannot be written to has nobody to be told.
        let _ = out.write_str(&line(scripts, &progress, state.elapsed()));
    };
    let style =
        ProgressStyle::with_template("{spinner} {line}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("line", line));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// `[====    ] 21 %, 1262 of 4722 scripts, 33611 executions, about 5 s left`, of what was done since it was begun or taken
/// up again.
fn line(of: u64, progress: &Progress, elapsed: Duration) -> String {
    let ((scripts, executions), left) = (progress.total(), progress.left());
    let share = executions as f64 / (executions as f64 + left).max(1.0);
    let full = (share * WIDTH as f64) as usize;
    let bar = "=".repeat(full) + &" ".repeat(WIDTH - full);
    let rate = progress.since() as f64 / elapsed.as_secs_f64().max(0.001);
    let left =
        if rate > 0.0 { format!("about {:.0} s left", (left / rate).ceil()) } else { "…".to_owned() };
    format!("[{bar}] {:.0} %, {scripts} of {of} scripts, {executions} executions, {left}", share * 100.0)
}

fn report(out: &mut dyn Write, explored: &Explored) -> io::Result<()> {
    let Explored { subject, contract, scripts, count, elapsed, findings, .. } = explored;
    for shown in findings {
        let Shown { script, finding, execution, .. } = shown;
        let verdict = finding.signature.verdict;
        let entry = Entry {
            header: vec![format!("{verdict}, {}", finding.signature.class), finding.sentence.clone()],
            subject: Some(subject.clone()),
            panic: None,
            script: script.clone(),
            schedule: execution.schedule(),
            expects: vec![Expect { subject: subject.clone(), contract: *contract, verdict }],
        };
        writeln!(out, "{entry}")?;
    }
    let Count { scripts: done, executions, inconclusive, .. } = count;
    let found = match findings.len() {
        0 => "no finding".to_owned(),
        1 => "1 finding".to_owned(),
        several => format!("{several} findings"),
    };
    writeln!(
        out,
        "{done} scripts, {executions} executions, {found} in {subject} ({} contract, {:.1} s)",
        contract.name(),
        elapsed.as_secs_f64()
    )?;
    writeln!(out, "{}", covers(explored))?;
    if done < scripts {
        writeln!(out, "Not covered: {} of {scripts} scripts, for it was told to end.", scripts - done)?;
    }
    if *inconclusive > 0 {
        writeln!(out, "Nothing could be concluded in {inconclusive} executions.")?;
    }
    Ok(())
}

/// What was explored, in words.
fn covers(explored: &Explored) -> String {
    let Explored { bounds, preemptions, ops, configs, count, .. } = explored;
    let ops: Vec<&str> = ops.iter().map(|op| op.name()).collect();
    let ops = match ops.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => ops.concat(),
    };
    let configs: Vec<String> = configs.iter().map(|config| format!("`{config}`")).collect();
    let schedules = match preemptions {
        Some(bound) if count.left_out > 0 => format!("every schedule with up to {bound} preemptions"),
        _ => "every schedule, up to the order of steps that commute".to_owned(),
    };
    format!(
        "Covers: every script of up to {} ops in up to {} lanes of {ops}, up to the names of slots and the order of lanes, \
         under {}; of each, {schedules}. Memory is sequentially consistent. {} more executions turned out to repeat others.",
        bounds.ops,
        bounds.lanes,
        configs.join(" and "),
        count.redundant
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_what_is_done_since_it_was_taken_up() {
        let trial = Trial::new(crate::subject::all().remove(0), crate::script::ContractKind::Own, DEADLINE);
        let exploration = Exploration::new(trial, Bounds { ops: 1, lanes: 1 }, None);
        let progress = Progress::new(&exploration, &Checkpoint::default());
        let of = exploration.scripts();
        assert_eq!(
            line(of, &progress, Duration::ZERO),
            format!("[                    ] 0 %, 0 of {of} scripts, 0 executions, …")
        );
        exploration.run(
            Effort { jobs: Jobs::each(1), time: None, stop: &false.into() },
            Checkpoint::default(),
            &progress,
            &|_| (),
            &|_| (),
        );
        let executions = progress.since();
        assert_eq!(
            line(of, &progress, Duration::from_secs(2)),
            format!(
                "[====================] 100 %, {of} of {of} scripts, {executions} executions, about 0 s left"
            )
        );
    }
}
