//! Events of an execution, and which happen before which.

use std::sync::Arc;

use super::super::TaskId;
use super::dependence::{Entry, Order, order};
use crate::sync::seam::footprint::Place;

/// A set of events, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Events(Vec<u64>);

impl Events {
    pub(super) fn contains(&self, event: usize) -> bool {
        self.0.get(event / 64).is_some_and(|word| word >> (event % 64) & 1 == 1)
    }

    pub(super) fn insert(&mut self, event: usize) {
        if self.0.len() <= event / 64 {
            self.0.resize(event / 64 + 1, 0);
        }
        self.0[event / 64] |= 1 << (event % 64);
    }

    pub(super) fn join(&mut self, other: &Events) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    pub(super) fn all(count: usize) -> Events {
        let mut all = Events(vec![u64::MAX; count / 64]);
        if !count.is_multiple_of(64) {
            all.0.push((1 << (count % 64)) - 1);
        }
        all
    }

    /// Whether both have an event in common.
    pub(super) fn meets(&self, other: &Events) -> bool {
        self.0.iter().zip(&other.0).any(|(word, other)| word & other != 0)
    }
}

/// A step of a task, from the sync point at which it was chosen to the next.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) task: TaskId,
    pub(super) entries: Vec<Entry>,
    /// What happens before it.
    pub(super) before: Events,
    /// Whether its task only begins to wait, which nobody sees, for nobody could go on.
    pub(super) waits: bool,
}

/// The events of an execution so far.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) events: Vec<Arc<Event>>,
    /// By task: its last event, or the one that has started it.
    last: Vec<Option<usize>>,
    /// How many events come before all that are to come, for nobody could go on.
    rest: usize,
    places: Places,
}

impl Trace {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.last.clear();
        self.rest = 0;
        self.places.clear();
    }

    /// Nobody can go on: what comes now comes after all else.
    pub(super) fn rest(&mut self) {
        self.rest = self.events.len();
    }

    /// A task is started, by the event that is to be added next if any is going on.
    pub(super) fn started(&mut self, by_next: bool) {
        self.last.push(by_next.then_some(self.events.len()));
    }

    /// What happens before all that the task does next.
    fn base(&self, task: TaskId) -> Events {
        let mut base = Events::all(self.rest);
        if let Some(last) = self.last[task.0] {
            if let Some(event) = self.events.get(last) {
                base.join(&event.before);
            }
            base.insert(last);
        }
        base
    }

    /// Adds an event of which it is known what happens before it.
    pub(super) fn add(&mut self, event: Arc<Event>) {
        let index = self.events.len();
        self.last[event.task.0] = Some(index);
        for entry in &event.entries {
            self.places.add(index, *entry);
        }
        self.events.push(event);
    }

    /// What happens before touches of a task; and the events that they race with. The closure says whether the task could have
    /// ended its wait in the place of that event: then it has not waited for it, for its time was up.
    pub(super) fn races(
        &self,
        task: TaskId,
        entries: &[Entry],
        could: impl Fn(usize) -> bool,
    ) -> (Events, Vec<usize>) {
        let base = self.base(task);
        let own = self.last[task.0];
        let mut related: Vec<Related> = Vec::new();
        for entry in entries {
            for (event, touch) in self.places.touched(entry.place).iter().rev() {
                if self.events[*event].task == task || base.contains(*event) {
                    continue;
                }
                let how = match order(touch, entry) {
                    Order::None => continue,
                    Order::Causes | Order::Needs if own.is_none_or(|own| own < *event) && could(*event) => {
                        Order::Races
                    }
                    how => how,
                };
                match related.iter_mut().find(|related| related.event == *event) {
                    Some(related) => related.hows.push((entry.place, how)),
                    None => related.push(Related { event: *event, hows: vec![(entry.place, how)] }),
                }
            }
        }
        let mut before = base;
        for Related { event, .. } in &related {
            before.join(&self.events[*event].before);
            before.insert(*event);
        }
        let races = related.iter().filter(|related| related.order() >= Order::MayRace);
        let unmasked = races.filter(|race| {
            !related
                .iter()
                .any(|other| self.events[other.event].before.contains(race.event) && other.hides(race))
        });
        (before, unmasked.map(|race| race.event).collect())
    }
}

/// Who has touched what: of each place the events that did, and how. Its memory is kept from one execution to the next.
#[derive(Debug, Default)]
struct Places {
    objects: Vec<Vec<(usize, Entry)>>,
    tasks: Vec<Vec<(usize, Entry)>>,
    atomics: Vec<Vec<(usize, Entry)>>,
    cells: Vec<Vec<(usize, Entry)>>,
}

impl Places {
    fn clear(&mut self) {
        let Places { objects, tasks, atomics, cells } = self;
        [objects, tasks, atomics, cells].into_iter().flatten().for_each(Vec::clear);
    }

    fn add(&mut self, event: usize, entry: Entry) {
        let (places, number) = match entry.place {
            Place::Object(id) => (&mut self.objects, id.0),
            Place::Task(id) => (&mut self.tasks, id.0),
            Place::Atomic(number) => (&mut self.atomics, number),
            Place::Cell(number) => (&mut self.cells, number as usize),
            Place::Rest => return,
        };
        if places.len() <= number {
            places.resize_with(number + 1, Vec::new);
        }
        places[number].push((event, entry));
    }

    fn touched(&self, place: Place) -> &[(usize, Entry)] {
        let (places, number) = match place {
            Place::Object(id) => (&self.objects, id.0),
            Place::Task(id) => (&self.tasks, id.0),
            Place::Atomic(number) => (&self.atomics, number),
            Place::Cell(number) => (&self.cells, number as usize),
            Place::Rest => return &[],
        };
        places.get(number).map_or(&[], Vec::as_slice)
    }
}

/// An event that others depend on, and how, by place.
struct Related {
    event: usize,
    hows: Vec<(Place, Order)>,
}

impl Related {
    /// The strongest at that place.
    fn at(&self, place: Place) -> Order {
        let at = self.hows.iter().filter(|how| how.0 == place).map(|how| how.1);
        at.max().unwrap_or(Order::None)
    }

    fn causes_at(&self, place: Place) -> bool {
        matches!(self.at(place), Order::Causes | Order::Needs)
    }

    /// What waits for it at one place cannot come before it, whatever it does at others. Where a select has waited for it, and
    /// then raced with it as well, another branch may have let that come first.
    fn order(&self) -> Order {
        if self.hows.iter().any(|(place, _)| self.causes_at(*place)) {
            Order::Causes
        } else if self.hows.iter().any(|how| how.1 == Order::Causes) {
            Order::MayRace
        } else {
            self.hows.iter().map(|how| how.1).max().unwrap_or(Order::None)
        }
    }

    /// Whether a race with an event that happens before this one need not be looked at: it shows once this one is
    /// reversed, or it never can be.
    fn hides(&self, race: &Related) -> bool {
        match self.order() {
            Order::Races => true,
            Order::Causes | Order::Needs => {
                self.hows.iter().any(|(place, _)| self.causes_at(*place) && race.at(*place) < Order::MayRace)
            }
            Order::None | Order::MayRace => false,
        }
    }
}
