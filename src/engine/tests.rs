//! What all engines do with a body.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::strategy::RandomWalk;
use super::{Body, End, Job, Next, Quiescence, Run, Shared, State, Status, Target, Wait, fibers, threads};
use crate::sync::channel::{Receiver, Select, Sender, after, bounded, never, tick, unbounded};
use crate::sync::time::Instant;
use crate::sync::{Condvar, Mutex, RwLock, resume_unwind, select, thread};

/// Runs a body, by chance that is drawn from the seed.
type Engine = fn(Arc<dyn Body>, u64) -> Run;

const ENGINES: [Engine; 2] = [on_threads, on_fibers];

/// The same tests on both engines: there `run` runs a body, and `run_once` a closure.
macro_rules! on_both {
    (@$engine:ident $run:ident $($test:item)*) => {
        mod $engine {
            use super::*;
            use crate::engine::tests::$run as run;

            fn run_once(seed: u64, body: impl Fn() + Send + Sync + 'static) -> Run {
                run(Arc::new(Only(body)), seed)
            }

            $($test)*
        }
    };
    ($($test:item)*) => {
        on_both!(@free_threads on_threads $($test)*);
        on_both!(@on_coroutines on_fibers $($test)*);
    };
}

mod blocked;
mod over;
mod scopes;
mod selections;
mod unwinding;

/// A body of one first task, with nothing to add at quiescence.
struct Only<F>(F);

impl<F: Fn() + Send + Sync + 'static> Body for Only<F> {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.0)())
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        Next::End
    }
}

fn blocked(run: &Run) -> Vec<(String, Vec<Target>)> {
    let targets = |waits: &[Wait]| waits.iter().map(|wait| wait.target).collect();
    run.state.blocked().map(|(task, waits)| (run.state.task(task).name.clone(), targets(waits))).collect()
}

/// What the tasks said that panicked.
fn panicked(run: &Run) -> Vec<&str> {
    let tasks = run.state.tasks.iter();
    tasks
        .filter_map(|task| match &task.status {
            Status::Panicked(message) => Some(message.as_str()),
            _ => None,
        })
        .collect()
}

fn named(name: &str, f: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(f).unwrap()
}

/// On threads, with a deadline that only what has no end may need.
fn on_threads(body: Arc<dyn Body>, seed: u64) -> Run {
    threads::run(body, threads::Settings { seed, deadline: Duration::from_secs(2) })
}

fn on_fibers(body: Arc<dyn Body>, seed: u64) -> Run {
    fibers::run(body, Box::new(RandomWalk::new(seed)), 100_000).run
}

on_both! {

#[test]
fn what_ends_is_finished() {
    for seed in 0..300 {
        let run = run_once(seed, || {
            let (tx, rx) = bounded(0);
            let total = Arc::new(Mutex::new(0));
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    let (rx, total): (Receiver<i32>, _) = (rx.clone(), Arc::clone(&total));
                    thread::spawn(move || rx.iter().for_each(|number| *total.lock() += number))
                })
                .collect();
            (1..=10).for_each(|number| tx.send(number).unwrap());
            drop(tx);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
            assert_eq!(*total.lock(), 55);
        });
        assert_eq!((run.end, run.forgotten), (End::Finished, 0));
        assert!(run.state.tasks.iter().all(|task| matches!(task.status, Status::Ended)), "{run:?}");
        assert!(run.sync_points > 20);
    }
}

#[test]
fn notifications_arrive() {
    for seed in 0..200 {
        let run = run_once(seed, || {
            let shared = Arc::new((Mutex::new(0), Condvar::new()));
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || {
                        let mut count = shared.0.lock();
                        *count += 1;
                        shared.1.notify_all();
                        shared.1.wait_while(&mut count, |count| *count < 3);
                    })
                })
                .collect();
            waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        });
        assert_eq!(run.end, End::Finished, "{run:#?}");
    }
}

#[test]
fn scoped_threads_are_tasks() {
    for seed in 0..100 {
        let run = run_once(seed, || {
            let total = Mutex::new(0);
            thread::scope(|scope| {
                let left = scope.spawn(|| *total.lock() += 1);
                scope.spawn(|| *total.lock() += 2);
                left.join().unwrap();
            });
            assert_eq!(*total.lock(), 3);
        });
        assert_eq!(run.end, End::Finished, "{run:?}");
        assert!(run.state.tasks.iter().all(|task| matches!(task.status, Status::Ended)), "{run:?}");
    }
    let run = run_once(0, || {
        let (tx, _rx) = bounded(0);
        thread::scope(|scope| {
            scope.spawn(|| tx.send(()));
        });
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
    assert_eq!(blocked(&run).len(), 2);
}

#[test]
fn timers_are_no_quiescence_until_they_have_fired() {
    let run = run_once(0, || {
        let fired = after(Duration::from_millis(1));
        select! {
            recv(fired) -> time => assert!(time.is_ok()),
            recv(never::<()>()) -> _ => unreachable!(),
        }
        let (_tx, rx) = bounded::<()>(1);
        rx.recv_timeout(Duration::from_millis(1)).unwrap_err();
        assert!(Mutex::new(()).try_lock_for(Duration::from_millis(1)).is_some());
        thread::sleep(Duration::from_millis(1));
        let _ = fired.recv();
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
    assert_eq!(blocked(&run).len(), 1);
}

#[test]
fn a_time_that_cannot_be_told_is_no_limit() {
    const EVER: Duration = Duration::MAX;
    let waits = [
        || thread::sleep(EVER),
        || _ = after(EVER).recv(),
        || _ = tick(EVER).recv(),
        || _ = bounded::<()>(1).1.recv_timeout(EVER),
        || {
            let (tx, _rx) = bounded(0);
            let _ = tx.send_timeout((), EVER);
        },
        || {
            let (_tx, rx) = bounded::<()>(0);
            select! { recv(rx) -> _ => {} recv(after(EVER)) -> _ => {} default(EVER) => {} }
        },
        || {
            let lock = Mutex::new(());
            let _held = lock.lock();
            drop(lock.try_lock_for(EVER));
        },
        || _ = Condvar::new().wait_for(&mut Mutex::new(()).lock(), EVER),
    ];
    for (index, wait) in waits.into_iter().enumerate() {
        let run = run_once(0, move || {
            // On fibers not even what else time does while others wait lets it go on.
            thread::spawn(|| thread::sleep(Duration::from_millis(1)));
            wait();
        });
        assert_eq!((run.end, run.forgotten, blocked(&run).len()), (End::Quiescent, 0, 1), "{index}");
    }
}

#[test]
fn what_has_ended_can_be_added_to() {
    struct Again(AtomicUsize);
    impl Body for Again {
        fn first(self: Arc<Self>) -> Job {
            Job::new("first", || {})
        }

        fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => Next::Start(vec![Job::new("second", || {})]),
                _ => Next::End,
            }
        }
    }
    let run = run(Arc::new(Again(AtomicUsize::new(0))), 0);
    assert_eq!((run.end, run.state.tasks.len()), (End::Finished, 2));
}

#[test]
fn an_object_of_another_execution_is_one_clear_error() {
    let outside = Arc::new(Mutex::new(0));
    let used = Arc::clone(&outside);
    let run = run_once(0, move || drop(used.lock()));
    let Status::Panicked(message) = &run.state.tasks[0].status else { panic!("{run:?}") };
    assert!(message.contains("made outside of an execution"), "{message}");
    assert_eq!(*outside.lock(), 0, "it is as it was, outside");

    let (out, taken) = std::sync::mpsc::channel();
    run_once(0, move || out.send(bounded::<()>(0)).unwrap());
    let kept = taken.recv().unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| kept.1.try_recv())).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(message.contains("used outside of the execution that made it"), "{message}");
}

}

#[test]
fn what_neither_ends_nor_rests_is_left_to_the_deadline() {
    for (run, end) in ENGINES.into_iter().zip([End::Deadline, End::Exhausted]) {
        let body = Only(|| {
            let (_tx, rx) = bounded::<()>(1);
            loop {
                let _ = rx.recv_timeout(Duration::from_millis(1));
            }
        });
        let run = run(Arc::new(body), 0);
        assert_eq!((run.end, run.forgotten), (end, 0));
    }
}

#[test]
fn a_record_has_the_stack_of_each_task_that_is_left() {
    #[inline(never)]
    fn waits_for_ever(receiver: &Receiver<()>) {
        let _ = receiver.recv();
    }
    #[inline(never)]
    fn panics() {
        panic!("on purpose");
    }
    let body = || {
        let (_sender, receiver) = bounded::<()>(0);
        thread::spawn(panics);
        thread::spawn(|| ());
        waits_for_ever(&receiver);
    };
    let (_, trace) = fibers::record(Arc::new(Only(body)), Box::new(RandomWalk::new(1)), 1_000);
    let told: Vec<(usize, Vec<String>)> = trace
        .stacks
        .iter()
        .map(|stack| (stack.task.0, stack.frames.iter().map(super::Frame::short_function).collect()))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, 0);
    assert!(told[0].1[0].ends_with("waits_for_ever"), "{told:?}");
    assert!(told[0].1[1].contains("{closure"), "{told:?}");
    assert_eq!(told[1], (1, vec![told[1].1[0].clone()]));
    assert!(told[1].1[0].ends_with("panics"), "{told:?}");
    assert!(trace.stacks[0].frames.iter().all(|frame| frame.file == "src/engine/tests.rs" && frame.line > 0));
}

#[test]
fn what_ends_while_the_body_is_asked_about_it_is_not_still() {
    struct Late {
        go: (Sender<()>, Receiver<()>),
        has_gone: AtomicBool,
    }
    impl Body for Late {
        fn first(self: Arc<Self>) -> Job {
            Job::new("late", move || {
                super::opaque(|| self.go.1.recv().unwrap());
                self.has_gone.store(true, Ordering::SeqCst);
            })
        }

        fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
            Next::End
        }

        fn deadlines(&self, _: &State) -> u32 {
            self.go.0.send(()).unwrap();
            while !self.has_gone.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
            1
        }
    }
    let late = Late { go: bounded(1), has_gone: AtomicBool::new(false) };
    assert_eq!(on_threads(Arc::new(late), 0).end, End::Finished);
}
