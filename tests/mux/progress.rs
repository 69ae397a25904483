//! Guarantee 5: what never waits returns while a watcher is full, and what waits goes on when it may.

use watchmux::sync::{channel, thread};
use watchmux::{ActionError, Mux, Reason, TryActionError, TryRecvError, WatchOptions, Watcher};

use super::watchdog::{let_others_go_on, watched};
use super::{mux, rest};

/// How often a test is run, for more of the ways in which threads can meet.
const ROUNDS: u32 = 100;

/// A mux with one event for a watcher that nobody reads, and no room for another.
fn stuck() -> (Mux<u32>, Watcher<u32>) {
    let mux = mux(0, 0);
    let unread = mux.watch().unwrap();
    mux.action(0).unwrap();
    let_others_go_on();
    (mux, unread)
}

/// On a thread of its own, an action that has to wait.
fn waiting_action(mux: &Mux<u32>, event: u32) -> thread::JoinHandle<Result<u64, ActionError<u32>>> {
    let mux = mux.clone();
    let action = thread::spawn(move || mux.action(event));
    let_others_go_on();
    action
}

#[test]
fn what_never_waits_returns_while_a_watcher_is_full() {
    watched(|| {
        for _ in 0..ROUNDS {
            let (mux, unread) = stuck();
            assert_eq!(mux.try_action(1), Err(TryActionError::Full(1)));
            let other = mux.watch().unwrap();
            assert_eq!(other.try_recv(), Err(TryRecvError::Empty));
            other.stop();
            drop(mux.watch_with_prefix(vec![7]).unwrap());
            mux.close();
            assert!(mux.watch().is_err());
            unread.stop();
            mux.shutdown();
        }
    });
}

#[test]
fn what_never_waits_returns_while_an_action_waits_too() {
    watched(|| {
        for _ in 0..ROUNDS {
            let (mux, unread) = stuck();
            let action = waiting_action(&mux, 1);
            assert_eq!(mux.try_action(2), Err(TryActionError::Full(2)));
            let other = mux.watch().unwrap();
            other.stop();
            assert!(!action.is_finished());
            unread.stop();
            assert_eq!(action.join().unwrap(), Ok(1));
        }
    });
}

#[test]
fn a_stop_lets_an_action_that_waits_for_the_watcher_go_on() {
    watched(|| {
        for _ in 0..ROUNDS {
            let (mux, unread) = stuck();
            let actions = [1, 2, 3].map(|event| waiting_action(&mux, event));
            unread.stop();
            for action in actions {
                action.join().unwrap().unwrap();
            }
        }
    });
}

#[test]
fn a_receive_lets_an_action_that_waits_for_the_watcher_go_on() {
    watched(|| {
        for _ in 0..ROUNDS {
            let (mux, watcher) = stuck();
            let actions = [1, 2, 3].map(|event| waiting_action(&mux, event));
            assert_eq!(watcher.recv().unwrap().event, 0);
            let mut rest: Vec<_> = (0..3).map(|_| watcher.recv().unwrap().event).collect();
            rest.sort_unstable();
            assert_eq!(rest, [1, 2, 3]);
            for action in actions {
                action.join().unwrap().unwrap();
            }
        }
    });
}

#[test]
fn a_close_gives_an_action_that_waits_its_event_back() {
    watched(|| {
        for _ in 0..ROUNDS {
            let (mux, watcher) = stuck();
            let actions = [1, 2, 3].map(|event| (event, waiting_action(&mux, event)));
            mux.close();
            for (event, action) in actions {
                assert_eq!(action.join().unwrap(), Err(ActionError(event)));
            }
            // Nobody sees it, and what was queued is still distributed.
            assert_eq!(rest(&watcher), [0]);
            assert_eq!(watcher.recv().unwrap_err().reason, Reason::Shutdown);
        }
    });
}

#[test]
fn a_consumer_can_stop_another_watcher_and_publish() {
    watched(|| {
        for _ in 0..ROUNDS {
            let mux = mux(1, 0);
            let (first, second) = (mux.watch().unwrap(), mux.watch().unwrap());
            let stopper = second.stopper();
            mux.action(0).unwrap();
            mux.action(1).unwrap();
            let consumer = {
                let mux = mux.clone();
                thread::spawn(move || {
                    assert_eq!(first.recv().unwrap().event, 0);
                    stopper.stop();
                    mux.action(2).unwrap();
                    assert_eq!((first.recv().unwrap().event, first.recv().unwrap().event), (1, 2));
                })
            };
            consumer.join().unwrap();
            mux.shutdown();
        }
    });
}

#[test]
fn an_event_wakes_who_receives_however_long_nothing_happened() {
    watched(|| {
        for _ in 0..ROUNDS {
            let mux = Mux::default();
            let watcher = mux.watch().unwrap();
            let (got, events) = channel::bounded(0);
            let reader = thread::spawn(move || {
                for delivery in &watcher {
                    got.send(delivery.event).unwrap();
                }
            });
            for event in 0..3 {
                let_others_go_on();
                mux.action(event).unwrap();
                assert_eq!(events.recv(), Ok(event));
            }
            let_others_go_on();
            mux.close();
            reader.join().unwrap();
        }
    });
}

#[test]
fn the_incoming_queue_holds_its_capacity_besides_the_event_being_distributed() {
    watched(|| {
        for incoming in [0, 1, 4] {
            let mux = mux(incoming, 0);
            let watcher = mux.watch().unwrap();
            for event in 0..=incoming {
                assert_eq!(mux.try_action(event), Ok(event as u64));
            }
            assert_eq!(mux.try_action(99), Err(TryActionError::Full(99)));
            assert_eq!(mux.queued(), incoming + 1);
            mux.close();
            assert_eq!(mux.try_action(98), Err(TryActionError::Closed(98)));
            assert_eq!(rest(&watcher), (0..=incoming).collect::<Vec<_>>());
        }
    });
}

#[test]
fn what_is_read_makes_room() {
    watched(|| {
        for (incoming, queue) in [(0, 0), (0, 2), (3, 0), (3, 2)] {
            let mux = mux(incoming, queue);
            let watcher = mux.watch().unwrap();
            let full = incoming + queue + 1;
            for event in 0..full {
                assert_eq!(mux.try_action(event), Ok(event as u64));
            }
            for event in full..2 * full {
                assert_eq!(mux.try_action(event), Err(TryActionError::Full(event)));
                assert_eq!(watcher.recv().unwrap().event, event - full);
                assert_eq!(mux.try_action(event), Ok(event as u64));
            }
        }
    });
}

#[test]
fn once_all_watchers_are_stopped_and_the_mux_is_closed_everything_returns() {
    watched(|| {
        for _ in 0..ROUNDS {
            let mux = mux(1, 0);
            let watchers: Vec<_> = (0..3)
                .map(|n| {
                    let options = WatchOptions { prefix: vec![0; n], ..WatchOptions::default() };
                    mux.watch_with(options).unwrap()
                })
                .collect();
            let stoppers: Vec<_> = watchers.iter().map(Watcher::stopper).collect();
            let readers: Vec<_> =
                watchers.into_iter().map(|watcher| thread::spawn(move || rest(&watcher))).collect();
            let actions = [1, 2, 3, 4].map(|event| waiting_action(&mux, event));
            for stopper in stoppers {
                stopper.stop();
            }
            mux.close();
            for action in actions {
                let _ = action.join().unwrap();
            }
            for reader in readers {
                reader.join().unwrap();
            }
            mux.shutdown();
        }
    });
}
