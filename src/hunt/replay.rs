//! Replay: running a kept script again, and comparing its verdict with the expected one.

use std::sync::Arc;

use super::engines::{EngineKind, Engines};
use super::execution::Execution;
use super::fuzzing::CHOICES;
use super::outcome::{Found, Phase};
use super::rerun::{Effort, Hit, Rerun, Reruns};
use super::trial::Trial;
use crate::engine::strategy::Replay as Following;
use crate::engine::{Divergence, Stopwatch};
use crate::oracle::{Judgement, Verdict};
use crate::script::bytes::Choices;
use crate::script::{Schedule, Script};

/// How often a script is run that is expected to pass, or of which nothing is known: it must, each time.
pub fn passes(engine: EngineKind) -> u64 {
    match engine {
        EngineKind::Fibers => 500,
        EngineKind::Threads => 50,
    }
}

/// How often a script is run, at most, to see a verdict other than pass.
pub fn attempts(engine: EngineKind) -> u64 {
    match engine {
        EngineKind::Fibers => 5_000,
        EngineKind::Threads => 2_000,
    }
}

/// A script to be run again.
pub struct Replay<'a> {
    /// The subject, and how it is judged.
    pub trial: &'a Trial,
    /// The script; it is clamped to what the subject supports.
    pub script: &'a Script,
    /// Its schedule, if it has one. On fibers it is followed.
    pub schedule: Option<&'a Schedule>,
    /// The choices that came with it, if it is an input of a fuzzer's. On fibers they are made.
    pub choices: Option<&'a Choices>,
    /// Whether the schedule must fit. One that need not, and does not, is explored.
    pub strict: bool,
    /// What runs it: of both, fibers first, and threads unless there is something to report already.
    pub engines: Engines,
    /// The verdict it must have, if that is known.
    pub expected: Option<Verdict>,
    /// How often each engine runs it, at most; [`passes`] or [`attempts`] if `None`.
    pub times: Option<u64>,
    /// What schedules and noise are drawn from.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone)]
pub struct Replayed {
    /// The verdict: the expected one if it was seen, any other that was seen otherwise.
    pub verdict: Verdict,
    /// What each engine did that ran it, up to the run that showed it.
    pub phases: Vec<Phase>,
    /// What became of its schedule.
    pub schedule: Followed,
    /// What was found, and the first run that showed it.
    pub found: Option<Found>,
}

/// What became of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// There is none.
    Absent,
    /// Free threads follow none, and make no choices.
    Unused,
    /// It was run by the choices that came with it, which always fit.
    Choices,
    /// It was followed to its end.
    Fits,
    /// OS threads were led through it to its end.
    Led,
    /// It does not fit.
    Diverged(Divergence),
}

impl Replay<'_> {
    /// Runs it: by the choices that came with it, or by its schedule, if there is one that fits; and otherwise until it does not pass if it is expected to
    /// pass or not known, and until the verdict is the expected one if it is another.
    pub fn run(&self, effort: Effort<'_>) -> Replayed {
        let script = Arc::new(self.trial.clamp(self.script));
        let mut schedule = Followed::Absent;
        if let Some(choices) = self.choices {
            schedule = Followed::Unused;
            if self.engines.contains(EngineKind::Fibers) {
                return self.choose(&script, choices);
            }
        }
        if let Some(given) = self.schedule {
            schedule = Followed::Unused;
            if self.engines.contains(EngineKind::Fibers) {
                let (replayed, followed) = self.follow(&script, given);
                if self.strict || followed == Followed::Fits {
                    return replayed;
                }
                schedule = followed;
            }
        }
        let mut replayed =
            Replayed { verdict: Verdict::Inconclusive, phases: Vec::new(), schedule, found: None };
        for engine in self.engines.kinds() {
            let (verdict, phase, found) = self.explore(*engine, &script, effort);
            replayed.phases.push(phase);
            let settled = match self.expected {
                Some(Verdict::Pass) | None => verdict != Verdict::Pass && verdict != Verdict::Inconclusive,
                Some(expected) => verdict == expected,
            };
            // What one engine has found the other need not see; that it sees nothing else is worth less.
            if settled || replayed.found.is_none() {
                (replayed.verdict, replayed.found) = (verdict, found);
            }
            if settled {
                break;
            }
        }
        replayed
    }

    /// Leads OS threads through its schedule, or through the one that its choices are: `times` times, or once if it does not
    /// say, up to the first that is not as expected. `None` if it has neither.
    pub fn steer(&self, effort: Effort<'_>) -> Option<Replayed> {
        let script = Arc::new(self.trial.clamp(self.script));
        let chosen = |choices| self.trial.by_choices(&script, choices).schedule();
        let schedule = self.schedule.cloned().or_else(|| self.choices.and_then(chosen))?;
        let (clock, spending) = (Stopwatch::start(), effort.begin());
        let mut replayed = Replayed {
            verdict: Verdict::Inconclusive,
            phases: Vec::new(),
            schedule: Followed::Led,
            found: None,
        };
        let mut runs = 0;
        while runs < self.times.unwrap_or(1) && !spending.is_spent() {
            runs += 1;
            match self.trial.steered(&script, &schedule) {
                Ok(execution) => {
                    replayed.verdict = self.verdict(&execution.judgement);
                    let hit = Hit { run: runs - 1, execution };
                    let strategy = "its schedule".to_owned();
                    replayed.found = found(hit, replayed.verdict, &script, EngineKind::Threads, strategy);
                }
                Err(divergence) => {
                    (replayed.verdict, replayed.found) = (Verdict::Diverged, None);
                    replayed.schedule = Followed::Diverged(divergence);
                }
            }
            if replayed.verdict != self.expected.unwrap_or(Verdict::Pass) {
                break;
            }
        }
        replayed.phases.push(Phase::of(EngineKind::Threads, runs, clock.elapsed()));
        Some(replayed)
    }

    /// Follows the schedule.
    fn follow(&self, script: &Arc<Script>, schedule: &Schedule) -> (Replayed, Followed) {
        let clock = Stopwatch::start();
        let following = Following::new(schedule);
        let execution = self.trial.on_fibers(script, Box::new(following.clone()));
        let followed = following.divergence().map_or(Followed::Fits, Followed::Diverged);
        (self.once(script, execution, followed.clone(), "its schedule", clock), followed)
    }

    /// Makes the choices.
    fn choose(&self, script: &Arc<Script>, choices: &Choices) -> Replayed {
        let clock = Stopwatch::start();
        let execution = self.trial.by_choices(script, choices);
        self.once(script, execution, Followed::Choices, CHOICES, clock)
    }

    /// What came of one execution on fibers.
    fn once(
        &self,
        script: &Arc<Script>,
        execution: Execution,
        schedule: Followed,
        strategy: &str,
        clock: Stopwatch,
    ) -> Replayed {
        let verdict = match schedule {
            Followed::Diverged(_) => Verdict::Diverged,
            _ => self.verdict(&execution.judgement),
        };
        let hit = Hit { run: 0, execution };
        let found = found(hit, verdict, script, EngineKind::Fibers, strategy.to_owned());
        let phases = vec![Phase::of(EngineKind::Fibers, 1, clock.elapsed())];
        Replayed { verdict, phases, schedule, found }
    }

    /// The expected verdict if this shows it, or else its own.
    fn verdict(&self, judgement: &Judgement) -> Verdict {
        let shown = self.expected.filter(|expected| shows(judgement, *expected));
        shown.unwrap_or_else(|| judgement.verdict())
    }

    /// Runs it on this engine, with any schedule or noise; the verdict, what was done, and what was found.
    fn explore(
        &self,
        engine: EngineKind,
        script: &Arc<Script>,
        effort: Effort<'_>,
    ) -> (Verdict, Phase, Option<Found>) {
        let clock = Stopwatch::start();
        let sought = self.expected.filter(|verdict| *verdict != Verdict::Pass);
        let usual = if sought.is_some() { attempts(engine) } else { passes(engine) };
        let (most, seed) = (self.times.unwrap_or(usual), self.seed);
        let rerun = Rerun { trial: self.trial, engine, script, seed, most, enough: 1, effort };
        let reruns = rerun.until(|judgement| match sought {
            Some(verdict) => judgement.verdict() == verdict || shows(judgement, verdict),
            None => !judgement.findings.is_empty(),
        });
        let Reruns { runs, inconclusive, hit, miss, .. } = reruns;
        // One run of which nothing can be said does not speak against those of which something can.
        let concluded = inconclusive < runs;
        let runs = hit.as_ref().map_or(runs, |hit| hit.run + 1);
        let shown = hit.or(miss.filter(|_| sought.is_some() || !concluded));
        let verdict = match (&shown, sought) {
            (Some(hit), Some(verdict)) if shows(&hit.execution.judgement, verdict) => verdict,
            (Some(hit), _) => hit.execution.judgement.verdict(),
            (None, _) if concluded => Verdict::Pass,
            (None, _) => Verdict::Inconclusive,
        };
        let found = shown.and_then(|hit| {
            let strategy = rerun.lead().name(hit.run);
            found(hit, verdict, script, engine, strategy)
        });
        (verdict, Phase { inconclusive, ..Phase::of(engine, runs, clock.elapsed()) }, found)
    }
}

fn shows(judgement: &Judgement, verdict: Verdict) -> bool {
    judgement.findings.iter().any(|finding| finding.signature.verdict == verdict)
}

fn found(
    hit: Hit,
    verdict: Verdict,
    script: &Arc<Script>,
    engine: EngineKind,
    strategy: String,
) -> Option<Found> {
    let Hit { run, execution } = hit;
    let findings = &execution.judgement.findings;
    let finding = findings.iter().find(|finding| finding.signature.verdict == verdict)?.clone();
    Some(Found { engine, run, strategy, script: Script::clone(script), finding, execution })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::rerun::Jobs;
    use super::super::testing;
    use super::*;

    fn script(actions: usize) -> Script {
        format!("mux incoming=0 queue=0 when-full=wait\nlane{}", "\n  action".repeat(actions))
            .parse()
            .unwrap()
    }

    fn replay(actions: usize, engines: Engines, expected: Option<Verdict>, times: Option<u64>) -> Replayed {
        follow(actions, None, false, engines, expected, times)
    }

    fn follow(
        actions: usize,
        schedule: Option<&Schedule>,
        strict: bool,
        engines: Engines,
        expected: Option<Verdict>,
        times: Option<u64>,
    ) -> Replayed {
        let (trial, script, stop) = (testing::trial(), script(actions), AtomicBool::new(false));
        let replay = Replay {
            trial: &trial,
            script: &script,
            schedule,
            choices: None,
            strict,
            engines,
            expected,
            times,
            seed: 1,
        };
        replay.run(Effort { jobs: Jobs::each(2), time: None, stop: &stop })
    }

    fn runs(replayed: &Replayed) -> Vec<u64> {
        replayed.phases.iter().map(|phase| phase.runs).collect()
    }

    #[test]
    fn a_pass_is_a_pass_each_time_on_each_engine() {
        for (engines, most) in [
            (Engines::Fibers, vec![passes(EngineKind::Fibers)]),
            (Engines::Both, vec![passes(EngineKind::Fibers), passes(EngineKind::Threads)]),
        ] {
            let replayed = replay(2, engines, Some(Verdict::Pass), None);
            assert_eq!((replayed.verdict, runs(&replayed)), (Verdict::Pass, most));
        }
        let replayed = replay(2, Engines::Threads, None, Some(7));
        assert_eq!((replayed.verdict, runs(&replayed)), (Verdict::Pass, vec![7]));
    }

    #[test]
    fn the_first_run_that_shows_what_is_sought_is_the_last() {
        for engines in [Engines::Fibers, Engines::Threads, Engines::Both] {
            for expected in [Some(Verdict::Panic), Some(Verdict::Pass), None] {
                let replayed = replay(3, engines, expected, None);
                let told = (replayed.verdict, runs(&replayed));
                assert_eq!(told, (Verdict::Panic, vec![1]), "expected {expected:?} on {engines:?}");
                assert_eq!(replayed.found.unwrap().finding.signature.verdict, Verdict::Panic);
            }
        }
    }

    #[test]
    fn what_is_not_seen_is_told_by_what_is() {
        for (engines, most) in [(Engines::Threads, vec![5]), (Engines::Both, vec![5, 5])] {
            let replayed = replay(3, engines, Some(Verdict::Hang), Some(5));
            assert_eq!((replayed.verdict, runs(&replayed)), (Verdict::Panic, most.clone()));
            let replayed = replay(2, engines, Some(Verdict::Hang), Some(5));
            assert_eq!((replayed.verdict, runs(&replayed)), (Verdict::Pass, most));
        }
    }

    #[test]
    fn a_schedule_is_followed_and_one_that_does_not_fit_diverges_or_is_explored() {
        let found = replay(3, Engines::Fibers, None, None).found.unwrap();
        let schedule = found.execution.schedule().unwrap();
        let follow = |actions, strict, engines, expected| {
            follow(actions, Some(&schedule), strict, engines, expected, Some(5))
        };
        let replayed = follow(3, true, Engines::Both, Some(Verdict::Panic));
        assert_eq!((replayed.verdict, &replayed.schedule), (Verdict::Panic, &Followed::Fits));
        assert_eq!((runs(&replayed), replayed.found.unwrap().run), (vec![1], 0));

        let replayed = follow(1, true, Engines::Both, Some(Verdict::Panic));
        assert_eq!((replayed.verdict, runs(&replayed)), (Verdict::Diverged, vec![1]));
        assert!(matches!(replayed.schedule, Followed::Diverged(_)) && replayed.found.is_none());

        let replayed = follow(1, false, Engines::Both, Some(Verdict::Pass));
        assert_eq!((replayed.verdict, runs(&replayed)), (Verdict::Pass, vec![5, 5]));
        assert!(matches!(replayed.schedule, Followed::Diverged(_)));

        let replayed = follow(3, true, Engines::Threads, Some(Verdict::Panic));
        assert_eq!((replayed.verdict, replayed.schedule), (Verdict::Panic, Followed::Unused));
    }
}
