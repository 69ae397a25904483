//! The mux may be called again from an event's `Clone` or `Drop`, wherever that is called.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use watchmux::sync::Mutex;
use watchmux::{Delivery, Mux, Reason, Stopper, Watcher, WhenFull};

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

thread_local! {
    /// Who receives again, from within.
    static READER: RefCell<Option<Rc<Watcher<Probe>>>> = const { RefCell::new(None) };
    /// What was received from within.
    static WITHIN: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
}

/// The number of an event, and how many were missed before it.
type Seen = (u32, u64);

fn seen(delivery: Delivery<Probe>) -> Seen {
    (delivery.event.id, delivery.missed)
}

/// Receives on the watcher of this thread, of which a receive is under way; nothing if there is none.
fn receive_within() {
    let Some(reader) = READER.with_borrow(Option::clone) else { return };
    if let Ok(delivery) = reader.try_recv() {
        let seen = seen(delivery);
        WITHIN.with_borrow_mut(|within| within.push(seen));
    }
}

/// What the watcher receives, while events that are copied or dropped receive on it as well.
fn receive(reader: &Rc<Watcher<Probe>>) -> Seen {
    READER.set(Some(Rc::clone(reader)));
    let seen = seen(reader.recv().unwrap());
    READER.take();
    seen
}

#[test]
fn a_copy_that_receives_gets_what_comes_after_it() {
    watched(|| {
        let mux = mux(9, 9);
        let census = Census::with(
            |id| {
                if id == 0 {
                    receive_within()
                }
            },
            |_| {},
        );
        let (reader, unread) = (Rc::new(mux.watch().unwrap()), mux.watch().unwrap());
        for id in 0..3 {
            mux.action(census.event(id)).unwrap();
        }
        assert_eq!((receive(&reader), WITHIN.take(), receive(&reader)), ((0, 0), vec![(1, 0)], (2, 0)));
        mux.close();
        assert_eq!(reader.recv().err().map(|end| end.missed), Some(0));
        drop((reader, unread));
        census.assert_all_dropped();
    });
}

/// A mux with events 0 to 4, in which whatever is called next on it drops event 1: a slow watcher has read it, and there is
/// room for event 3, which leaves it out for one that drops the oldest.
fn leaving_out(census: &Arc<Census>) -> (Mux<Probe>, Rc<Watcher<Probe>>, [Watcher<Probe>; 2]) {
    let mux = mux(9, 2);
    let (slow, lags) = (mux.watch().unwrap(), watch_when_full(&mux, WhenFull::DropOldest));
    let reader = Rc::new(mux.watch().unwrap());
    for id in 0..5 {
        mux.action(census.event(id)).unwrap();
    }
    assert_eq!([(); 3].map(|()| seen(reader.recv().unwrap())), [(0, 0), (1, 0), (2, 0)]);
    // Both are taken at once, so that the second is read without a look at what there is room for now.
    assert_eq!([(); 2].map(|()| seen(slow.recv().unwrap())), [(0, 0), (1, 0)]);
    (mux, reader, [slow, lags])
}

#[test]
fn what_is_dropped_in_a_receive_and_receives_gets_what_comes_first() {
    watched(|| {
        let census = Census::with(
            |_| {},
            |id| {
                if id == 1 {
                    receive_within()
                }
            },
        );
        let (mux, reader, others) = leaving_out(&census);
        assert_eq!((receive(&reader), WITHIN.take()), ((4, 0), vec![(3, 0)]));
        mux.close();
        assert_eq!(reader.recv().err().map(|end| end.missed), Some(0));
        drop((reader, others));
        census.assert_all_dropped();
    });
}

#[test]
fn what_is_taken_from_within_a_receive_that_waits_is_there_for_it() {
    for later in [false, true] {
        watched(move || {
            let scene = Arc::new(OnceLock::<(Mux<Probe>, Arc<Census>, [Stopper; 2])>::new());
            let within = Arc::clone(&scene);
            let census = Census::with(
                |_| {},
                move |id| {
                    let (1, Some((mux, census, others))) = (id, within.get()) else { return };
                    others.iter().for_each(Stopper::stop);
                    let act = |id| _ = mux.action(census.event(id)).unwrap();
                    act(10);
                    act(11);
                    receive_within();
                    if later {
                        act(12);
                    }
                },
            );
            let (mux, reader, [slow, lags]) = leaving_out(&census);
            let others = [slow.stopper(), reader.stopper()];
            assert!(scene.set((mux.clone(), Arc::clone(&census), others)).is_ok());
            // It is owed nothing, and about to wait.
            let late = Rc::new(mux.watch().unwrap());
            assert_eq!((receive(&late), WITHIN.take()), ((11, 0), vec![(10, 0)]));
            if later {
                assert_eq!(receive(&late), (12, 0));
            }
            drop((slow, lags));
        });
    }
}
