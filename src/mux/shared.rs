//! What the mux, its watchers and its dispatcher share.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::error::{Reason, ShutdownTimeoutError, TryActionError};
use super::held::{Held, Item};
use super::link::{Link, Unlinked};
use crate::sync::thread::{self, JoinHandle, ThreadId};
use crate::sync::time::Instant;
use crate::sync::{Backoff, Condvar, Mutex, MutexGuard};

pub(super) struct Shared<E> {
    incoming: usize,
    state: Mutex<State<E>>,
    /// The dispatcher waits here for an event, or the end.
    work: Condvar,
    /// Actions wait here for room.
    room: Condvar,
    /// Shutdowns wait here for the dispatcher to end.
    done: Condvar,
}

/// While its lock is held nothing is waited for, and nothing of the user's is called: events are moved, not
/// copied or dropped.
struct State<E> {
    queue: VecDeque<Item<E>>,
    /// Whether the dispatcher has an event in hand.
    distributing: bool,
    /// The place of the next event in the total order.
    next: u64,
    closed: bool,
    /// Who is to be sent events. The dispatcher shares it while it has one in hand.
    roster: Arc<Roster<E>>,
    phase: Phase,
    /// The dispatcher's, until a shutdown takes it to join it.
    thread: Option<JoinHandle<()>>,
    dispatcher: Option<ThreadId>,
}

/// Links in the order they joined.
pub(super) type Roster<E> = Vec<Arc<Link<E>>>;

/// How far the dispatcher has come.
#[derive(PartialEq, Eq)]
enum Phase {
    /// It distributes, or waits for events.
    Running,
    /// All is distributed, and every link has ended.
    Done,
    /// Its thread is gone as well.
    Gone,
}

impl<E> State<E> {
    /// How many events are queued, with the one in the dispatcher's hand.
    fn queued(&self) -> usize {
        self.queue.len() + usize::from(self.distributing)
    }

    fn on_dispatcher(&self) -> bool {
        self.dispatcher == Some(thread::current().id())
    }
}

impl<E> Shared<E> {
    pub(super) fn new(incoming: usize) -> Shared<E> {
        let state = State {
            queue: VecDeque::new(),
            distributing: false,
            next: 0,
            closed: false,
            roster: Arc::default(),
            phase: Phase::Running,
            thread: None,
            dispatcher: None,
        };
        Shared {
            incoming,
            state: Mutex::new(state).named("mux"),
            work: Condvar::new().named("work"),
            room: Condvar::new().named("room"),
            done: Condvar::new().named("done"),
        }
    }

    /// Queues an event, waiting for room, and says its place in the total order; or gives it back.
    #[track_caller]
    pub(super) fn action(&self, event: E) -> Result<u64, E> {
        let backoff = Backoff::new();
        let mut state = self.state.lock();
        // The dispatcher would wait for itself, so what it calls goes in without room.
        while !state.closed && !self.has_room(&state) && !state.on_dispatcher() {
            state = self.wait(state, &self.room, &backoff);
        }
        if state.closed { Err(event) } else { Ok(self.push(state, event)) }
    }

    #[track_caller]
    pub(super) fn try_action(&self, event: E) -> Result<u64, TryActionError<E>> {
        let state = self.state.lock();
        if state.closed {
            Err(TryActionError::Closed(event))
        } else if self.has_room(&state) {
            Ok(self.push(state, event))
        } else {
            Err(TryActionError::Full(event))
        }
    }

    /// The queue has its capacity besides the event in the dispatcher's hand, and the first event counts as in
    /// hand even before it is: so what fits does not depend on how soon the dispatcher comes.
    fn has_room(&self, state: &State<E>) -> bool {
        state.queued() <= self.incoming
    }

    fn push(&self, mut state: MutexGuard<'_, State<E>>, event: E) -> u64 {
        let seq = state.next;
        state.next += 1;
        state.queue.push_back(Item { seq, event: Held::new(event) });
        drop(state);
        self.work.notify_one();
        seq
    }

    /// Waits: a little at first, for others are often quick, and then for the notification.
    #[track_caller]
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<E>>,
        notified: &Condvar,
        backoff: &Backoff,
    ) -> MutexGuard<'a, State<E>> {
        if backoff.is_completed() {
            notified.wait(&mut state);
            return state;
        }
        drop(state);
        backoff.snooze();
        self.state.lock()
    }

    /// Adds a link, which is owed every event queued from now on; `None` after the mux was closed.
    #[track_caller]
    pub(super) fn join(&self, unlinked: Unlinked<E>) -> Option<Arc<Link<E>>> {
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        let link = Arc::new(unlinked.join(state.next));
        Arc::make_mut(&mut state.roster).push(Arc::clone(&link));
        Some(link)
    }

    /// Ends a link, and removes it.
    #[track_caller]
    pub(super) fn end(&self, link: &Arc<Link<E>>, reason: Reason) {
        link.end(reason);
        let mut state = self.state.lock();
        if let Some(index) = state.roster.iter().position(|other| Arc::ptr_eq(other, link)) {
            Arc::make_mut(&mut state.roster).remove(index);
        }
    }

    /// Lets no more events in; says how many are queued.
    #[track_caller]
    pub(super) fn close(&self) -> usize {
        let mut state = self.state.lock();
        state.closed = true;
        let queued = state.queued();
        drop(state);
        self.work.notify_one();
        self.room.notify_all();
        queued
    }

    /// Closes the mux and waits until the dispatcher is gone; says how many events it had to distribute.
    #[track_caller]
    pub(super) fn shutdown(&self, mut deadline: Option<Instant>) -> Result<usize, ShutdownTimeoutError> {
        let queued = self.close();
        let mut state = self.state.lock();
        if state.on_dispatcher() {
            return Err(ShutdownTimeoutError { distributed: 0, left: queued });
        }
        while state.phase == Phase::Running {
            let timed_out = match deadline {
                None => {
                    self.done.wait(&mut state);
                    false
                }
                Some(deadline) => self.done.wait_until(&mut state, deadline).timed_out(),
            };
            if timed_out {
                match state.queued() {
                    // Nothing can keep the dispatcher from ending.
                    0 => deadline = None,
                    left => return Err(ShutdownTimeoutError { distributed: queued - left, left }),
                }
            }
        }
        if let Some(thread) = state.thread.take() {
            drop(state);
            // The dispatcher lets no panic out, and what it ended with is of no use to anyone.
            let _ = thread.join();
            state = self.state.lock();
            state.phase = Phase::Gone;
            self.done.notify_all();
        }
        while state.phase != Phase::Gone {
            self.done.wait(&mut state);
        }
        Ok(queued)
    }

    #[track_caller]
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    #[track_caller]
    pub(super) fn queued(&self) -> usize {
        self.state.lock().queued()
    }

    #[track_caller]
    pub(super) fn watchers(&self) -> usize {
        self.state.lock().roster.len()
    }

    /// Notes the dispatcher's thread, for shutdown to join.
    pub(super) fn started(&self, thread: JoinHandle<()>) {
        self.state.lock().thread = Some(thread);
    }
}

/// What the dispatcher does.
impl<E: Clone> Shared<E> {
    /// Distributes events until the mux is closed and all are distributed.
    pub(super) fn run(&self) {
        self.state.lock().dispatcher = Some(thread::current().id());
        while let Some((item, roster)) = self.next() {
            self.distribute(item, &roster);
        }
        let roster = mem::take(&mut self.state.lock().roster);
        for link in roster.iter() {
            link.end(Reason::Shutdown);
        }
        self.state.lock().phase = Phase::Done;
        self.done.notify_all();
    }

    /// Waits for the next event, done with the one before.
    fn next(&self) -> Option<(Item<E>, Arc<Roster<E>>)> {
        let backoff = Backoff::new();
        let mut state = self.state.lock();
        state.distributing = false;
        self.room.notify_one();
        loop {
            if let Some(item) = state.queue.pop_front() {
                state.distributing = true;
                return Some((item, Arc::clone(&state.roster)));
            }
            if state.closed {
                return None;
            }
            state = self.wait(state, &self.work, &backoff);
        }
    }

    /// Sends an event to all it is owed to, those who joined before it was queued. The last gets the event
    /// itself, the others copies.
    fn distribute(&self, item: Item<E>, roster: &Roster<E>) {
        let owed = roster.partition_point(|link| link.joined <= item.seq);
        let Some((last, others)) = roster[..owed].split_last() else { return };
        for link in others {
            let sent = match item.event.copy() {
                Some(event) => link.send(Item { seq: item.seq, event }),
                None => Err(Reason::EventPanicked),
            };
            self.end_unless(link, sent);
        }
        self.end_unless(last, last.send(item));
    }

    fn end_unless(&self, link: &Arc<Link<E>>, sent: Result<(), Reason>) {
        if let Err(reason) = sent {
            self.end(link, reason);
        }
    }
}
