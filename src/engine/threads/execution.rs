//! One execution on free-running threads: what the seam calls, and what the engine waits for.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel as cc;
use parking_lot::{Condvar, Mutex};

use super::super::stack::{self, Album};
use super::super::steered::Steering;
use super::super::{ObjectId, ObjectKind, State, Target, TaskId, Wait};
use super::table::{Doing, Table, Token};
use super::{QUIET, Rest, native, noise, pool};
use crate::sync::channel::Line;
use crate::sync::seam::{
    self, Attempt, Common, Endpoint, Meeting, Object, OnThreads, Selected, Tag, TaskBody, Timer, Value, Wake,
};

/// What tasks do at sync points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// They go on, with noise drawn from the seed.
    Free(u64),
    /// They wait for their turn.
    Steered,
}

/// One execution.
pub(in crate::engine) struct Execution {
    id: NonZeroU64,
    this: Weak<Execution>,
    pace: Pace,
    pub(in crate::engine) table: Mutex<Table>,
    /// Signalled when no task is left outside an untimed wait, or alive.
    pub(in crate::engine) still: Condvar,
    /// Whether the execution is over, and tasks unwind at their next sync point.
    ending: AtomicBool,
    pub(super) sync_points: AtomicU64,
    pub(super) album: Arc<Album>,
}

impl Execution {
    pub(super) fn new(seed: u64, steering: Option<Steering>) -> Arc<Execution> {
        let pace = if steering.is_some() { Pace::Steered } else { Pace::Free(seed) };
        let table = Table::new(steering);
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Arc::new_cyclic(|this| Execution {
            id: NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).expect("they are few"),
            this: this.clone(),
            pace,
            table: Mutex::new(table),
            still: Condvar::new(),
            ending: AtomicBool::new(false),
            sync_points: AtomicU64::new(0),
            album: Arc::default(),
        })
    }

    /// Whether nothing more moves for so long, with tasks in opaque code: not even while it was thought about what it is that
    /// they are in, or a task that has ended meanwhile would be taken for one that never does.
    pub(super) fn stays_still(&self, moves: u64, time: Duration) -> bool {
        let mut table = self.table.lock();
        let until = Instant::now() + time;
        while table.moves == moves && !self.still.wait_until(&mut table, until).timed_out() {}
        table.moves == moves
    }

    /// Waits until nothing can go on, or nothing moves any more.
    pub(super) fn await_rest(&self, limit: Instant) -> Rest {
        let mut table = self.table.lock();
        loop {
            if table.has_diverged() {
                return Rest::Diverged;
            }
            if table.alive == 0 {
                return Rest::Ended;
            }
            // Where the books could still serve a wait, that task is on its way; it will be heard of again.
            if table.is_quiescent() {
                return Rest::Quiescent;
            }
            if table.running == 0 && table.opaque > 0 {
                let moves = table.moves;
                let timed_out = self.still.wait_until(&mut table, Instant::now() + QUIET).timed_out();
                if timed_out && table.moves == moves {
                    return Rest::Still(moves);
                }
            } else if self.still.wait_until(&mut table, limit).timed_out() {
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
        table.stop_steering();
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

    fn wait_to_select<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Selected<'a> {
        let mut waits = Vec::with_capacity(endpoints.len());
        let mut timed = until.is_some();
        for endpoint in endpoints {
            let target = endpoint.handle().target().expect("the seam has checked the objects");
            waits.push(Wait { target, location });
            timed |= endpoint.handle().channel(Object::is_due);
        }
        if !self.may_wait() {
            return Selected::Aborted;
        }
        if self.pace == Pace::Steered
            && let Some(selected) = self.select_steered(me, endpoints, &waits, until, timed)
        {
            return selected;
        }
        let mut table = self.table.lock();
        table.wait(me, waits);
        if !timed {
            self.rest(&mut table, me);
        }
        drop(table);
        let selected = native::select(endpoints, None, until);
        self.table.lock().go_on(me);
        selected
    }

    fn wait_parked(
        &self,
        me: TaskId,
        wait: Wait,
        until: Option<Instant>,
        ready: &mut dyn FnMut() -> bool,
    ) -> Wake {
        if !self.may_wait() {
            return Wake::Aborted;
        }
        if self.pace == Pace::Steered
            && let Some(wake) = self.park_steered(me, &wait, until, ready)
        {
            return wake;
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

    /// Captures the stack of a task whose wait is over because the execution is: it was told so, or got what another that is
    /// unwound let go of.
    fn capture_at_the_end(&self, me: TaskId) {
        if self.ending.load(Ordering::SeqCst) {
            stack::capture(me, false);
        }
    }

    fn ended_with(&self, task: TaskId, doing: Doing) {
        let mut table = self.table.lock();
        table.tasks[task.0].doing = doing;
        table.running -= 1;
        table.alive -= 1;
        table.wake(usize::MAX, |target| *target == Target::Join(task));
        if table.lead(Some(task)) || table.running == 0 {
            self.still.notify_one();
        }
    }
}

impl seam::Execution for Execution {
    fn id(&self) -> NonZeroU64 {
        self.id
    }

    fn point(&self, me: TaskId, _: Option<Target>, _: &'static Location<'static>) -> bool {
        self.sync_points.fetch_add(1, Ordering::Relaxed);
        match self.pace {
            Pace::Free(_) => noise::point(),
            Pace::Steered => self.await_turn(me),
        }
        self.ending.load(Ordering::SeqCst)
    }

    fn try_select<'a>(&self, me: TaskId, endpoints: &[&'a dyn Endpoint]) -> Attempt<'a> {
        match self.pace {
            Pace::Free(_) => Attempt::Native,
            Pace::Steered => self.try_select_steered(me, endpoints),
        }
    }

    fn select<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Selected<'a> {
        let selected = self.wait_to_select(me, endpoints, until, location);
        self.capture_at_the_end(me);
        selected
    }

    fn park(&self, me: TaskId, wait: Wait, until: Option<Instant>, ready: &mut dyn FnMut() -> bool) -> Wake {
        let wake = self.wait_parked(me, wait, until, ready);
        self.capture_at_the_end(me);
        wake
    }

    fn notify(&self, me: TaskId, object: ObjectId, most: usize) -> usize {
        let mut table = self.table.lock();
        if table.is_steered() {
            return self.notify_steered(table, me, object, most);
        }
        table.wake(most, |target| *target == Target::Notify(object))
    }

    fn add_timer(&self, object: &Tag, duration: Duration) -> Option<Line<Instant, cc::Receiver<Instant>>> {
        let (id, repeats) = (object.id()?, object.look(Object::repeats)?);
        let mut table = self.table.lock();
        let receiver = table.steering.as_mut()?.add_timer(id, repeats, duration);
        Some(Line::Native(receiver))
    }

    fn name(&self, task: TaskId) -> String {
        self.table.lock().tasks[task.0].name.clone()
    }

    fn sleep(&self, me: TaskId, duration: Duration) {
        if !self.may_wait() {
            return;
        }
        if self.pace == Pace::Steered && self.sleep_steered(me, duration) {
            return;
        }
        let is_for_ever = Instant::now().checked_add(duration).is_none();
        let mut table = self.table.lock();
        table.wait(me, Vec::new());
        if is_for_ever {
            self.rest(&mut table, me);
        }
        drop(table);
        let _ = native::abort_line().receiver.recv_timeout(duration);
        self.table.lock().go_on(me);
        self.capture_at_the_end(me);
    }

    fn now(&self) -> Instant {
        match self.pace {
            Pace::Free(_) => Instant::now(),
            Pace::Steered => self.table.lock().steered_time().unwrap_or_else(Instant::now),
        }
    }

    fn aborting(&self, _: TaskId) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    fn opaque(&self, me: TaskId, entered: bool) {
        let mut table = self.table.lock();
        table.pass(me, entered);
        if table.running == 0 {
            self.still.notify_one();
        }
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

impl OnThreads for Execution {
    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Arc<Common> {
        let meeting = match (self.pace, kind) {
            (Pace::Steered, ObjectKind::Channel(Some(0))) => Meeting::Steered,
            _ => Meeting::Free,
        };
        let mut table = self.table.lock();
        let id = ObjectId(table.objects.len());
        let object = Mutex::new(Object::new(id, kind, timer, meeting, made));
        let common = Arc::new(Common { execution: self.id, id, object });
        table.objects.push(Arc::clone(&common));
        common
    }

    fn spawn(&self, name: Option<Cow<'static, str>>, body: TaskBody<'static>) -> TaskId {
        let task = self.table.lock().add(name.as_deref());
        let this = self.this.upgrade().expect("an execution lives for as long as it is used");
        pool::run(Box::new(move || OnThreads::run(this, task, body)));
        task
    }

    fn has_ended(&self, task: TaskId) -> bool {
        self.table.lock().has_ended(task)
    }

    fn claim(&self, task: TaskId) -> Option<thread::Result<Value>> {
        self.table.lock().tasks[task.0].outcome.claim()
    }

    fn adopt(&self) -> TaskId {
        self.table.lock().add(None)
    }

    fn run(self: Arc<Self>, task: TaskId, body: TaskBody<'_>) {
        let _open = self.album.open();
        let abort = native::abort_line();
        while abort.receiver.try_recv().is_ok() {}
        self.table.lock().tasks[task.0].abort = Some(abort.sender.clone());
        match self.pace {
            Pace::Free(seed) => noise::set(seed, task),
            Pace::Steered => self.await_first_turn(task),
        }
        let execution: Arc<dyn OnThreads> = Arc::clone(&self) as _;
        let leave = |result| self.table.lock().tasks[task.0].outcome.leave(result);
        let panic = seam::as_task(execution, task, || seam::leave(seam::run(body), leave));
        self.ended_with(task, panic.map_or(Doing::Ended, Doing::Panicked));
    }

    fn wake(&self, lock: ObjectId) {
        let mut table = self.table.lock();
        // On steered threads who waits for a lock finds it free, or not, when it is its turn.
        if !table.is_steered() {
            table.wake(usize::MAX, |target| target.object() == Some(lock));
        }
    }
}
