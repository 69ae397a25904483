//! What is known of tasks and objects from what was touched.

use super::super::{ObjectKind, Target, TaskId};
use super::dependence::Entry;
use crate::sync::seam::Side;
use crate::sync::seam::footprint::{Place, Touch, What};

/// The tasks and objects of an execution.
#[derive(Debug, Default)]
pub(super) struct Books {
    objects: Vec<Object>,
    ended: Vec<bool>,
    atomics: Vec<(usize, usize)>,
    /// How many atomics are known.
    pub(super) known: usize,
}

#[derive(Clone, Copy, Debug)]
struct Object {
    kind: ObjectKind,
    timed: bool,
    sent: u64,
    received: u64,
    /// Of what was sent: how many messages are not there yet.
    unwritten: u64,
    senders: u32,
    receivers: u32,
    held: bool,
}

impl Books {
    pub(super) fn clear(&mut self) {
        self.objects.clear();
        self.ended.clear();
        self.atomics.clear();
        self.known = 0;
    }

    /// Notes a touch by a task that waited for these, as an entry; `seen` is what it was in an earlier execution.
    pub(super) fn note(&mut self, touch: Touch, awaited: &[Target], seen: Option<&Entry>) -> Entry {
        let (mut place, mut number) = (touch.place, 0);
        let mut kind = None;
        match touch.place {
            Place::Object(id) => {
                if let What::Made(kind, timed) = touch.what {
                    let (sent, received, unwritten, senders, receivers, held) = (0, 0, 0, 0, 0, false);
                    let object = Object { kind, timed, sent, received, unwritten, senders, receivers, held };
                    debug_assert_eq!(id.0, self.objects.len());
                    self.objects.push(object);
                }
                let object = &mut self.objects[id.0];
                kind = Some(object.kind);
                match touch.what {
                    What::Passes(Side::Send) => {
                        number = object.sent;
                        object.sent += 1;
                    }
                    What::Passes(Side::Recv) => {
                        number = object.received;
                        object.received += 1;
                    }
                    What::Reserves(Side::Send) => object.unwritten += 1,
                    What::Completes(Side::Send) => object.unwritten -= 1,
                    What::Withdraws => {
                        (object.sent, object.unwritten) = (object.sent - 1, object.unwritten - 1);
                    }
                    What::Adds(Side::Send) => object.senders += 1,
                    What::Adds(Side::Recv) => object.receivers += 1,
                    What::Drops(Side::Send) => object.senders -= 1,
                    What::Drops(Side::Recv) => object.receivers -= 1,
                    What::Acquires { .. } => object.held = true,
                    What::Releases { .. } => object.held = false,
                    _ => {}
                }
            }
            Place::Task(id) if touch.what == What::Ends => {
                if self.ended.len() <= id.0 {
                    self.ended.resize(id.0 + 1, false);
                }
                self.ended[id.0] = true;
            }
            Place::Atomic(address) => place = Place::Atomic(self.atomic(address, seen)),
            Place::Task(_) | Place::Cell(_) | Place::Rest => {}
        }
        // A select sees its other branches as well.
        let is_single = awaited.len() == 1;
        let is_awaited = awaited.iter().any(|target| match (*target, touch.place) {
            (Target::Send(awaited), Place::Object(id)) => {
                awaited == id
                    && (touch.what == What::Passes(Side::Send)
                        || is_single && matches!(touch.what, What::Sees(Side::Send, _)))
            }
            (Target::Recv(awaited), Place::Object(id)) => {
                awaited == id
                    && (touch.what == What::Passes(Side::Recv)
                        || is_single && matches!(touch.what, What::Sees(Side::Recv, _)))
            }
            (Target::Lock(awaited), Place::Object(id)) => {
                awaited == id && matches!(touch.what, What::Acquires { .. })
            }
            (Target::Join(awaited), Place::Task(id)) => awaited == id,
            _ => false,
        });
        Entry { place, what: touch.what, number, awaited: is_awaited, alone: is_single, kind }
    }

    /// The number of an atomic: as in an earlier execution, where this is known, for addresses are not the same again.
    fn atomic(&mut self, address: usize, seen: Option<&Entry>) -> usize {
        let found = self.atomics.iter().position(|(other, _)| *other == address);
        let number = match (seen, found) {
            (Some(Entry { place: Place::Atomic(number), .. }), _) => *number,
            (_, Some(index)) => self.atomics[index].1,
            (_, None) => self.known,
        };
        self.known = self.known.max(number + 1);
        match found {
            Some(index) => self.atomics[index].1 = number,
            None => self.atomics.push((address, number)),
        }
        number
    }

    /// Whether one of these could be served.
    pub(super) fn serve(&self, awaited: &[Target]) -> bool {
        awaited.iter().any(|target| match *target {
            Target::Send(id) => {
                let object = &self.objects[id.0];
                let room = match object.kind {
                    ObjectKind::Channel(Some(capacity)) => object.sent - object.received < capacity as u64,
                    _ => true,
                };
                room || object.receivers == 0
            }
            Target::Recv(id) => {
                let object = &self.objects[id.0];
                object.sent > object.received + object.unwritten || !object.timed && object.senders == 0
            }
            Target::Lock(id) | Target::Read(id) => !self.objects[id.0].held,
            Target::Join(task) => self.has_ended(task),
            Target::Notify(_) => false,
        })
    }

    pub(super) fn has_ended(&self, task: TaskId) -> bool {
        self.ended.get(task.0).is_some_and(|ended| *ended)
    }

    /// What the task would touch if it were served: of each it waits for, as if it came next.
    pub(super) fn awaited(&self, awaited: &[Target]) -> Vec<Entry> {
        let entry = |target: &Target| {
            let id = target.object()?;
            let object = self.objects[id.0];
            let (what, number) = match target {
                Target::Send(_) => (What::Passes(Side::Send), object.sent),
                Target::Recv(_) => (What::Passes(Side::Recv), object.received),
                Target::Lock(_) | Target::Read(_) => (What::Acquires { shared: false }, 0),
                Target::Notify(_) | Target::Join(_) => return None,
            };
            let (place, kind, alone) = (Place::Object(id), Some(object.kind), awaited.len() == 1);
            Some(Entry { place, what, number, awaited: true, alone, kind })
        };
        awaited.iter().filter_map(entry).collect()
    }
}
