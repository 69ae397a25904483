//! What fibers did is done again on threads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::fibers::{self, Traced};
use super::super::schedule::Step;
use super::super::strategy::{RandomWalk, Replay, Strategy};
use super::super::{
    Body, Divergence, End, Job, Next, Quiescence, Run, Schedule, Shared, Status, Target, TaskId, Wait,
    schedule_of, threads,
};
use crate::sync::channel::{Receiver, Sender, bounded};
use crate::sync::thread;

mod drawn;
mod programs;

use programs::*;

/// A body of one first task, which says what it saw. It is not used again: each execution has its own.
struct Only {
    f: Program,
    seen: Seen,
}

type Program = Arc<dyn Fn(&Seen) + Send + Sync>;

/// What tasks saw, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Shared<Vec<String>>>);

impl Seen {
    fn note(&self, what: impl ToString) {
        self.0.with(|seen| seen.push(what.to_string()));
    }
}

impl Body for Only {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.f)(&self.seen))
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        Next::End
    }
}

/// What an execution did, as far as it must be the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Did {
    end: End,
    tasks: Vec<(String, String)>,
    blocked: Vec<(TaskId, Vec<Target>)>,
    holders: Vec<Vec<TaskId>>,
    sync_points: u64,
    forgotten: usize,
    seen: Vec<String>,
}

fn did(run: &Run, seen: &Seen) -> Did {
    let targets = |waits: &[Wait]| waits.iter().map(|wait| wait.target).collect();
    let status = |status: &Status| match status {
        Status::Running => "running".to_owned(),
        Status::Blocked(_) => "blocked".to_owned(),
        Status::Ended => "ended".to_owned(),
        Status::Panicked(message) => message.clone(),
    };
    Did {
        end: run.end,
        tasks: run.state.tasks.iter().map(|task| (task.name.clone(), status(&task.status))).collect(),
        blocked: run.state.blocked().map(|(task, waits)| (task, targets(waits))).collect(),
        holders: run.state.objects.iter().map(|object| object.holders.clone()).collect(),
        sync_points: run.sync_points,
        forgotten: run.forgotten,
        seen: seen.0.with(|seen| seen.clone()),
    }
}

fn on_fibers(f: &Program, seed: u64) -> (Did, Schedule) {
    led(f, RandomWalk::new(seed))
}

fn led(f: &Program, strategy: impl Strategy + 'static) -> (Did, Schedule) {
    let seen = Seen::default();
    let body = Arc::new(Only { f: Arc::clone(f), seen: seen.clone() });
    let Traced { run, steps } = fibers::run(body, Box::new(strategy), 10_000);
    (did(&run, &seen), schedule_of(&steps, &run.state.tasks))
}

fn steer(f: &Program, schedule: &Schedule) -> Result<Did, Divergence> {
    let seen = Seen::default();
    let settings = threads::Settings { deadline: Duration::from_secs(60), ..threads::Settings::default() };
    let body = Arc::new(Only { f: Arc::clone(f), seen: seen.clone() });
    let Traced { run, steps } = super::run(body, schedule, settings)?;
    assert!(choices(&schedule_of(&steps, &run.state.tasks)).starts_with(&choices(schedule)), "{schedule}");
    Ok(did(&run, &seen))
}

/// Each choice by itself.
fn choices(schedule: &Schedule) -> Vec<Step> {
    let one = |run: &Step| std::iter::repeat_n(Step { times: 1, ..run.clone() }, run.times as usize);
    schedule.steps().iter().flat_map(one).collect()
}

fn schedule(choices: impl IntoIterator<Item = Step>) -> Schedule {
    let mut schedule = Schedule::default();
    choices.into_iter().for_each(|choice| schedule.push(choice));
    schedule
}

/// Steers what seeds give on fibers; says how many of them hang.
#[track_caller]
fn same_on_threads(f: &Program, seeds: u64) -> usize {
    let mut hangs = 0;
    for seed in 0..seeds {
        let (expected, schedule) = on_fibers(f, seed);
        hangs += usize::from(expected.end == End::Quiescent);
        match steer(f, &schedule) {
            Ok(did) => assert_eq!(did, expected, "seed {seed}"),
            Err(divergence) => panic!("seed {seed}: {divergence}"),
        }
    }
    hangs
}

/// Steers the first hang that fibers find 50 times, and the first execution without one 100 times.
#[track_caller]
fn hang_and_pass(f: fn(&Seen)) {
    let f: &Program = &(Arc::new(f) as _);
    for (end, times) in [(End::Quiescent, 50), (End::Finished, 100)] {
        let found = (0..1000).map(|seed| on_fibers(f, seed)).find(|(did, _)| did.end == end);
        let (expected, schedule) = found.unwrap_or_else(|| panic!("no execution ends so: {end:?}"));
        for _ in 0..times {
            assert_eq!(steer(f, &schedule).unwrap(), expected);
        }
    }
}

fn named(name: &str, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(f).unwrap()
}

#[test]
fn hangs_and_passes_are_the_same_on_threads() {
    hang_and_pass(lock_held_over_a_send);
    hang_and_pass(lock_cycle);
    hang_and_pass(lost_notification);
    hang_and_pass(rendezvous_chain);
    hang_and_pass(read_behind_a_writer);
    hang_and_pass(select_branches);
}

#[test]
fn whatever_fibers_do_is_the_same_on_threads() {
    let same = |f: fn(&Seen), seeds| same_on_threads(&(Arc::new(f) as _), seeds);
    for f in [lock_held_over_a_send, lock_cycle, lost_notification, read_behind_a_writer] {
        let hangs = same(f, 100);
        assert!((1..100).contains(&hangs), "{hangs}");
    }
    for f in [rendezvous_chain, select_branches, times] {
        same(f, 200);
    }
    assert_eq!(same(workers, 100), 0);
    assert_eq!(same(two_of_three, 100), 100);
    assert_eq!(same(scope_and_panic, 50), 50);
    assert_eq!(same(for_ever, 50), 50);
}

#[test]
fn what_does_not_fit_diverges() {
    let f: &Program = &(Arc::new(lock_cycle as fn(&Seen)) as _);
    let (expected, fits) = on_fibers(f, 0);
    let all = choices(&fits);

    let long = schedule(all.iter().chain(&all[..1]).cloned());
    let long = steer(f, &long).unwrap_err();
    let sentence = "`main` was expected, and the execution had ended";
    assert_eq!(long.to_string(), format!("at sync point {}: {sentence}", all.len() + 1));

    let stranger = Step { task: "stranger".to_owned(), ..all[2].clone() };
    let wrong = steer(f, &schedule(all[..2].iter().cloned().chain([stranger]))).unwrap_err();
    let sentence = "at sync point 3: `stranger` was expected, and `main`, `peer` could go on";
    assert_eq!(wrong.to_string(), sentence);

    assert_eq!(steer(f, &fits).unwrap(), expected, "and nothing of them is left");
}

#[test]
fn after_the_end_of_a_schedule_each_goes_on_for_as_long_as_it_can() {
    for f in [lock_cycle, lost_notification, two_of_three, rendezvous_chain, select_branches, times] {
        let f: &Program = &(Arc::new(f as fn(&Seen)) as _);
        let all = choices(&on_fibers(f, 3).1);
        for end in 0..all.len() {
            let prefix = schedule(all[..end].iter().cloned());
            let (expected, _) = led(f, Replay::new(&prefix));
            assert_eq!(steer(f, &prefix).unwrap(), expected, "{prefix}");
        }
    }
}

#[test]
fn a_branch_that_cannot_be_taken_diverges() {
    let f: &Program = &(Arc::new(select_branches as fn(&Seen)) as _);
    let branch = |choices: &[Step]| choices.iter().position(|choice| choice.branch.is_some());
    let (index, mut wrong) = (0..)
        .map(|seed| choices(&on_fibers(f, seed).1))
        .find_map(|choices| branch(&choices).map(|index| (index, choices)))
        .unwrap();
    wrong[index].branch = Some(9);
    let divergence = steer(f, &schedule(wrong)).unwrap_err();
    let sentence = format!("at sync point {}: `main/9` was expected, and `main/0`, `main/", index + 1);
    assert!(divergence.to_string().starts_with(&sentence), "{divergence}");
}

#[test]
fn whom_a_notification_wakes_is_as_the_schedule_says() {
    let f: &Program = &(Arc::new(two_of_three as fn(&Seen)) as _);
    let notifies = |choice: &Step| choice.branch.is_some();
    let mut left = BTreeSet::new();
    for seed in 0..60 {
        let (expected, schedule) = on_fibers(f, seed);
        let count = choices(&schedule).iter().filter(|choice| notifies(choice)).count();
        assert_eq!(count, 2, "each is a choice");
        left.insert(expected.blocked.iter().map(|(task, _)| *task).collect::<Vec<_>>());
        assert_eq!(steer(f, &schedule).unwrap(), expected);
    }
    // Beside the task that joins them.
    assert_eq!(left, [1, 2, 3].map(|task| vec![TaskId(0), TaskId(task)]).into());

    let mut wrong = choices(&on_fibers(f, 0).1);
    let at = wrong.iter().position(notifies).unwrap();
    wrong[at].branch = Some(3);
    let divergence = steer(f, &schedule(wrong)).unwrap_err().to_string();
    assert!(
        divergence.ends_with("`main/3` was expected, and `main/0`, `main/1`, `main/2` could go on"),
        "{divergence}"
    );
}

#[test]
fn what_a_body_adds_at_quiescence_is_steered_as_well() {
    /// Two tasks wait for one message, which a third brings once they do.
    struct Phases(Shared<Kept>);
    type Kept = (usize, Vec<Receiver<()>>, Vec<Sender<()>>);
    impl Body for Phases {
        fn first(self: Arc<Self>) -> Job {
            let run = move || {
                let (tx, rx) = bounded(0);
                self.0.with(|phases| phases.2.push(tx));
                for name in ["left", "right"] {
                    let rx = rx.clone();
                    named(name, move || rx.recv().unwrap());
                }
                self.0.with(|phases| phases.1.push(rx));
            };
            Job::new("main", run)
        }

        fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
            let phase = self.0.with(|phases| {
                phases.0 += 1;
                phases.0
            });
            if phase > 2 {
                return Next::End;
            }
            let run = move || {
                let tx = self.0.with(|phases| phases.2[0].clone());
                tx.send(()).unwrap();
            };
            Next::Start(vec![Job::new(format!("bringer{phase}"), run)])
        }

        fn unwound(self: Arc<Self>) {
            let kept = self.0.with(|phases| (std::mem::take(&mut phases.1), std::mem::take(&mut phases.2)));
            drop(kept);
        }
    }
    let body = || Arc::new(Phases(Shared::new((0, Vec::new(), Vec::new()))));
    for seed in 0..50 {
        let traced = fibers::run(body(), Box::new(RandomWalk::new(seed)), 10_000);
        let schedule = schedule_of(&traced.steps, &traced.run.state.tasks);
        let Traced { run, .. } = super::run(body(), &schedule, threads::Settings::default()).unwrap();
        let seen = Seen::default();
        assert_eq!(did(&run, &seen), did(&traced.run, &seen));
    }
}
