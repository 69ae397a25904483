//! Upstream's own tests of `pkg/watch/mux.go`, ported.
//!
//! Where upstream sleeps to force a race, these run again and again.

#[path = "mux/watchdog.rs"]
mod watchdog;

use watchdog::{let_others_go_on, watched};
use watchmux::sync::{select, thread};
use watchmux::{
    ActionError, Config, Event, EventKind, Mux, Reason, TryActionError, TryRecvError, Watcher, WhenFull,
};

type Object = (&'static str, &'static str);

fn mux(queue: usize, when_full: WhenFull) -> Mux<Event<Object>> {
    Mux::new(Config { queue, when_full, ..Config::default() })
}

fn event(kind: EventKind, object: Object) -> Event<Object> {
    Event { kind, object }
}

fn table() -> [Event<Object>; 4] {
    [
        event(EventKind::Added, ("foo", "hello world 1")),
        event(EventKind::Added, ("bar", "hello world 2")),
        event(EventKind::Modified, ("foo", "goodbye world 3")),
        event(EventKind::Deleted, ("bar", "hello world 4")),
    ]
}

fn rest(watcher: &Watcher<Event<Object>>) -> Vec<Event<Object>> {
    watcher.iter().map(|delivery| delivery.event).collect()
}

/// `TestMux`, today `TestBroadcaster`: two watchers with queues of 0 see four events, in order, and the end.
#[test]
fn every_watcher_sees_every_event_in_order() {
    watched(|| {
        let mux = mux(0, WhenFull::Wait);
        let readers = [0, 1].map(|_| {
            let watcher = mux.watch().unwrap();
            thread::spawn(move || rest(&watcher))
        });
        for event in table() {
            mux.action(event).unwrap();
        }
        mux.shutdown();
        for reader in readers {
            assert_eq!(reader.join().unwrap(), table());
        }
    });
}

/// `TestMuxWatcherClose`, today `TestBroadcasterWatcherClose`: stop and shutdown end the streams, and extra
/// stops do no harm.
#[test]
fn stop_and_shutdown_end_the_streams() {
    watched(|| {
        let mux = mux(0, WhenFull::Wait);
        let first = mux.watch().unwrap();
        let second = mux.watch().unwrap();
        first.stop();
        assert_eq!(first.recv().unwrap_err().reason, Reason::Stopped);
        mux.shutdown();
        assert_eq!(second.recv().unwrap_err().reason, Reason::Shutdown);
        first.stop();
        second.stop();
    });
}

/// `TestMuxWatcherStopDeadlock` of #1327, today `TestBroadcasterWatcherStopDeadlock`: once one watcher has the
/// event, the mux is sending to the other, which is stopped.
#[test]
fn a_watcher_is_stopped_while_the_mux_sends_to_it() {
    watched(|| {
        for _ in 0..200 {
            let mux = mux(0, WhenFull::Wait);
            let (first, second) = (mux.watch().unwrap(), mux.watch().unwrap());
            let client = thread::spawn(move || {
                let other = select! {
                    recv(first) -> delivery => delivery.map(|_| &second),
                    recv(second) -> delivery => delivery.map(|_| &first),
                };
                let_others_go_on();
                other.unwrap().stop();
                // Dropped here, they would be stopped in another way.
                (first, second)
            });
            mux.action(event(EventKind::Added, ("", ""))).unwrap();
            let _watchers = client.join().unwrap();
            mux.shutdown();
        }
    });
}

/// `TestMuxDropIfChannelFull`, today `TestBroadcasterDropIfChannelFull`: with queues of one, of two events only
/// the first arrives, and then the end.
#[test]
fn with_a_full_queue_the_event_is_dropped() {
    watched(|| {
        let mux = mux(1, WhenFull::DropNewest);
        let watchers = [mux.watch().unwrap(), mux.watch().unwrap()];
        let [first, second, ..] = table();
        mux.action(first).unwrap();
        mux.action(second).unwrap();
        mux.shutdown();
        for watcher in watchers {
            assert_eq!(rest(&watcher), [first]);
            assert_eq!(watcher.recv().unwrap_err().missed, 1);
        }
    });
}

/// `TestBroadcasterWatchAfterShutdown`: watch, with a prefix or without, is an error after shutdown.
#[test]
fn a_watch_after_shutdown_is_an_error() {
    watched(|| {
        let mux = mux(0, WhenFull::Wait);
        mux.shutdown();
        let [first, second, ..] = table();
        assert!(mux.watch().unwrap_err().0.is_empty());
        assert_eq!(mux.watch_with_prefix(vec![first, second]).unwrap_err().0, [first, second]);
    });
}

/// `TestBroadcasterSendEventAfterShutdown`: an action after shutdown is an error, and so is upstream's
/// `ActionOrDrop`, which says `(false, error)`. Nobody sees the event.
#[test]
fn an_action_after_shutdown_is_an_error() {
    watched(|| {
        let mux = mux(1, WhenFull::DropNewest);
        let watchers = [mux.watch().unwrap(), mux.watch().unwrap()];
        mux.shutdown();
        let [event, ..] = table();
        assert_eq!(mux.action(event), Err(ActionError(event)));
        assert_eq!(mux.try_action(event), Err(TryActionError::Closed(event)));
        assert!(watchers.iter().all(|watcher| rest(watcher).is_empty()));
    });
}

/// `TestBroadcasterShutdownRace`: watchers that are stopped as the mux shuts down, with an event on its way to
/// them, neither panic nor hang.
#[test]
fn stops_race_a_shutdown() {
    watched(|| {
        for _ in 0..200 {
            let mux = mux(1, WhenFull::Wait);
            let watchers = [mux.watch().unwrap(), mux.watch().unwrap()];
            let [event, ..] = table();
            mux.action(event).unwrap();
            let stops = watchers.each_ref().map(|watcher| {
                let stopper = watcher.stopper();
                thread::spawn(move || stopper.stop())
            });
            mux.shutdown();
            for stop in stops {
                stop.join().unwrap();
            }
        }
    });
}

/// Upstream promises of `WatchWithPrefix` that the prefix is sent first and may be longer than the queue.
#[test]
fn a_prefix_longer_than_the_queue_is_delivered_whole_and_first() {
    watched(|| {
        let mux = mux(1, WhenFull::DropNewest);
        let [first, second, third, fourth] = table();
        let watcher = mux.watch_with_prefix(vec![first, second, third]).unwrap();
        mux.action(fourth).unwrap();
        mux.shutdown();
        assert_eq!(rest(&watcher), table());
    });
}

/// #13058: when shutdown returns, all is distributed.
#[test]
fn shutdown_returns_when_all_is_distributed() {
    watched(|| {
        for _ in 0..200 {
            let mux = mux(table().len(), WhenFull::Wait);
            let watcher = mux.watch().unwrap();
            for event in table() {
                mux.action(event).unwrap();
            }
            mux.shutdown();
            for expected in table() {
                assert_eq!(watcher.try_recv().unwrap().event, expected);
            }
            assert!(matches!(watcher.try_recv(), Err(TryRecvError::Closed(_))));
        }
    });
}
