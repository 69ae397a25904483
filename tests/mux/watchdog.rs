//! So that a hang fails its test, and does not stop all of them.

use std::time::Duration;

use watchmux::sync::{channel, resume_unwind, thread};

/// Runs a test that a mux which hangs would not let return.
#[track_caller]
pub(crate) fn watched(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel::bounded::<()>(0);
    let runs = thread::spawn(move || {
        let _done = done;
        test();
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Err(channel::RecvTimeoutError::Timeout) => panic!("the test hangs"),
        _ => runs.join().unwrap_or_else(|payload| resume_unwind(payload)),
    }
}

/// Gives other threads every chance to get as far as they can. Nothing depends on it but how much a test sees.
pub(crate) fn let_others_go_on() {
    for _ in 0..10 {
        thread::yield_now();
    }
}
