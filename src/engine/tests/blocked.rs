//! Tasks that wait for each other, or for nothing.

use super::*;

on_both! {

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
fn a_join_that_never_comes_is_a_quiescence() {
    let run = run_once(0, || {
        let (_tx, rx) = unbounded::<()>();
        named("stuck", move || assert!(rx.recv().is_err())).join().unwrap();
    });
    assert_eq!((run.end, run.forgotten), (End::Quiescent, 0));
    assert_eq!(blocked(&run).len(), 2);
}

}
