use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::{
    Capabilities, Payload, Received, Refused, Running, Shipped, Stopping, Subject, TryRefused, Watching,
};
use crate::mux;
use crate::oracle::{Closed, Contract};
use crate::script::{Config, WhenFull};
use crate::sync::{Condvar, Mutex};

/// The mux that this crate ships, with its futures in place of what waits, as the subject `mux-await`.
///
/// A future goes from one waker to another, and a `try-recv` is a receive that is given up.
#[derive(Clone, Copy, Debug)]
pub struct Awaited;

struct AwaitedMux(mux::Mux<Payload>);

struct AwaitedWatcher(mux::Watcher<Payload>);

impl Subject for Awaited {
    fn name(&self) -> &str {
        "mux-await"
    }

    fn provenance(&self) -> &str {
        "watchmux::Mux, received from and published to by futures"
    }

    fn capabilities(&self) -> Capabilities {
        Shipped.capabilities()
    }

    fn contract(&self) -> Contract {
        Shipped.contract()
    }

    fn start(&self, config: &Config) -> Box<dyn Running> {
        Box::new(AwaitedMux(mux::Mux::new(config.into())))
    }
}

impl Running for AwaitedMux {
    fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let options = mux::WatchOptions { prefix, when_full: Some(when_full.into()) };
        match self.0.watch_with(options) {
            Ok(watcher) => Ok(Box::new(AwaitedWatcher(watcher))),
            Err(_) => Err(Refused(None)),
        }
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        block_on(self.0.action_async(event)).map(Some).map_err(|error| Refused(Some(error.0)))
    }

    fn try_action(&self, event: Payload) -> Result<Option<u64>, TryRefused> {
        Running::try_action(&self.0, event)
    }

    fn close(&self) {
        self.0.close();
    }

    fn shutdown(&self) {
        self.0.shutdown();
    }
}

impl Watching for AwaitedWatcher {
    fn recv(&mut self) -> Result<Received, Closed> {
        block_on(self.0.recv_async()).map(Received::from).map_err(Closed::from)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match poll_once(self.0.recv_async()) {
            Poll::Ready(received) => received.map(Received::from).map(Some).map_err(Closed::from),
            Poll::Pending => Ok(None),
        }
    }

    fn stopper(&self) -> Option<Arc<dyn Stopping>> {
        Watching::stopper(&self.0)
    }
}

/// Polls a future by a waker that nobody heeds.
#[track_caller]
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Waits for a future. It is polled by a waker that nobody heeds first, as if it had been another task's.
#[track_caller]
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    if let Poll::Ready(output) = poll_once(future.as_mut()) {
        return output;
    }
    let alarm = Arc::new(Alarm::new());
    let waker = Waker::from(Arc::clone(&alarm));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        alarm.wait();
    }
}

/// What wakes a thread that waits for a future.
struct Alarm {
    rung: Mutex<bool>,
    rings: Condvar,
}

impl Alarm {
    fn new() -> Alarm {
        Alarm { rung: Mutex::new(false).named("alarm"), rings: Condvar::new().named("alarm") }
    }

    #[track_caller]
    fn wait(&self) {
        let mut rung = self.rung.lock();
        self.rings.wait_while(&mut rung, |rung| !*rung);
        *rung = false;
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        *self.rung.lock() = true;
        self.rings.notify_one();
    }
}
