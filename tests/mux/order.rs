//! Guarantees 1, 2 and 3: one total order, an exact suffix, everything once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use watchmux::sync::thread;
use watchmux::{Closed, Delivery, Mux, Reason, WatchOptions, WhenFull};

use super::probe::Census;
use super::watchdog::{let_others_go_on, watched};
use super::{mux, rest, watch_when_full};

#[test]
fn all_watchers_see_one_order_and_it_respects_each_producer() {
    watched(|| {
        const EACH: u64 = 300;
        let mux = mux(3, 2);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let watcher = mux.watch().unwrap();
                thread::spawn(move || watcher.iter().collect::<Vec<_>>())
            })
            .collect();
        let producers: Vec<_> = (0..3)
            .map(|producer| {
                let mux = mux.clone();
                thread::spawn(move || {
                    (0..EACH).map(|n| (mux.action((producer, n)).unwrap(), (producer, n))).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut published: Vec<_> = producers.into_iter().flat_map(|p| p.join().unwrap()).collect();
        mux.shutdown();
        published.sort_unstable();
        let expected: Vec<_> =
            published.into_iter().map(|(seq, event)| Delivery { seq: Some(seq), missed: 0, event }).collect();
        assert!(expected.iter().enumerate().all(|(index, delivery)| delivery.seq == Some(index as u64)));
        for producer in 0..3 {
            let own = expected.iter().map(|d| d.event).filter(|event| event.0 == producer);
            assert!(own.eq((0..EACH).map(|n| (producer, n))));
        }
        for reader in readers {
            assert_eq!(reader.join().unwrap(), expected);
        }
    });
}

#[test]
fn a_watcher_gets_nothing_from_before_its_watch_even_if_it_is_still_queued() {
    watched(|| {
        let mux = mux(10, 0);
        let early = mux.watch().unwrap();
        for event in 0..3 {
            mux.action(event).unwrap();
        }
        // Nothing can be distributed past the first event: `early` has not received it.
        let late = watch_when_full(&mux, WhenFull::Wait);
        for event in 3..5 {
            mux.action(event).unwrap();
        }
        mux.close();
        let reader = thread::spawn(move || rest(&early));
        let first = late.recv().unwrap();
        assert_eq!((first.event, first.seq, first.missed), (3, Some(3), 0));
        assert_eq!(rest(&late), [4]);
        assert_eq!(reader.join().unwrap(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_newcomer_shares_no_block_with_what_was_queued_before_it() {
    watched(|| {
        // Of numbers, which need no drop and are shared in blocks.
        let mux = mux(10, 4);
        let early = mux.watch().unwrap();
        for event in 0..6 {
            mux.action(event).unwrap();
        }
        let late = mux.watch().unwrap();
        for event in 6..8 {
            mux.action(event).unwrap();
        }
        mux.close();
        assert_eq!(rest(&early), (0..8).collect::<Vec<_>>());
        assert_eq!(rest(&late), [6, 7]);
    });
}

#[test]
fn watchers_that_come_and_go_each_get_an_exact_suffix() {
    watched(|| {
        let mux = mux(2, 1);
        let (called, returned) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let producer = {
            let (mux, called, returned) = (mux.clone(), Arc::clone(&called), Arc::clone(&returned));
            thread::spawn(move || {
                while mux.action(called.fetch_add(1, SeqCst)).is_ok() {
                    returned.fetch_add(1, SeqCst);
                }
            })
        };
        let visitors: Vec<_> = (0..3)
            .map(|_| {
                let (mux, called, returned) = (mux.clone(), Arc::clone(&called), Arc::clone(&returned));
                thread::spawn(move || {
                    for stay in 0..60 {
                        let no_earlier = returned.load(SeqCst);
                        let watcher = mux.watch().unwrap();
                        let no_later = called.load(SeqCst);
                        let first = watcher.recv().unwrap().event;
                        assert!((no_earlier..=no_later).contains(&first));
                        for next in 1..=stay % 4 {
                            assert_eq!(watcher.recv().unwrap().event, first + next);
                        }
                        watcher.stop();
                        let mut seen = first + stay % 4;
                        for delivery in &watcher {
                            seen += 1;
                            assert_eq!(delivery.event, seen);
                        }
                    }
                })
            })
            .collect();
        for visitor in visitors {
            visitor.join().unwrap();
        }
        mux.shutdown();
        producer.join().unwrap();
        assert_eq!(mux.watchers(), 0);
    });
}

#[test]
fn with_no_watcher_actions_are_accepted_and_a_later_watch_works() {
    watched(|| {
        let mux = mux(1, 0);
        for event in 0..10 {
            assert_eq!(mux.action(event), Ok(event));
        }
        let watcher = mux.watch().unwrap();
        mux.action(10).unwrap();
        let delivery = watcher.recv().unwrap();
        assert_eq!((delivery.event, delivery.seq, delivery.missed), (10, Some(10), 0));
    });
}

#[test]
fn what_is_left_of_a_queue_is_counted() {
    watched(|| {
        let mux = mux(5, 5);
        let watcher = mux.watch().unwrap();
        (0..4).for_each(|event| _ = mux.action(event).unwrap());
        while mux.queued() > 0 {
            thread::yield_now();
        }
        for left in (0..4).rev() {
            assert!(watcher.recv().is_ok());
            assert_eq!((watcher.len(), watcher.is_empty()), (left, left == 0));
        }
    });
}

#[test]
fn a_prefix_comes_first_is_outside_of_the_capacity_and_is_never_dropped() {
    watched(|| {
        for when_full in [WhenFull::Wait, WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Disconnect] {
            let mux = mux(5, 1);
            mux.action(90).unwrap();
            let prefix = vec![10, 11, 12];
            let options = WatchOptions { prefix, when_full: Some(when_full) };
            let watcher = mux.watch_with(options).unwrap();
            let seq = mux.action(91).unwrap();
            while mux.queued() > 0 {
                thread::yield_now();
            }
            for (read, event) in (10..13).enumerate() {
                assert_eq!((watcher.len(), watcher.is_empty()), (4 - read, false));
                assert_eq!(watcher.recv(), Ok(Delivery { seq: None, missed: 0, event }));
            }
            mux.shutdown();
            assert_eq!(watcher.try_recv(), Ok(Delivery { seq: Some(seq), missed: 0, event: 91 }));
            assert_eq!(watcher.recv(), Err(Closed { reason: Reason::Shutdown, missed: 0 }));
            assert!(watcher.is_empty());
        }
    });
}

#[test]
fn every_event_is_dropped_once_wherever_it_ends() {
    watched(|| {
        let census = Census::new();
        for when_full in [WhenFull::Wait, WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Disconnect] {
            let event = |id| census.event(id);
            let mux = mux(20, 2);
            mux.action(event(0)).unwrap();
            let prefix = || (10..13).map(event).collect();
            let options = || WatchOptions { prefix: prefix(), when_full: Some(when_full) };
            let read = mux.watch_with(options()).unwrap();
            let half_read = mux.watch_with(options()).unwrap();
            let unread = mux.watch_with(options()).unwrap();
            for id in 1..8 {
                mux.action(event(id)).unwrap();
            }
            let _ = mux.try_action(event(8));
            let reader = thread::spawn(move || rest(&read).len());
            drop((half_read.recv(), half_read.recv(), half_read.recv(), half_read.recv()));
            unread.stop();
            let _ = mux.shutdown_timeout(std::time::Duration::ZERO);
            drop(half_read);
            assert!(mux.action(event(9)).is_err());
            assert!(mux.watch_with_prefix(prefix()).is_err());
            mux.shutdown();
            reader.join().unwrap();
            drop(unread);
        }
        census.assert_all_dropped();
    });
}

#[test]
fn events_left_in_a_mux_that_is_only_dropped_are_dropped_too() {
    watched(|| {
        let census = Census::new();
        let mux = mux(20, 0);
        let watcher = mux.watch().unwrap();
        for id in 0..10 {
            mux.action(census.event(id)).unwrap();
        }
        drop(mux);
        watcher.recv().unwrap();
        let_others_go_on();
        drop(watcher);
        census.assert_all_dropped();
    });
}

#[test]
fn an_event_is_dropped_when_the_last_watcher_has_read_it() {
    watched(|| {
        let mux = mux(5, 5);
        let watchers = [mux.watch().unwrap(), mux.watch().unwrap(), mux.watch().unwrap()];
        let stopped = mux.watch().unwrap();
        for event in [0, 1].map(Arc::new) {
            mux.action(Arc::clone(&event)).unwrap();
            stopped.stop();
            for (read, watcher) in watchers.iter().enumerate() {
                assert!(Arc::strong_count(&event) > 1, "{read} have read it");
                drop(watcher.recv().unwrap());
            }
            let left = if *event == 0 { 1 } else { 0 };
            assert_eq!(Arc::strong_count(&event), 1 + left, "what has stopped may still read event 0");
        }
        drop(stopped);
        let event = Arc::new(2);
        mux.action(Arc::clone(&event)).unwrap();
        drop(watchers);
        assert_eq!(Arc::strong_count(&event), 1);
    });
}

#[test]
fn one_watcher_costs_no_copy() {
    watched(|| {
        let census = Census::new();
        let mux: Mux<_> = mux(5, 5);
        let watcher = mux.watch().unwrap();
        for id in 0..5 {
            mux.action(census.event(id)).unwrap();
        }
        mux.shutdown();
        assert_eq!(rest(&watcher).len(), 5);
        assert_eq!(census.made(), 5);
    });
}
