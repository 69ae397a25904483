//! What a channel handle of `sync` keeps of its execution.

use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::super::channel::Line;
use super::footprint::{self, What};
use super::tag::misplaced;
use super::{Inside, Limit, Meeting, Object, Passage, Side, Tag, Timer, begin_unwinding, me};
use crate::engine::fibers::{self, Odd, Operation};
use crate::engine::{ObjectKind, Target, TaskId};

/// One handle of a channel. Whoever drops it [leaves](Handle::leave) first.
pub(crate) struct Handle {
    tag: Tag,
    side: Side,
    id: u32,
}

impl Handle {
    /// The two first handles of a channel.
    #[inline(always)]
    pub(crate) fn pair(tag: Tag) -> (Handle, Handle) {
        let sender = Handle { tag: tag.clone(), side: Side::Send, id: 0 };
        (sender, Handle { tag, side: Side::Recv, id: 1 })
    }

    /// The only handle of a channel that time fills, or nobody.
    #[track_caller]
    pub(crate) fn timer(timer: Timer) -> Handle {
        let add = |object: &mut Object, me| _ = object.add_handle(Side::Recv, me);
        Handle { tag: Tag::with(ObjectKind::Channel(Some(1)), timer, add), side: Side::Recv, id: 0 }
    }

    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    /// As [`Tag::inside`].
    #[inline(always)]
    #[track_caller]
    pub(crate) fn inside(&self) -> Option<Inside<'_>> {
        self.tag.inside()
    }

    /// Notes who used the handle last.
    pub(super) fn used(&self, inside: Inside<'_>) {
        self.tag.note(|object| object.use_handle(self.id, inside.me.task));
    }

    /// Whether the channel is modelled.
    #[inline]
    pub(crate) fn is_modelled(&self) -> bool {
        matches!(self.tag, Tag::OnFibers { .. })
    }

    /// Whether the channel is a native rendezvous in which the engine has a say.
    pub(crate) fn is_steered(&self) -> bool {
        match &self.tag {
            Tag::Outside | Tag::OnFibers { .. } => false,
            Tag::OnThreads(common) => common.object.lock().meeting == Meeting::Steered,
        }
    }

    /// A sync point, before a use of this handle of a channel that is not modelled.
    pub(crate) fn point(&self, inside: Inside<'_>) {
        let Some(target) = self.target() else { return };
        self.used(inside);
        inside.point_at(target);
    }

    /// A sync point, before a use of this handle of a modelled channel; then goes ahead with the operation, if it can within
    /// the limit. To a task that unwinds the other side is gone.
    #[inline(always)]
    pub(crate) fn pass(&self, inside: Inside<'_>, limit: Limit) -> Passage {
        match fibers::pass(inside.me.task, self, limit, inside.location) {
            Ok(passage) => passage,
            Err(odd) => self.pass_oddly(inside, limit, odd),
        }
    }

    #[cold]
    fn pass_oddly(&self, inside: Inside<'_>, limit: Limit, mut odd: Odd) -> Passage {
        loop {
            match odd {
                Odd::Unwind => begin_unwinding(),
                Odd::Unwinding => {}
                Odd::Aborted => {
                    inside.me.refuse();
                    return Passage::Refused;
                }
            }
            if inside.disconnected() {
                return Passage::Disconnected;
            }
            match fibers::pass_after_point(inside.me.task, self, limit, inside.location) {
                Ok(passage) => return passage,
                Err(other) => odd = other,
            }
        }
    }

    /// What it is used for, of a modelled channel.
    #[inline(always)]
    pub(crate) fn operation(&self) -> Operation {
        let channel = self.tag.id().expect("a modelled channel belongs to an execution");
        Operation { side: self.side, channel }
    }

    /// Its number among the handles of the channel.
    #[inline(always)]
    pub(crate) fn number(&self) -> u32 {
        self.id
    }

    /// A sync point, before a look at the channel.
    pub(crate) fn look(&self, inside: Inside<'_>) {
        self.used(inside);
        if let Some(id) = self.tag.id() {
            inside.point_at(Target::Recv(id));
            footprint::touch_object(id, What::Counts);
        }
    }

    /// Selects an operation on a modelled channel, if it can go ahead.
    pub(crate) fn try_select(&self) -> bool {
        self.tag.change(|object| object.try_select(self.side)).unwrap_or_default()
    }

    /// Completes a selected operation on a modelled channel, if it still can be.
    #[inline]
    pub(crate) fn complete(&self) -> bool {
        let completed = self.tag.change(|object| object.complete(self.side)).unwrap_or_default();
        if !completed {
            self.saw(false);
        }
        completed
    }

    /// Gives up a send on a modelled channel that was selected, and its place there: whom it has met at a rendezvous tries
    /// again.
    pub(crate) fn abandon(&self) {
        if let Tag::OnFibers { execution, .. } = self.tag {
            fibers::abandon(execution, self.operation().channel);
        }
    }

    /// Has the engine fill the channel, if it tells the time.
    pub(crate) fn fill(&self, duration: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>> {
        me()?.engine(|engine| engine.add_timer(&self.tag, duration))
    }

    /// Records a message that has passed through this handle.
    #[inline]
    pub(crate) fn passed(&self) {
        self.tag.change(|object| object.pass(self.side));
    }

    /// What it is used for, if it belongs to an execution.
    #[inline]
    pub(crate) fn target(&self) -> Option<Target> {
        let id = self.tag.id()?;
        Some(match self.side {
            Side::Send => Target::Send(id),
            Side::Recv => Target::Recv(id),
        })
    }

    /// Notes that somebody has seen whether this side could go ahead.
    pub(crate) fn saw(&self, could: bool) {
        if let Some(id) = self.tag.id() {
            footprint::touch_object(id, What::Sees(self.side, could));
        }
    }

    /// Whether it is a rendezvous on fibers: whoever waits there can be seen.
    pub(crate) fn is_rendezvous(&self) -> bool {
        self.tag.look(Object::is_rendezvous).unwrap_or_default()
    }

    /// Looks at the channel; it belongs to an execution that is not over.
    pub(crate) fn channel<R>(&self, f: impl FnOnce(&Object) -> R) -> R {
        self.tag.look(f).expect("the seam has checked the objects")
    }

    /// Gives the handle up, once; says whether messages of a modelled channel are left that nobody can receive.
    #[inline(always)]
    pub(crate) fn leave(&self) -> bool {
        !matches!(self.tag, Tag::Outside) && self.leave_execution()
    }

    #[inline(never)]
    fn leave_execution(&self) -> bool {
        match &self.tag {
            Tag::Outside => false,
            Tag::OnFibers { execution, .. } => fibers::remove_handle(*execution, self),
            Tag::OnThreads(common) => {
                let (side, id) = (self.side, self.id);
                common.change(move |object| object.remove_handle(side, id));
                false
            }
        }
    }

    /// Adds another handle of this side; says its number.
    #[inline(never)]
    #[track_caller]
    fn add_another(&self) -> u32 {
        let me = me();
        if me.is_some_and(|me| Some(me.execution) != self.tag.execution()) {
            misplaced(&self.tag);
        }
        // The first task, where no task uses the handle.
        let (side, task) = (self.side, me.map_or(TaskId(0), |me| me.task));
        self.tag.note(move |object| object.add_handle(side, task)).unwrap_or_else(|| misplaced(&self.tag))
    }
}

impl Clone for Handle {
    #[inline(always)]
    #[track_caller]
    fn clone(&self) -> Handle {
        let id = if matches!(self.tag, Tag::Outside) { 0 } else { self.add_another() };
        Handle { tag: self.tag.clone(), side: self.side, id }
    }
}
