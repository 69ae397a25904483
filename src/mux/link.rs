//! What connects the dispatcher to one watcher.

use std::convert::Infallible;
use std::mem;

use super::held::Item;
use super::{Reason, WhenFull};
use crate::sync::channel::{self, Receiver, Sender, TrySendError};
use crate::sync::{Backoff, Mutex, select};

/// The dispatcher's side of a watcher.
pub(super) struct Link<E> {
    /// The first place in the total order that is owed to the watcher.
    pub(super) joined: u64,
    when_full: WhenFull,
    state: Mutex<State<E>>,
    /// Disconnected once the link has ended. Only the dispatcher uses it.
    ended: Receiver<Infallible>,
}

struct State<E> {
    line: Line<E>,
    /// 1 + the place of the last event that a drop policy left out.
    lost: u64,
}

enum Line<E> {
    Open(Ends<E>),
    Ended(Reason),
}

/// What a link holds while it is open. None of it is dropped with the lock held.
struct Ends<E> {
    sender: Sender<Item<E>>,
    /// The watcher's own receiver once more, to take the oldest event from; for [`WhenFull::DropOldest`] only.
    oldest: Option<Receiver<Item<E>>>,
    /// Never sent to: that it is gone tells the dispatcher to wait no longer.
    _end: Sender<Infallible>,
}

/// The channel of a watcher that has not joined yet.
pub(super) struct Unlinked<E> {
    when_full: WhenFull,
    ends: Ends<E>,
    ended: Receiver<Infallible>,
}

/// How a link ended.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    pub(super) reason: Reason,
    pub(super) lost: u64,
}

impl<E> Unlinked<E> {
    /// A link to be, and the receiver of its watcher.
    pub(super) fn new(queue: usize, when_full: WhenFull) -> (Unlinked<E>, Receiver<Item<E>>) {
        let (sender, receiver) = channel::bounded(queue);
        let receiver = receiver.named("watcher");
        let (end, ended) = channel::bounded(0);
        let when_full = match when_full {
            // A rendezvous holds no event that could be left out instead.
            WhenFull::DropOldest if queue == 0 => WhenFull::DropNewest,
            when_full => when_full,
        };
        let oldest = (when_full == WhenFull::DropOldest).then(|| receiver.clone());
        let ends = Ends { sender, oldest, _end: end };
        (Unlinked { when_full, ends, ended: ended.named("ended") }, receiver)
    }

    pub(super) fn join(self, joined: u64) -> Link<E> {
        let state = State { line: Line::Open(self.ends), lost: joined };
        let state = Mutex::new(state).named("watcher");
        Link { joined, when_full: self.when_full, state, ended: self.ended }
    }
}

/// What is left to do once the lock of a link is free again.
enum After<E> {
    Drop(Option<Item<E>>),
    Wait(Sender<Item<E>>, Item<E>),
    End(Reason, Item<E>),
}

impl<E> Link<E> {
    /// Sends an event, or does what the policy says. `Err` is a reason to end the link.
    pub(super) fn send(&self, item: Item<E>) -> Result<(), Reason> {
        let after = self.try_send(&mut self.state.lock(), item);
        match after {
            After::Drop(_) => Ok(()),
            After::Wait(sender, mut item) => {
                let backoff = Backoff::new();
                while !backoff.is_completed() {
                    backoff.snooze();
                    match sender.try_send(item) {
                        Ok(()) => return Ok(()),
                        Err(unsent) => item = unsent.into_inner(),
                    }
                }
                // This is the one place where the mux waits for a watcher: it holds no lock, and a sender for
                // no longer than this, or the stop of the watcher would not be final.
                select! {
                    send(sender, item) -> _ => {}
                    recv(self.ended) -> _ => {}
                }
                Ok(())
            }
            After::End(reason, _) => Err(reason),
        }
    }

    fn try_send(&self, state: &mut State<E>, item: Item<E>) -> After<E> {
        let seq = item.seq;
        let Line::Open(ends) = &state.line else { return After::Drop(Some(item)) };
        let Err(unsent) = ends.sender.try_send(item) else { return After::Drop(None) };
        let item = unsent.into_inner();
        match self.when_full {
            WhenFull::Wait => After::Wait(ends.sender.clone(), item),
            WhenFull::DropNewest => {
                state.lost = seq + 1;
                After::Drop(Some(item))
            }
            WhenFull::DropOldest => {
                let oldest = ends.oldest.as_ref().and_then(|queue| queue.try_recv().ok());
                if let Some(oldest) = &oldest {
                    state.lost = oldest.seq + 1;
                }
                // Nobody else sends, so now there is room.
                let unsent = ends.sender.try_send(item).err().map(TrySendError::into_inner);
                After::Drop(oldest.or(unsent))
            }
            WhenFull::Disconnect => After::End(Reason::TooSlow, item),
        }
    }

    /// Ends the link, unless it has ended: what is in the watcher's queue is the last it gets.
    pub(super) fn end(&self, reason: Reason) {
        let mut state = self.state.lock();
        if matches!(state.line, Line::Open(_)) {
            let line = mem::replace(&mut state.line, Line::Ended(reason));
            drop(state);
            drop(line);
        }
    }

    /// How the link ended, if it has.
    pub(super) fn ended(&self) -> Option<Ended> {
        let state = self.state.lock();
        match state.line {
            Line::Open(_) => None,
            Line::Ended(reason) => Some(Ended { reason, lost: state.lost }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::held::Held;
    use super::super::shared::Shared;
    use super::super::watcher::{Seat, Watcher};
    use super::super::{Closed, TryRecvError};
    use super::*;

    fn item(seq: u64) -> Item<u64> {
        Item { seq, event: Held::new(seq) }
    }

    /// What no test can time from outside: the dispatcher is between finding a queue full and sending.
    #[test]
    fn the_end_is_final_while_the_dispatcher_still_holds_a_sender() {
        let shared = Arc::new(Shared::new(0));
        let (unlinked, receiver) = Unlinked::new(1, WhenFull::Wait);
        let link = shared.join(unlinked).expect("the mux is open");
        let watcher = Watcher::new(Seat { shared, link: Arc::clone(&link) }, receiver, Vec::new());
        assert!(link.send(item(0)).is_ok());
        let After::Wait(sender, in_flight) = link.try_send(&mut link.state.lock(), item(1)) else {
            panic!("the queue is full");
        };

        watcher.stop();
        let closed = Closed { reason: Reason::Stopped, missed: 0 };
        assert_eq!(watcher.try_recv().map(|delivery| delivery.event), Ok(0));
        assert_eq!(watcher.try_recv(), Err(TryRecvError::Closed(closed)));

        sender.send(in_flight).expect("the watcher is there, and its queue has room");
        assert_eq!(watcher.try_recv(), Err(TryRecvError::Closed(closed)));
        assert_eq!(watcher.recv(), Err(closed));
        assert_eq!(select! { recv(watcher) -> delivery => delivery }, Err(closed));
        assert!(watcher.is_empty());
    }
}
