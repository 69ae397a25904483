//! Messages that pass through channels, and the partners of a rendezvous.

use std::panic::Location;

use super::super::{ObjectId, Target, TaskId};
use super::operations::{Limit, Onward};
use super::table::{Table, Tracked};
use super::task::Woken;
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

/// One use of a handle of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) side: Side,
    pub(crate) channel: ObjectId,
}

impl Operation {
    #[inline(always)]
    pub(super) fn target(self) -> Target {
        match self.side {
            Side::Send => Target::Send(self.channel),
            Side::Recv => Target::Recv(self.channel),
        }
    }
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
            // It goes on once the message is there.
            self.hand_over(partner, rendezvous);
            self.ready.remove(partner);
        } else {
            self.ready.insert(partner);
        }
        debug_assert_eq!(self.ready.contains(partner), self.can_go_on(partner));
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
        if waiters.is_empty() || !object.is_rendezvous() {
            return None;
        }
        let mut longest: Option<(u64, TaskId, usize)> = None;
        waiters.for_each(|task| {
            let waiting = &self.tasks[task.0].waiting;
            if task == me || waiting.met.is_some() || longest.is_some_and(|(since, ..)| since < waiting.since)
            {
                return;
            }
            if let Some(wait) = waiting.waits.iter().position(|wait| wait.target == other) {
                longest = Some((waiting.since, task, wait));
            }
        });
        longest.map(|(_, task, wait)| (task, wait))
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
        let mut number = object.passed(Side::Recv);
        waiters.for_each(|task| {
            let message = self.tasks[task.0].waiting.message;
            number += u64::from(message.is_some_and(|(object, _)| object == rendezvous));
        });
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

    /// Notes that a sender has given up that had met a receiver at a rendezvous: of those that wait for a message that is not
    /// there yet the last tries again, for it is handed none.
    pub(super) fn abandon(&mut self, rendezvous: ObjectId) {
        let Tracked { object, waiters } = &self.objects[rendezvous.0];
        let sent = object.passed(Side::Send);
        let awaited = |task: TaskId| {
            let message = self.tasks[task.0].waiting.message;
            let (_, number) = message.filter(|(object, number)| *object == rendezvous && *number >= sent)?;
            Some((number, task))
        };
        let Some((_, receiver)) = waiters.iter().filter_map(awaited).max() else { return };
        footprint::touch(Place::Task(receiver), What::Wakes);
        footprint::touch_object(rendezvous, What::Meets);
        let waiting = &mut self.tasks[receiver.0].waiting;
        (waiting.met, waiting.message, waiting.notified) = (None, None, true);
        self.ready.insert(receiver);
    }

    /// Lets a message pass, if one can within the limit.
    #[inline(always)]
    pub(super) fn pass_within(
        &mut self,
        me: TaskId,
        operation: Operation,
        limit: Limit,
        location: &'static Location<'static>,
    ) -> Onward {
        if self.object(operation.channel).is_rendezvous() {
            return self.meet_within(me, operation, limit, location);
        }
        match self.try_pass(operation) {
            Passage::Refused => self.wait_within(me, operation.target(), limit, location),
            passage => Onward::from(passage),
        }
    }

    /// Lets a message pass at a rendezvous, if a partner waits within the limit: what is there is for those who have met
    /// theirs.
    fn meet_within(
        &mut self,
        me: TaskId,
        operation: Operation,
        limit: Limit,
        location: &'static Location<'static>,
    ) -> Onward {
        match self.meet(me, operation.target()) {
            Some(partner) if operation.side == Side::Recv => {
                self.wait_for_handover(me, partner, operation.channel);
                Onward::GiveWay(self.go_on())
            }
            Some(_) => Onward::from(self.try_pass(operation)),
            None if self.object(operation.channel).is_disconnected(operation.target()) => {
                Onward::from(self.disconnected(operation))
            }
            None => self.wait_within(me, operation.target(), limit, location),
        }
    }

    /// Goes on after a wait for a message to pass, or for a partner to hand it over; `None` if one can pass now.
    #[inline(always)]
    pub(super) fn wake_to_pass(
        &mut self,
        me: TaskId,
        operation: Operation,
        limit: Limit,
        location: &'static Location<'static>,
    ) -> Option<Onward> {
        let waiting = &self.tasks[me.0].waiting;
        let is_handed_over = waiting.rendezvous.is_some() && !waiting.notified;
        let passage = match self.wake_up(me) {
            Woken::Served if !is_handed_over => return None,
            Woken::TimedOut => return Some(Onward::Refused),
            Woken::Aborted if !is_handed_over => return Some(Onward::Aborted),
            Woken::Served | Woken::Aborted => self.try_pass(operation),
            Woken::Met(_) => match self.try_pass(operation) {
                // Nobody is left: to whom it met, or by whom it was met.
                Passage::Refused => self.disconnected(operation),
                passage => passage,
            },
        };
        Some(match passage {
            Passage::Refused => self.wait_within(me, operation.target(), limit, location),
            passage => Onward::from(passage),
        })
    }

    /// Nobody is left on the other side, and the task sees that.
    fn disconnected(&self, Operation { side, channel }: Operation) -> Passage {
        footprint::touch_object(channel, What::Sees(side, false));
        Passage::Disconnected
    }

    /// Lets a message pass through a channel with room, if one can.
    #[inline]
    fn try_pass(&mut self, operation: Operation) -> Passage {
        let Operation { side, channel } = operation;
        let Tracked { object, waiters } = &mut self.objects[channel.0];
        if object.try_pass(side) {
            if !waiters.is_empty() {
                self.see_waiters(channel);
            }
            Passage::Passed
        } else if object.is_disconnected(operation.target()) {
            self.disconnected(operation)
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
                && self.object(object).is_rendezvous()
            {
                footprint::touch_object(object, What::Meets);
            }
        }
    }
}
