//! Locks, condition variables, atomics and threads against parking_lot's and std's, of one task alone.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{ENGINES, config, inside};

/// One step of a task that is alone with a mutex, a read-write lock, a condition variable and two atomics, and starts others
/// only to wait for them. What would wait for ever is left out.
#[derive(Clone, Copy, Debug)]
enum Step {
    Lock,
    TryLock,
    TryLockFor,
    TryLockUntil,
    Add,
    Unlock,
    WaitFor,
    WaitUntil,
    WaitWhile,
    NotifyOne,
    NotifyAll,
    Read,
    TryRead,
    StopReading,
    Write,
    TryWrite,
    Put,
    StopWriting,
    Load,
    Store(u32),
    Swap(u32),
    Exchange(u32, u32),
    ExchangeWeakly(u32, u32),
    Update(Option<u32>),
    Arithmetic(u8, u32),
    Flag(u8, bool),
    Spawn(Child),
    Scope(Child),
    Pass,
}

/// What a thread does that is joined at once.
#[derive(Clone, Copy, Debug)]
enum Child {
    Returns,
    Panics,
    /// Tells whether it can take the lock, which its parent may hold.
    TriesTheLock,
    /// Catches a panic of its own.
    Catches,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let plain = prop::sample::select(vec![
        Step::Lock,
        Step::TryLock,
        Step::TryLockFor,
        Step::TryLockUntil,
        Step::Add,
        Step::Unlock,
        Step::WaitFor,
        Step::WaitUntil,
        Step::WaitWhile,
        Step::NotifyOne,
        Step::NotifyAll,
        Step::Read,
        Step::TryRead,
        Step::StopReading,
        Step::Write,
        Step::TryWrite,
        Step::Put,
        Step::StopWriting,
        Step::Load,
        Step::Pass,
    ]);
    let value = || prop_oneof![0..3u32, any::<u32>()];
    let child =
        prop::sample::select(vec![Child::Returns, Child::Panics, Child::TriesTheLock, Child::Catches]);
    let step = prop_oneof![
        8 => plain,
        1 => value().prop_map(Step::Store),
        1 => value().prop_map(Step::Swap),
        1 => (value(), value()).prop_map(|(from, to)| Step::Exchange(from, to)),
        1 => (value(), value()).prop_map(|(from, to)| Step::ExchangeWeakly(from, to)),
        1 => prop::option::of(value()).prop_map(Step::Update),
        2 => (0..7u8, value()).prop_map(|(kind, value)| Step::Arithmetic(kind, value)),
        2 => (0..5u8, any::<bool>()).prop_map(|(kind, value)| Step::Flag(kind, value)),
        1 => child.clone().prop_map(Step::Spawn),
        1 => child.prop_map(Step::Scope),
    ];
    vec(step, 0..40)
}

/// The same program, over the primitives of one crate or the other.
macro_rules! programs {
    ($name:ident, $locks:path, $atomics:path, $threads:path, $instant:path, $catch_unwind:path) => {
        mod $name {
            use std::sync::Arc;

            use $atomics::{AtomicBool, AtomicU32, Ordering};
            use $catch_unwind as catch_unwind;
            use $instant as Instant;
            use $locks::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
            use $threads as thread;

            use super::*;

            const SOON: Duration = Duration::from_micros(50);

            #[derive(Default)]
            struct Things {
                mutex: Mutex<u32>,
                condvar: Condvar,
                rwlock: RwLock<u32>,
                number: AtomicU32,
                flag: AtomicBool,
            }

            /// What the task holds. Guards come before what they are of.
            #[derive(Default)]
            struct Held<'a> {
                locked: Option<MutexGuard<'a, u32>>,
                reads: Vec<RwLockReadGuard<'a, u32>>,
                writes: Option<RwLockWriteGuard<'a, u32>>,
            }

            /// What one task sees.
            pub(super) fn alone(steps: &[Step]) -> Vec<String> {
                let things = Arc::new(Things::default());
                let mut held = Held::default();
                let mut seen = Vec::new();
                for step in steps {
                    let saw = one_step(&things, &mut held, *step);
                    seen.push(saw.unwrap_or_else(|| "nothing to do".to_owned()));
                    seen.push(format!("{:?} {:?} {:?}", held.locked, held.reads, held.writes));
                }
                drop(held);
                let things = Arc::into_inner(things).expect("all others were joined");
                seen.push(format!("{} {}", things.mutex.into_inner(), things.rwlock.into_inner()));
                seen.push(format!("{} {}", things.number.into_inner(), things.flag.into_inner()));
                seen
            }

            fn one_step<'a>(things: &'a Arc<Things>, held: &mut Held<'a>, step: Step) -> Option<String> {
                let Things { mutex, condvar, rwlock, number, flag } = &**things;
                let Held { locked, reads, writes } = held;
                let is_locked = locked.is_some();
                let mut gain = |guard: Option<MutexGuard<'a, u32>>| {
                    let gained = guard.is_some();
                    *locked = guard.or(locked.take());
                    format!("{gained}")
                };
                let ordering = Ordering::SeqCst;
                Some(match step {
                    Step::Lock if is_locked => return None,
                    Step::Lock => gain(Some(mutex.lock())),
                    Step::TryLock => gain(mutex.try_lock()),
                    Step::TryLockFor => gain(mutex.try_lock_for(SOON)),
                    Step::TryLockUntil => gain(mutex.try_lock_until(Instant::now() + SOON)),
                    Step::Add => {
                        **locked.as_mut()? += 1;
                        format!("{}", mutex.is_locked())
                    }
                    Step::Unlock => {
                        *locked = None;
                        format!("{}", mutex.is_locked())
                    }
                    Step::WaitFor => {
                        format!("{}", condvar.wait_for(locked.as_mut()?, SOON).timed_out())
                    }
                    Step::WaitUntil => {
                        let until = Instant::now() + SOON;
                        format!("{}", condvar.wait_until(locked.as_mut()?, until).timed_out())
                    }
                    Step::WaitWhile => {
                        let mut asked = 0;
                        condvar.wait_while(locked.as_mut()?, |value| {
                            *value += 1;
                            asked += 1;
                            false
                        });
                        format!("{asked}")
                    }
                    Step::NotifyOne => format!("{}", condvar.notify_one()),
                    Step::NotifyAll => format!("{}", condvar.notify_all()),
                    Step::Read if writes.is_some() => return None,
                    Step::Read => {
                        reads.push(rwlock.read());
                        format!("{}", reads.len())
                    }
                    Step::TryRead => {
                        reads.extend(rwlock.try_read());
                        format!("{}", reads.len())
                    }
                    Step::StopReading => format!("{:?}", reads.pop().is_some()),
                    Step::Write if writes.is_some() || !reads.is_empty() => return None,
                    Step::Write => {
                        *writes = Some(rwlock.write());
                        return None;
                    }
                    Step::TryWrite => {
                        let gained = rwlock.try_write();
                        let is_gained = gained.is_some();
                        *writes = gained.or(writes.take());
                        format!("{is_gained}")
                    }
                    Step::Put => {
                        **writes.as_mut()? += 1;
                        return None;
                    }
                    Step::StopWriting => format!("{:?}", writes.take().is_some()),
                    Step::Load => format!("{} {}", number.load(ordering), flag.load(ordering)),
                    Step::Store(value) => {
                        number.store(value, ordering);
                        return None;
                    }
                    Step::Swap(value) => format!("{}", number.swap(value, ordering)),
                    Step::Exchange(from, to) => {
                        format!("{:?}", number.compare_exchange(from, to, ordering, ordering))
                    }
                    // It may fail for no reason, as often as it likes.
                    Step::ExchangeWeakly(from, to) => loop {
                        match number.compare_exchange_weak(from, to, ordering, ordering) {
                            Err(there) if there == from => {}
                            exchanged => break format!("{exchanged:?}"),
                        }
                    },
                    Step::Update(to) => format!("{:?}", number.fetch_update(ordering, ordering, |_| to)),
                    Step::Arithmetic(kind, value) => {
                        let before = match kind {
                            0 => number.fetch_add(value, ordering),
                            1 => number.fetch_sub(value, ordering),
                            2 => number.fetch_max(value, ordering),
                            3 => number.fetch_min(value, ordering),
                            4 => number.fetch_and(value, ordering),
                            5 => number.fetch_or(value, ordering),
                            _ => number.fetch_xor(value, ordering),
                        };
                        format!("{before}")
                    }
                    Step::Flag(kind, value) => match kind {
                        0 => format!("{}", flag.swap(value, ordering)),
                        1 => format!("{}", flag.fetch_and(value, ordering)),
                        2 => format!("{}", flag.fetch_or(value, ordering)),
                        3 => format!("{}", flag.fetch_xor(value, ordering)),
                        _ => format!("{:?}", flag.compare_exchange(value, !value, ordering, ordering)),
                    },
                    Step::Spawn(child) => {
                        let own = Arc::clone(things);
                        told(thread::spawn(move || work(&own, child)).join())
                    }
                    Step::Scope(child) => {
                        thread::scope(|scope| told(scope.spawn(|| work(things, child)).join()))
                    }
                    Step::Pass => {
                        let before = Instant::now();
                        thread::yield_now();
                        thread::sleep(SOON);
                        format!("{}", before.elapsed() >= SOON)
                    }
                })
            }

            fn work(things: &Things, child: Child) -> bool {
                match child {
                    Child::Returns => true,
                    Child::Panics => std::panic::resume_unwind(Box::new("a panic")),
                    Child::TriesTheLock => things.mutex.try_lock().is_some(),
                    Child::Catches => {
                        let caught = catch_unwind(|| std::panic::resume_unwind(Box::new("another")));
                        let caught: std::thread::Result<()> = caught;
                        caught.is_err()
                    }
                }
            }

            fn told(joined: std::thread::Result<bool>) -> String {
                format!("{:?}", joined.map_err(|payload| payload.downcast_ref::<&str>().copied()))
            }
        }
    };
}

programs!(native, parking_lot, std::sync::atomic, std::thread, std::time::Instant, std::panic::catch_unwind);
programs!(
    seam,
    crate::sync,
    crate::sync::atomic,
    crate::sync::thread,
    crate::sync::time::Instant,
    crate::sync::catch_unwind
);

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn one_task_sees_what_it_sees_natively(steps in steps()) {
        let natively = native::alone(&steps);
        prop_assert_eq!(&natively, &seam::alone(&steps));
        for engine in ENGINES {
            let steps = steps.clone();
            prop_assert_eq!(&natively, &inside(engine, 0, move || seam::alone(&steps)));
        }
    }
}
