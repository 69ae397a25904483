//! `close`, `shutdown` and `shutdown_timeout`, and guarantee 4 for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use watchmux::sync::thread;
use watchmux::{ActionError, Closed, Mux, Reason, TryActionError, TryRecvError};

use super::watchdog::{let_others_go_on, watched};
use super::{mux, rest};

const SHUTDOWN: Closed = Closed { reason: Reason::Shutdown, missed: 0 };

#[test]
fn after_close_what_is_queued_is_still_distributed() {
    watched(|| {
        let mux = mux(10, 0);
        let watcher = mux.watch().unwrap();
        for event in 0..10 {
            mux.action(event).unwrap();
        }
        assert!(!mux.is_closed());
        mux.close();
        mux.close();
        assert!(mux.is_closed());
        assert_eq!(mux.action(10), Err(ActionError(10)));
        assert_eq!(mux.try_action(11), Err(TryActionError::Closed(11)));
        assert_eq!(mux.watch_with_prefix(vec![1, 2]).unwrap_err().0, [1, 2]);
        assert_eq!(rest(&watcher), (0..10).collect::<Vec<_>>());
        assert_eq!(watcher.recv(), Err(SHUTDOWN));
        assert_eq!(watcher.try_recv(), Err(TryRecvError::Closed(SHUTDOWN)));
    });
}

#[test]
fn the_last_mux_closes_when_it_is_dropped() {
    watched(|| {
        let mux = mux(10, 10);
        let watcher = mux.watch().unwrap();
        let clone = mux.clone();
        drop(mux);
        clone.action(1).unwrap();
        drop(clone);
        assert_eq!(rest(&watcher), [1]);
        assert_eq!(watcher.recv(), Err(SHUTDOWN));
    });
}

#[test]
fn after_shutdown_all_is_distributed_and_every_watcher_has_ended() {
    watched(|| {
        for _ in 0..100 {
            let mux = mux(10, 10);
            let watchers = [mux.watch().unwrap(), mux.watch().unwrap(), mux.watch().unwrap()];
            for event in 0..10 {
                mux.action(event).unwrap();
            }
            mux.shutdown();
            assert_eq!((mux.queued(), mux.watchers()), (0, 0));
            for watcher in watchers {
                watcher.stop();
                for event in 0..10 {
                    assert_eq!(watcher.try_recv().unwrap().event, event);
                }
                assert_eq!(watcher.try_recv(), Err(TryRecvError::Closed(SHUTDOWN)));
            }
        }
    });
}

#[test]
fn shutdown_waits_for_a_watcher_to_be_read() {
    watched(|| {
        for _ in 0..50 {
            let mux = mux(3, 1);
            let watcher = mux.watch().unwrap();
            for event in 0..3 {
                mux.action(event).unwrap();
            }
            let left = Arc::new(AtomicUsize::new(usize::MAX));
            let shutdown = {
                let (mux, left) = (mux.clone(), Arc::clone(&left));
                thread::spawn(move || {
                    mux.shutdown();
                    left.store(mux.queued(), SeqCst);
                })
            };
            while !mux.is_closed() {
                thread::yield_now();
            }
            let_others_go_on();
            assert!(!shutdown.is_finished());
            assert_eq!(watcher.recv().unwrap().event, 0);
            let_others_go_on();
            assert!(!shutdown.is_finished());
            assert_eq!(rest(&watcher), [1, 2]);
            shutdown.join().unwrap();
            assert_eq!(left.load(SeqCst), 0);
        }
    });
}

#[test]
fn shutdown_timeout_says_what_was_distributed_and_what_was_not() {
    watched(|| {
        let mux = mux(10, 0);
        let watcher = mux.watch().unwrap();
        for event in 0..4 {
            mux.action(event).unwrap();
        }
        let timed_out = mux.shutdown_timeout(Duration::ZERO).unwrap_err();
        assert_eq!((timed_out.distributed, timed_out.left), (0, 4));
        assert_eq!(mux.action(4), Err(ActionError(4)));

        let in_time = {
            let mux = mux.clone();
            thread::spawn(move || mux.shutdown_timeout(Duration::MAX))
        };
        let limited = {
            let mux = mux.clone();
            thread::spawn(move || mux.shutdown_timeout(Duration::from_millis(20)))
        };
        let_others_go_on();
        assert_eq!(watcher.recv().unwrap().event, 0);
        let timed_out = limited.join().unwrap().unwrap_err();
        assert!(timed_out.left == 3 || timed_out.left == 4, "{timed_out}");
        assert!(timed_out.distributed <= 1 && timed_out.distributed + timed_out.left <= 4, "{timed_out}");
        assert_eq!(rest(&watcher), [1, 2, 3]);
        assert!([3, 4].contains(&in_time.join().unwrap().unwrap()));
        assert_eq!(mux.shutdown_timeout(Duration::ZERO), Ok(0));
    });
}

#[test]
fn shutdown_timeout_has_no_need_of_its_time_when_nothing_is_left() {
    watched(|| {
        for _ in 0..100 {
            let mux: Mux<u32> = mux(10, 10);
            let _watcher = mux.watch().unwrap();
            while mux.queued() > 0 {
                thread::yield_now();
            }
            assert_eq!(mux.shutdown_timeout(Duration::ZERO), Ok(0));
        }
    });
}

#[test]
fn a_stop_lets_a_shutdown_go_on() {
    watched(|| {
        for _ in 0..50 {
            let mux: Mux<u32> = mux(5, 0);
            let watchers = [mux.watch().unwrap(), mux.watch().unwrap()];
            for event in 0..3 {
                mux.action(event).unwrap();
            }
            let shutdowns = [0, 1].map(|_| {
                let mux = mux.clone();
                thread::spawn(move || mux.shutdown())
            });
            let_others_go_on();
            for watcher in &watchers {
                watcher.stop();
            }
            for shutdown in shutdowns {
                shutdown.join().unwrap();
            }
        }
    });
}
