//! OS threads that are kept from one execution to the next: to start one costs more than to run a short script.

use std::thread;

use crossbeam_channel as cc;
use parking_lot::Mutex;

type Work = Box<dyn FnOnce() + Send>;

/// The threads that wait for work, the one used last on top.
static IDLE: Mutex<Vec<cc::Sender<Work>>> = Mutex::new(Vec::new());

/// Runs the work on a thread of the pool. It must not panic.
///
/// # Panics
/// If a new thread is needed and the system cannot start one.
pub(super) fn run(work: Work) {
    let idle = IDLE.lock().pop();
    match idle {
        Some(thread) => thread.send(work).expect("a thread of the pool waits for work for ever"),
        None => {
            let name = "watchmux task".to_owned();
            thread::Builder::new().name(name).spawn(|| serve(work)).expect("the system can start a thread");
        }
    }
}

fn serve(first: Work) {
    let (sender, receiver) = cc::bounded(1);
    first();
    loop {
        IDLE.lock().push(sender.clone());
        receiver.recv().expect("this thread holds a sender itself")();
    }
}
