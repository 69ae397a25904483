//! A queue of events and functions, as the Broadcasters have it from #14881 on.
//!
//! A function is queued behind the events and waited for; the loop runs it when it comes to it.

use std::sync::Arc;

use super::gochan::Chan;
use super::gosync::WaitGroup;
use super::k8s_3381::Queued;
use super::k8s_5270;
use super::watchers::{Joined, Watchers};
use crate::engine::Shared;
use crate::subject::Payload;

/// What the loop runs.
pub(super) type Function = Box<dyn FnOnce(&mut Watchers<Queued>) + Send>;

/// What the loop takes from the incoming channel: `Event`, which can be an `internalRunFunctionMarker`.
pub(super) enum Item {
    Event(Payload),
    Function(Function),
}

/// `blockQueue`, without the checks that it came to have
pub(super) fn block_queue(incoming: &Chan<Item>, f: impl FnOnce(&mut Watchers<Queued>) + Send + 'static) {
    let (doing, wait_group) = WaitGroup::new("function");
    let function = Box::new(move |watchers: &mut Watchers<Queued>| {
        let _done = doing.defer();
        f(watchers);
    });
    incoming.send(Item::Function(function));
    wait_group.wait();
}

/// `Watch` and `WatchWithPrefix`, through such a `blockQueue`: `None` if that does not run the function.
pub(super) fn watch(
    queue: usize,
    prefix: Vec<Payload>,
    block_queue: impl FnOnce(Function),
) -> Option<Joined<Queued>> {
    let joined = Arc::new(Shared::new(None));
    let function = {
        let joined = Arc::clone(&joined);
        move |watchers: &mut Watchers<Queued>| {
            let new = watchers.add(k8s_5270::capacity(queue, &prefix), prefix);
            joined.with(|joined| *joined = Some(new));
        }
    };
    block_queue(Box::new(function));
    joined.with(Option::take)
}
