//! The mux may be called again from an event's `Clone` or `Drop`, wherever that is called.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use watchmux::sync::Mutex;
use watchmux::{Mux, Reason, Stopper, Watcher, WhenFull};

use super::probe::{Census, Probe};
use super::watchdog::watched;
use super::{mux, watch_when_full};

type Call = fn(&Scene);

/// What an event calls back with.
struct Scene {
    mux: Mux<Probe>,
    census: OnceLock<Arc<Census>>,
    stopper: Mutex<Option<Stopper>>,
    joined: Mutex<Vec<Watcher<Probe>>>,
}

impl Scene {
    fn event(&self, id: u32) -> Probe {
        self.census.get().expect("there is a census").event(id)
    }
}

/// Where event 0 makes the call.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// As it is copied for the first of two watchers, which receives it.
    Copied,
    /// As the mux drops it, for nobody watches.
    Unwatched,
    /// As the mux drops it, for a watcher has no room.
    LeftOut,
    /// As it is dropped with the one watcher that did not read it.
    Unread,
}

const PLACES: [Place; 4] = [Place::Copied, Place::Unwatched, Place::LeftOut, Place::Unread];

/// Gives what the first watcher sees of events 0 and 1, if there is one, and how it ends.
fn run(place: Place, call: Call) -> (Vec<u32>, Option<Reason>, Arc<Scene>) {
    let scene = Arc::new(Scene {
        mux: mux(9, 9),
        census: OnceLock::new(),
        stopper: Mutex::new(None),
        joined: Mutex::new(Vec::new()),
    });
    let hook = |active: bool| {
        let scene = Arc::downgrade(&scene);
        move |id| match scene.upgrade() {
            Some(scene) if active && id == 0 => call(&scene),
            _ => {}
        }
    };
    let census = Census::with(hook(place == Place::Copied), hook(place != Place::Copied));
    assert!(scene.census.set(census).is_ok());
    let watch = || scene.mux.watch().unwrap();
    let act = |id| scene.mux.action(scene.event(id)).unwrap();
    let first = match place {
        Place::Copied => {
            let (first, second) = (watch(), watch());
            *scene.stopper.lock() = Some(first.stopper());
            act(0);
            act(1);
            std::mem::forget(second);
            Some(first)
        }
        Place::Unwatched => {
            act(0);
            None
        }
        Place::LeftOut => {
            let full = watch_when_full(&scene.mux, WhenFull::DropOldest);
            *scene.stopper.lock() = Some(full.stopper());
            (0..10).for_each(|id| {
                act(id);
            });
            std::mem::forget(full);
            None
        }
        Place::Unread => {
            let unread = watch();
            act(0);
            drop(unread);
            None
        }
    };
    let Some(first) = first else { return (Vec::new(), None, scene) };
    let mut seen = Vec::new();
    while seen.last() != Some(&1) {
        match first.recv() {
            Ok(delivery) => seen.push(delivery.event.id),
            Err(_) => break,
        }
    }
    scene.mux.close();
    seen.extend(first.iter().map(|delivery| delivery.event.id));
    let reason = first.recv().err().map(|end| end.reason);
    (seen, reason, scene)
}

#[test]
fn events_can_be_queued() {
    watched(|| {
        for place in PLACES {
            let (seen, reason, scene) = run(place, |scene| {
                for id in 10..13 {
                    scene.mux.action(scene.event(id)).unwrap();
                }
            });
            if place == Place::Copied {
                assert_eq!((seen, reason), (vec![0, 1, 10, 11, 12], Some(Reason::Shutdown)));
            }
            assert_eq!(scene.mux.queued(), 0);
        }
    });
}

#[test]
fn a_watcher_that_joins_gets_what_comes_next() {
    watched(|| {
        for place in PLACES {
            let (_, _, scene) = run(place, |scene| {
                let watcher = scene.mux.watch_with_prefix(vec![scene.event(20)]).unwrap();
                scene.mux.action(scene.event(21)).unwrap();
                scene.joined.lock().push(watcher);
            });
            scene.mux.close();
            let watcher = scene.joined.lock().remove(0);
            assert_eq!(watcher.iter().map(|delivery| delivery.event.id).collect::<Vec<_>>(), [20, 21]);
        }
    });
}

#[test]
fn the_watcher_that_a_copy_or_what_is_left_out_is_for_can_be_stopped() {
    watched(|| {
        let call: Call = |scene| {
            if let Some(stopper) = scene.stopper.lock().take() {
                stopper.stop();
            }
        };
        // What was in its queue stays readable, and what is being copied is on its way.
        assert_eq!(run(Place::Copied, call).1, Some(Reason::Stopped));
        assert_eq!(run(Place::LeftOut, call).2.mux.watchers(), 0);
    });
}

#[test]
fn the_mux_can_be_closed_and_shut_down() {
    watched(|| {
        let calls: [Call; 3] = [
            |scene| scene.mux.close(),
            |scene| scene.mux.shutdown(),
            |scene| assert_eq!(scene.mux.shutdown_timeout(Duration::MAX), Ok(0)),
        ];
        for call in calls {
            for place in [Place::Copied, Place::Unwatched, Place::Unread] {
                let (_, reason, scene) = run(place, call);
                assert_eq!(reason.unwrap_or(Reason::Shutdown), Reason::Shutdown);
                assert!(scene.mux.is_closed());
            }
        }
    });
}

#[test]
fn the_last_mux_can_be_dropped_with_an_event() {
    #[derive(Clone)]
    struct Last {
        _mux: Arc<Mutex<Option<Mux<Last>>>>,
    }
    watched(|| {
        let mux = mux(5, 5);
        let (unread, later) = (mux.watch().unwrap(), mux.watch().unwrap());
        later.stop();
        mux.action(Last { _mux: Arc::new(Mutex::new(Some(mux.clone()))) }).unwrap();
        let later = mux.watch().unwrap();
        drop(mux);
        drop(unread);
        assert_eq!(later.recv().err().map(|end| end.reason), Some(Reason::Shutdown));
    });
}
