//! A hunt of all subjects, against what is known of them.

use std::sync::Arc;
use std::time::Duration;

use super::args::{Format, Hunt};
use super::hunt::Keeper;
use super::progress::Reporter;
use super::{Command, Exit, Failure, Output, Panic, trial};
use crate::engine::Shared;
use crate::hunt::{Budget, Campaign, Effort, Engines, Group, Outcome, Progress, Survey, Trial};
use crate::report::{json, matrix, text};
use crate::script::ContractKind;
use crate::subject::Bug;

/// How long each subject is searched under each contract, if it is not told.
const TIME: Duration = Duration::from_secs(4);

impl Command<'_> {
    /// Whether what is hunted is known to have bugs, so that what is found is to be compared with that.
    pub(super) fn is_survey(&self, options: &Hunt) -> bool {
        let is_all = options.subjects.iter().any(|name| name == super::subjects::ALL);
        is_all && self.subjects.iter().any(|subject| !subject.bugs().is_empty())
    }

    /// Searches all subjects under each contract, and prints what was expected and what was found. What was not expected is
    /// shrunk and reported.
    pub(super) fn survey(&self, options: &Hunt, seed: u64, out: &mut Output) -> Result<Exit, Failure> {
        let all: Vec<&'static Bug> = self.subjects.iter().flat_map(|subject| subject.bugs()).collect();
        let mut surveys = Vec::new();
        let mut unexpected = Vec::new();
        let contracts = options.common.contract.map_or(ContractKind::ALL.to_vec(), |kind| vec![kind]);
        let common = &options.common;
        let asked =
            contracts.iter().flat_map(|contract| self.subjects.iter().map(|subject| (*contract, subject)));
        let trials: Vec<Trial> = asked
            .map(|(contract, subject)| {
                let trial = trial(Arc::clone(subject), contract, common.deadline, Panic::asked(common))?;
                Ok(trial.confirming(options.confirm))
            })
            .collect::<Result<_, Failure>>()?;
        for trial in trials {
            let (survey, outcome, saved) = self.survey_one(options, &trial, seed, &all);
            if options.common.format == Format::Json {
                out.write(|out| {
                    matrix::json(out, &survey)?;
                    if outcome.findings.is_empty() {
                        Ok(())
                    } else {
                        json::outcome(out, &outcome, &trial, true)
                    }
                })?;
            }
            saved?;
            surveys.push(survey);
            let interrupted = outcome.interrupted;
            unexpected.push((trial, outcome));
            if interrupted {
                break;
            }
        }
        let mut exit = Exit::Pass;
        for (trial, outcome) in &unexpected {
            exit = exit.and(outcome.verdict().into());
            if options.common.format == Format::Text && !outcome.findings.is_empty() {
                let layout = out.layout();
                let again = |group: &Group| self.again(trial, outcome, group, options);
                out.write(|out| {
                    text::outcome(out, layout, outcome, trial, &again)?;
                    writeln!(out)
                })?;
            }
        }
        if options.common.format == Format::Text {
            out.write(|out| matrix::write(out, &surveys))?;
        }
        if surveys.iter().any(|survey| survey.missing().next().is_some()) {
            exit = exit.and(Exit::Unexpected);
        }
        Ok(exit)
    }

    /// Searches one subject; what is left in the outcome is what was not expected.
    fn survey_one(
        &self,
        options: &Hunt,
        trial: &Trial,
        seed: u64,
        all: &[&'static Bug],
    ) -> (Survey, Outcome, Result<(), Failure>) {
        let common = &options.common;
        let engines = Engines::from(options.engine);
        let time = options.time.or(options.runs.is_none().then_some(TIME));
        let budget = Budget { time, runs: options.runs };
        let twice = options.twice;
        let campaign = Campaign { trial: trial.clone(), engines, twice, budget, seed, keep_going: true };
        let effort = Effort { jobs: common.jobs(), time: None, stop: self.stop };
        let progress = Arc::new(Progress::default());
        let reporter = Reporter::start(&campaign, effort.jobs, &progress);
        let mut outcome = campaign.run(effort, &progress, &|_| {});
        reporter.shrinking();
        let folder = options.save.as_deref();
        let keeper = Keeper { folder, trial, seed, fuzzed: false, failure: Shared::new(None) };
        for group in &outcome.findings {
            keeper.keep(group);
        }
        let survey = Survey::new(&**trial.subject(), all, &mut outcome);
        for group in &mut outcome.findings {
            self.shrink_group(group, engines, effort, &keeper);
        }
        outcome.join_same();
        (survey, outcome, keeper.finish())
    }
}
