//! What strategies do with whole executions: determinism, replay, and what they find.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::engine::fibers::{self, Traced, preemptions};
use crate::engine::{Body, Divergence, End, Job, Next, Quiescence, Schedule, Shared, schedule_of};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::channel::{Receiver, Sender, bounded, unbounded};
use crate::sync::{Condvar, Mutex, select, thread};

/// A body of one task.
struct Only<F>(F);

impl<F: Fn() + Send + Sync + 'static> Body for Only<F> {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.0)())
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        Next::End
    }
}

fn run(body: impl Fn() + Send + Sync + 'static, strategy: impl Strategy + 'static) -> Traced {
    fibers::run(Arc::new(Only(body)), Box::new(strategy), 100_000)
}

fn named(name: String, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name).spawn(f).expect("a task can be started")
}

/// What the tasks of a generated body share.
struct World {
    locks: [Mutex<u64>; 2],
    counter: AtomicU64,
    channels: Vec<(Sender<u64>, Receiver<u64>)>,
    turns: Condvar,
}

/// A body drawn from that seed: two to four tasks with a few operations each. Many of them hang. What they see they add to
/// `seen`.
fn generated(seed: u64, seen: Arc<Shared<Vec<u64>>>) -> impl Fn() + Send + Sync + 'static {
    move || {
        let channels = vec![bounded(0), bounded(1), unbounded()];
        let (locks, turns) = (Default::default(), Condvar::new());
        let world = Arc::new(World { locks, counter: AtomicU64::new(0), channels, turns });
        let tasks = 2 + draw::mix(seed, 0) % 3;
        let tasks: Vec<_> = (0..tasks)
            .map(|task| {
                let (world, seen) = (Arc::clone(&world), Arc::clone(&seen));
                named(format!("a task {task}"), move || {
                    for op in 0..5 {
                        let value = operation(&world, draw::mix(draw::mix(seed, task + 1), op));
                        seen.with(|seen| seen.push(task << 32 | value));
                    }
                })
            })
            .collect();
        drop(world);
        tasks.into_iter().for_each(|task| drop(task.join()));
    }
}

/// One of the operations; what it saw.
fn operation(world: &World, drawn: u64) -> u64 {
    let (tx, rx) = &world.channels[(drawn >> 8) as usize % 3];
    let (_, other) = &world.channels[(drawn >> 16) as usize % 3];
    match drawn % 12 {
        0 | 1 => tx.send(drawn % 100).map_or(1, |()| 2),
        2 => rx.recv().unwrap_or(300),
        3 => rx.try_recv().unwrap_or(400),
        4 => rx.recv_timeout(Duration::from_millis(drawn % 7)).unwrap_or(500),
        5 => select! {
            recv(rx) -> value => value.unwrap_or(600),
            recv(other) -> value => value.unwrap_or(601),
            default(Duration::from_millis(3)) => 602,
        },
        6 => world.counter.fetch_add(1, Ordering::SeqCst),
        7 | 8 => {
            world.turns.wait_for(&mut world.locks[0].lock(), Duration::from_millis(drawn % 7));
            700
        }
        9 => world.turns.notify_one().into(),
        _ => {
            let (one, two) = (drawn >> 24 & 1, drawn >> 25 & 1);
            let mut held = world.locks[one as usize].lock();
            *held += 1;
            if two == one { *held } else { *held + *world.locks[two as usize].lock() }
        }
    }
}

/// An execution of the generated body under a strategy: what there was to choose from, what it saw, and its end.
fn observed(seed: u64, strategy: impl Strategy + Clone + 'static) -> (Vec<Choice>, Vec<u64>, Traced) {
    let (seen, recorded) = (Arc::default(), Recorded::new(strategy));
    let traced = run(generated(seed, Arc::clone(&seen)), recorded.clone());
    (recorded.take(), seen.with(std::mem::take), traced)
}

#[test]
fn the_same_choices_are_the_same_execution() {
    let (mut ends, mut notified) = ([0, 0], 0);
    for seed in 0..500 {
        let mut estimates = Estimates::default();
        let (choices, seen, first) = observed(seed, RandomWalk::new(seed));
        estimates.learn(&first.steps);
        ends[usize::from(first.run.end == End::Quiescent)] += 1;
        let (again, saw, _) = observed(seed, RandomWalk::new(seed));
        assert_eq!((&choices, &seen), (&again, &saw), "random walk, {seed}");
        let (pct, surw) = (Pct::new(seed, 3, &estimates), Surw::new(seed, &estimates));
        assert_eq!(observed(seed, pct.clone()).0, observed(seed, pct).0, "PCT, {seed}");
        assert_eq!(observed(seed, surw.clone()).0, observed(seed, surw).0, "SURW, {seed}");

        let schedule = schedule_of(&first.steps, &first.run.state.tasks);
        let replay = Replay::new(&schedule);
        let (again, saw, replayed) = observed(seed, replay.clone());
        assert_eq!(replay.divergence(), None, "replay, {seed}");
        assert_eq!((&choices, &seen), (&again, &saw), "replay, {seed}");
        assert_eq!(schedule_of(&replayed.steps, &replayed.run.state.tasks), schedule);
        notified += choices.iter().filter(|choice| choice.kind == Choosing::Waiter).count();
    }
    assert!(notified > 10, "some notifications are choices: {notified}");
    assert!(ends[0] > 50 && ends[1] > 50, "some end, some hang: {ends:?}");
}

#[test]
fn a_strategy_that_is_renewed_is_as_a_new_one() {
    fn check<S: Strategy + std::fmt::Debug>(mut strategy: S, estimates: &Estimates, new: &S) {
        for _ in 0..20 {
            testing::tasks(&[0, 1, 2], |point| strategy.choose(point));
        }
        assert!(strategy.renew(7, estimates));
        assert_eq!(format!("{strategy:?}"), format!("{new:?}"));
    }
    let [before, estimates] = [0, 1].map(|seed| {
        let mut estimates = Estimates::default();
        estimates.learn(&run(generated(seed, Arc::default()), RandomWalk::new(seed)).steps);
        estimates
    });
    check(RandomWalk::new(3), &estimates, &RandomWalk::new(7));
    check(Pct::new(3, 2, &before), &estimates, &Pct::new(7, 2, &estimates));
    check(Surw::new(3, &before), &estimates, &Surw::new(7, &estimates));
    assert!(!bytes_of(&[]).renew(7, &estimates));
}

#[test]
fn what_is_not_deterministic_is_seen() {
    let outside = Arc::new(Shared::new(0));
    let record = |outside: &Arc<Shared<u32>>| {
        let (recorded, outside) = (Recorded::new(RandomWalk::new(1)), Arc::clone(outside));
        let executions = move || outside.with(|count| std::mem::replace(count, *count + 1));
        run(move || (0..executions()).for_each(|_| thread::yield_now()), recorded.clone());
        recorded.take()
    };
    assert_ne!(record(&outside), record(&outside));
}

/// Two tasks that take a lock each.
fn two_lanes() {
    let lock = Arc::new(Mutex::new(()));
    let lanes = ["lane 0", "lane_0"].map(|name| {
        let lock = Arc::clone(&lock);
        named(name.to_owned(), move || drop(lock.lock()))
    });
    lanes.into_iter().for_each(|lane| drop(lane.join()));
}

fn replayed(schedule: &str) -> (String, Option<Divergence>) {
    let replay = Replay::new(&self::schedule(schedule));
    let traced = run(two_lanes, replay.clone());
    assert_eq!(traced.run.end, End::Finished);
    (schedule_of(&traced.steps, &traced.run.state.tasks).to_string(), replay.divergence())
}

/// A schedule of tasks, without branches.
fn schedule(text: &str) -> Schedule {
    let mut schedule = Schedule::default();
    for word in text.split_whitespace() {
        let (task, times) = word.split_once('*').unwrap_or((word, "1"));
        let times = times.parse().expect("a number");
        schedule.push(crate::engine::schedule::Step { task: task.to_owned(), branch: None, times });
    }
    schedule
}

#[test]
fn a_schedule_is_a_prefix() {
    let (all, divergence) = replayed("");
    assert_eq!((all.as_str(), divergence), ("main*4 lane_0*2 main*2 lane_0-2*2 main", None));
    let (other, divergence) = replayed("main*3 lane_0-2*2");
    assert!(other.starts_with("main*3 lane_0-2*2 ") && divergence.is_none(), "{other}");
}

#[test]
fn a_divergence_says_where_and_what_could_go_on() {
    let (_, divergence) = replayed("main*3 lane1 lane0");
    let sentence = "at sync point 4: `lane1` was expected, and `main`, `lane_0`, `lane_0-2` could go on";
    assert_eq!(divergence.map(|divergence| divergence.to_string()).as_deref(), Some(sentence));
    let (went_on, divergence) = replayed("main*3 lane_0*3 lane_0-2");
    let sentence = "at sync point 6: `lane_0` was expected, and `main`, `lane_0-2` could go on";
    assert_eq!(divergence.map(|divergence| divergence.to_string()).as_deref(), Some(sentence));
    assert!(went_on.starts_with("main*3 lane_0*2 main"), "then with alternative 0: {went_on}");
    let (_, divergence) = replayed("main*4 lane_0*2 main*2 lane_0-2*2 main*2");
    let sentence = "at sync point 12: `main` was expected, and the execution had ended";
    assert_eq!(divergence.map(|divergence| divergence.to_string()).as_deref(), Some(sentence));
}

fn bytes_of(tail: &[u8]) -> Bytes {
    Bytes::new(Choices { ops: Vec::new(), tail: tail.to_vec() }, Cue::default())
}

#[test]
fn a_branch_is_part_of_a_schedule() {
    let body = || {
        let (tx, rx) = unbounded();
        tx.send(0).expect("the receiver is alive");
        let other = rx.clone();
        select! { recv(rx) -> _ => (), recv(other) -> _ => () }
    };
    let branches = |bytes: &[u8]| {
        let traced = run(body, bytes_of(bytes));
        schedule_of(&traced.steps, &traced.run.state.tasks)
    };
    let [first, second] = [branches(&[0]), branches(&[1])];
    assert!(
        first.to_string().contains("main/0") && second.to_string().contains("main/1"),
        "{first} {second}"
    );
    let replay = Replay::new(&second);
    let again = run(body, replay.clone());
    assert_eq!((schedule_of(&again.steps, &again.run.state.tasks), replay.divergence()), (second, None));
    let replay = Replay::new(&schedule("main*20"));
    run(body, replay.clone());
    let sentence = replay.divergence().map(|divergence| divergence.to_string()).unwrap_or_default();
    assert!(sentence.ends_with("`main` was expected, and `main/0`, `main/1` could go on"), "{sentence}");
}

/// Three tasks wait, one is notified and says so, and then the others are.
fn one_of_three(first: &Shared<Option<usize>>) {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let ((waits, waiting), (wakes, woken)) = (unbounded(), unbounded());
    let waiters = [0, 1, 2].map(|waiter| {
        let (shared, waits, wakes) = (Arc::clone(&shared), waits.clone(), wakes.clone());
        named(format!("waiter{waiter}"), move || {
            let mut held = shared.0.lock();
            waits.send(()).expect("somebody counts them");
            shared.1.wait(&mut held);
            wakes.send(waiter).expect("somebody asks");
        })
    });
    waiting.iter().take(3).for_each(drop);
    drop(shared.0.lock());
    assert!(shared.1.notify_one());
    first.with(|first| *first = woken.recv().ok());
    assert_eq!(shared.1.notify_all(), 2);
    waiters.into_iter().for_each(|waiter| drop(waiter.join()));
}

#[test]
fn whom_a_notification_wakes_is_a_choice() {
    let notified = |strategy: Box<dyn Strategy>| {
        let (first, recorded) = (Arc::new(Shared::default()), Recorded::new(strategy));
        let (told, record) = (Arc::clone(&first), recorded.record());
        let traced = run(move || one_of_three(&told), recorded);
        assert_eq!(traced.run.end, End::Finished);
        (first.with(Option::take), record.take(), schedule_of(&traced.steps, &traced.run.state.tasks))
    };
    let (longest, choices, _) = notified(Box::new(bytes_of(&[])));
    assert_eq!(longest, Some(0), "the one that has waited longest comes first");
    let choices: Vec<_> = choices.iter().filter(|choice| choice.kind == Choosing::Waiter).collect();
    assert_eq!((choices.len(), choices[0].alternatives.len()), (1, 3), "notifying all is none");

    let mut all = [0; 3];
    for seed in 0..100 {
        let (first, choices, schedule) = notified(Box::new(RandomWalk::new(seed)));
        all[first.expect("one was woken")] += 1;
        let place = choices.iter().find(|choice| choice.kind == Choosing::Waiter).map(|choice| choice.chosen);
        let word = format!("main/{}", place.expect("there is a choice"));
        assert!(schedule.to_string().split(' ').any(|run| run == word), "{schedule}");
        let replay = Replay::new(&schedule);
        assert_eq!(notified(Box::new(replay.clone())), (first, choices, schedule));
        assert_eq!(replay.divergence(), None);
    }
    assert!(all.iter().all(|count| *count > 10), "{all:?}");
}

#[test]
fn preemptions_are_switches_away_from_who_could_go_on_and_time_outs() {
    let zeros = run(two_lanes, bytes_of(&[]));
    assert_eq!(preemptions(&zeros.steps), 0);
    let replay = Replay::new(&schedule("main*2 lane_0 main lane_0 main*2"));
    let preempted = run(two_lanes, replay.clone());
    assert_eq!((preemptions(&preempted.steps), replay.divergence()), (3, None));
    let waits = || {
        let (_tx, rx) = bounded::<()>(0);
        let _ = rx.recv_timeout(Duration::from_millis(1));
    };
    assert_eq!(preemptions(&run(waits, bytes_of(&[])).steps), 1);
}

#[test]
fn a_strategy_that_is_recorded_makes_the_choices_that_it_makes_anyway() {
    for seed in 0..200 {
        let body = || generated(seed, Arc::default());
        let estimates = learned(body(), seed);
        check_recorded(body, RandomWalk::new(seed));
        check_recorded(body, Pct::new(seed, 3, &estimates));
        check_recorded(body, Surw::new(seed, &estimates));
    }
}

#[test]
fn it_does_so_with_more_tasks_than_a_word_has_bits() {
    for seed in 0..20 {
        let estimates = learned(crowd, seed);
        check_recorded(|| crowd, RandomWalk::new(seed));
        check_recorded(|| crowd, Pct::new(seed, 3, &estimates));
        check_recorded(|| crowd, Surw::new(seed, &estimates));
    }
}

/// Compares the choices of a strategy with those that it makes while it is recorded.
fn check_recorded<F: Fn() + Send + Sync + 'static>(
    body: impl Fn() -> F,
    strategy: impl Strategy + Clone + std::fmt::Debug + 'static,
) {
    let choices = |strategy: Box<dyn Strategy>| {
        let traced = fibers::run(Arc::new(Only(body())), strategy, 100_000);
        traced.steps.iter().map(fibers::Step::choice).collect::<Vec<_>>()
    };
    let recorded = choices(Box::new(Recorded::new(strategy.clone())));
    assert_eq!(choices(Box::new(strategy.clone())), recorded, "{strategy:?}");
}

fn learned(body: impl Fn() + Send + Sync + 'static, seed: u64) -> Estimates {
    let mut estimates = Estimates::default();
    estimates.learn(&run(body, RandomWalk::new(seed)).steps);
    estimates
}

/// For a while a task of a high number is alone. Then others come, and whatever was drawn for it shows.
fn crowd() {
    let yields = || yields(5);
    (0..69).for_each(|_| drop(thread::spawn(|| ()).join()));
    drop(thread::spawn(yields).join());
    let others = [(); 3].map(|()| thread::spawn(yields));
    others.into_iter().for_each(|other| drop(other.join()));
}

#[test]
fn what_is_learned_is_what_strategies_are_asked() {
    let mut drawn = 0;
    for seed in 0..500 {
        let (choices, _, traced) = observed(seed, RandomWalk::new(seed));
        let mut estimates = Estimates::default();
        estimates.learn(&traced.steps);
        let of_tasks = choices.iter().filter(|choice| choice.kind == Choosing::Task);
        let chosen: Vec<_> = of_tasks.map(|choice| choice.alternatives[choice.chosen]).collect();
        drawn += choices.len() - chosen.len();
        assert_eq!(estimates.length as usize, chosen.len(), "of body {seed}");
        let count = |task: usize, object: Option<crate::engine::ObjectId>| {
            let is_meant = |next: &&Alternative| {
                let uses = next.access.and_then(crate::engine::Target::object);
                next.task.0 == task && (object.is_none() || uses == object)
            };
            chosen.iter().filter(is_meant).count() as u32
        };
        for (task, learned) in estimates.tasks.iter().enumerate() {
            assert_eq!(*learned, count(task, None), "task {task} of body {seed}");
            for uses in &estimates.shared {
                assert_eq!(uses.tasks[task], count(task, Some(uses.object)), "its uses of {:?}", uses.object);
            }
        }
    }
    assert!(drawn > 50, "some are no choices of a task: {drawn}");
}

/// How often each order was met that this makes of the steps.
fn orders<T: Ord>(
    body: impl Fn() + Copy + Send + Sync + 'static,
    order: impl Fn(&[fibers::Step]) -> T,
) -> Vec<usize> {
    let estimates = learned(body, 0);
    let mut met = BTreeMap::new();
    for seed in 0..7000 {
        *met.entry(order(&run(body, Surw::new(seed, &estimates)).steps)).or_default() += 1;
    }
    met.into_values().collect()
}

fn yields(times: usize) {
    (0..times).for_each(|_| thread::yield_now());
}

#[test]
fn all_orders_are_equally_likely_whenever_tasks_are_started() {
    let one_after_the_other = || {
        thread::spawn(|| yields(3));
        thread::spawn(|| yields(1));
    };
    let by_one_another = || {
        thread::spawn(|| drop(thread::spawn(|| yields(1))));
        yields(3);
    };
    for body in [one_after_the_other as fn(), by_one_another] {
        let met = orders(body, |steps| steps.iter().map(|step| step.task).collect::<Vec<_>>());
        // Once the first is started there are four steps and three to be put in order: 35 orders, of 200 each.
        assert_eq!(met.len(), 35);
        assert!(met.iter().all(|count| (140..260).contains(count)), "{met:?}");
    }
}

#[test]
fn all_orders_of_uses_are_equally_likely_whenever_tasks_are_started() {
    let body = || {
        let lock = Arc::new(Mutex::new(()));
        let user = |uses| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || (0..uses).for_each(|_| drop(lock.lock())))
        };
        user(2);
        drop(lock.lock());
        user(1);
    };
    let uses = |step: &&fibers::Step| step.access.object().is_some();
    let met = orders(body, |steps| steps.iter().filter(uses).map(|step| step.task).collect::<Vec<_>>());
    // Two uses of the first, and main's before that of the second: six orders, of 1167 each.
    assert_eq!(met.len(), 6);
    assert!(met.iter().all(|count| (1030..1300).contains(count)), "{met:?}");
}
