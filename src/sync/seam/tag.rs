//! What each object of `sync` keeps of its execution, and what a task does with it.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::footprint::{self, What};
use super::{Attempt, Endpoint, Limit, Me, Object, Queue, Timer, Wake, begin_unwinding, is_inside, me};
use crate::engine::fibers::{self, Odd};
use crate::engine::{Notification, ObjectId, ObjectKind, Target, TaskId, Wait};

/// Marks an object as belonging to an execution, or to none.
#[derive(Clone)]
pub(crate) enum Tag {
    /// To none.
    Outside,
    /// To one on fibers: the object is in its table, and on its thread.
    OnFibers { execution: NonZeroU64, number: u32, made: &'static Location<'static> },
    /// To one on threads, which have it in common.
    OnThreads(Arc<Common>),
}

/// An object of an execution on threads.
pub(crate) struct Common {
    pub(crate) execution: NonZeroU64,
    pub(crate) id: ObjectId,
    pub(crate) object: Mutex<Object>,
}

impl Common {
    // Apart from what is done on fibers, which then needs less.
    #[cold]
    #[inline(never)]
    fn look<R>(&self, f: impl FnOnce(&Object) -> R) -> R {
        f(&self.object.lock())
    }

    #[cold]
    #[inline(never)]
    pub(super) fn change<R>(&self, f: impl FnOnce(&mut Object) -> R) -> R {
        f(&mut self.object.lock())
    }

    #[cold]
    #[inline(never)]
    fn released(&self, me: Me) {
        let is_waited_for = self.change(|object| object.release(me.task));
        if let (true, Some(execution)) = (is_waited_for, me.on_threads()) {
            execution.wake(self.id);
        }
    }
}

impl Tag {
    #[track_caller]
    pub(crate) fn mutex() -> Tag {
        Tag::new(ObjectKind::Mutex)
    }

    #[track_caller]
    pub(crate) fn rwlock() -> Tag {
        Tag::new(ObjectKind::RwLock)
    }

    #[track_caller]
    pub(crate) fn condvar() -> Tag {
        Tag::new(ObjectKind::Condvar)
    }

    /// That of a channel with two handles.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn channel(capacity: Option<usize>) -> Tag {
        Tag::with(ObjectKind::Channel(capacity), Timer::None, Object::add_both_sides)
    }

    /// Where the messages of the channel are to be, if it is modelled.
    #[inline(always)]
    pub(crate) fn model<T>(&self, capacity: Option<usize>) -> Option<Queue<T>> {
        matches!(self, Tag::OnFibers { .. }).then(|| fibers::new_queue(capacity))
    }

    #[track_caller]
    fn new(kind: ObjectKind) -> Tag {
        Tag::with(kind, Timer::None, |_, _| ())
    }

    /// A new object, with what this does to it for the current task.
    #[inline]
    #[track_caller]
    pub(super) fn with(kind: ObjectKind, timer: Timer, f: impl FnOnce(&mut Object, TaskId)) -> Tag {
        let made = Location::caller();
        let Some(me) = me() else { return Tag::Outside };
        match me.on_threads() {
            None => {
                let id = fibers::add_object(kind, timer, made, move |object| f(object, me.task));
                let number = u32::try_from(id.0).expect("an execution has fewer objects");
                Tag::OnFibers { execution: me.execution, number, made }
            }
            Some(execution) => {
                let common = execution.add_object(kind, timer, made);
                common.change(move |object| f(object, me.task));
                Tag::OnThreads(common)
            }
        }
    }

    /// Its number, if it belongs to an execution.
    #[inline(always)]
    pub(crate) fn id(&self) -> Option<ObjectId> {
        match self {
            Tag::Outside => None,
            Tag::OnFibers { number, .. } => Some(ObjectId(*number as usize)),
            Tag::OnThreads(common) => Some(common.id),
        }
    }

    pub(super) fn execution(&self) -> Option<NonZeroU64> {
        match self {
            Tag::Outside => None,
            Tag::OnFibers { execution, .. } => Some(*execution),
            Tag::OnThreads(common) => Some(common.execution),
        }
    }

    /// Whether the object belongs to no execution, and the calling thread is in none: two comparisons, and all that a call
    /// looks at there.
    #[inline(always)]
    pub(crate) fn is_native(&self) -> bool {
        !is_inside() && matches!(self, Tag::Outside)
    }

    /// The object and the current task; `None` outside executions.
    ///
    /// # Panics
    /// If the object was made in another execution, or made outside and is used in one.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn inside(&self) -> Option<Inside<'_>> {
        if self.is_native() { None } else { self.inside_execution() }
    }

    #[inline(always)]
    #[track_caller]
    fn inside_execution(&self) -> Option<Inside<'_>> {
        let me = me();
        let current = me.map(|me| me.execution);
        match self {
            Tag::OnFibers { execution, .. } if current == Some(*execution) => {}
            _ => self.check(current),
        }
        Some(Inside { tag: self, me: me?, location: Location::caller() })
    }

    /// Checks that the object belongs to that execution, or to none.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn check(&self, current: Option<NonZeroU64>) {
        if self.execution() != current {
            misplaced(self);
        }
    }

    /// Looks at the object, if its execution is not over.
    #[inline]
    pub(crate) fn look<R>(&self, f: impl FnOnce(&Object) -> R) -> Option<R> {
        match self {
            Tag::Outside => None,
            Tag::OnFibers { execution, number, .. } => {
                fibers::look(*execution, ObjectId(*number as usize), f)
            }
            Tag::OnThreads(common) => Some(common.look(f)),
        }
    }

    /// Changes the object, if its execution is not over.
    #[inline]
    pub(super) fn change<R>(&self, f: impl FnOnce(&mut Object) -> R) -> Option<R> {
        match self {
            Tag::Outside => None,
            Tag::OnFibers { execution, number, .. } => {
                fibers::change(*execution, ObjectId(*number as usize), f)
            }
            Tag::OnThreads(common) => Some(common.change(f)),
        }
    }

    /// Notes something about the object that lets nobody go on, if its execution is not over.
    #[inline]
    pub(super) fn note<R>(&self, f: impl FnOnce(&mut Object) -> R) -> Option<R> {
        match self {
            Tag::Outside => None,
            Tag::OnFibers { execution, number, .. } => {
                fibers::note(*execution, ObjectId(*number as usize), f)
            }
            Tag::OnThreads(common) => Some(common.change(f)),
        }
    }

    #[inline]
    pub(crate) fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        if !matches!(self, Tag::Outside) {
            let name = name.into();
            self.note(|object| object.set_name(name));
        }
    }

    /// Records that the current task no longer holds the lock, once it is free natively, and wakes who waits.
    #[inline(always)]
    pub(crate) fn released(&self) {
        if !matches!(self, Tag::Outside) {
            self.released_in_execution();
        }
    }

    #[inline(never)]
    fn released_in_execution(&self) {
        match (self, me()) {
            (Tag::OnFibers { execution, number, .. }, Some(me)) => {
                fibers::release(*execution, ObjectId(*number as usize), me.task);
            }
            (Tag::OnThreads(common), Some(me)) => common.released(me),
            _ => {}
        }
    }
}

#[cold]
#[track_caller]
pub(super) fn misplaced(tag: &Tag) -> ! {
    // A second panic would abort the process, so a task that unwinds is left with the first.
    if super::unwinding()
        && let Some(me) = me()
    {
        me.engine(|engine| engine.forget(me.task));
    }
    let made = match tag {
        Tag::Outside => panic!(
            "watchmux::sync: an object made outside of an execution is used inside of one; make it in the body"
        ),
        Tag::OnFibers { made, .. } => made,
        Tag::OnThreads(common) => common.object.lock().made,
    };
    panic!("watchmux::sync: the object made at {made} is used outside of the execution that made it");
}

/// An object of the current execution, in the hands of the current task.
#[derive(Clone, Copy)]
pub(crate) struct Inside<'a> {
    pub(super) tag: &'a Tag,
    pub(super) me: Me,
    /// Where in the code.
    pub(super) location: &'static Location<'static>,
}

impl Inside<'_> {
    #[inline(always)]
    fn id(&self) -> ObjectId {
        self.tag.id().expect("it belongs to the current execution")
    }

    /// A sync point, before a look at a lock.
    #[inline]
    pub(crate) fn point(&self) {
        self.point_at(Target::Lock(self.id()));
    }

    /// A sync point, before a wait for a notification, or a notification.
    pub(crate) fn point_of_condvar(&self) {
        self.point_at(Target::Notify(self.id()));
    }

    /// A sync point, before that operation.
    #[inline(always)]
    pub(super) fn point_at(&self, target: Target) {
        self.me.point(Some(target), self.location);
    }

    /// Goes ahead with an operation on a rendezvous in which the engine has a say, if it can.
    pub(crate) fn attempt<'e>(&self, endpoint: &'e dyn Endpoint) -> Attempt<'e> {
        self.me.engine(|engine| engine.try_select(self.me.task, &[endpoint]))
    }

    /// For channel operations: whether the task unwinds, and must be told that the other side is gone.
    #[inline]
    pub(crate) fn disconnected(&self) -> bool {
        super::is_refused(self.me)
    }

    /// A sync point, before a mutex is held; on fibers waits to hold it, and says whether it came to that. `None` where the
    /// native lock has to be asked.
    #[inline(always)]
    pub(crate) fn hold_mutex(self, until: Option<Instant>) -> Option<bool> {
        let Tag::OnFibers { number, .. } = self.tag else {
            self.point();
            return None;
        };
        let limit = until.map_or(Limit::Wait, Limit::Until);
        match fibers::lock(self.me.task, ObjectId(*number as usize), limit, self.location) {
            Ok(is_held) => Some(is_held),
            Err(odd) => {
                self.lock_oddly(odd);
                None
            }
        }
    }

    /// Waits to hold a mutex that the native lock tells about.
    pub(crate) fn acquire_mutex(
        &self,
        until: Option<Instant>,
        try_acquire: &mut dyn FnMut() -> bool,
    ) -> bool {
        if try_acquire() {
            self.held(false);
            return true;
        }
        self.wait_for_lock(Target::Lock(self.id()), false, until, try_acquire)
    }

    /// A destructor that needs the lock goes on waiting, though its task is to unwind: those who hold it may yet unwind.
    #[cold]
    fn lock_oddly(self, odd: Odd) {
        match odd {
            Odd::Unwind => begin_unwinding(),
            Odd::Unwinding => {}
            Odd::Aborted => self.me.refuse(),
        }
    }

    /// Waits to hold a reader-writer lock, alone or shared.
    pub(crate) fn acquire_rwlock(&self, shared: bool, try_acquire: &mut dyn FnMut() -> bool) {
        let target = if shared { Target::Read(self.id()) } else { Target::Lock(self.id()) };
        self.point_at(target);
        if try_acquire() {
            self.held(shared);
        } else {
            self.wait_for_lock(target, shared, None, try_acquire);
        }
    }

    /// Waits for a lock that was not free; says whether it is held in the end.
    fn wait_for_lock(
        &self,
        target: Target,
        shared: bool,
        until: Option<Instant>,
        try_acquire: &mut dyn FnMut() -> bool,
    ) -> bool {
        let is_mutex = self.tag.look(|object| object.kind == ObjectKind::Mutex).unwrap_or_default();
        let wait = Wait { target, location: self.location };
        loop {
            if !is_mutex {
                self.saw_free(false);
            }
            self.tag.change(|object| object.add_waiter(shared));
            let wake = self.me.engine(|engine| engine.park(self.me.task, wait.clone(), until, try_acquire));
            self.tag.change(|object| object.remove_waiter(shared));
            match wake {
                Wake::Ready => break,
                Wake::Woken => {}
                Wake::TimedOut => return false,
                // A destructor that needs the lock goes on waiting: those who hold it may yet unwind.
                Wake::Aborted => self.me.refuse(),
            }
            if try_acquire() {
                break;
            }
        }
        self.held(shared);
        true
    }

    /// Whether a writer waits for the lock, which keeps new readers out.
    pub(crate) fn writer_waits(&self) -> bool {
        self.tag.look(Object::writer_waits).unwrap_or_default()
    }

    /// Notes that somebody has seen whether the lock is free.
    #[inline]
    pub(crate) fn saw_free(&self, free: bool) {
        footprint::touch_object(self.id(), What::SeesFree(free));
    }

    /// Records a lock as held by the current task.
    #[inline]
    pub(crate) fn held(&self, shared: bool) {
        self.tag.change(|object| object.hold(self.me.task, shared));
    }

    /// Waits for a notification, with what the notifier needs already released.
    pub(crate) fn await_notification(
        &self,
        until: Option<Instant>,
        location: &'static Location<'static>,
        release: &mut dyn FnMut(),
    ) -> bool {
        footprint::touch_object(self.id(), What::Awaits);
        let wait = Wait { target: Target::Notify(self.id()), location };
        let mut ready = || {
            release();
            false
        };
        self.tag.change(|object| object.add_waiter(true));
        let wake = self.me.engine(|engine| engine.park(self.me.task, wait, until, &mut ready));
        self.tag.change(|object| object.remove_waiter(true));
        if wake == Wake::Aborted {
            self.me.refuse();
        }
        if wake == Wake::TimedOut {
            footprint::touch_object(self.id(), What::GivesUp);
        }
        wake != Wake::TimedOut
    }

    /// Wakes tasks that wait for a notification; says how many.
    #[track_caller]
    pub(crate) fn notify(&self, most: usize) -> usize {
        self.point_of_condvar();
        let woken = self.me.engine(|engine| engine.notify(self.me.task, self.id(), most));
        footprint::touch_object(self.id(), What::Notifies(woken));
        let notification = Notification { by: self.me.task, location: Location::caller(), woken };
        self.tag.change(|object| object.notified(notification));
        woken
    }
}
