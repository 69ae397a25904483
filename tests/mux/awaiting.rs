//! Receives and actions that are awaited.

use std::future::poll_fn;
use std::mem::forget;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use watchmux::sync::{Mutex, thread};
use watchmux::{ActionError, Closed, Mux, Reason, TryActionError, TryRecvError, Watcher, WhenFull};

use super::executor::{Job, OnWake, Wakes, job, poll, run};
use super::probe::{Census, panic_quietly};
use super::watchdog::watched;
use super::{mux, rest, watch_when_full};

/// How often a test is run, for more of the ways in which threads can meet.
const ROUNDS: u32 = 50;

/// A watcher that a task waits for, with an event's room in its queue; how often the task was woken.
fn awaited(mux: &Mux<u32>) -> (Watcher<u32>, Arc<Wakes>) {
    let mut watcher = mux.watch().unwrap();
    let wakes = Arc::default();
    assert!(poll_recv(&mut watcher, &wakes).is_pending());
    (watcher, wakes)
}

/// A task that polls the watcher itself.
fn poll_recv(watcher: &mut Watcher<u32>, wakes: &Arc<Wakes>) -> Poll<Result<u32, Closed>> {
    let polled = poll(poll_fn(|context| watcher.poll_recv(context)), wakes);
    polled.map_ok(|delivery| delivery.event)
}

/// What ends a wait; it is given a handle of the mux.
type End = fn(Mux<u32>, &Watcher<u32>);

#[test]
fn a_task_that_waits_is_woken_once_by_whatever_ends_its_wait() {
    let ends: [End; 5] = [
        |mux, _| _ = mux.action(7).unwrap(),
        |mux, _| {
            mux.action(7).unwrap();
            mux.action(8).unwrap();
        },
        |_, watcher| watcher.stop(),
        |mux, _| mux.close(),
        |mux, _| drop(mux),
    ];
    let received = [Ok(7), Ok(7), Err(Reason::Stopped), Err(Reason::Shutdown), Err(Reason::Shutdown)];
    for (end, expected) in ends.into_iter().zip(received) {
        let mux = mux(1, 1);
        let (mut watcher, wakes) = awaited(&mux);
        end(mux.clone(), &watcher);
        drop(mux);
        assert_eq!(wakes.count(), 1);
        let received = poll_recv(&mut watcher, &wakes).map_err(|closed| closed.reason);
        assert_eq!(received, Poll::Ready(expected));
        assert_eq!(wakes.count(), 1);
    }
}

#[test]
fn a_task_that_holds_up_nobody_and_has_nothing_is_not_woken() {
    let mux = mux(1, 1);
    let (_watcher, wakes) = awaited(&mux);
    let other = mux.watch().unwrap();
    other.stop();
    drop(other);
    assert_eq!(wakes.count(), 0);
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let mux = mux(1, 1);
    let (mut watcher, first) = awaited(&mux);
    let second = Arc::default();
    assert!(poll_recv(&mut watcher, &second).is_pending());
    mux.action(7).unwrap();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert_eq!(Arc::strong_count(&first), 1, "its waker is kept");
}

#[test]
fn who_has_read_all_is_woken_by_a_close_that_the_slowest_holds_up() {
    let mux = mux(9, 1);
    let _slow = mux.watch().unwrap();
    let mut fast = mux.watch().unwrap();
    // The slow one's queue is full, and the second is in hand.
    for event in 0..2 {
        mux.action(event).unwrap();
        assert_eq!(fast.recv().unwrap().event, event);
    }
    let wakes = Arc::default();
    assert!(poll_recv(&mut fast, &wakes).is_pending());
    mux.close();
    assert_eq!(wakes.count(), 1);
    let received = poll_recv(&mut fast, &wakes).map_err(|closed| closed.reason);
    assert_eq!(received, Poll::Ready(Err(Reason::Shutdown)));
}

#[test]
fn who_waits_is_woken_as_the_slowest_lets_events_out() {
    let mux = mux(9, 1);
    let slow = mux.watch().unwrap();
    for event in 0..4 {
        mux.action(event).unwrap();
    }
    let mut fast = mux.watch().unwrap();
    mux.action(4).unwrap();
    let wakes = Arc::default();
    assert!(poll_recv(&mut fast, &wakes).is_pending());
    for event in 0..3 {
        assert_eq!((slow.recv().unwrap().event, wakes.count()), (event, usize::from(event == 2)));
    }
    assert_eq!(poll_recv(&mut fast, &wakes), Poll::Ready(Ok(4)));
}

#[test]
fn a_task_that_waits_is_a_receiver_at_a_rendezvous_until_it_is_given_up() {
    let mux = mux(9, 0);
    let mut watcher = watch_when_full(&mux, WhenFull::DropNewest);
    let wakes = Arc::new(Wakes::default());
    let mut future = watcher.recv_async();
    assert!(poll(&mut future, &wakes).is_pending());
    mux.action(0).unwrap();
    mux.action(1).unwrap();
    assert_eq!(wakes.count(), 1);
    assert!(matches!(poll(&mut future, &wakes), Poll::Ready(Ok(delivery)) if delivery.event == 0));
    // Another one, which is given up.
    drop(future);
    assert!(poll(watcher.recv_async(), &wakes).is_pending());
    assert_eq!(Arc::strong_count(&wakes), 1, "its waker is kept");
    mux.action(2).unwrap();
    assert_eq!((wakes.count(), watcher.try_recv()), (1, Err(TryRecvError::Empty)));
    // And one that does not even say that it is given up: the next receive does.
    forget(watcher.recv_async().poll_once(&wakes));
    assert_eq!(watcher.try_recv(), Err(TryRecvError::Empty));
    mux.action(3).unwrap();
    assert_eq!((wakes.count(), watcher.try_recv()), (1, Err(TryRecvError::Empty)));
    mux.close();
    assert_eq!(watcher.recv(), Err(Closed { reason: Reason::Shutdown, missed: 3 }));
}

trait PollOnce {
    fn poll_once(self, wakes: &Arc<Wakes>) -> Self;
}

impl<F: Future + Unpin> PollOnce for F {
    fn poll_once(mut self, wakes: &Arc<Wakes>) -> F {
        assert!(poll(&mut self, wakes).is_pending());
        self
    }
}

#[test]
fn what_a_task_was_woken_for_and_did_not_take_is_there_for_the_next_receive() {
    for when_full in [WhenFull::Wait, WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Disconnect] {
        for queue in [0, 1] {
            let mux = mux(9, queue);
            let mut watcher = watch_when_full(&mux, when_full);
            let wakes = Arc::default();
            let future = watcher.recv_async().poll_once(&wakes);
            mux.action(0).unwrap();
            assert_eq!(wakes.count(), 1);
            drop(future);
            assert_eq!(watcher.try_recv().map(|delivery| delivery.event), Ok(0));
        }
    }
}

#[test]
fn a_watcher_that_is_dropped_takes_its_waker_along() {
    let mux = mux(1, 1);
    let (watcher, wakes) = awaited(&mux);
    drop(watcher);
    assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (0, 1));
    mux.action(7).unwrap();
    assert_eq!(wakes.count(), 0);
}

/// A mux without room for an action.
fn full() -> (Mux<u32>, Watcher<u32>) {
    let mux = mux(0, 0);
    let watcher = mux.watch().unwrap();
    mux.action(0).unwrap();
    (mux, watcher)
}

#[test]
fn an_action_that_waits_goes_on_once_there_is_room() {
    let (mux, watcher) = full();
    let wakes = Arc::default();
    let mut action = mux.action_async(1).poll_once(&wakes);
    assert_eq!(watcher.recv().unwrap().event, 0);
    assert_eq!((wakes.count(), poll(&mut action, &wakes)), (1, Poll::Ready(Ok(1))));
    let mut action = mux.action_async(2).poll_once(&wakes);
    watcher.stop();
    assert_eq!((wakes.count(), poll(&mut action, &wakes)), (2, Poll::Ready(Ok(2))));
    assert!(rest(&watcher).is_empty(), "a rendezvous has nothing in its queue");
}

#[test]
fn a_close_gives_an_action_that_waits_its_event_back() {
    let (mux, watcher) = full();
    let wakes = Arc::default();
    let mut action = mux.action_async(1).poll_once(&wakes);
    mux.close();
    assert_eq!((wakes.count(), poll(&mut action, &wakes)), (1, Poll::Ready(Err(ActionError(1)))));
    assert_eq!(poll(mux.action_async(2), &wakes), Poll::Ready(Err(ActionError(2))));
    assert_eq!(rest(&watcher), [0]);
}

#[test]
fn an_action_that_is_given_up_is_seen_by_nobody() {
    let census = Census::new();
    let mux = mux(0, 0);
    let watcher = mux.watch().unwrap();
    mux.action(census.event(0)).unwrap();
    let wakes = Arc::new(Wakes::default());
    drop(mux.action_async(census.event(1)));
    drop(mux.action_async(census.event(2)).poll_once(&wakes));
    assert_eq!(Arc::strong_count(&wakes), 1, "its waker is kept");
    assert_eq!(watcher.recv().unwrap().event.id, 0);
    assert_eq!(wakes.count(), 0);
    // One that was woken, and one more.
    mux.action(census.event(3)).unwrap();
    let woken = mux.action_async(census.event(4)).poll_once(&wakes);
    assert_eq!((watcher.recv().unwrap().event.id, wakes.count()), (3, 1));
    drop(woken);
    mux.close();
    assert!(watcher.recv().is_err());
    drop(watcher);
    census.assert_all_dropped();
}

#[test]
fn an_action_that_was_woken_and_does_not_go_on_holds_up_no_other() {
    let (mux, watcher) = full();
    let (idle_wakes, wakes) = (Arc::default(), Arc::default());
    let _idle = mux.action_async(1).poll_once(&idle_wakes);
    let mut other = mux.action_async(2).poll_once(&wakes);
    assert_eq!(watcher.recv().unwrap().event, 0);
    assert_eq!((idle_wakes.count(), wakes.count()), (1, 1));
    assert_eq!(poll(&mut other, &wakes), Poll::Ready(Ok(1)));
}

/// What a waker can call: all of it takes the mux's lock.
fn calls(mux: &Mux<u32>) -> [Box<dyn Fn() + Send + Sync>; 6] {
    let [first, second, third, fourth] = [(); 4].map(|()| mux.clone());
    [
        Box::new(move || _ = first.try_action(9)),
        Box::new(move || second.close()),
        Box::new(move || drop(third.watch())),
        Box::new(move || _ = fourth.queued()),
        Box::new(panic_quietly),
        Box::new(|| {}),
    ]
}

#[test]
fn a_waker_that_panics_or_calls_the_mux_again_harms_nobody() {
    watched(|| {
        for call in 0..calls(&mux(1, 1)).len() {
            let mux = mux(9, 0);
            let [mut first, mut second, mut acting] = [(); 3].map(|()| mux.watch().unwrap());
            let waker = || {
                let calls = Mutex::new(Some(calls(&mux)));
                Arc::new(OnWake(move || {
                    // Once, for an event that wakes who publishes the next one never ends.
                    let calls = calls.lock().take();
                    if let Some(calls) = calls {
                        calls[call]();
                    }
                }))
            };
            let wakes = Arc::<Wakes>::default();
            assert!(poll(poll_fn(|context| first.poll_recv(context)), &waker()).is_pending());
            assert!(poll_recv(&mut second, &wakes).is_pending());
            assert!(poll(poll_fn(|context| acting.poll_recv(context)), &waker()).is_pending());
            mux.action(7).unwrap();
            assert_eq!(wakes.count(), 1, "call {call}");
            for watcher in [&mut first, &mut second, &mut acting] {
                assert_eq!(poll_recv(watcher, &wakes), Poll::Ready(Ok(7)), "call {call}");
            }
        }
    });
}

#[test]
fn a_waker_may_be_the_last_to_hold_its_task() {
    watched(|| {
        let mux = mux(9, 1);
        let holds = |held: Watcher<u32>| {
            let held = Mutex::new(held);
            Waker::from(Arc::new(OnWake(move || _ = held.lock().len())))
        };
        let mut watcher = mux.watch().unwrap();
        // Woken, replaced, and given up: each drops a watcher, which takes the lock.
        for step in 0..3 {
            let waker = holds(mux.watch().unwrap());
            assert_eq!(mux.watchers(), 2);
            let mut context = Context::from_waker(&waker);
            let mut future = watcher.recv_async();
            assert!(Pin::new(&mut future).poll(&mut context).is_pending());
            drop(waker);
            match step {
                0 => _ = mux.action(7).unwrap(),
                1 => assert!(poll(&mut future, &Arc::<Wakes>::default()).is_pending()),
                _ => {}
            }
            drop(future);
            assert_eq!(mux.watchers(), 1, "step {step}");
            let _ = watcher.try_recv();
        }
    });
}

#[test]
fn tasks_on_few_threads_see_every_event_in_one_order() {
    watched(|| {
        const WATCHERS: usize = 40;
        const PRODUCERS: u32 = 3;
        const EVENTS: u32 = 30;
        for (incoming, queue) in [(0, 0), (0, 1), (2, 0), (5, 3)] {
            for _ in 0..ROUNDS / 10 {
                let mux = mux(incoming, queue);
                let seen: Arc<Mutex<Vec<Vec<u32>>>> = Arc::default();
                let watch = |_| {
                    let (mut watcher, seen) = (mux.watch().unwrap(), Arc::clone(&seen));
                    job(async move {
                        let mut events = Vec::new();
                        let closed = loop {
                            match watcher.recv_async().await {
                                Ok(delivery) => {
                                    assert_eq!(delivery.seq, Some(events.len() as u64));
                                    events.push(delivery.event);
                                }
                                Err(closed) => break closed,
                            }
                        };
                        assert_eq!(closed, Closed { reason: Reason::Shutdown, missed: 0 });
                        seen.lock().push(events);
                    })
                };
                let mut jobs: Vec<Job> = (0..WATCHERS).map(watch).collect();
                for producer in 0..PRODUCERS {
                    let mux = mux.clone();
                    jobs.push(job(async move {
                        for event in 0..EVENTS {
                            mux.action_async(producer * EVENTS + event).await.unwrap();
                        }
                    }));
                }
                drop(mux);
                run(2, jobs);
                let seen = seen.lock();
                assert_eq!(seen.len(), WATCHERS);
                assert_eq!(seen[0].len() as u32, PRODUCERS * EVENTS);
                assert!(seen.iter().all(|events| *events == seen[0]));
            }
        }
    });
}

#[test]
fn tasks_that_wait_are_stopped_from_another_thread() {
    watched(|| {
        for _ in 0..ROUNDS {
            let mux = mux::<u32>(0, 0);
            let (stoppers, watchers): (Vec<_>, Vec<_>) = (0..3)
                .map(|_| {
                    let watcher = mux.watch().unwrap();
                    (watcher.stopper(), watcher)
                })
                .unzip();
            let stops = thread::spawn(move || stoppers.iter().for_each(|stopper| stopper.stop()));
            let await_end = |mut watcher: Watcher<u32>| {
                job(async move {
                    assert_eq!(watcher.recv_async().await.unwrap_err().reason, Reason::Stopped);
                })
            };
            run(2, watchers.into_iter().map(await_end).collect());
            stops.join().unwrap();
            assert_eq!(mux.try_action(0), Ok::<_, TryActionError<u32>>(0));
        }
    });
}
