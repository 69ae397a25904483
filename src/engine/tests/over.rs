//! What is left of an execution on fibers that is over.

use super::super::After;
use super::super::strategy::{Point, Strategy};
use super::*;

/// Counts how often it is dropped.
struct Left(Arc<AtomicUsize>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A body whose tasks are forgotten.
struct Forgets<F>(F);

impl<F: Fn() + Send + Sync + 'static> Body for Forgets<F> {
    fn first(self: Arc<Self>) -> Job {
        Job::new("main", move || (self.0)())
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        Next::End
    }

    fn over(&self) -> After {
        After::Forget
    }
}

/// The first task goes on for as long as it can.
struct First;

impl Strategy for First {
    fn choose(&mut self, _: &Point<'_>) -> usize {
        0
    }
}

/// Runs it, and others after it, in the same memory; says how often something was dropped.
fn dropped(end: End, forgotten: usize, body: impl Fn(Left) + Send + Sync + 'static) -> usize {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let body = Forgets(move || body(Left(Arc::clone(&counter))));
    let run = fibers::run(Arc::new(body), Box::new(First), 100).run;
    assert_eq!((run.end, run.forgotten), (end, forgotten));
    for _ in 0..3 {
        let next = || drop(thread::spawn(|| ()).join());
        assert_eq!(on_fibers(Arc::new(Only(next)), 0).end, End::Finished);
    }
    dropped.load(Ordering::SeqCst)
}

#[test]
fn what_a_task_leaves_is_forgotten_with_its_execution() {
    let (out, taken) = std::sync::mpsc::channel();
    let leaves = move |left: Left| out.send(thread::spawn(move || left)).unwrap();
    assert_eq!(dropped(End::Finished, 0, leaves), 0);
    assert!(taken.recv().unwrap().join().is_err());
}

#[test]
fn what_a_task_that_was_never_started_has_is_forgotten_with_its_execution() {
    let spins = || -> ! {
        loop {
            thread::yield_now();
        }
    };
    let starts = move |left: Left| {
        thread::spawn(move || drop(left));
        spins();
    };
    assert_eq!(dropped(End::Exhausted, 2, starts), 0);
    // It borrows from a stack that is gone.
    let borrows = move |left: Left| {
        let (counter, left) = (&left.0, Left(Arc::clone(&left.0)));
        thread::scope(|scope| {
            scope.spawn(move || (drop(left), counter.load(Ordering::SeqCst)));
            spins();
        });
    };
    assert_eq!(dropped(End::Exhausted, 2, borrows), 0);
}

#[test]
fn what_a_task_has_panicked_with_is_forgotten_with_its_execution() {
    let panics = |left: Left| std::panic::panic_any(left);
    assert_eq!(dropped(End::Finished, 0, panics), 0);
}

#[test]
fn a_handle_is_cloned_in_its_execution_alone() {
    let body = || {
        let (tx, rx) = bounded::<()>(1);
        let clones = || {
            catch_unwind(AssertUnwindSafe(|| tx.clone()))
                .map_err(|payload| payload.downcast::<String>().expect("it is a message"))
        };
        let cloned = std::thread::scope(|scope| scope.spawn(clones).join().unwrap());
        let message = cloned.unwrap_err();
        assert!(message.contains("used outside of the execution that made it"), "{message}");
        drop(tx);
        assert!(rx.recv().is_err(), "it counts for nothing");
    };
    let run = on_fibers(Arc::new(Only(body)), 0);
    assert!(matches!(run.state.tasks[0].status, Status::Ended), "{run:?}");
}
