//! What a lock or condition variable of `sync` keeps of its execution, and what a task does with it.

use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::{Attempt, Endpoint, INSIDE, Me, Object, Timer, Wake, me};
use crate::engine::{Notification, ObjectKind, Target, Wait};

/// Marks an object as belonging to an execution, or to none.
#[derive(Clone)]
pub(crate) struct Tag(Option<Arc<Object>>);

impl Tag {
    #[track_caller]
    pub(crate) fn mutex() -> Tag {
        Tag::new(ObjectKind::Mutex, Timer::None)
    }

    #[track_caller]
    pub(crate) fn rwlock() -> Tag {
        Tag::new(ObjectKind::RwLock, Timer::None)
    }

    #[track_caller]
    pub(crate) fn condvar() -> Tag {
        Tag::new(ObjectKind::Condvar, Timer::None)
    }

    #[track_caller]
    pub(super) fn new(kind: ObjectKind, timer: Timer) -> Tag {
        let made = Location::caller();
        Tag(me().map(|me| me.execution.add_object(kind, timer, made)))
    }

    /// The object and the current task; `None` outside executions.
    ///
    /// # Panics
    /// If the object was made in another execution, or made outside and is used in one.
    #[track_caller]
    pub(crate) fn inside(&self) -> Option<Inside<'_>> {
        match &self.0 {
            None if INSIDE.get() => misplaced(None),
            None => None,
            Some(object) => match me() {
                Some(me) if me.id == object.execution => {
                    Some(Inside { object, me, location: Location::caller() })
                }
                _ => misplaced(Some(object)),
            },
        }
    }

    pub(crate) fn set_name(&self, name: &str) {
        if let Some(object) = &self.0 {
            // The first name stays: an object has one.
            let _ = object.name.set(name.to_owned());
        }
    }

    pub(crate) fn object(&self) -> Option<&Arc<Object>> {
        self.0.as_ref()
    }
}

#[cold]
#[track_caller]
fn misplaced(object: Option<&Object>) -> ! {
    // A second panic would abort the process, so a task that unwinds is left with the first.
    if super::unwinding()
        && let Some(me) = me()
    {
        me.execution.forget(me.task);
    }
    match object {
        None => panic!(
            "watchmux::sync: an object made outside of an execution is used inside of one; make it in the body"
        ),
        Some(object) => panic!(
            "watchmux::sync: the object made at {} is used outside of the execution that made it",
            object.made
        ),
    }
}

/// An object of the current execution, in the hands of the current task.
pub(crate) struct Inside<'a> {
    pub(super) object: &'a Arc<Object>,
    pub(super) me: Rc<Me>,
    /// Where in the code.
    location: &'static Location<'static>,
}

impl Inside<'_> {
    /// A sync point, before an access to the object.
    pub(crate) fn point(&self) {
        let id = self.object.id;
        self.point_at(match self.object.kind {
            ObjectKind::Channel(_) => Target::Recv(id),
            ObjectKind::Mutex | ObjectKind::RwLock => Target::Lock(id),
            ObjectKind::Condvar => Target::Notify(id),
        });
    }

    /// A sync point, before that operation.
    pub(super) fn point_at(&self, target: Target) {
        self.me.point(Some(target), self.location);
    }

    /// Goes ahead with an operation on a rendezvous in which the engine has a say, if it can.
    pub(crate) fn attempt<'e>(&self, endpoint: &'e dyn Endpoint) -> Attempt<'e> {
        self.me.execution.try_select(self.me.task, &[endpoint])
    }

    /// For channel operations: whether the task unwinds, and must be told that the other side is gone.
    pub(crate) fn disconnected(&self) -> bool {
        let gives_up = self.me.gives_up();
        if gives_up {
            self.me.refuse();
        }
        gives_up
    }

    /// Waits to hold a lock, alone or shared.
    pub(crate) fn acquire(
        &self,
        shared: bool,
        until: Option<Instant>,
        location: &'static Location<'static>,
        try_acquire: &mut dyn FnMut() -> bool,
    ) -> bool {
        let target = if shared { Target::Read(self.object.id) } else { Target::Lock(self.object.id) };
        self.point_at(target);
        loop {
            if try_acquire() {
                break;
            }
            let wait = Wait { target, location };
            self.object.add_waiter(shared);
            let wake = self.me.execution.park(self.me.task, wait, until, try_acquire);
            self.object.remove_waiter(shared);
            match wake {
                Wake::Ready => break,
                Wake::Woken => {}
                Wake::TimedOut => return false,
                // A destructor that needs the lock goes on waiting: those who hold it may yet unwind.
                Wake::Aborted => self.me.refuse(),
            }
        }
        self.held(shared);
        true
    }

    /// Whether a writer waits for the lock, which keeps new readers out.
    pub(crate) fn writer_waits(&self) -> bool {
        self.object.writer_waits()
    }

    /// Records a lock as held by the current task.
    pub(crate) fn held(&self, shared: bool) {
        self.object.hold(self.me.task, shared);
    }

    /// Waits for a notification, with what the notifier needs already released.
    pub(crate) fn await_notification(
        &self,
        until: Option<Instant>,
        location: &'static Location<'static>,
        release: &mut dyn FnMut(),
    ) -> bool {
        let wait = Wait { target: Target::Notify(self.object.id), location };
        self.object.add_waiter(true);
        let wake = self.me.execution.park(self.me.task, wait, until, &mut || {
            release();
            false
        });
        self.object.remove_waiter(true);
        if wake == Wake::Aborted {
            self.me.refuse();
        }
        wake != Wake::TimedOut
    }

    /// Wakes tasks that wait for a notification; says how many.
    #[track_caller]
    pub(crate) fn notify(&self, most: usize) -> usize {
        self.point();
        let woken = self.me.execution.wake(self.me.task, self.object.id, most);
        self.object.notified(Notification { by: self.me.task, location: Location::caller(), woken });
        woken
    }
}

impl Tag {
    /// Records that the current task no longer holds the lock, once it is free natively, and wakes who waits.
    pub(crate) fn released(&self) {
        if let (Some(object), Some(me)) = (&self.0, me())
            && object.release(me.task)
        {
            me.execution.wake(me.task, object.id, usize::MAX);
        }
    }
}
