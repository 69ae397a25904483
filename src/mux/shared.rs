//! What the mux and its watchers share, and where they wait for each other.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::WhenFull;
use super::errand::Errand;
use super::error::{Reason, ShutdownTimeoutError, TryActionError};
use super::held::{Batch, Held};
use super::roster::Cursor;
use super::seat::SeatId;
use super::state::{State, Taken, Ticket};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::channel::{self, Receiver};
use crate::sync::time::Instant;
use crate::sync::{Backoff, Condvar, Mutex, MutexGuard};

pub(super) struct Shared<E> {
    /// While its lock is held nothing is waited for, and nothing of the user's is called: events are moved, not copied
    /// or dropped.
    state: Mutex<State<E>>,
    /// The place at which the slowest watcher holds up somebody who sleeps; [`NOBODY`] if that is so of none. Whoever
    /// reads checks whether it was that watcher.
    held_up: AtomicU64,
    /// Receives sleep here.
    events: Condvar,
    /// Actions sleep here until there is room.
    room: Condvar,
    /// Shutdowns sleep here until all is distributed.
    over: Condvar,
}

const NOBODY: u64 = u64::MAX;

/// How long to wait.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
    /// A task waits, but not here: none, and if it has polled before, it goes on waiting.
    Elsewhere,
}

/// What is not done while anything is locked or borrowed; done by dropping this.
#[must_use = "it is dropped where nothing is locked or borrowed"]
pub(super) struct Errands<E>(Vec<Errand<E>>);

impl<E> Errands<E> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<E> Shared<E> {
    pub(super) fn new(incoming: usize) -> Shared<E> {
        Shared {
            state: Mutex::new(State::new(incoming)).named("mux"),
            held_up: AtomicU64::new(NOBODY),
            events: Condvar::new().named("events"),
            room: Condvar::new().named("room"),
            over: Condvar::new().named("over"),
        }
    }

    /// Distributes what can be. Where somebody sleeps whom the slowest watcher holds up, that watcher is told to see to
    /// it when it reads, and is then looked at once more: either sees what the other did first.
    #[track_caller]
    fn distribute(&self, state: &mut State<E>) {
        loop {
            let held_up = state.distribute().unwrap_or(NOBODY);
            if mem::replace(&mut state.watched_for, held_up) == held_up {
                return;
            }
            self.held_up.store(held_up, Ordering::SeqCst);
            if held_up == NOBODY {
                return;
            }
        }
    }

    /// Distributes what can be, and wakes who can go on.
    #[track_caller]
    fn settle(&self, state: &mut State<E>) {
        self.distribute(state);
        self.wake(state);
    }

    /// Wakes who can go on, after something was distributed.
    #[track_caller]
    fn wake(&self, state: &mut State<E>) {
        if mem::take(&mut state.news) {
            if state.asleep.receives > 0 {
                self.events.notify_all();
            }
            state.ring();
        }
        state.wake_acting();
        if state.asleep.actions > 0 {
            if state.is_closed() {
                self.room.notify_all();
            } else if state.asleep.woken_actions == 0 && state.has_room() {
                // When it has queued its event it sees to the next one.
                state.asleep.woken_actions += 1;
                self.room.notify_one();
            }
        }
        if state.asleep.shutdowns > 0 && state.is_over() {
            self.over.notify_all();
        }
    }

    /// Settles what has changed, and frees the lock.
    #[track_caller]
    fn leave(&self, mut state: MutexGuard<'_, State<E>>) -> Errands<E> {
        self.settle(&mut state);
        Errands(mem::take(&mut state.errands))
    }

    /// Waits: a little at first, for others are often quick, and then for the notification. Says whether the time was up.
    #[track_caller]
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<E>>,
        notified: &Condvar,
        deadline: Option<Instant>,
    ) -> (MutexGuard<'a, State<E>>, bool) {
        if !state.errands.is_empty() {
            let errands = mem::take(&mut state.errands);
            drop(state);
            drop(errands);
            return (self.state.lock(), false);
        }
        let timed_out = match deadline {
            None => {
                notified.wait(&mut state);
                false
            }
            Some(deadline) => notified.wait_until(&mut state, deadline).timed_out(),
        };
        (state, timed_out)
    }

    /// Queues an event, waiting for room, and says its place in the total order; or gives it back.
    #[track_caller]
    pub(super) fn action(&self, event: E) -> Result<u64, E> {
        let event = Held::new(event);
        let backoff = Backoff::new();
        let mut state = self.state.lock();
        while !state.is_closed() && !state.has_room() {
            if !backoff.is_completed() {
                drop(state);
                backoff.snooze();
                state = self.state.lock();
                continue;
            }
            state.asleep.actions += 1;
            self.settle(&mut state);
            if !state.has_room() {
                (state, _) = self.wait(state, &self.room, None);
            }
            state.asleep.actions -= 1;
            state.asleep.woken_actions = state.asleep.woken_actions.saturating_sub(1);
        }
        self.push(state, event).map_err(Held::into_inner)
    }

    #[track_caller]
    pub(super) fn try_action(&self, event: E) -> Result<u64, TryActionError<E>> {
        let event = Held::new(event);
        let mut state = self.state.lock();
        if !state.is_closed() && !state.has_room() {
            drop(state);
            return Err(TryActionError::Full(event.into_inner()));
        }
        self.push(state, event).map_err(|event| TryActionError::Closed(event.into_inner()))
    }

    #[track_caller]
    fn push(&self, mut state: MutexGuard<'_, State<E>>, event: Held<E>) -> Result<u64, Held<E>> {
        if state.is_closed() {
            drop(self.leave(state));
            return Err(event);
        }
        let seq = state.push(event);
        drop(self.leave(state));
        Ok(seq)
    }

    /// Queues an event if there is room, and says its place in the total order; or gives it back. A task that has to wait is
    /// woken when it can go on, and has a ticket until then; any ticket from before it gives back.
    #[track_caller]
    pub(super) fn poll_action(
        &self,
        event: &mut Option<E>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Poll<Result<u64, E>> {
        let mut own = None;
        // Wakers are the user's: copied and dropped while nothing is locked.
        let mut state = self.state.lock();
        if let Some(ticket) = ticket.take() {
            state.give_up_room(ticket);
        }
        while !state.is_closed() && !state.has_room() {
            if let Some(own) = own.take() {
                *ticket = Some(state.await_room(own));
                drop(self.leave(state));
                return Poll::Pending;
            }
            drop(state);
            own = Some(waker.clone());
            state = self.state.lock();
        }
        let event = event.take().expect("it is not polled again once it is ready");
        Poll::Ready(self.push(state, Held::new(event)).map_err(Held::into_inner))
    }

    /// Adds a watcher, which is owed every event queued from now on; `None` after the mux was closed.
    #[track_caller]
    pub(super) fn join(
        &self,
        when_full: WhenFull,
        queue: usize,
    ) -> Option<(SeatId, u64, Option<Arc<Cursor>>)> {
        let mut state = self.state.lock();
        if state.is_closed() { None } else { Some(state.join(when_full, queue)) }
    }

    /// Moves what there is for a watcher into `events`, which is empty, waiting for it; but not before what there is to be
    /// dropped has been, for that may receive as well. What an earlier wait as a task has left is over.
    #[track_caller]
    pub(super) fn take(
        &self,
        id: SeatId,
        patience: Patience,
        events: &mut VecDeque<Batch<E>>,
    ) -> (Taken, Errands<E>) {
        let backoff = Backoff::new();
        let (mut timed_out, deadline) = match patience {
            Patience::None | Patience::Elsewhere => (true, None),
            Patience::Until(deadline) => (false, Some(deadline)),
            Patience::Endless => (false, None),
        };
        let mut state = self.state.lock();
        loop {
            self.distribute(&mut state);
            match state.take(id, events) {
                Taken::Nothing if !timed_out && state.errands.is_empty() => {}
                taken => {
                    let goes_on_waiting =
                        || matches!((patience, &taken), (Patience::Elsewhere, Taken::Nothing));
                    if !goes_on_waiting() {
                        state.stop_listening(id);
                    }
                    self.wake(&mut state);
                    return (taken, Errands(mem::take(&mut state.errands)));
                }
            }
            if !backoff.is_completed() {
                drop(state);
                backoff.snooze();
                state = self.state.lock();
                continue;
            }
            state.asleep.receives += 1;
            state.set_waiting(id, true);
            self.settle(&mut state);
            if !state.is_ready(id) && state.errands.is_empty() {
                (state, timed_out) = self.wait(state, &self.events, deadline);
            }
            state.asleep.receives -= 1;
            state.set_waiting(id, false);
        }
    }

    /// A watcher begins to wait as a task, which is woken by this waker; unless there is something by now.
    #[track_caller]
    pub(super) fn listen(&self, id: SeatId, waker: Waker) -> bool {
        let mut state = self.state.lock();
        let waits = !state.is_ready(id);
        if waits {
            state.listen(id, Some(waker));
        }
        drop(self.leave(state));
        waits
    }

    /// Notes that a watcher has read the event at this place.
    #[track_caller]
    #[inline]
    pub(super) fn read(&self, cursor: &Cursor, seq: u64) {
        let was_full_at = cursor.advance(seq);
        if self.held_up.load(Ordering::SeqCst) == was_full_at {
            drop(self.leave(self.state.lock()));
        }
    }

    /// A bell for a watcher, which is rung when there is something for it and it waits in a selection.
    pub(super) fn install_bell(&self, id: SeatId) -> Receiver<()> {
        let (bell, ringing) = channel::bounded(1);
        self.state.lock().install_bell(id, bell.named("watcher"));
        ringing
    }

    /// A watcher begins to wait in a selection.
    #[track_caller]
    pub(super) fn begin_selection(&self, id: SeatId, ringing: &Receiver<()>) {
        let mut state = self.state.lock();
        // What rang an earlier selection has been taken since, or is about to ring again.
        let _ = ringing.try_recv();
        state.listen(id, None);
        state.news = true;
        drop(self.leave(state));
    }

    /// A watcher no longer waits in a selection.
    #[track_caller]
    pub(super) fn end_selection(&self, id: SeatId) {
        self.state.lock().end_selection(id);
    }

    /// A watcher no longer waits as a task.
    #[track_caller]
    pub(super) fn stop_listening(&self, id: SeatId) {
        let mut state = self.state.lock();
        state.stop_listening(id);
        drop(self.leave(state));
    }

    /// An action no longer waits as a task.
    #[track_caller]
    pub(super) fn give_up_room(&self, ticket: Ticket) {
        let mut state = self.state.lock();
        state.give_up_room(ticket);
        drop(self.leave(state));
    }

    /// Ends a watcher's stream.
    #[track_caller]
    pub(super) fn end(&self, id: SeatId, reason: Reason) {
        let mut state = self.state.lock();
        state.end(id, reason);
        drop(self.leave(state));
    }

    /// Ends the stream of a watcher for which an event could not be copied; gives 1 + the place of the last event that
    /// a drop policy left out.
    #[track_caller]
    pub(super) fn fail(&self, id: SeatId) -> u64 {
        let mut state = self.state.lock();
        let lost = state.fail(id);
        drop(self.leave(state));
        lost
    }

    /// Removes a watcher.
    #[track_caller]
    pub(super) fn remove(&self, id: SeatId) {
        let mut state = self.state.lock();
        state.stop_listening(id);
        state.remove(id);
        drop(self.leave(state));
    }

    /// How many events are in a watcher's queue, besides those it has taken.
    #[track_caller]
    pub(super) fn waiting_for(&self, id: SeatId) -> usize {
        self.state.lock().waiting_for(id)
    }

    /// Lets no more events in; says how many are queued.
    #[track_caller]
    pub(super) fn close(&self) -> usize {
        let mut state = self.state.lock();
        let queued = state.queued();
        state.close();
        drop(self.leave(state));
        queued
    }

    /// Closes the mux and waits until all is distributed; says how many events there were to distribute.
    #[track_caller]
    pub(super) fn shutdown(&self, deadline: Option<Instant>) -> Result<usize, ShutdownTimeoutError> {
        let queued = self.close();
        let mut state = self.state.lock();
        state.asleep.shutdowns += 1;
        self.settle(&mut state);
        let mut timed_out = false;
        while !state.is_over() && !timed_out {
            (state, timed_out) = self.wait(state, &self.over, deadline);
        }
        state.asleep.shutdowns -= 1;
        let left = if state.is_over() { 0 } else { state.queued() };
        drop(self.leave(state));
        match left {
            0 => Ok(queued),
            left => Err(ShutdownTimeoutError { distributed: queued - left, left }),
        }
    }

    #[track_caller]
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().is_closed()
    }

    #[track_caller]
    pub(super) fn queued(&self) -> usize {
        self.state.lock().queued()
    }

    #[track_caller]
    pub(super) fn watchers(&self) -> usize {
        self.state.lock().watchers()
    }
}
