//! The mux may be called again from an event's `Clone` or `Drop`, on the dispatcher's own thread.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use watchmux::sync::Mutex;
use watchmux::{Mux, Reason, Stopper, Watcher};

use super::mux;
use super::probe::{Census, Probe};
use super::watchdog::watched;

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

/// Event 0 makes the call when the dispatcher copies it, or drops it, with no room in the incoming queue.
/// Gives what a watcher sees of it, and of event 1, and how it ends.
fn run(in_drop: bool, call: Call) -> (Vec<u32>, Reason, Arc<Scene>) {
    let scene = Arc::new(Scene {
        mux: mux(0, 9),
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
    let census = Census::with(hook(!in_drop), hook(in_drop));
    assert!(scene.census.set(census).is_ok());
    if in_drop {
        // Nobody has joined when it is queued, so it is the dispatcher who drops it.
        scene.mux.action(scene.event(0)).unwrap();
        let watcher = scene.mux.watch();
        let _ = scene.mux.action(scene.event(1));
        scene.mux.shutdown();
        let Ok(watcher) = watcher else { return (Vec::new(), Reason::Shutdown, scene) };
        return (ids(&watcher), watcher.recv().err().map_or(Reason::Shutdown, |end| end.reason), scene);
    }
    let (first, second) = (scene.mux.watch().unwrap(), scene.mux.watch().unwrap());
    *scene.stopper.lock() = Some(first.stopper());
    scene.mux.action(scene.event(0)).unwrap();
    let _ = scene.mux.action(scene.event(1));
    scene.mux.shutdown();
    drop(second);
    let seen = ids(&first);
    let reason = first.recv().err().map_or(Reason::Shutdown, |end| end.reason);
    (seen, reason, scene)
}

fn ids(watcher: &Watcher<Probe>) -> Vec<u32> {
    watcher
        .iter()
        .map(|delivery| {
            let id = delivery.event.id;
            // Dropped by this thread, it would make the call here.
            std::mem::forget(delivery);
            id
        })
        .collect()
}

#[test]
fn actions_go_in_without_room() {
    watched(|| {
        let call: Call = |scene| {
            for id in 10..13 {
                scene.mux.action(scene.event(id)).unwrap();
            }
        };
        let (seen, reason, _scene) = run(false, call);
        assert_eq!(reason, Reason::Shutdown);
        let mut own = seen.clone();
        own.retain(|id| *id >= 10);
        assert_eq!((own, seen.len()), (vec![10, 11, 12], 5));
        let (_, reason, _scene) = run(true, call);
        assert_eq!(reason, Reason::Shutdown);
    });
}

#[test]
fn a_watcher_that_joins_gets_what_comes_next() {
    watched(|| {
        for in_drop in [false, true] {
            let (_, _, scene) = run(in_drop, |scene| {
                let watcher = scene.mux.watch_with_prefix(vec![scene.event(20)]).unwrap();
                scene.mux.action(scene.event(21)).unwrap();
                scene.joined.lock().push(watcher);
            });
            let watcher = scene.joined.lock().pop().unwrap();
            let seen = ids(&watcher);
            assert!(seen == [20, 21] || seen == [20, 21, 1] || seen == [20, 1, 21], "{seen:?}");
        }
    });
}

#[test]
fn the_watcher_that_a_copy_is_for_can_be_stopped() {
    watched(|| {
        let (seen, reason, _scene) = run(false, |scene| scene.stopper.lock().take().unwrap().stop());
        assert_eq!((seen, reason), (vec![], Reason::Stopped));
    });
}

#[test]
fn the_mux_can_be_closed_and_shut_down() {
    watched(|| {
        let calls: [Call; 3] = [
            |scene| scene.mux.close(),
            |scene| scene.mux.shutdown(),
            |scene| {
                let error = scene.mux.shutdown_timeout(Duration::MAX).unwrap_err();
                assert!(error.distributed == 0 && error.left > 0, "{error}");
            },
        ];
        for call in calls {
            let (seen, reason, scene) = run(false, call);
            assert_eq!((seen.first(), reason), (Some(&0), Reason::Shutdown));
            assert!(scene.mux.is_closed());
            let (_, reason, scene) = run(true, call);
            assert_eq!(reason, Reason::Shutdown);
            assert!(scene.mux.is_closed());
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
        let watcher = mux.watch().unwrap();
        let unwatched = watcher.stopper();
        unwatched.stop();
        let last = Last { _mux: Arc::new(Mutex::new(Some(mux.clone()))) };
        mux.action(last).unwrap();
        let later = mux.watch().unwrap();
        drop(mux);
        assert_eq!(later.recv().err().map(|end| end.reason), Some(Reason::Shutdown));
    });
}
