use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::hunt::{Budget, Campaign, EngineKind, Engines, Jobs, Progress};
use crate::oracle::Signature;

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// How wide the bar is, in characters.
const WIDTH: u64 = 20;

/// Tells on stderr what begins: a line; and on a terminal how far it is, until this is dropped.
pub(super) struct Reporter {
    bar: ProgressBar,
}

impl Reporter {
    pub(super) fn start(campaign: &Campaign, jobs: Jobs, progress: &Arc<Progress>) -> Reporter {
        let Campaign { trial, engines, budget, seed, .. } = campaign;
        let (subject, contract) = (trial.subject().name(), trial.kind.name());
        let budget_text = describe(budget);
        // What cannot be told on stderr is in the result as well.
        let _ = writeln!(
            io::stderr(),
            "hunting {subject}, {contract} contract, seed {seed}, {budget_text}, {}",
            workers(*engines, jobs)
        );
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style(*budget, Arc::clone(progress)));
        bar.enable_steady_tick(TICK);
        Reporter { bar }
    }

    /// Tells that something was found, and where it is while it is shrunk.
    pub(super) fn found(&self, signature: &Signature, file: &Path) {
        let Signature { verdict, class, .. } = signature;
        let line = format!("found a {verdict}, {class}; it is in {}", file.display());
        // What cannot be told on stderr is in the result as well.
        self.bar.suspend(|| _ = writeln!(io::stderr(), "{line}"));
    }

    /// Tells what is done now, in place of the numbers.
    pub(super) fn shrinking(&self) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} shrinking, {elapsed}") {
            self.bar.set_style(style);
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `2 on fibers, then 8 on free threads`, at a time
fn workers(engines: Engines, jobs: Jobs) -> String {
    let of = |engine: &EngineKind| format!("{} {}", jobs.on(*engine), engine.phrase());
    let parts: Vec<String> = engines.kinds().iter().map(of).collect();
    format!("jobs {}", parts.join(", then "))
}

fn describe(budget: &Budget) -> String {
    let time = budget.time.map(|time| format!("{} s", time.as_secs_f64()));
    let runs = budget.runs.map(|runs| format!("{runs} runs"));
    let parts: Vec<String> = time.into_iter().chain(runs).collect();
    parts.join(" or ")
}

fn style(budget: Budget, progress: Arc<Progress>) -> ProgressStyle {
    let line = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A terminal that cannot be written to has nobody to be told.
        let _ = out.write_str(&line(&budget, &progress, state.elapsed()));
    };
    let style =
        ProgressStyle::with_template("{spinner} {line}").unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("line", line)
}

/// `[=====>      ] 12,345 runs, 4,321/s, 1,234 distinct interleavings, 7 s left`
fn line(budget: &Budget, progress: &Progress, elapsed: Duration) -> String {
    let runs = progress.runs();
    let seconds = elapsed.as_secs_f64();
    let rate = runs as f64 / seconds.max(0.001);
    let of_time = budget.time.map(|time| seconds / time.as_secs_f64());
    let of_runs = budget.runs.map(|most| runs as f64 / most as f64);
    let done = of_time.into_iter().chain(of_runs).fold(0.0, f64::max).min(1.0);
    let left = if done > 0.0 { seconds / done - seconds } else { 0.0 };
    let full = (done * WIDTH as f64) as usize;
    let bar = "=".repeat(full) + &" ".repeat(WIDTH as usize - full);
    let interleavings = progress.interleavings();
    format!("[{bar}] {runs} runs, {rate:.0}/s, {interleavings} distinct interleavings, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_what_is_done() {
        let budget = Budget { time: Some(Duration::from_secs(10)), runs: None };
        assert_eq!(
            line(&budget, &Progress::default(), Duration::from_secs(4)),
            "[========            ] 0 runs, 0/s, 0 distinct interleavings, 6 s left"
        );
    }
}
