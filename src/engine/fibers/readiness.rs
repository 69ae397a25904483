//! Whether tasks that wait can go on, by the books alone.

use std::time::Duration;

use super::super::{ObjectId, Target};
use super::recycled::Recycled;
use super::table::Tracked;
use super::task::{Doing, Entry, Unwinding, Waiting};
use crate::sync::seam::Side;

impl Entry {
    /// Whether it can go on at this time.
    #[inline(always)]
    pub(super) fn can_go_on(
        &self,
        clock: Duration,
        tasks: &Recycled<Entry>,
        objects: &Recycled<Tracked>,
    ) -> bool {
        match &self.doing {
            Doing::Ready => true,
            Doing::Waiting => {
                let waiting = &self.waiting;
                self.unwinding == Unwinding::Due
                    || waiting.is_served(tasks, objects)
                    || (waiting.message.is_none() && waiting.until.is_some_and(|until| until <= clock))
            }
            Doing::Forgotten | Doing::Ended | Doing::Panicked => false,
        }
    }

    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.doing, Doing::Ended | Doing::Panicked)
    }
}

impl Waiting {
    /// Whether it is over without time passing.
    #[inline(always)]
    pub(super) fn is_served(&self, tasks: &Recycled<Entry>, objects: &Recycled<Tracked>) -> bool {
        match self.message {
            Some(message) => is_next(message, objects),
            None => {
                self.met.is_some()
                    || self.notified
                    || match &*self.waits {
                        [wait] => could_serve(wait.target, tasks, objects),
                        waits => waits.iter().any(|wait| could_serve(wait.target, tasks, objects)),
                    }
            }
        }
    }
}

/// Whether a message of a rendezvous is there, and the next to be taken.
#[inline(always)]
fn is_next((rendezvous, number): (ObjectId, u64), objects: &Recycled<Tracked>) -> bool {
    let object = &objects[rendezvous.0].object;
    object.passed(Side::Recv) == number && object.passed(Side::Send) > number
}

/// Whether the books could serve a wait; for a rendezvous that needs a partner, whether there never will be one.
#[inline(always)]
pub(super) fn could_serve(target: Target, tasks: &Recycled<Entry>, objects: &Recycled<Tracked>) -> bool {
    match target {
        Target::Join(task) => tasks[task.0].has_ended(),
        Target::Notify(_) => false,
        Target::Send(object) | Target::Recv(object) | Target::Lock(object) | Target::Read(object) => {
            let object = &objects[object.0].object;
            if object.is_rendezvous() {
                object.is_disconnected(target)
            } else {
                object.could_serve(target, false)
            }
        }
    }
}
