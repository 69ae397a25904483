//! Tasks on threads, and wakers that count.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use watchmux::sync::channel::{self, Sender};
use watchmux::sync::{Mutex, thread};

/// How often it was woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Does this when it is woken.
pub(crate) struct OnWake<F>(pub(crate) F);

impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// Polls once.
pub(crate) fn poll<F: Future, W: Wake + Send + Sync + 'static>(future: F, waker: &Arc<W>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(waker));
    pin!(future).poll(&mut Context::from_waker(&waker))
}

/// What a task does.
pub(crate) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) fn job(job: impl Future<Output = ()> + Send + 'static) -> Job {
    Box::pin(job)
}

struct Task {
    job: Mutex<Option<Job>>,
    woken: Sender<Arc<Task>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        // Who is woken after all have ended is not polled.
        let _ = self.woken.clone().send(self);
    }
}

/// Runs tasks on so many threads until all have ended.
pub(crate) fn run(threads: usize, jobs: Vec<Job>) {
    let (woken, queue) = channel::unbounded::<Arc<Task>>();
    let (ended, ends) = channel::unbounded();
    let all = jobs.len();
    for job in jobs {
        let ended = ended.clone();
        let job = self::job(async move {
            job.await;
            ended.send(()).unwrap();
        });
        Arc::new(Task { job: Mutex::new(Some(job)), woken: woken.clone() }).wake();
    }
    for _ in 0..threads {
        let queue = queue.clone();
        thread::spawn(move || {
            for task in &queue {
                let mut job = task.job.lock();
                let waker = Waker::from(Arc::clone(&task));
                let polled = job.as_mut().map(|job| job.as_mut().poll(&mut Context::from_waker(&waker)));
                if polled.is_some_and(|polled| polled.is_ready()) {
                    *job = None;
                }
            }
        });
    }
    for _ in 0..all {
        ends.recv().unwrap();
    }
}
