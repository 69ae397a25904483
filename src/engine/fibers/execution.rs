//! One execution on fibers: what the seam calls.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel as cc;
use parking_lot::{Mutex, MutexGuard};

use super::super::{ObjectId, ObjectKind, Target, TaskId, Wait};
use super::fiber::give_way;
use super::table::Table;
use super::task::Woken;
use crate::sync::seam::{self, Attempt, Endpoint, Meeting, Object, Selected, TaskBody, Timer, Wake};

/// One execution.
pub(super) struct Execution {
    id: u64,
    /// The system's time when it began; from then on it has a time of its own.
    began: Instant,
    /// Never waited for: all tasks are on one thread, and none gives way while it holds this.
    table: Mutex<Table>,
}

impl Execution {
    pub(super) fn new(table: Table) -> Arc<Execution> {
        // Those on threads are numbered from 0.
        static NEXT: AtomicU64 = AtomicU64::new(1 << 63);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Execution { id, began: Instant::now(), table: Mutex::new(table) })
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// Waits, and says why it is over.
    fn wait(&self, me: TaskId, waits: Vec<Wait>, until: Option<Instant>) -> Woken {
        let mut table = self.table.lock();
        if table.ending && !seam::unwinding() {
            return Woken::Aborted;
        }
        table.wait(me, waits, until.map(|until| until.saturating_duration_since(self.began)));
        self.give_way(table, me)
    }

    /// Lets others go on until the task's wait is over, and says why it is.
    fn give_way<'a>(&'a self, mut table: MutexGuard<'a, Table>, me: TaskId) -> Woken {
        if !table.go_on_from(me) {
            drop(table);
            give_way();
            table = self.table.lock();
        }
        table.wake_up(me)
    }
}

impl seam::Execution for Execution {
    fn id(&self) -> u64 {
        self.id
    }

    fn add_object(&self, kind: ObjectKind, timer: Timer, made: &'static Location<'static>) -> Arc<Object> {
        let mut table = self.table.lock();
        let is_rendezvous = kind == ObjectKind::Channel(Some(0));
        let meeting = if is_rendezvous { Meeting::Modelled } else { Meeting::Free };
        let id = ObjectId(table.objects.len());
        let object = Arc::new(Object::new(id, self.id, kind, timer, meeting, made));
        table.objects.push(Arc::clone(&object));
        object
    }

    fn add_timer(&self, object: &Arc<Object>, duration: Duration) -> Option<cc::Receiver<Instant>> {
        let (sender, receiver) = cc::bounded(1);
        self.table.lock().add_timer(object, duration, self.began, sender);
        Some(receiver)
    }

    fn point(&self, me: TaskId, access: Option<Target>, location: &'static Location<'static>) -> bool {
        let mut table = self.table.lock();
        if table.ending || table.point(me, access, location) {
            return table.ending;
        }
        drop(table);
        give_way();
        self.table.lock().ending
    }

    fn try_select<'a>(&self, me: TaskId, endpoints: &[&'a dyn Endpoint]) -> Attempt<'a> {
        let mut table = self.table.lock();
        let Some(index) = table.branch(me, endpoints) else { return Attempt::Refused };
        let (object, target) = endpoints[index].handle().target().expect("the seam has checked the objects");
        if !object.is_modelled() {
            return Attempt::Modelled(index);
        }
        let Some(partner) = table.meet(me, target) else { return Attempt::Disconnected(index) };
        if matches!(target, Target::Recv(_)) {
            table.wait_for_handover(me, partner);
            let _ = self.give_way(table, me);
        }
        Attempt::Modelled(index)
    }

    fn select<'a>(
        &self,
        me: TaskId,
        endpoints: &[&'a dyn Endpoint],
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Selected<'a> {
        loop {
            let targets = endpoints.iter().filter_map(|endpoint| endpoint.handle().target());
            let waits = targets.map(|(_, target)| Wait { target, location }).collect();
            match self.wait(me, waits, until) {
                Woken::Met(index) => return Selected::Modelled(index),
                Woken::TimedOut => return Selected::TimedOut,
                Woken::Aborted => return Selected::Aborted,
                Woken::Served => match self.try_select(me, endpoints) {
                    Attempt::Modelled(index) => return Selected::Modelled(index),
                    Attempt::Disconnected(index) => return Selected::Disconnected(index),
                    Attempt::Selected(native) => return Selected::Native(native),
                    Attempt::Native | Attempt::Refused => {}
                },
            }
        }
    }

    fn park(&self, me: TaskId, wait: Wait, until: Option<Instant>, ready: &mut dyn FnMut() -> bool) -> Wake {
        if ready() {
            return Wake::Ready;
        }
        match self.wait(me, vec![wait], until) {
            Woken::Served | Woken::Met(_) => Wake::Woken,
            Woken::TimedOut => Wake::TimedOut,
            Woken::Aborted => Wake::Aborted,
        }
    }

    fn wake(&self, me: TaskId, object: ObjectId, most: usize) -> usize {
        self.table.lock().notify(me, object, most)
    }

    fn spawn(&self, name: Option<&str>, body: TaskBody<'static>) -> TaskId {
        self.table.lock().add(name, body)
    }

    fn adopts(&self) -> bool {
        false
    }

    fn adopt(&self) -> TaskId {
        unreachable!("fibers adopt no threads")
    }

    fn run(self: Arc<Self>, _: TaskId, _: TaskBody<'_>) {
        unreachable!("fibers adopt no threads")
    }

    fn ended(&self, task: TaskId) -> bool {
        self.table.lock().has_ended(task)
    }

    fn name(&self, task: TaskId) -> String {
        self.table.lock().tasks[task.0].name.clone()
    }

    fn sleep(&self, me: TaskId, duration: Duration) {
        let until = seam::Execution::now(self) + duration;
        self.wait(me, Vec::new(), Some(until));
    }

    fn now(&self) -> Instant {
        self.began + self.table.lock().clock
    }

    fn aborting(&self, _: TaskId) -> bool {
        self.table.lock().ending
    }

    fn forget(&self, me: TaskId) -> ! {
        self.table.lock().forget(me);
        loop {
            give_way();
        }
    }
}
