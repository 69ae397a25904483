//! Messages that pass through channels, and the partners of a rendezvous.

use super::super::{ObjectId, Target, TaskId};
use super::table::{Table, Tracked};
use crate::sync::seam::Side;
use crate::sync::seam::footprint::{self, Place, What};

/// What came of an operation on a channel that does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// A message passes.
    Passed,
    /// None can.
    Refused,
    /// None ever will: nobody is left on the other side.
    Disconnected,
}

/// How far an operation on a channel has come.
pub(super) enum Passing {
    /// To its end.
    Over(Passage),
    /// This task, which waited, is about to hand its message over.
    TakesOver(TaskId),
    /// It has waited for too long.
    TimedOut,
}

impl Table {
    /// Lets the partner of a rendezvous go ahead, if one waits, and says who it is.
    #[inline]
    pub(super) fn meet(&mut self, me: TaskId, target: Target) -> Option<TaskId> {
        let (partner, index) = self.partner(me, target)?;
        self.tasks[partner.0].waiting.met = Some(index);
        footprint::touch(Place::Task(partner), What::Wakes);
        self.touch_meetings(partner);
        if let Target::Send(rendezvous) = target {
            self.hand_over(partner, rendezvous);
        }
        self.see(partner);
        Some(partner)
    }

    /// Who has waited longest on the other side of a rendezvous, and by which of its waits.
    #[inline]
    pub(super) fn partner(&self, me: TaskId, target: Target) -> Option<(TaskId, usize)> {
        let (object, other) = match target {
            Target::Send(object) => (object, Target::Recv(object)),
            Target::Recv(object) => (object, Target::Send(object)),
            _ => return None,
        };
        let Tracked { object, waiters } = &self.objects[object.0];
        if !object.is_modelled() {
            return None;
        }
        let waiting = waiters.iter().filter(|task| *task != me).filter_map(|task| {
            let waiting = &self.tasks[task.0].waiting;
            let wait = waiting.waits.iter().position(|wait| wait.target == other)?;
            waiting.met.is_none().then_some((waiting.since, task, wait))
        });
        waiting.min_by_key(|(since, ..)| *since).map(|(_, task, wait)| (task, wait))
    }

    /// Notes that a task waits for its partner in a rendezvous, which can go ahead, to hand the message over.
    pub(super) fn wait_for_handover(&mut self, me: TaskId, sender: TaskId, rendezvous: ObjectId) {
        self.wait(me, std::iter::empty(), None);
        let waiting = &mut self.tasks[me.0].waiting;
        (waiting.handover, waiting.rendezvous) = (Some(sender), Some(rendezvous));
        self.objects[rendezvous.0].waiters.insert(me);
    }

    /// Notes that a receiver, which waits, is handed the next message of a rendezvous. It takes that one and no other, so
    /// those before it are taken first.
    pub(super) fn hand_over(&mut self, receiver: TaskId, rendezvous: ObjectId) {
        let Tracked { object, waiters } = &self.objects[rendezvous.0];
        let is_due = |task: &TaskId| {
            self.tasks[task.0].waiting.message.is_some_and(|(object, _)| object == rendezvous)
        };
        let number = object.passed(Side::Recv) + waiters.iter().filter(is_due).count() as u64;
        footprint::touch(Place::Task(receiver), What::Wakes);
        let waiting = &mut self.tasks[receiver.0].waiting;
        waiting.message = Some((rendezvous, number));
        waiting.handover = None;
    }

    /// The receiver for whom a sender goes ahead with a rendezvous, if it met it first.
    pub(super) fn receiver_of(&self, sender: TaskId, rendezvous: ObjectId) -> Option<TaskId> {
        let waits_for_it = |task: &TaskId| self.tasks[task.0].waiting.handover == Some(sender);
        self.objects[rendezvous.0].waiters.iter().find(waits_for_it)
    }

    /// Lets a message pass, if one can. At a rendezvous it needs a partner that waits: what is there is for those who have
    /// met theirs.
    #[inline(always)]
    pub(super) fn pass(&mut self, me: TaskId, target: Target, side: Side, channel: ObjectId) -> Passing {
        if self.object(channel).is_modelled() {
            match self.meet(me, target) {
                Some(partner) if side == Side::Recv => return Passing::TakesOver(partner),
                Some(_) => {}
                None if self.object(channel).is_disconnected(target) => {
                    return Passing::Over(Passage::Disconnected);
                }
                None => return Passing::Over(Passage::Refused),
            }
        }
        Passing::Over(self.try_pass(channel, target, side))
    }

    /// Lets a message pass through a channel with room, if one can.
    #[inline(always)]
    pub(super) fn try_pass(&mut self, channel: ObjectId, target: Target, side: Side) -> Passage {
        let Tracked { object, waiters } = &mut self.objects[channel.0];
        if object.try_pass(side) {
            if !waiters.is_empty() {
                self.see_waiters(channel);
            }
            Passage::Passed
        } else if object.is_disconnected(target) {
            Passage::Disconnected
        } else {
            Passage::Refused
        }
    }

    /// Notes that the task begins or ceases to be seen to wait at each rendezvous that it waits for.
    #[inline]
    pub(super) fn touch_meetings(&self, task: TaskId) {
        if !footprint::is_on() {
            return;
        }
        for wait in &self.tasks[task.0].waiting.waits {
            if let Target::Send(object) | Target::Recv(object) = wait.target
                && self.object(object).is_modelled()
            {
                footprint::touch_object(object, What::Meets);
            }
        }
    }
}
