use std::fmt;
use std::sync::Arc;

use crate::engine::Shared;
use crate::oracle::EventId;
use crate::oracle::history::PLANNED_PANIC;
use crate::script::Plan;

/// A numbered event.
///
/// Its copies are counted in a [`Ledger`], which sees what is leaked and what is cloned by two tasks at once.
/// Neither `Clone` nor `Drop` is a sync point.
pub struct Payload {
    id: EventId,
    ledger: Arc<Ledger>,
}

/// What becomes of the events of one execution.
pub struct Ledger(Shared<Book>);

struct Book {
    /// How many copies live, by event.
    live: Vec<isize>,
    /// The events that are being cloned, each as often as it is.
    cloning: Vec<EventId>,
    overlapping: Option<EventId>,
    plan: Option<Plan>,
}

impl Ledger {
    /// No events yet, and the panic that is to happen, if one is.
    pub fn new(plan: Option<Plan>) -> Arc<Ledger> {
        let book = Book { live: Vec::new(), cloning: Vec::new(), overlapping: None, plan };
        Arc::new(Ledger(Shared::new(book)))
    }

    /// Makes it that of another execution, in the same memory.
    pub(crate) fn renew(&mut self, plan: Option<Plan>) {
        let book = self.0.get_mut();
        book.live.clear();
        book.cloning.clear();
        (book.overlapping, book.plan) = (None, plan);
    }

    /// Whether every copy was dropped once, and no two tasks made one at the same time.
    pub(crate) fn is_balanced(&self) -> bool {
        self.0.with(|book| book.overlapping.is_none() && book.live.iter().all(|live| *live == 0))
    }

    /// Makes the next event.
    pub fn next(self: &Arc<Self>) -> Payload {
        let id = self.0.with(|book| {
            book.live.push(1);
            book.live.len() - 1
        });
        Payload { id: id as EventId, ledger: Arc::clone(self) }
    }

    /// The events of which copies live, or of which one was dropped twice.
    pub fn leaked(&self) -> Vec<EventId> {
        let ids = |book: &mut Book| {
            let unbalanced = book.live.iter().enumerate().filter(|(_, live)| **live != 0);
            unbalanced.map(|(id, _)| id as EventId).collect()
        };
        self.0.with(ids)
    }

    /// An event of which two tasks made a copy at the same time, if there is one.
    pub fn overlapping(&self) -> Option<EventId> {
        self.0.with(|book| book.overlapping)
    }
}

impl Book {
    /// Whether the panic is due, which it is once.
    fn is_due(&mut self, plan: Plan) -> bool {
        let due = self.plan == Some(plan);
        if due {
            self.plan = None;
        }
        due
    }
}

impl Payload {
    /// Its number: events are numbered as they are made.
    pub fn id(&self) -> EventId {
        self.id
    }
}

impl Clone for Payload {
    /// # Panics
    /// If that was planned.
    fn clone(&self) -> Payload {
        let due = self.ledger.0.with(|book| {
            if book.cloning.contains(&self.id) {
                book.overlapping = Some(self.id);
            }
            let due = book.is_due(Plan::Clone(self.id));
            if !due {
                book.cloning.push(self.id);
            }
            due
        });
        assert!(!due, "{PLANNED_PANIC} in Clone of event {}", self.id);
        self.ledger.0.with(|book| {
            if let Some(index) = book.cloning.iter().position(|id| *id == self.id) {
                book.cloning.swap_remove(index);
            }
            book.live[self.id as usize] += 1;
        });
        Payload { id: self.id, ledger: Arc::clone(&self.ledger) }
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let unwinding = std::thread::panicking();
        let due = self.ledger.0.with(|book| {
            book.live[self.id as usize] -= 1;
            !unwinding && book.is_due(Plan::Drop(self.id))
        });
        assert!(!due, "{PLANNED_PANIC} in Drop of event {}", self.id);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::catch_unwind;

    fn panics(f: impl FnOnce()) -> bool {
        catch_unwind(f).is_err()
    }

    #[test]
    fn copies_are_counted() {
        let ledger = Ledger::new(None);
        let (first, second) = (ledger.next(), ledger.next());
        assert_eq!((first.id(), second.id()), (0, 1));
        let copy = second.clone();
        drop(first);
        assert_eq!(ledger.leaked(), [1]);
        drop(copy);
        assert_eq!(ledger.leaked(), [1], "one copy is left");
        drop(second);
        assert!(ledger.leaked().is_empty());
        assert_eq!(ledger.overlapping(), None);
    }

    #[test]
    fn a_clone_panics_once_and_makes_no_copy() {
        let ledger = Ledger::new(Some(Plan::Clone(1)));
        let (spared, chosen) = (ledger.next(), ledger.next());
        drop(spared.clone());
        assert!(panics(|| drop(chosen.clone())));
        assert!(!panics(|| drop(chosen.clone())));
        drop((spared, chosen));
        assert!(ledger.leaked().is_empty());
        assert_eq!(ledger.overlapping(), None, "a clone that panicked is over");
    }

    #[test]
    fn a_drop_panics_once_and_counts() {
        let ledger = Ledger::new(Some(Plan::Drop(0)));
        let event = ledger.next();
        let copy = event.clone();
        assert!(panics(|| drop(event)));
        assert_eq!(ledger.leaked(), [0]);
        drop(copy);
        assert!(ledger.leaked().is_empty());
    }

    #[test]
    fn a_drop_does_not_panic_while_its_thread_unwinds() {
        let ledger = Ledger::new(Some(Plan::Drop(0)));
        let event = ledger.next();
        assert!(panics(|| {
            let _event = event;
            panic!("the first");
        }));
        assert!(ledger.leaked().is_empty());
    }

    #[test]
    fn overlapping_clones_are_seen() {
        let ledger = Ledger::new(None);
        let event = ledger.next();
        // What another task looks like in the middle of its clone.
        ledger.0.with(|book| book.cloning.push(0));
        drop(event.clone());
        assert_eq!(ledger.overlapping(), Some(0));
    }
}
