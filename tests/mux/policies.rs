//! What happens when a watcher's queue is full.

use watchmux::sync::thread;
use watchmux::{Closed, Config, Mux, Reason, TryRecvError, Watcher, WhenFull};

use super::watchdog::{let_others_go_on, watched};
use super::{mux, rest, watch_when_full};

/// Ten events, distributed before anything is read; then all deliveries by `(event, missed)`, and the end.
fn unread(queue: usize, when_full: WhenFull) -> (Vec<(u64, u64)>, Closed) {
    let mux = Mux::new(Config { incoming: 10, queue, when_full });
    let watcher = mux.watch().unwrap();
    for event in 0..10 {
        mux.action(event).unwrap();
    }
    mux.shutdown();
    let deliveries = watcher.iter().map(|delivery| {
        assert_eq!(delivery.seq, Some(delivery.event));
        (delivery.event, delivery.missed)
    });
    (deliveries.collect(), watcher.recv().unwrap_err())
}

#[test]
fn drop_newest_keeps_the_oldest() {
    watched(|| {
        let closed = Closed { reason: Reason::Shutdown, missed: 7 };
        assert_eq!(unread(3, WhenFull::DropNewest), (vec![(0, 0), (1, 0), (2, 0)], closed));
    });
}

#[test]
fn drop_oldest_keeps_the_newest() {
    watched(|| {
        let closed = Closed { reason: Reason::Shutdown, missed: 0 };
        assert_eq!(unread(3, WhenFull::DropOldest), (vec![(7, 7), (8, 0), (9, 0)], closed));
    });
}

#[test]
fn disconnect_ends_the_watcher() {
    watched(|| {
        let closed = Closed { reason: Reason::TooSlow, missed: 0 };
        assert_eq!(unread(3, WhenFull::Disconnect), (vec![(0, 0), (1, 0), (2, 0)], closed));
    });
}

#[test]
fn at_capacity_0_full_means_that_no_receiver_waits() {
    watched(|| {
        let missed_all = Closed { reason: Reason::Shutdown, missed: 10 };
        assert_eq!(unread(0, WhenFull::DropNewest), (vec![], missed_all));
        assert_eq!(unread(0, WhenFull::DropOldest), (vec![], missed_all));
        assert_eq!(unread(0, WhenFull::Disconnect), (vec![], Closed { reason: Reason::TooSlow, missed: 0 }));
    });
}

#[test]
fn at_capacity_0_a_receiver_that_waits_is_served_under_every_policy() {
    watched(|| {
        for when_full in [WhenFull::Wait, WhenFull::DropNewest, WhenFull::DropOldest] {
            let mux = Mux::new(Config { incoming: 0, queue: 0, when_full });
            let watcher = mux.watch().unwrap();
            let reader = thread::spawn(move || watcher.recv().unwrap());
            let mut acted = 0;
            while !reader.is_finished() {
                let_others_go_on();
                acted += u64::from(mux.try_action(acted).is_ok());
            }
            let delivery = reader.join().unwrap();
            assert_eq!((delivery.seq, delivery.missed), (Some(delivery.event), delivery.event));
            assert!(delivery.event < acted);
        }
    });
}

#[test]
fn what_was_missed_adds_up_while_it_is_read() {
    watched(|| {
        for when_full in [WhenFull::DropNewest, WhenFull::DropOldest] {
            for queue in 0..4 {
                let mux = Mux::new(Config { incoming: 4, queue, when_full });
                let watcher = mux.watch().unwrap();
                let reader = thread::spawn(move || {
                    let mut due = 0;
                    for delivery in &watcher {
                        due += delivery.missed;
                        assert_eq!((delivery.seq, delivery.event), (Some(due), due));
                        due += 1;
                    }
                    due + watcher.recv().unwrap_err().missed
                });
                for event in 0..2000 {
                    mux.action(event).unwrap();
                }
                mux.shutdown();
                assert_eq!(reader.join().unwrap(), 2000);
            }
        }
    });
}

#[test]
fn a_watch_can_have_a_policy_of_its_own() {
    watched(|| {
        let mux = mux(10, 1);
        let newest = watch_when_full(&mux, WhenFull::DropNewest);
        let oldest = watch_when_full(&mux, WhenFull::DropOldest);
        let disconnect = watch_when_full(&mux, WhenFull::Disconnect);
        let wait = mux.watch().unwrap();
        assert_eq!(mux.watchers(), 4);
        for event in 0..4 {
            mux.action(event).unwrap();
        }
        mux.close();
        assert_eq!(rest(&wait), [0, 1, 2, 3]);
        assert_eq!(rest(&newest), [0]);
        assert_eq!(rest(&oldest), [3]);
        assert_eq!(rest(&disconnect), [0]);
        let end = |watcher: &Watcher<u32>| {
            let Closed { reason, missed } = watcher.recv().unwrap_err();
            (reason, missed)
        };
        assert_eq!(end(&newest), (Reason::Shutdown, 3));
        assert_eq!(end(&oldest), (Reason::Shutdown, 0));
        assert_eq!(end(&disconnect), (Reason::TooSlow, 0));
    });
}

#[test]
fn who_is_disconnected_has_left() {
    watched(|| {
        let mux = mux(10, 1);
        let slow = watch_when_full(&mux, WhenFull::Disconnect);
        let wait = mux.watch().unwrap();
        mux.action(0).unwrap();
        mux.action(1).unwrap();
        assert_eq!((wait.recv().unwrap().event, wait.recv().unwrap().event), (0, 1));
        assert_eq!(mux.watchers(), 1);
        // It has ended already, and for that reason.
        slow.stop();
        assert_eq!(slow.try_recv().unwrap().event, 0);
        let closed = TryRecvError::Closed(Closed { reason: Reason::TooSlow, missed: 0 });
        assert_eq!(slow.try_recv(), Err(closed));
    });
}

#[test]
fn who_is_stopped_as_soon_as_it_has_joined_leaves_what_is_queued_to_the_others() {
    watched(|| {
        let mux = mux(1, 1);
        let full = mux.watch().unwrap();
        mux.action(0).unwrap();
        mux.action(1).unwrap();
        let lagging = watch_when_full(&mux, WhenFull::DropNewest);
        mux.action(2).unwrap();
        mux.watch().unwrap().stop();
        full.stop();
        mux.close();
        assert_eq!((rest(&full), rest(&lagging)), (vec![0], vec![2]));
    });
}

#[test]
fn who_joins_while_events_are_queued_is_not_given_them() {
    watched(|| {
        for when_full in [WhenFull::Wait, WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Disconnect] {
            let mux = mux(4, 1);
            let full = mux.watch().unwrap();
            for event in 0..4 {
                mux.action(event).unwrap();
            }
            let newcomer = watch_when_full(&mux, when_full);
            full.stop();
            assert!(newcomer.is_empty());
            mux.action(4).unwrap();
            let delivery = newcomer.recv().unwrap();
            assert_eq!((delivery.event, delivery.seq, delivery.missed), (4, Some(4), 0));
        }
    });
}

#[test]
fn a_receive_waits_on_after_what_it_has_let_out_is_dropped() {
    watched(|| {
        for _ in 0..20 {
            let mux = mux(9, 1);
            let slow = mux.watch().unwrap();
            let _full = watch_when_full(&mux, WhenFull::DropNewest);
            // One fills the queues, one is in hand, and one comes out when it is next looked: nobody sleeps who would see it.
            for event in 0..3 {
                mux.action(event).unwrap();
            }
            slow.recv().unwrap();
            let late = mux.watch().unwrap();
            let reader = thread::spawn(move || late.recv().unwrap().event);
            let_others_go_on();
            mux.action(3).unwrap();
            drop(slow);
            assert_eq!(reader.join().unwrap(), 3);
        }
    });
}
