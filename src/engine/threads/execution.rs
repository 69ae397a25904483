//! One execution on free-running threads: what the seam calls, and what the engine waits for.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;
use parking_lot::{Condvar, Mutex};

use super::super::{ObjectId, ObjectKind, State, Target, TaskId, Wait};
use super::table::{Doing, Table, Token};
use super::{Rest, is_abort, noise, pool};
use crate::sync::seam::{self, Attempt, Endpoint, Object, Selected, TaskBody, Timer, Wake};

/// One execution.
pub(super) struct Execution {
    id: u64,
    this: Weak<Execution>,
    seed: u64,
    table: Mutex<Table>,
    /// Signalled when no task is left outside an untimed wait, or alive.
    still: Condvar,
    /// Whether the execution is over, and tasks unwind at their next sync point.
    ending: AtomicBool,
    pub(super) sync_points: AtomicU64,
}

impl Execution {
    pub(super) fn new(seed: u64) -> Arc<Execution> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new_cyclic(|this| Execution {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            this: this.clone(),
            seed,
            table: Mutex::default(),
            still: Condvar::new(),
            ending: AtomicBool::new(false),
            sync_points: AtomicU64::new(0),
        })
    }

    /// Waits until nothing can go on.
    pub(super) fn await_rest(&self, limit: Instant) -> Rest {
        let mut table = self.table.lock();
        loop {
            if table.alive == 0 {
                return Rest::Ended;
            }
            // Where the books could still serve a wait, that task is on its way; it will be heard of again.
            if table.is_quiescent() {
                return Rest::Quiescent;
            }
            if self.still.wait_until(&mut table, limit).timed_out() {
                return Rest::Deadline;
            }
        }
    }

    pub(super) fn state(&self) -> State {
        self.table.lock().state()
    }

    /// Unwinds all tasks, the blocked ones one at a time; says how many had to be left behind.
    pub(super) fn unwind(&self, limit: Instant) -> usize {
        self.ending.store(true, Ordering::SeqCst);
        let mut table = self.table.lock();
        while let Some(task) = table.next_sleeper() {
            table.tell(task);
        }
        drop(table);
        while let Rest::Quiescent = self.await_rest(limit) {
            let mut table = self.table.lock();
            let Some(task) = table.next_to_unwind() else { break };
            table.tell(task);
        }
        self.table.lock().alive
    }

    /// Whether a task may begin to wait, and is not to unwind.
    fn may_wait(&self) -> bool {
        !self.ending.load(Ordering::SeqCst) || seam::unwinding()
    }

    /// Notes that a task does nothing but wait.
    fn rest(&self, table: &mut Table, me: TaskId) {
        table.rest(me);
        if table.running == 0 {
            self.still.notify_one();
        }
    }

    fn ended_with(&self, task: TaskId, doing: Doing) {
        let mut table = self.table.lock();
        table.tasks[task.0].doing = doing;
        table.running -= 1;
        table.alive -= 1;
        table.wake(usize::MAX, |target| *target == Target::Join(task));
        if table.running == 0 {
            self.still.notify_one();
        }
    }
}

impl seam::Execution for Execution {
    fn id(&self) -> u64 {
        self.id
    }

    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Arc<Object> {
        let mut table = self.table.lock();
        let object = Arc::new(Object::new(ObjectId(table.objects.len()), self.id, kind, timer, false, made));
        table.objects.push(Arc::clone(&object));
        object
    }

    fn point(&self, _: TaskId, _: Option<Target>) -> bool {
        self.sync_points.fetch_add(1, Ordering::Relaxed);
        noise::point();
        self.ending.load(Ordering::SeqCst)
    }

    fn try_select(&self, _: TaskId, _: &[&dyn Endpoint]) -> Attempt {
        Attempt::Native
    }

    fn select<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Selected<'a> {
        let mut waits = Vec::with_capacity(endpoints.len());
        let mut timed = until.is_some();
        for endpoint in endpoints {
            let (object, target) = endpoint.handle().target().expect("the seam has checked the objects");
            waits.push(Wait { target, location });
            timed |= object.is_due();
        }
        if !self.may_wait() {
            return Selected::Aborted;
        }
        let mut table = self.table.lock();
        table.wait(me, waits);
        if !timed {
            self.rest(&mut table, me);
        }
        drop(table);
        let mut native = cc::Select::new();
        for endpoint in endpoints {
            endpoint.register(&mut native);
        }
        let abort = abort_line();
        let aborted = native.recv(&abort.receiver);
        let selected = match until {
            None => Ok(native.select()),
            Some(until) => native.select_deadline(until),
        };
        self.table.lock().go_on(me);
        match selected {
            Err(_) => Selected::TimedOut,
            Ok(selected) if selected.index() == aborted => {
                let _ = selected.recv(&abort.receiver);
                Selected::Aborted
            }
            Ok(selected) => Selected::Native(selected),
        }
    }

    fn park(&self, me: TaskId, wait: Wait, until: Option<Instant>, ready: &mut dyn FnMut() -> bool) -> Wake {
        if !self.may_wait() {
            return Wake::Aborted;
        }
        self.table.lock().wait(me, vec![wait]);
        if ready() {
            self.table.lock().go_on(me);
            return Wake::Ready;
        }
        if until.is_none() {
            self.rest(&mut self.table.lock(), me);
        }
        let parker = Arc::clone(&self.table.lock().tasks[me.0].parker);
        let token = parker.park(until);
        // The time may have been up at the very moment of being woken: then it was woken.
        let was_waiting = self.table.lock().go_on(me);
        match token {
            Some(Token::Abort) => Wake::Aborted,
            None if was_waiting => Wake::TimedOut,
            _ => Wake::Woken,
        }
    }

    fn wake(&self, object: ObjectId, most: usize) -> usize {
        self.table.lock().wake(most, |target| target.object() == Some(object))
    }

    fn spawn(&self, name: Option<&str>, body: TaskBody<'static>) -> TaskId {
        let task = self.table.lock().add(name);
        let this = self.this.upgrade().expect("an execution lives for as long as it is used");
        pool::run(Box::new(move || seam::Execution::run(this, task, body)));
        task
    }

    fn add_timer(&self, _: &Arc<Object>, _: Duration) -> Option<cc::Receiver<Instant>> {
        None
    }

    fn adopts(&self) -> bool {
        true
    }

    fn adopt(&self) -> TaskId {
        self.table.lock().add(None)
    }

    fn run(self: Arc<Self>, task: TaskId, body: TaskBody<'_>) {
        let abort = abort_line();
        while abort.receiver.try_recv().is_ok() {}
        self.table.lock().tasks[task.0].abort = Some(abort.sender.clone());
        noise::set(self.seed, task);
        let execution: Arc<dyn seam::Execution> = Arc::clone(&self) as _;
        let result = catch_unwind(AssertUnwindSafe(|| seam::as_task(execution, task, body)));
        let doing = match result {
            Ok(None) => Doing::Ended,
            Ok(Some(message)) => Doing::Panicked(message),
            Err(payload) if is_abort(&*payload) => Doing::Ended,
            Err(payload) => Doing::Panicked(seam::panic_message(&*payload)),
        };
        self.ended_with(task, doing);
    }

    fn ended(&self, task: TaskId) -> bool {
        self.table.lock().has_ended(task)
    }

    fn name(&self, task: TaskId) -> String {
        self.table.lock().tasks[task.0].name.clone()
    }

    fn sleep(&self, me: TaskId, duration: Duration) {
        if !self.may_wait() {
            return;
        }
        self.table.lock().wait(me, Vec::new());
        let _ = abort_line().receiver.recv_timeout(duration);
        self.table.lock().go_on(me);
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn aborting(&self, _: TaskId) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    fn forget(&self, me: TaskId) -> ! {
        let mut table = self.table.lock();
        table.tasks[me.0].doing = Doing::Forgotten;
        table.running -= 1;
        if table.running == 0 {
            self.still.notify_one();
        }
        drop(table);
        loop {
            thread::park();
        }
    }
}

/// Tells a thread, in a native selection, that its task is to unwind.
struct AbortLine {
    sender: cc::Sender<()>,
    receiver: cc::Receiver<()>,
}

/// The calling thread's line. A native selection needs it to outlive all that is selected from, so it is never
/// freed: threads that end leave theirs for later ones.
fn abort_line() -> &'static AbortLine {
    static FREE: Mutex<Vec<&'static AbortLine>> = Mutex::new(Vec::new());
    struct Own(&'static AbortLine);
    impl Drop for Own {
        fn drop(&mut self) {
            FREE.lock().push(self.0);
        }
    }
    thread_local! {
        static OWN: Own = Own(FREE.lock().pop().unwrap_or_else(|| {
            let (sender, receiver) = cc::bounded(1);
            Box::leak(Box::new(AbortLine { sender, receiver }))
        }));
    }
    OWN.with(|own| own.0)
}
