//! What errors and events say.

use std::time::Duration;

use watchmux::{
    ActionError, Closed, Event, EventKind, Mux, Reason, RecvTimeoutError, ShutdownTimeoutError,
    TryActionError, TryRecvError,
};

#[test]
fn the_end_of_a_stream_says_why_and_what_was_missed() {
    let said = |reason, missed| Closed { reason, missed }.to_string();
    assert_eq!(said(Reason::Stopped, 0), "the watcher's stream has ended: it was stopped");
    assert_eq!(said(Reason::Shutdown, 0), "the watcher's stream has ended: the mux was shut down");
    assert_eq!(
        said(Reason::TooSlow, 3),
        "the watcher's stream has ended: it read too slowly (missed 3 before that)"
    );
    assert_eq!(
        said(Reason::EventPanicked, 1),
        "the watcher's stream has ended: copying an event panicked (missed 1 before that)"
    );
}

#[test]
fn errors_say_what_happened() {
    let closed = Closed { reason: Reason::Stopped, missed: 0 };
    assert_eq!(TryRecvError::Empty.to_string(), "there is no delivery yet");
    assert_eq!(TryRecvError::from(closed).to_string(), closed.to_string());
    assert_eq!(RecvTimeoutError::Timeout.to_string(), "there was no delivery in time");
    assert_eq!(RecvTimeoutError::from(closed).to_string(), closed.to_string());
    assert_eq!(ActionError(0).to_string(), "an action on a closed mux");
    assert_eq!(TryActionError::Closed(0).to_string(), "an action on a closed mux");
    assert_eq!(TryActionError::Full(0).to_string(), "an action on a mux whose incoming queue is full");
    let mux = Mux::<u32>::default();
    mux.close();
    assert_eq!(mux.watch().unwrap_err().to_string(), "a watch on a closed mux");
    assert_eq!(
        ShutdownTimeoutError { distributed: 2, left: 1 }.to_string(),
        "the time to shut down was up: 2 events were distributed, 1 were not"
    );
}

#[test]
fn debug_formats_hold_no_events() {
    let mux = Mux::<u32>::default();
    let mut watcher = mux.watch().unwrap();
    assert_eq!(
        format!("{mux:?} {watcher:?} {:?}", watcher.stopper()),
        "Mux { .. } Watcher { .. } Stopper { .. }"
    );
    assert_eq!(
        format!("{:?} {:?}", watcher.recv_async(), mux.action_async(7)),
        "RecvFuture { .. } ActionFuture { .. }"
    );
    assert_eq!(format!("{:?}", ActionError(7)), "ActionError(..)");
    assert_eq!(
        format!("{:?} {:?}", TryActionError::Full(7), TryActionError::Closed(7)),
        "Full(..) Closed(..)"
    );
    mux.shutdown_timeout(Duration::ZERO).unwrap();
    assert_eq!(format!("{:?}", mux.watch_with_prefix(vec![7]).unwrap_err()), "WatchError(..)");
}

#[test]
fn kinds_of_events_are_named_as_in_kubernetes() {
    let kinds =
        [EventKind::Added, EventKind::Modified, EventKind::Deleted, EventKind::Bookmark, EventKind::Error];
    assert_eq!(kinds.map(EventKind::name), ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);
    let event = Event { kind: EventKind::Modified, object: "nginx-1" };
    assert_eq!(format!("{:>9}", event.kind), " MODIFIED");
}
