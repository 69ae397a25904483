//! Synchronization coverage: which orders of synchronization an execution on fibers has shown, in counters that libFuzzer
//! reads beside those of the code.
//!
//! Code coverage hardly tells one interleaving from another. What is counted here does:
//!
//! - *switches*: a task goes on after another; which two, and where in the code each is;
//! - *hand-offs*: a task accesses an object that another accessed last; which two, how each, and where in the code;
//! - *waits while holding*: a task blocks, and holds a lock;
//! - *blocked-on edges*: a task blocks on an object that another holds, or accessed last;
//! - *queue occupancy*: a channel is accessed with so many messages in it.
//!
//! Tasks are told apart by their names without the digits at the end, and objects by where they were made: lanes are alike,
//! and so are the queues of all watchers. Each event is hashed to one of [`COUNTERS`] counters, of which libFuzzer tells
//! powers of two apart. Nothing of this depends on addresses, time or the order of a hash map: equal executions count the
//! same.
//!
//! It is off unless a fuzz target [turns it on](turn_on), and then costs a branch a choice. libFuzzer reads such counters on
//! Linux alone; elsewhere they are counted for nobody.

use std::borrow::Borrow;
use std::mem;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::{ObjectKind, Target, TaskId, Wait};
use crate::sync::seam::{Object, Side};

/// How many counters there are. libFuzzer clears and reads all of them for each execution, and with 64 Ki of them does
/// little else.
pub const COUNTERS: usize = 8 * 1024;

#[repr(C, align(8))]
struct Table([AtomicU8; COUNTERS]);

// SAFETY: that section is made for such tables: libFuzzer clears it before each execution and reads it afterwards, as bytes
// and in words of eight, on the thread that runs the executions. Any bytes are an `AtomicU8`, and the table is made of whole
// words, aligned to them, so it can lie beside tables of others.
#[cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "libFuzzer takes counters from a section of this name alone"),
    unsafe(link_section = "__libfuzzer_extra_counters")
)]
#[used]
static TABLE: Table = Table([const { AtomicU8::new(0) }; COUNTERS]);

static ON: AtomicBool = AtomicBool::new(false);

/// Counts all executions on fibers of this process that begin from now on: there is one table in it.
pub fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// What an execution has shown so far.
pub(super) struct Coverage {
    /// What tasks count as, by their number.
    roles: Vec<u32>,
    /// Who accessed an object last, and how, by its number.
    users: Vec<Option<(TaskId, u32)>>,
    /// Who went on last, and from where.
    last: Option<(TaskId, u32)>,
    /// Whether it has been seen what the last one waits for.
    seen: bool,
    count: fn(u32),
}

/// A task that goes on.
pub(super) struct Going {
    pub(super) task: TaskId,
    /// What it is about to do, if that is known.
    pub(super) access: Option<Target>,
    /// Where in the code it is, if it has begun.
    pub(super) location: Option<&'static Location<'static>>,
}

/// The kinds of event.
#[repr(u32)]
enum Event {
    Switch = 1,
    HandOff,
    WaitWhileHolding,
    BlockedOn,
    Occupancy,
}

impl Coverage {
    /// For a new execution; `None` unless it is to be counted.
    pub(super) fn begin() -> Option<Coverage> {
        ON.load(Ordering::Relaxed).then(|| Coverage::counting(count))
    }

    fn counting(count: fn(u32)) -> Coverage {
        Coverage { roles: Vec::new(), users: Vec::new(), last: None, seen: false, count }
    }

    /// The next task was added.
    pub(super) fn started(&mut self, name: &str) {
        let role = name.trim_end_matches(|c: char| c.is_ascii_digit());
        self.roles.push(role.bytes().fold(0, |hash, byte| mix(hash, byte.into())));
    }

    /// It was chosen who goes on, if anybody can. `waits` tells what a task is blocked on.
    pub(super) fn chosen<'a>(
        &mut self,
        next: Option<Going>,
        waits: impl FnOnce(TaskId) -> &'a [Wait],
        objects: &[impl Borrow<Object>],
    ) {
        if let Some((last, _)) = self.last
            && !mem::replace(&mut self.seen, true)
        {
            self.blocked(last, waits(last), objects);
        }
        let Some(Going { task, access, location }) = next else { return };
        let place = location.map_or(0, place);
        if let Some((last, left)) = self.last.replace((task, place))
            && last != task
        {
            self.event(Event::Switch, 0, [self.roles[last.0], left, self.roles[task.0], place]);
        }
        self.seen = false;
        if let Some((access, object)) = access.and_then(|access| Some((access, access.object()?))) {
            self.accessed(task, access, place, objects[object.0].borrow());
        }
    }

    fn accessed(&mut self, task: TaskId, access: Target, place: u32, object: &Object) {
        let index = object.id.0;
        if self.users.len() <= index {
            self.users.resize(index + 1, None);
        }
        let how = mix(act(access), place);
        let before = self.users[index].replace((task, how));
        if let Some((other, earlier)) = before.filter(|(other, _)| *other != task) {
            let roles = [self.roles[other.0], earlier, self.roles[task.0], how];
            self.event(Event::HandOff, site(object), roles);
        }
        if matches!(object.kind, ObjectKind::Channel(_)) && !object.is_rendezvous() {
            let messages = object.passed(Side::Send).saturating_sub(object.passed(Side::Recv));
            self.event(Event::Occupancy, site(object), [act(access), messages as u32, 0, 0]);
        }
    }

    fn blocked(&mut self, task: TaskId, waits: &[Wait], objects: &[impl Borrow<Object>]) {
        for wait in waits {
            let Some(id) = wait.target.object() else { continue };
            let (object, act) = (objects[id.0].borrow(), act(wait.target));
            let made = site(object);
            let others = objects.iter().map(Borrow::borrow);
            let held = others.filter(|lock: &&Object| lock.id != id && lock.is_held_by(task));
            for lock in held {
                self.event(Event::WaitWhileHolding, made, [self.roles[task.0], act, site(lock), 0]);
            }
            let holder = (0..self.roles.len()).map(TaskId).find(|task| object.is_held_by(*task));
            let user = self.users.get(id.0).copied().flatten().map(|(user, _)| user);
            if let Some(other) = holder.or(user).filter(|other| *other != task) {
                let roles = [self.roles[task.0], act, self.roles[other.0], u32::from(holder.is_some())];
                self.event(Event::BlockedOn, made, roles);
            }
        }
    }

    fn event(&self, event: Event, site: u32, what: [u32; 4]) {
        (self.count)(what.into_iter().fold(mix(event as u32, site), mix));
    }
}

/// How an object is accessed.
fn act(access: Target) -> u32 {
    match access {
        Target::Send(_) => 1,
        Target::Recv(_) => 2,
        Target::Lock(_) => 3,
        Target::Read(_) => 4,
        Target::Notify(_) => 5,
        Target::Join(_) => 6,
    }
}

/// Where an object was made.
fn site(object: &Object) -> u32 {
    place(object.made)
}

/// A place in the code.
fn place(location: &Location<'_>) -> u32 {
    mix(mix(location.line(), location.column()), location.file().len() as u32)
}

/// A hash of both (the finalizer of MurmurHash3).
fn mix(hash: u32, word: u32) -> u32 {
    let mut mixed = hash.wrapping_mul(31).wrapping_add(word).wrapping_add(0x9e37_79b9);
    mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
    mixed ^ (mixed >> 16)
}

/// Counts an event, up to 255 times.
fn count(event: u32) {
    let counter = &TABLE.0[event as usize % COUNTERS];
    counter.store(counter.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::Location;

    use super::*;
    use crate::engine::ObjectId;
    use crate::sync::seam::{Meeting, Timer};

    thread_local! {
        static EVENTS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }

    const LOCK: ObjectId = ObjectId(0);
    const QUEUE: ObjectId = ObjectId(1);

    /// A mutex and a queue, made in different places.
    fn objects() -> Vec<Object> {
        let object = |id, kind, made| Object::new(id, kind, Timer::None, Meeting::Free, made);
        vec![
            object(LOCK, ObjectKind::Mutex, Location::caller()),
            object(QUEUE, ObjectKind::Channel(Some(2)), Location::caller()),
        ]
    }

    /// The events of tasks that go on with these accesses, one after the other, and never wait.
    fn events(accesses: &[(usize, Target)]) -> Vec<u32> {
        let here = Location::caller();
        let accesses: Vec<_> = accesses.iter().map(|(task, access)| (*task, *access, here)).collect();
        events_at(&accesses)
    }

    /// As `events`, of tasks that are at these places in the code.
    fn events_at(accesses: &[(usize, Target, &'static Location<'static>)]) -> Vec<u32> {
        let objects = objects();
        let mut coverage = coverage();
        for (task, access, location) in accesses {
            let (task, access, location) = (TaskId(*task), Some(*access), Some(*location));
            coverage.chosen(Some(Going { task, access, location }), |_| &[], &objects);
        }
        EVENTS.take()
    }

    fn going(task: usize, access: Option<Target>) -> Option<Going> {
        Some(Going { task: TaskId(task), access, location: None })
    }

    fn coverage() -> Coverage {
        let mut coverage = Coverage::counting(|event| EVENTS.with_borrow_mut(|events| events.push(event)));
        ["setup", "lane0", "lane1", "dispatcher"].into_iter().for_each(|name| coverage.started(name));
        coverage
    }

    #[test]
    fn a_hand_off_is_of_two_tasks_and_lanes_are_alike() {
        let [lock, read] = [Target::Lock(LOCK), Target::Read(LOCK)];
        assert!(events(&[(1, lock), (1, lock)]).is_empty());
        let handed = events(&[(1, lock), (3, lock)]);
        assert_eq!(handed.len(), 2, "with the switch");
        assert_eq!(handed, events(&[(2, lock), (3, lock)]));
        let others = [[(3, lock), (1, lock)], [(1, read), (3, lock)], [(1, lock), (3, read)]];
        assert!(others.iter().all(|accesses| events(accesses)[1] != handed[1]));
    }

    #[test]
    fn a_switch_is_of_two_places_in_the_code_and_so_is_a_hand_off() {
        let (one, other) = (Location::caller(), Location::caller());
        let (lock, queue) = (Target::Lock(LOCK), Target::Send(QUEUE));
        let switched = events_at(&[(1, lock, one), (3, queue, one)]);
        assert_eq!(switched.len(), 2, "with the occupancy");
        let elsewhere = events_at(&[(1, lock, one), (3, queue, other)]);
        assert_ne!(switched[0], elsewhere[0]);
        assert_eq!(switched[1], elsewhere[1]);
        assert_ne!(switched[0], events_at(&[(1, lock, other), (3, queue, one)])[0]);
        let handed = events_at(&[(1, lock, one), (3, lock, one)]);
        assert_ne!(handed[1], events_at(&[(1, lock, one), (3, lock, other)])[1]);
        assert_ne!(handed[1], events_at(&[(1, lock, other), (3, lock, one)])[1]);
    }

    #[test]
    fn a_queue_is_seen_as_full_as_it_is() {
        let mut objects = objects();
        let mut seen = Vec::new();
        for _ in 0..3 {
            coverage().chosen(going(1, Some(Target::Send(QUEUE))), |_| &[], &objects);
            seen.extend(EVENTS.take());
            objects[QUEUE.0].pass(Side::Send);
        }
        let distinct: std::collections::BTreeSet<u32> = seen.iter().copied().collect();
        assert_eq!((seen.len(), distinct.len()), (3, 3));
    }

    #[test]
    fn who_blocks_is_seen_with_what_it_holds_and_who_it_waits_for() {
        let mut objects = objects();
        let wait = |target| [Wait { target, location: Location::caller() }];
        let blocked = |objects: &[Object], task, waits: &[Wait]| {
            let mut coverage = coverage();
            coverage.chosen(going(task, None), |_| &[], objects);
            coverage.chosen(None, |_| waits, objects);
            // Told once, though nobody could go on before time had passed.
            coverage.chosen(None, |_| waits, objects);
            EVENTS.take()
        };
        assert!(blocked(&objects, 1, &wait(Target::Send(QUEUE))).is_empty());
        objects[LOCK.0].hold(TaskId(3), false);
        let holding = blocked(&objects, 3, &wait(Target::Send(QUEUE)));
        let waiting = blocked(&objects, 1, &wait(Target::Lock(LOCK)));
        assert_eq!((holding.len(), waiting.len()), (1, 1));
        assert_ne!(holding, waiting);
        assert_eq!(waiting, blocked(&objects, 2, &wait(Target::Lock(LOCK))));
        assert_ne!(waiting, blocked(&objects, 0, &wait(Target::Lock(LOCK))));
    }
}
