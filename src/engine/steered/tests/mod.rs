//! What fibers did is done again on threads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::fibers::{self, Step, Traced};
use super::super::strategy::RandomWalk;
use super::super::{Body, End, Job, Next, Run, Shared, State, Status, Target, TaskId, Wait, threads};
use super::Divergence;
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
        Job { name: "main".to_owned(), run: Box::new(move || (self.f)(&self.seen)) }
    }

    fn quiescent(self: Arc<Self>, _: &State) -> Next {
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

fn on_fibers(f: &Program, seed: u64) -> (Did, Vec<Step>) {
    let seen = Seen::default();
    let body = Arc::new(Only { f: Arc::clone(f), seen: seen.clone() });
    let Traced { run, steps } = fibers::run(body, Box::new(RandomWalk::new(seed)), 10_000);
    (did(&run, &seen), steps)
}

fn steer(f: &Program, steps: &[Step]) -> Result<Did, Divergence> {
    let seen = Seen::default();
    let settings = threads::Settings { deadline: Duration::from_secs(60), ..threads::Settings::default() };
    let run = super::run(Arc::new(Only { f: Arc::clone(f), seen: seen.clone() }), steps, settings)?;
    Ok(did(&run, &seen))
}

/// Steers what seeds give on fibers; says how many of them hang.
#[track_caller]
fn same_on_threads(f: &Program, seeds: u64) -> usize {
    let mut hangs = 0;
    for seed in 0..seeds {
        let (expected, steps) = on_fibers(f, seed);
        hangs += usize::from(expected.end == End::Quiescent);
        match steer(f, &steps) {
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
        let (expected, steps) = found.unwrap_or_else(|| panic!("no execution ends so: {end:?}"));
        for _ in 0..times {
            assert_eq!(steer(f, &steps).unwrap(), expected);
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
}

#[test]
fn what_does_not_fit_diverges() {
    let f: &Program = &(Arc::new(lock_cycle as fn(&Seen)) as _);
    let (expected, steps) = on_fibers(f, 0);
    let short = steer(f, &steps[..steps.len() - 1]).unwrap_err();
    assert_eq!((short.at, short.expected), (steps.len() - 1, None));
    assert!(short.possible.iter().any(|step| step.choice() == steps.last().unwrap().choice()), "{short}");

    let mut long = steps.clone();
    long.push(steps[0]);
    let long = steer(f, &long).unwrap_err();
    assert_eq!((long.at, long.expected, &long.possible[..]), (steps.len(), Some(steps[0]), &[][..]));

    let mut wrong = steps.clone();
    wrong[2] = Step::new(TaskId(7), None);
    let wrong = steer(f, &wrong).unwrap_err();
    assert_eq!((wrong.at, wrong.expected.unwrap().task), (2, TaskId(7)));
    assert!(wrong.possible.iter().any(|step| step.choice() == steps[2].choice()));
    assert_eq!(wrong.to_string(), "after 2 steps: expected task 7, could run: main, peer");

    assert_eq!(steer(f, &steps).unwrap(), expected, "and nothing of them is left");
}

#[test]
fn a_branch_that_cannot_be_taken_diverges() {
    let f: &Program = &(Arc::new(select_branches as fn(&Seen)) as _);
    let branch = |steps: &[Step]| steps.iter().position(|step| step.branch.is_some());
    let (index, mut steps) = (0..)
        .map(|seed| on_fibers(f, seed).1)
        .find_map(|steps| branch(&steps).map(|index| (index, steps)))
        .unwrap();
    steps[index].branch = Some(9);
    let divergence = steer(f, &steps).unwrap_err();
    assert_eq!((divergence.at, divergence.expected), (index, Some(steps[index])));
    assert!(divergence.possible.len() > 1, "{divergence}");
    assert!(divergence.possible.iter().all(|step| step.branch.is_some()), "{divergence}");
    assert!(divergence.to_string().contains("expected main/9, could run: main/0, main/"), "{divergence}");
}

#[test]
fn whom_a_notification_wakes_is_as_the_schedule_says() {
    let f: &Program = &(Arc::new(two_of_three as fn(&Seen)) as _);
    let notifies = |step: &Step| step.branch.is_some();
    let mut left = BTreeSet::new();
    for seed in 0..60 {
        let (expected, steps) = on_fibers(f, seed);
        assert_eq!(steps.iter().filter(|step| notifies(step)).count(), 2, "each is a choice");
        left.insert(expected.blocked.iter().map(|(task, _)| *task).collect::<Vec<_>>());
        assert_eq!(steer(f, &steps).unwrap(), expected);
    }
    // Beside the task that joins them.
    assert_eq!(left, [1, 2, 3].map(|task| vec![TaskId(0), TaskId(task)]).into());

    let (_, mut steps) = on_fibers(f, 0);
    let at = steps.iter().position(notifies).unwrap();
    steps[at].branch = Some(3);
    let divergence = steer(f, &steps).unwrap_err();
    assert!(
        divergence.to_string().contains("expected main/3, could run: main/0, main/1, main/2"),
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
            Job { name: "main".to_owned(), run: Box::new(run) }
        }

        fn quiescent(self: Arc<Self>, _: &State) -> Next {
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
            Next::Start(vec![Job { name: format!("bringer{phase}"), run: Box::new(run) }])
        }

        fn unwound(self: Arc<Self>) {
            let kept = self.0.with(|phases| (std::mem::take(&mut phases.1), std::mem::take(&mut phases.2)));
            drop(kept);
        }
    }
    let body = || Arc::new(Phases(Shared::new((0, Vec::new(), Vec::new()))));
    for seed in 0..50 {
        let traced = fibers::run(body(), Box::new(RandomWalk::new(seed)), 10_000);
        let run = super::run(body(), &traced.steps, threads::Settings::default()).unwrap();
        let seen = Seen::default();
        assert_eq!(did(&run, &seen), did(&traced.run, &seen));
    }
}
