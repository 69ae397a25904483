//! Guarantee 6: a panic in an event's `Clone` or `Drop`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use watchmux::sync::resume_unwind;
use watchmux::{Closed, Mux, Reason, Watcher, WhenFull};

use super::probe::{Census, Probe, panic_quietly};
use super::watchdog::watched;
use super::{mux, watch_when_full};

fn ids(watcher: &Watcher<Probe>) -> Vec<u32> {
    watcher.iter().map(|delivery| delivery.event.id).collect()
}

/// Panics the first time it is told to, for this event.
fn once(event: u32) -> impl Fn(u32) + Send + Sync + 'static {
    let panicked = AtomicBool::new(false);
    move |id| {
        if id == event && !panicked.swap(true, SeqCst) {
            panic_quietly();
        }
    }
}

/// Distributes five events to three watchers.
fn distribute(mux: &Mux<Probe>, census: &Arc<Census>) -> [Watcher<Probe>; 3] {
    let watchers = [0, 1, 2].map(|_| mux.watch().unwrap());
    for id in 0..5 {
        mux.action(census.event(id)).unwrap();
    }
    mux.shutdown();
    watchers
}

#[test]
fn a_panic_in_clone_ends_the_one_watcher_that_the_copy_was_for() {
    watched(|| {
        let census = Census::with(once(2), |_| {});
        let watchers = distribute(&mux(5, 5), &census);
        assert_eq!(ids(&watchers[0]), [0, 1]);
        let closed = Closed { reason: Reason::EventPanicked, missed: 0 };
        assert_eq!(watchers[0].recv().err(), Some(closed));
        for watcher in &watchers[1..] {
            assert_eq!(ids(watcher), [0, 1, 2, 3, 4]);
            assert_eq!(watcher.recv().err().map(|closed| closed.reason), Some(Reason::Shutdown));
        }
        drop(watchers);
        census.assert_all_dropped();
    });
}

/// An event that needs no drop, and is shared with others in a block.
struct Fragile(u32, &'static AtomicBool);

impl Clone for Fragile {
    fn clone(&self) -> Fragile {
        if self.0 == 2 && !self.1.swap(true, SeqCst) {
            panic_quietly();
        }
        Fragile(self.0, self.1)
    }
}

#[test]
fn a_panic_in_clone_of_an_event_among_several_ends_the_watcher_there() {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    watched(|| {
        let mux = mux(5, 5);
        let watchers = [0, 1, 2].map(|_| mux.watch().unwrap());
        for id in 0..5 {
            mux.action(Fragile(id, &PANICKED)).unwrap();
        }
        let read = |watcher: &Watcher<Fragile>| watcher.iter().map(|it| it.event.0).collect::<Vec<_>>();
        assert_eq!(read(&watchers[0]), [0, 1]);
        assert_eq!(watchers[0].recv().err(), Some(Closed { reason: Reason::EventPanicked, missed: 0 }));
        assert_eq!((watchers[0].len(), mux.watchers()), (0, 2));
        mux.close();
        assert_eq!(watchers[1..].iter().map(read).collect::<Vec<_>>(), [[0, 1, 2, 3, 4]; 2]);
    });
}

#[test]
fn a_watcher_that_ended_by_a_panic_has_left() {
    watched(|| {
        let census = Census::with(once(0), |_| {});
        let mux = mux(5, 5);
        let ended = mux.watch().unwrap();
        let other = mux.watch().unwrap();
        mux.action(census.event(0)).unwrap();
        assert_eq!(ended.recv().err().map(|closed| closed.reason), Some(Reason::EventPanicked));
        assert_eq!(other.recv().unwrap().event.id, 0);
        mux.action(census.event(1)).unwrap();
        assert_eq!(other.recv().unwrap().event.id, 1);
        assert_eq!(mux.watchers(), 1);
    });
}

#[test]
fn a_panic_in_drop_loses_nobody_anything() {
    watched(|| {
        for when_full in [WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Disconnect] {
            // Every event that the mux drops panics: those of a policy, and those that nobody watches.
            let armed = Arc::new(AtomicBool::new(true));
            let census = {
                let armed = Arc::clone(&armed);
                Census::with(
                    |_| {},
                    move |_| {
                        if armed.load(SeqCst) {
                            panic_quietly()
                        }
                    },
                )
            };
            let mux = mux(20, 1);
            mux.action(census.event(0)).unwrap();
            let slow = watch_when_full(&mux, when_full);
            let read = mux.watch().unwrap();
            for id in 1..6 {
                mux.action(census.event(id)).unwrap();
                let delivery = read.recv().unwrap();
                assert_eq!((delivery.event.id, delivery.missed), (id, 0));
                std::mem::forget(delivery);
            }
            mux.shutdown();
            armed.store(false, SeqCst);
            assert_eq!(ids(&slow).len(), 1);
            assert!(ids(&read).is_empty());
        }
    });
}

#[test]
fn a_panic_in_drop_does_not_keep_the_rest_of_a_queue_or_prefix_from_being_dropped() {
    watched(|| {
        for panics in 0..8 {
            let census = Census::with(|_| {}, once(panics));
            let mux = mux(5, 5);
            let watcher = mux.watch_with_prefix((5..8).map(|id| census.event(id)).collect()).unwrap();
            for id in 0..5 {
                mux.action(census.event(id)).unwrap();
            }
            mux.shutdown();
            drop(watcher);
            census.assert_all_dropped();
        }
    });
}

#[test]
fn a_panic_in_drop_of_what_a_stopped_watcher_did_not_read() {
    watched(|| {
        for queue in [0, 2] {
            let census = Census::with(|_| {}, once(0));
            let mux = mux(5, queue);
            let (stopped, read) = (mux.watch().unwrap(), mux.watch().unwrap());
            mux.action(census.event(0)).unwrap();
            mux.action(census.event(1)).unwrap();
            assert!(stopped.len() <= queue);
            stopped.stop();
            // The last copy of event 0 is dropped in the mux's hands.
            std::mem::forget(read.recv().unwrap());
            census.forget_one();
            drop(stopped);
            assert_eq!(read.recv().unwrap().event.id, 1);
            mux.shutdown();
            census.assert_all_dropped();
        }
    });
}

#[test]
fn a_panic_whose_payload_panics_is_one_panic() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic_quietly();
        }
    }
    watched(|| {
        let census = Census::with(
            |id| {
                if id == 0 {
                    resume_unwind(Box::new(Payload))
                }
            },
            |_| {},
        );
        let watchers = distribute(&mux(5, 5), &census);
        assert!(ids(&watchers[0]).is_empty());
        assert!(ids(&watchers[1]).is_empty());
        assert_eq!(ids(&watchers[2]), [0, 1, 2, 3, 4]);
    });
}
