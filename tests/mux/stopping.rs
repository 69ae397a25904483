//! Guarantee 4 for `stop`: it is final, however the watcher is read and whatever others do.

use std::time::Duration;

use watchmux::sync::time::Instant;
use watchmux::sync::{channel, select, thread};
use watchmux::{Closed, Mux, Reason, RecvTimeoutError, Stopper, TryRecvError, Watcher, WhenFull};

use super::watchdog::{let_others_go_on, watched};
use super::{mux, rest, watch_when_full};

const STOPPED: Closed = Closed { reason: Reason::Stopped, missed: 0 };

type Way = fn(&Watcher<u64>) -> Result<u64, Closed>;

/// Ways to receive that never wait once a watcher has stopped: an event, or the end.
const WAYS: [Way; 6] = [
    |watcher| watcher.recv().map(|delivery| delivery.event),
    |watcher| match watcher.try_recv() {
        Ok(delivery) => Ok(delivery.event),
        Err(TryRecvError::Closed(closed)) => Err(closed),
        Err(TryRecvError::Empty) => panic!("empty, of a watcher that has stopped"),
    },
    |watcher| timed(watcher.recv_timeout(Duration::ZERO).map(|delivery| delivery.event)),
    |watcher| timed(watcher.recv_deadline(Instant::now()).map(|delivery| delivery.event)),
    |watcher| match watcher.iter().next() {
        Some(delivery) => Ok(delivery.event),
        None => Err(watcher.recv().unwrap_err()),
    },
    |watcher| {
        select! {
            recv(watcher) -> delivery => delivery.map(|delivery| delivery.event),
            default => panic!("nothing to select, of a watcher that has stopped"),
        }
    },
];

fn timed(result: Result<u64, RecvTimeoutError>) -> Result<u64, Closed> {
    match result {
        Ok(event) => Ok(event),
        Err(RecvTimeoutError::Closed(closed)) => Err(closed),
        Err(RecvTimeoutError::Timeout) => panic!("a time-out, of a watcher that has stopped"),
    }
}

#[test]
fn after_stop_what_was_buffered_and_then_the_end_for_ever() {
    watched(|| {
        for (way, receive) in WAYS.into_iter().enumerate() {
            for queue in 0..3 {
                let mux = mux(5, queue);
                let watcher = mux.watch().unwrap();
                for event in 0..5 {
                    mux.action(event).unwrap();
                }
                assert_eq!(watcher.len(), queue);
                watcher.stop();
                assert_eq!(watcher.len(), queue, "the event in hand is in no queue");
                let mut expected = 0;
                let closed = loop {
                    match receive(&watcher) {
                        Ok(event) => assert_eq!(event, expected, "way {way}"),
                        Err(closed) => break closed,
                    }
                    expected += 1;
                    assert_eq!(watcher.len() as u64, queue as u64 - expected);
                };
                assert_eq!(expected, queue as u64, "way {way}");
                assert_eq!(closed, STOPPED);
                mux.action(5).unwrap();
                mux.shutdown();
                for again in WAYS {
                    assert_eq!(again(&watcher), Err(STOPPED));
                }
                assert!(watcher.is_empty());
            }
        }
    });
}

#[test]
fn what_was_buffered_before_a_stop_is_all_there() {
    watched(|| {
        for receive in WAYS {
            let mux = mux(5, 3);
            let watcher = mux.watch_with_prefix(vec![100, 101]).unwrap();
            for event in 0..3 {
                mux.action(event).unwrap();
            }
            while mux.queued() > 0 {
                thread::yield_now();
            }
            watcher.stop();
            assert_eq!(watcher.len(), 5);
            for event in [100, 101, 0, 1, 2] {
                assert_eq!(receive(&watcher), Ok(event));
            }
            assert_eq!(receive(&watcher), Err(STOPPED));
        }
    });
}

#[test]
fn nothing_whose_action_is_called_after_a_stop_is_delivered() {
    watched(|| {
        for _ in 0..200 {
            let mux = mux(5, 2);
            let (stopped, other) = (mux.watch().unwrap(), mux.watch().unwrap());
            mux.action(0).unwrap();
            stopped.stop();
            mux.action(1).unwrap();
            mux.close();
            assert_eq!(rest(&other), [0, 1]);
            let seen = rest(&stopped);
            assert!(seen.is_empty() || seen == [0]);
        }
    });
}

#[test]
fn what_is_sent_just_before_a_stop_is_buffered() {
    watched(|| {
        let mux = mux(0, 1);
        let (watch, watchers) = channel::bounded::<Watcher<u64>>(0);
        let (ready, readiness) = channel::bounded(0);
        let reader = thread::spawn(move || {
            for watcher in watchers {
                assert_eq!(watcher.try_recv().err(), Some(TryRecvError::Empty));
                ready.send(()).unwrap();
                // Looking all the time, for the event and the stop to come in the middle of a look.
                let mut seen = 0;
                loop {
                    match watcher.try_recv() {
                        Ok(_) => seen += 1,
                        Err(TryRecvError::Empty) => {}
                        Err(TryRecvError::Closed(closed)) => break assert_eq!((seen, closed), (1, STOPPED)),
                    }
                }
            }
        });
        for event in 0..2000 {
            let watcher = mux.watch().unwrap();
            let stopper = watcher.stopper();
            watch.send(watcher).unwrap();
            readiness.recv().unwrap();
            mux.action(event).unwrap();
            stopper.stop();
        }
        drop(watch);
        reader.join().unwrap();
    });
}

#[test]
fn a_stop_tells_what_a_policy_dropped_before_it() {
    watched(|| {
        let mux = mux(9, 2);
        let watcher = watch_when_full(&mux, WhenFull::DropNewest);
        for event in 0..6 {
            mux.action(event).unwrap();
        }
        while mux.queued() > 0 {
            thread::yield_now();
        }
        watcher.stop();
        assert_eq!(rest(&watcher), [0, 1]);
        assert_eq!(watcher.recv(), Err(Closed { reason: Reason::Stopped, missed: 4 }));
    });
}

#[test]
fn a_stop_wakes_who_receives() {
    watched(|| {
        let mux = Mux::<u64>::default();
        let (_never, nothing) = channel::bounded::<()>(0);
        for way in 0..4 {
            let watcher = mux.watch().unwrap();
            let stopper = watcher.stopper();
            let nothing = nothing.clone();
            let reader = thread::spawn(move || match way {
                0 => watcher.recv().unwrap_err(),
                1 => timed(watcher.recv_timeout(Duration::MAX).map(|_| 0)).unwrap_err(),
                2 => timed(watcher.recv_timeout(Duration::from_secs(3600)).map(|_| 0)).unwrap_err(),
                _ => select! {
                    recv(watcher) -> delivery => delivery.unwrap_err(),
                    recv(nothing) -> _ => unreachable!("nothing is sent"),
                },
            });
            let_others_go_on();
            stopper.stop();
            assert_eq!(reader.join().unwrap(), STOPPED);
        }
    });
}

#[test]
fn a_stop_is_idempotent_from_any_number_of_threads() {
    watched(|| {
        let mux = mux(2, 0);
        let (watcher, other) = (mux.watch().unwrap(), mux.watch().unwrap());
        mux.action(0).unwrap();
        let stoppers: Vec<_> = (0..4)
            .map(|_| {
                let stopper = watcher.stopper();
                thread::spawn(move || {
                    stopper.stop();
                    stopper.clone().stop();
                })
            })
            .collect();
        watcher.stop();
        for stopper in stoppers {
            stopper.join().unwrap();
        }
        assert_eq!(mux.watchers(), 1);
        assert_eq!(other.recv().unwrap().event, 0);
        let stopper = watcher.stopper();
        drop(watcher);
        stopper.stop();
    });
}

#[test]
fn a_drop_is_a_stop() {
    watched(|| {
        let mux = mux(0, 0);
        let (watcher, other) = (mux.watch().unwrap(), mux.watch().unwrap());
        mux.action(0).unwrap();
        drop(watcher);
        assert_eq!(other.recv().unwrap().event, 0);
        assert_eq!(mux.watchers(), 1);
    });
}

#[test]
fn a_watcher_goes_to_another_thread_and_a_mux_and_a_stopper_to_many() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Watcher<String>>();
    is_send::<Mux<String>>();
    is_sync::<Mux<String>>();
    is_send::<Stopper>();
    is_sync::<Stopper>();
}
