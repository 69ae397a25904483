//! What a channel handle of `sync` keeps of its execution.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;

use super::{Inside, Meeting, Object, Side, Tag, Timer, me};
use crate::engine::{ObjectKind, Target, TaskId};

/// One handle of a channel.
pub(crate) struct Handle {
    tag: Tag,
    side: Side,
    id: u32,
}

impl Handle {
    /// The two first handles of a new channel.
    #[track_caller]
    pub(crate) fn pair(capacity: Option<usize>) -> (Handle, Handle) {
        let tag = Tag::new(ObjectKind::Channel(capacity), Timer::None);
        (Handle::add(&tag, Side::Send), Handle::add(&tag, Side::Recv))
    }

    /// The only handle of a channel that time fills, or nobody.
    #[track_caller]
    pub(crate) fn timer(timer: Timer) -> Handle {
        Handle::add(&Tag::new(ObjectKind::Channel(Some(1)), timer), Side::Recv)
    }

    fn add(tag: &Tag, side: Side) -> Handle {
        let id =
            tag.object().map_or(0, |object| object.add_handle(side, me().map_or(TaskId(0), |me| me.task)));
        Handle { tag: tag.clone(), side, id }
    }

    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    /// As [`Tag::inside`], noting who used the handle last.
    #[track_caller]
    pub(crate) fn inside(&self) -> Option<Inside<'_>> {
        let inside = self.tag.inside()?;
        inside.object.use_handle(self.id, inside.me.task);
        Some(inside)
    }

    /// Whether the channel is a rendezvous that is modelled.
    pub(crate) fn is_modelled(&self) -> bool {
        self.tag.object().is_some_and(|object| object.is_modelled())
    }

    /// Whether the channel is a rendezvous in which the engine has a say.
    pub(crate) fn is_arranged(&self) -> bool {
        self.tag.object().is_some_and(|object| object.meeting != Meeting::Free)
    }

    /// A sync point, before a use of this handle.
    pub(crate) fn point(&self, inside: &Inside<'_>) {
        if let Some((_, target)) = self.target() {
            inside.point_at(target);
        }
    }

    /// Has the engine fill the channel, if it tells the time.
    pub(crate) fn fill(&self, duration: Duration) -> Option<cc::Receiver<Instant>> {
        me().zip(self.tag.object()).and_then(|(me, object)| me.execution.add_timer(object, duration))
    }

    /// Records a message that has passed through this handle.
    pub(crate) fn passed(&self) {
        if let Some(object) = self.tag.object() {
            object.pass(self.side);
        }
    }

    pub(crate) fn target(&self) -> Option<(&Arc<Object>, Target)> {
        let object = self.tag.object()?;
        let target = match self.side {
            Side::Send => Target::Send(object.id),
            Side::Recv => Target::Recv(object.id),
        };
        Some((object, target))
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        Handle::add(&self.tag, self.side)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(object) = self.tag.object() {
            object.remove_handle(self.id);
        }
    }
}
