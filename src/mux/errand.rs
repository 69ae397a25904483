//! What is left to be done once nothing is locked or borrowed, for it calls the user's code.

use std::task::Waker;

use super::held::{Share, quietly};

/// It is done by dropping this.
pub(super) enum Errand<E> {
    /// Events are dropped.
    Drop(Share<E>),
    /// A waker is dropped, for its task waits no more.
    Forget(#[expect(dead_code, reason = "it is kept to be dropped")] Waker),
    /// A task is woken.
    Wake(#[expect(dead_code, reason = "it is kept to be dropped")] Woken),
}

impl<E> Errand<E> {
    pub(super) fn wake(waker: Waker) -> Errand<E> {
        Errand::Wake(Woken(Some(waker)))
    }
}

/// Wakes a task when it is dropped. A panic of the waker goes no further.
pub(super) struct Woken(Option<Waker>);

impl Drop for Woken {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            quietly(|| waker.wake());
        }
    }
}
