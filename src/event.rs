//! Events as Kubernetes has them, for those who come from there.

use std::fmt;

/// What happened to an object.
///
/// The mux takes events of any type; this one is for who wants Kubernetes' `watch.Event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event<T> {
    /// What happened.
    pub kind: EventKind,
    /// To what: the object as it is now, or for [`EventKind::Deleted`] as it last was.
    pub object: T,
}

/// The kinds of [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// The object is new.
    Added,
    /// The object has changed.
    Modified,
    /// The object is gone.
    Deleted,
    /// Nothing happened; the object says how far the watch has come.
    Bookmark,
    /// Something went wrong; the object says what.
    Error,
}

impl EventKind {
    /// As Kubernetes writes it: `ADDED`.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
            EventKind::Bookmark => "BOOKMARK",
            EventKind::Error => "ERROR",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
