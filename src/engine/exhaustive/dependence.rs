//! Which touches of one thing are in an order that matters.

use super::super::ObjectKind;
use crate::sync::seam::Side;
use crate::sync::seam::footprint::{Place, What};

/// A touch, as part of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) what: What,
    /// Of a message: which one it is of its channel.
    pub(super) number: u64,
    /// Whether its task waits for just this, and could not have gone on without it.
    pub(super) awaited: bool,
    /// Whether it waits for nothing else.
    pub(super) alone: bool,
    /// What the object is, if it is one.
    pub(super) kind: Option<ObjectKind>,
}

/// How a touch depends on an earlier one, of another task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// They commute.
    None,
    /// The later one can only come later.
    Causes,
    /// The later one may be unable to come first.
    MayRace,
    /// The later one could have come first, and that would be another execution.
    Races,
    /// The later one takes the very message, or the room, that the earlier one has made: it cannot come first, whatever else
    /// the two do there.
    Needs,
}

use Order::{Causes, MayRace, Needs, None as Commute, Races};

/// How the later of two touches of one place depends on the earlier.
pub(super) fn order(earlier: &Entry, later: &Entry) -> Order {
    match (earlier.place, earlier.kind) {
        (Place::Object(_), Some(ObjectKind::Mutex)) => of_mutex(earlier, later),
        (Place::Object(_), Some(ObjectKind::RwLock)) => of_rwlock(earlier, later),
        (Place::Object(_), Some(ObjectKind::Condvar)) => of_condvar(earlier, later),
        (Place::Object(_), Some(ObjectKind::Channel(Some(0)))) => of_rendezvous(earlier, later),
        (Place::Object(_), Some(ObjectKind::Channel(capacity))) => of_channel(capacity, earlier, later),
        (Place::Object(_) | Place::Rest, _) => Commute,
        (Place::Task(_), _) => of_task(earlier, later),
        (Place::Atomic(_) | Place::Cell(_), _) => of_cell(earlier, later),
    }
}

/// Whether two touches of one place are dependent, whichever comes first.
pub(super) fn depend(one: &Entry, other: &Entry) -> bool {
    order(one, other) != Commute || order(other, one) != Commute
}

/// The later comes later because it waits for the earlier, or races with it.
fn awaited(later: &Entry) -> Order {
    if later.awaited { Causes } else { Races }
}

/// As [`awaited`], where it waits for what the earlier has made; a select could have gone another way.
fn needed(later: &Entry) -> Order {
    if later.awaited && later.alone { Needs } else { awaited(later) }
}

fn of_mutex(earlier: &Entry, later: &Entry) -> Order {
    match (earlier.what, later.what) {
        (What::Releases { .. }, What::Acquires { .. }) => awaited(later),
        // Then it was held, and its release is between.
        (What::SeesFree(false), What::Acquires { .. }) => Commute,
        (What::Acquires { .. } | What::SeesFree(true), What::Acquires { .. }) => Races,
        (What::SeesFree(_), What::Releases { .. }) => Races,
        (What::Acquires { .. } | What::Releases { .. }, What::SeesFree(_)) => Races,
        _ => Commute,
    }
}

fn of_rwlock(earlier: &Entry, later: &Entry) -> Order {
    let shared = |what| matches!(what, What::Acquires { shared: true } | What::Releases { shared: true });
    match (earlier.what, later.what) {
        (What::Made(..), _) | (_, What::Made(..)) | (What::SeesFree(_), What::SeesFree(_)) => Commute,
        (one, other) if shared(one) && shared(other) => Commute,
        _ => MayRace,
    }
}

fn of_condvar(earlier: &Entry, later: &Entry) -> Order {
    match (earlier.what, later.what) {
        (What::Notifies(0), What::Notifies(0)) => Commute,
        (What::Notifies(_), What::Notifies(_) | What::Awaits | What::GivesUp)
        | (What::Awaits | What::GivesUp, What::Notifies(_)) => Races,
        _ => Commute,
    }
}

fn of_rendezvous(earlier: &Entry, later: &Entry) -> Order {
    match (earlier.what, later.what) {
        (one, other) if is_in_parts(one) || is_in_parts(other) => MayRace,
        (What::Passes(Side::Send), What::Passes(Side::Send)) => Races,
        // Messages are taken in the order they were handed over.
        (What::Passes(Side::Recv), What::Passes(Side::Recv)) => Causes,
        (What::Drops(_), What::Sees(..)) if later.awaited => MayRace,
        (What::Meets | What::Drops(_), What::Meets | What::Sees(..))
        | (What::Meets | What::Sees(..), What::Meets | What::Drops(_)) => Races,
        _ => Commute,
    }
}

/// Whether it is part of a select between whose parts others may go on: too rare to look closer.
fn is_in_parts(what: What) -> bool {
    matches!(what, What::Reserves(_) | What::Completes(_) | What::Withdraws)
}

fn of_channel(capacity: Option<usize>, earlier: &Entry, later: &Entry) -> Order {
    use Side::{Recv, Send};
    match (earlier.what, later.what) {
        (one, other) if is_in_parts(one) || is_in_parts(other) => MayRace,
        (What::Passes(Send), What::Passes(Send)) | (What::Passes(Recv), What::Passes(Recv)) => Races,
        (What::Passes(Send), What::Passes(Recv)) if earlier.number == later.number => needed(later),
        (What::Passes(Recv), What::Passes(Send))
            if capacity.is_some_and(|capacity| earlier.number + capacity as u64 == later.number) =>
        {
            needed(later)
        }
        (What::Passes(_), What::Passes(_)) => Commute,

        // What could not go ahead then can only after what is between.
        (What::Sees(one, false), What::Passes(other)) if one == other => Commute,
        (What::Sees(one, true), What::Passes(other)) if one != other => Commute,
        (What::Sees(..), What::Passes(_)) => Races,
        (What::Counts, What::Passes(_)) => MayRace,
        (What::Passes(Send), What::Sees(Recv, false)) => awaited(later),
        (What::Passes(_), What::Sees(..) | What::Counts) => Races,

        (What::Sees(Recv, false), What::Drops(Send)) | (What::Sees(Send, _), What::Drops(Recv)) => Races,
        (What::Drops(Send), What::Sees(Recv, _)) if later.awaited => Causes,
        (What::Drops(_), What::Sees(..)) => MayRace,
        (What::Passes(Send), What::Drops(Recv)) => Races,
        (What::Drops(Recv), What::Passes(Send)) => MayRace,
        _ => Commute,
    }
}

fn of_task(earlier: &Entry, later: &Entry) -> Order {
    match (earlier.what, later.what) {
        (What::Wakes, What::Woken) => Causes,
        (What::Ends, What::SeesEnd(_)) => awaited(later),
        (What::SeesEnd(_), What::Ends) => Races,
        _ => Commute,
    }
}

fn of_cell(earlier: &Entry, later: &Entry) -> Order {
    match (earlier.what, later.what) {
        (What::Reads, What::Reads) | (What::Calls, What::Calls) | (What::Returns, What::Returns) => Commute,
        _ => Races,
    }
}
