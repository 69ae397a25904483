//! Panics, and the unwinding of what is blocked.

use super::*;

on_both! {

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

}
