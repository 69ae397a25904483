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

mod over;
mod scopes;
mod selections;

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

macro_rules! tests {
    ($engine:ident, $run:path, $endless:expr) => {
        mod $engine {
            use super::*;
            use $run as run;

            fn run_once(seed: u64, body: impl Fn() + Send + Sync + 'static) -> Run {
                run(Arc::new(Only(body)), seed)
            }

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
fn a_lock_cycle_is_a_quiescence_and_unwinds() {
    for seed in 0..200 {
        let run = run_once(seed, || {
            let locks = Arc::new((Mutex::new(()).named("left"), Mutex::new(()).named("right")));
            let (ready, go): (Sender<()>, _) = bounded(0);
            let other = Arc::clone(&locks);
            let peer = named("peer", move || {
                let _right = other.1.lock();
                ready.send(()).unwrap();
                let _left = other.0.lock();
            });
            let _left = locks.0.lock();
            go.recv().unwrap();
            let _right = locks.1.lock();
            peer.join().unwrap();
        });
        assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
        let holders: Vec<_> = run.state.objects.iter().take(2).map(|object| object.holders.len()).collect();
        assert_eq!(holders, [1, 1]);
        assert_eq!(blocked(&run).len(), 2);
        assert_eq!(run.state.objects[0].name.as_deref(), Some("left"));
    }
}

#[test]
fn a_lock_held_over_a_send_is_a_quiescence_and_unwinds() {
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    for seed in 0..200 {
        let counter = Arc::clone(&dropped);
        let run = run_once(seed, move || {
            let lock = Arc::new(Mutex::new(()));
            let (tx, rx) = bounded(0);
            let (locked, go) = bounded(0);
            let held = Arc::clone(&lock);
            let counts = Counts(Arc::clone(&counter));
            named("dispatcher", move || {
                let _held = held.lock();
                locked.send(()).unwrap();
                let _ = tx.send(counts);
            });
            go.recv().unwrap();
            let _held = lock.lock();
            let _ = rx.try_recv();
        });
        assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
        assert_eq!(blocked(&run).len(), 2);
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 200, "every message is dropped once");
}

#[test]
fn a_double_lock_is_a_quiescence_and_unwinds() {
    let run = run_once(0, || {
        let lock = Mutex::new(());
        let _once = lock.lock();
        let _twice = lock.lock();
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
}

#[test]
fn a_read_behind_a_waiting_writer_is_a_quiescence() {
    let hangs = (0..200).filter(|seed| {
        let run = run_once(*seed, || {
            let lock = Arc::new(RwLock::new(()));
            let first = lock.read();
            let written = Arc::clone(&lock);
            let writer = thread::spawn(move || drop(written.write()));
            thread::yield_now();
            drop(lock.read());
            drop(first);
            writer.join().unwrap();
        });
        assert_eq!(run.forgotten, 0);
        run.end == End::Quiescent
    });
    assert!(hangs.count() > 0);
}

#[test]
fn a_lost_notification_is_a_quiescence() {
    let run = run_once(0, || {
        let pair = (Mutex::new(false), Condvar::new());
        pair.1.notify_all();
        let mut ready = pair.0.lock();
        while !*ready {
            pair.1.wait(&mut ready);
        }
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
    assert!(matches!(blocked(&run)[..], [(_, ref targets)] if matches!(targets[..], [Target::Notify(_)])));
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
fn a_join_that_never_comes_is_a_quiescence() {
    let run = run_once(0, || {
        let (_tx, rx) = unbounded::<()>();
        named("stuck", move || assert!(rx.recv().is_err())).join().unwrap();
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
    assert_eq!(blocked(&run).len(), 2);
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
fn a_selection_of_nothing_is_over_at_once_or_when_its_time_is_up() {
    let run = run_once(0, || {
        let (began, soon) = (Instant::now(), Duration::from_millis(1));
        assert!(Select::new().try_select().is_err());
        assert!(Select::new().select_timeout(soon).is_err());
        assert!(began.elapsed() >= soon);
        assert!(Select::new().select_deadline(began + 2 * soon).is_err());
        assert!(began.elapsed() >= 2 * soon);
    });
    assert_eq!((run.end, panicked(&run)), (End::Finished, vec![]));
    for wait in [|| Select::new().select(), || Select::new().select_timeout(Duration::MAX).unwrap()] {
        let run = run_once(0, move || drop(wait()));
        assert_eq!(panicked(&run), ["no operations have been added to `Select`"]);
    }
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
fn a_selected_operation_is_completed_on_the_handle_it_was_added_with() {
    let run = run_once(0, || {
        let (tx, rx) = bounded(1);
        tx.send(()).unwrap();
        let mut select = Select::new();
        select.recv(&rx);
        let _ = select.select().recv(&rx.clone());
    });
    assert_eq!(panicked(&run), ["passed a receiver that wasn't selected"]);
}

#[test]
fn a_selected_operation_that_is_dropped_panics() {
    let run = run_once(0, || {
        let (tx, rx) = bounded(1);
        tx.send(()).unwrap();
        let mut select = Select::new();
        select.recv(&rx);
        drop(select.select());
    });
    assert_eq!(panicked(&run), ["dropped `SelectedOperation` without completing the operation"]);
}

#[test]
fn a_hang_between_a_selection_and_its_end_is_a_quiescence_and_unwinds() {
    let run = run_once(0, || {
        let (tx, _rx) = bounded(1);
        let (_never, stuck) = bounded::<()>(0);
        select! { send(tx, stuck.recv().unwrap()) -> sent => sent.unwrap() }
    });
    assert_eq!((run.end, run.forgotten, blocked(&run).len()), (End::Quiescent, 0, 1));
}

#[test]
fn what_neither_ends_nor_rests_is_left_to_the_deadline() {
    let body = Only(|| {
        let (_tx, rx) = bounded::<()>(1);
        loop {
            let _ = rx.recv_timeout(Duration::from_millis(1));
        }
    });
    let run = run(Arc::new(body), 0);
    assert_eq!((run.end, run.forgotten), ($endless, 0));
}

#[test]
fn a_panic_is_kept_and_joined() {
    let run = run_once(0, || {
        let result = named("unlucky", || panic!("bad luck")).join();
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"bad luck"));
    });
    assert_eq!(run.end, End::Finished);
    assert!(matches!(&run.state.tasks[1].status, Status::Panicked(message) if message == "bad luck"));
}

#[test]
fn what_a_task_leaves_is_dropped_by_whoever_has_it_last() {
    /// Notes which task drops it.
    struct Left(Arc<Shared<Vec<String>>>);
    impl Drop for Left {
        fn drop(&mut self) {
            let name = thread::current().name().unwrap().to_owned();
            self.0.with(|by| by.push(name));
        }
    }
    fn dropped_by(heir: fn(thread::JoinHandle<Left>)) -> Vec<String> {
        let by = Arc::new(Shared::new(Vec::new()));
        let seen = Arc::clone(&by);
        let run = run_once(0, move || {
            let left = Left(Arc::clone(&seen));
            let leaver = thread::Builder::new().name("leaver".to_owned());
            heir(leaver.spawn(move || left).unwrap());
        });
        assert_eq!((run.end, run.forgotten), (End::Finished, 0));
        by.with(std::mem::take)
    }
    let joined = dropped_by(|leaver| drop(leaver.join()));
    assert_eq!(joined, ["main"]);
    let given_up = dropped_by(|leaver| {
        while !leaver.is_finished() {
            thread::yield_now();
        }
        drop(leaver);
    });
    assert_eq!(given_up, ["main"]);
    let unwanted = dropped_by(drop);
    assert!(unwanted == ["leaver"] || unwanted == ["main"], "{unwanted:?}");
}

#[test]
fn a_panic_of_what_a_task_leaves_is_its_own() {
    struct Left;
    impl Drop for Left {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let run = run_once(0, || {
        let (tx, rx) = bounded(0);
        let leaver = thread::spawn(move || {
            let _ = rx.recv();
            Left
        });
        drop(leaver);
        tx.send(()).unwrap();
    });
    assert_eq!(run.end, End::Finished);
    assert!(matches!(&run.state.tasks[1].status, Status::Panicked(message) if message == "dropped"));
}

#[test]
fn an_abort_passes_through_catch_unwind_and_destructors() {
    struct Destructor(Sender<()>, Receiver<()>, Arc<Mutex<()>>, Arc<AtomicUsize>);
    impl Drop for Destructor {
        fn drop(&mut self) {
            assert!(self.1.recv().is_err(), "the channel looks disconnected");
            assert!(self.0.send(()).is_err());
            drop(self.2.lock());
            self.3.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let run = run_once(0, move || {
        let (tx, rx) = bounded(0);
        let lock = Arc::new(Mutex::new(()));
        let _destructor = Destructor(tx, rx.clone(), lock, Arc::clone(&counter));
        let caught = crate::sync::catch_unwind(|| rx.recv());
        unreachable!("{caught:?}");
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert!(matches!(run.state.tasks[0].status, Status::Blocked(_)));
}

#[test]
fn a_panic_that_goes_on_is_seen_to_unwind() {
    struct Sends(Sender<()>);
    impl Drop for Sends {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let run = run_once(0, || {
        let (tx, _rx) = bounded(0);
        let _sends = Sends(tx);
        let joined = thread::spawn(|| panic!("no reason")).join();
        // A second panic, of the unwinding that comes while the destructor waits, would end the process.
        resume_unwind(joined.unwrap_err());
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
}

#[test]
fn a_body_puts_away_what_it_has_once_all_is_unwound() {
    struct Keeps(Shared<Vec<Destructor>>, Arc<AtomicUsize>);
    struct Destructor(Arc<Mutex<()>>, Arc<AtomicUsize>);
    impl Drop for Destructor {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            drop(self.0.lock());
        }
    }
    impl Body for Keeps {
        fn first(self: Arc<Self>) -> Job {
            let run = move || {
                let lock = Arc::new(Mutex::new(()));
                let kept = (0..2).map(|_| Destructor(Arc::clone(&lock), Arc::clone(&self.1)));
                self.0.with(|keeps| keeps.extend(kept));
                let _held = lock.lock();
                let (_tx, rx) = bounded::<()>(0);
                let _ = rx.recv();
            };
            Job::new("main", run)
        }

        fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
            Next::End
        }

        fn unwound(self: Arc<Self>) {
            drop(self.0.with(std::mem::take));
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let body = Arc::new(Keeps(Shared::new(Vec::new()), Arc::clone(&dropped)));
    let run = run(body, 0);
    assert_eq!((run.end, run.forgotten, dropped.load(Ordering::SeqCst)), (End::Quiescent, 0, 2));
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
fn a_destructor_that_waits_for_ever_is_forgotten_and_counted() {
    struct Stubborn(Arc<Mutex<()>>);
    impl Drop for Stubborn {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let run = run_once(0, || {
        let lock = Arc::new(Mutex::new(()));
        let _held = lock.lock();
        let _stubborn = Stubborn(Arc::clone(&lock));
        let (_tx, rx) = bounded::<()>(0);
        let _ = rx.recv();
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 1));
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
    };
}

tests!(free_threads, super::on_threads, End::Deadline);
tests!(on_coroutines, super::on_fibers, End::Exhausted);

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
