//! A watcher in a selection.

use std::time::Duration;

use watchmux::sync::{select, thread};
use watchmux::{Delivery, TryRecvError, Watcher, WhenFull};

use super::watchdog::{let_others_go_on, watched};
use super::{mux, watch_when_full};

/// Waits in a selection that gives up.
fn select_in_vain(watcher: &Watcher<u32>) {
    select! {
        recv(watcher) -> delivery => panic!("{delivery:?}"),
        default(Duration::from_millis(1)) => {}
    }
}

#[test]
fn what_is_there_is_selected_at_once_wherever_it_is() {
    watched(|| {
        let mux = mux(5, 2);
        let watcher = mux.watch_with_prefix(vec![100]).unwrap();
        mux.action(0).unwrap();
        mux.action(1).unwrap();
        // Of the prefix, of the queue, and of what was taken with that.
        for event in [100, 0, 1] {
            let got = select! {
                recv(watcher) -> delivery => delivery.unwrap().event,
                default => panic!("event {event} is there"),
            };
            assert_eq!(got, event);
        }
        select_in_vain(&watcher);
    });
}

#[test]
fn who_is_in_a_selection_receives_and_who_has_left_it_does_not() {
    watched(|| {
        let mux = mux(5, 0);
        let watcher = watch_when_full(&mux, WhenFull::DropNewest);
        select_in_vain(&watcher);
        mux.action(0).unwrap();
        assert_eq!(watcher.try_recv(), Err(TryRecvError::Empty));
        let reader = thread::spawn(move || {
            select! {
                recv(watcher) -> delivery => delivery.unwrap(),
            }
        });
        let mut acted = 1;
        while !reader.is_finished() {
            mux.action(acted).unwrap();
            acted += 1;
            let_others_go_on();
        }
        let Delivery { seq, missed, event } = reader.join().unwrap();
        assert_eq!((seq, missed), (Some(event.into()), event.into()));
        assert!((1..acted).contains(&event));
    });
}
