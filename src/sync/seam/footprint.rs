//! What each step of an execution on fibers touches, for whoever explores all of its schedules.
//!
//! It is written down only where somebody asks for it; otherwise each line of it is one look at a flag.

use std::cell::RefCell;

use super::Side;
use super::here::HERE;
use crate::engine::{ObjectId, ObjectKind, Target, TaskId};

/// A touch of something that tasks share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) place: Place,
    pub(crate) what: What,
}

/// What is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Object(ObjectId),
    Task(TaskId),
    /// An atomic, by its address, for it has no other name.
    Atomic(usize),
    /// What a body keeps outside of [`sync`](crate::sync), by a number of its own.
    Cell(u32),
    /// Time, and what happens where nobody can go on.
    Rest,
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// An object, and whether time fills it.
    Made(ObjectKind, bool),
    /// A message passes on this side.
    Passes(Side),
    /// That operation is selected, and not completed before others may go on.
    Reserves(Side),
    /// Then it is.
    Completes(Side),
    /// Or a send never is.
    Withdraws,
    /// Somebody sees whether this side could go ahead.
    Sees(Side, bool),
    /// Somebody sees how many messages there are.
    Counts,
    Adds(Side),
    Drops(Side),
    /// Somebody begins or ceases to wait at a rendezvous, or meets who waits.
    Meets,
    Acquires {
        shared: bool,
    },
    Releases {
        shared: bool,
    },
    /// Somebody sees whether a lock is free.
    SeesFree(bool),
    /// A writer begins or ceases to wait, which keeps new readers out.
    WriterWaits,
    /// Somebody begins to wait for a notification.
    Awaits,
    /// Somebody gives up to wait for one.
    GivesUp,
    /// How many it woke.
    Notifies(usize),
    /// A task is let go on.
    Wakes,
    /// A task goes on that was let to.
    Woken,
    Ends,
    /// Somebody sees whether a task has ended.
    SeesEnd(bool),
    Reads,
    Writes,
    /// The call and the return of an operation: each two of different kinds are ordered.
    Calls,
    Returns,
    /// Nobody can go on, unless time passes or something is added.
    Rests,
}

thread_local! {
    static TOUCHED: RefCell<Vec<Touch>> = const { RefCell::new(Vec::new()) };
    static INTENT: RefCell<Vec<Target>> = const { RefCell::new(Vec::new()) };
}

/// Whether what is touched is written down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    No,
    /// That of the next execution is.
    Next,
    Yes,
}

/// Writes down what the execution touches that runs on the calling thread while the closure does; not what others touch that it
/// runs in its midst.
pub(crate) fn recording<R>(f: impl FnOnce() -> R) -> R {
    struct Before(Writes, Vec<Touch>, Vec<Target>);
    impl Drop for Before {
        fn drop(&mut self) {
            HERE.with(|here| here.writes.set(self.0));
            TOUCHED.set(std::mem::take(&mut self.1));
            INTENT.set(std::mem::take(&mut self.2));
        }
    }
    let writes = HERE.with(|here| here.writes.replace(Writes::Next));
    let _before = Before(writes, TOUCHED.take(), INTENT.take());
    f()
}

/// The calling thread runs another execution until this is dropped.
pub(crate) struct Another(Writes);

impl Another {
    pub(crate) fn begin() -> Another {
        HERE.with(|here| {
            let before = here.writes.get();
            here.writes.set(if before == Writes::Next { Writes::Yes } else { Writes::No });
            Another(before)
        })
    }
}

impl Drop for Another {
    fn drop(&mut self) {
        HERE.with(|here| here.writes.set(self.0));
    }
}

/// Whether what is touched is written down.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    HERE.with(|here| here.writes.get()) == Writes::Yes
}

/// Notes that something is touched.
#[inline(always)]
pub(crate) fn touch(place: Place, what: What) {
    if is_on() {
        write_down(Touch { place, what });
    }
}

// Apart from where the flag is looked at, which then needs next to nothing.
#[cold]
#[inline(never)]
fn write_down(touch: Touch) {
    TOUCHED.with_borrow_mut(|touched| touched.push(touch));
}

/// As [`touch`], for an object.
#[inline(always)]
pub(crate) fn touch_object(id: ObjectId, what: What) {
    touch(Place::Object(id), what);
}

/// Notes that an operation is completed that was selected: if that was in the same step, it was one.
pub(crate) fn complete(id: ObjectId, side: Side) {
    if is_on() {
        let reserves = Touch { place: Place::Object(id), what: What::Reserves(side) };
        let found = TOUCHED.with_borrow_mut(|touched| {
            let found = touched.iter().rposition(|touch| *touch == reserves);
            found.map(|index| touched.remove(index))
        });
        if found.is_none() {
            touch_object(id, What::Completes(side));
        }
    }
}

/// Notes what the running task waits for, if it must, at the sync point that comes next. Only where nobody can see that it
/// waits: then it makes no difference when it begins to.
#[inline(always)]
pub(crate) fn intend(targets: impl Iterator<Item = Target>) {
    if is_on() {
        write_intent(targets);
    }
}

#[cold]
#[inline(never)]
fn write_intent(targets: impl Iterator<Item = Target>) {
    INTENT.with_borrow_mut(|intent| {
        intent.clear();
        intent.extend(targets);
    });
}

/// Moves what was touched since to there.
pub(crate) fn take(touched: &mut Vec<Touch>) {
    TOUCHED.with_borrow_mut(|since| touched.append(since));
}

/// What the running task waits for at its sync point.
pub(crate) fn intent() -> Vec<Target> {
    INTENT.with_borrow_mut(std::mem::take)
}
