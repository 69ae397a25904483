//! Tasks that wait, and how they come to go on.

use std::time::{Duration, Instant};

use super::super::strategy::{Alternative, Choosing};
use super::super::{ObjectId, Target, TaskId, TaskSet, Wait};
use super::fiber::Way;
use super::table::Table;
use super::task::{Doing, Entry, Unwinding, Woken};
use crate::sync::seam::footprint::{self, Place, What};
use crate::sync::seam::{self, Side};

impl Table {
    /// Begins to wait for one of these, until then if there is a limit, and says who goes on; `None` if the task is to unwind.
    #[inline(always)]
    pub(super) fn begin_to_wait(
        &mut self,
        me: TaskId,
        waits: impl Iterator<Item = Wait>,
        until: Option<Instant>,
    ) -> Option<Way> {
        if self.ending && !seam::unwinding() {
            return None;
        }
        let until = until.map(|until| until.saturating_duration_since(self.began()));
        self.wait(me, waits, until);
        Some(self.go_on())
    }

    /// Notes that a task waits for one of these. All were refused just now, so nothing but time lets it go on at once.
    #[inline(always)]
    pub(super) fn wait(&mut self, me: TaskId, waits: impl Iterator<Item = Wait>, until: Option<Duration>) {
        let Entry { doing, waiting, .. } = &mut self.tasks[me.0];
        *doing = Doing::Waiting;
        waiting.renew(self.waits, until);
        self.waits += 1;
        waiting.waits.extend(waits);
        match &*waiting.waits {
            [wait] => {
                let target = wait.target;
                self.accesses[me.0] = target.into();
                self.waiters(target).insert(me);
            }
            _ => self.enlist(me),
        }
        self.touch_meetings(me);
        let is_time_up = until.is_some_and(|until| until <= self.clock);
        debug_assert_eq!(is_time_up, self.can_go_on(me));
        self.ready.set(me, is_time_up);
    }

    /// Makes a task one of those who wait for any of what it waits for.
    fn enlist(&mut self, me: TaskId) {
        let waits = std::mem::take(&mut self.tasks[me.0].waiting.waits);
        self.accesses[me.0] = waits.first().map(|wait| wait.target).into();
        waits.iter().for_each(|wait| self.waiters(wait.target).insert(me));
        self.tasks[me.0].waiting.waits = waits;
    }

    /// Who is to be seen again when something happens to the target.
    #[inline]
    pub(super) fn waiters(&mut self, target: Target) -> &mut TaskSet {
        match target {
            Target::Join(task) => &mut self.tasks[task.0].joiners,
            Target::Send(id)
            | Target::Recv(id)
            | Target::Lock(id)
            | Target::Read(id)
            | Target::Notify(id) => &mut self.objects[id.0].waiters,
        }
    }

    /// Notes that a task goes on after a wait, and says why.
    #[inline(always)]
    pub(super) fn wake_up(&mut self, me: TaskId) -> Woken {
        if footprint::is_on() {
            self.touch_woken(me);
        }
        let Entry { waiting, unwinding, .. } = &self.tasks[me.0];
        let woken = match waiting.met {
            _ if *unwinding == Unwinding::Due => Woken::Aborted,
            Some(index) => Woken::Met(index),
            // Without a limit of time nothing else lets it go on.
            None if waiting.until.is_none() || self.is_served(waiting) => Woken::Served,
            None => Woken::TimedOut,
        };
        debug_assert!(woken != Woken::Served || self.is_served(waiting));
        match woken {
            Woken::Served => {}
            Woken::Met(index) => self.meet_receiver(me, index),
            Woken::TimedOut => self.touch_refused(me),
            Woken::Aborted => self.tasks[me.0].unwinding = Unwinding::Told,
        }
        self.stop_waiting(me);
        woken
    }

    /// Notes that a task goes on by the wait of that number, which has met its partner: if it is to send, the receiver waits
    /// for its message from now on.
    #[inline]
    fn meet_receiver(&mut self, me: TaskId, index: usize) {
        if let Target::Send(rendezvous) = self.tasks[me.0].waiting.waits[index].target
            && let Some(receiver) = self.receiver_of(me, rendezvous)
        {
            self.hand_over(receiver, rendezvous);
        }
    }

    #[cold]
    fn touch_woken(&self, me: TaskId) {
        let waiting = &self.tasks[me.0].waiting;
        if waiting.met.is_some() || waiting.notified || waiting.message.is_some() {
            footprint::touch(Place::Task(me), What::Woken);
        } else {
            self.touch_meetings(me);
        }
    }

    /// Notes that a task whose time is up has seen that none of what it waits for is there.
    fn touch_refused(&self, task: TaskId) {
        if !footprint::is_on() {
            return;
        }
        for wait in &self.tasks[task.0].waiting.waits {
            let (object, what) = match wait.target {
                Target::Send(object) => (object, What::Sees(Side::Send, false)),
                Target::Recv(object) => (object, What::Sees(Side::Recv, false)),
                Target::Lock(object) | Target::Read(object) => (object, What::SeesFree(false)),
                Target::Notify(_) | Target::Join(_) => continue,
            };
            footprint::touch_object(object, what);
        }
    }

    /// Takes a task out of its wait.
    #[inline]
    pub(super) fn stop_waiting(&mut self, me: TaskId) {
        let Entry { doing, waiting, .. } = &mut self.tasks[me.0];
        *doing = Doing::Ready;
        let rendezvous = waiting.rendezvous;
        match &*waiting.waits {
            [wait] => {
                let target = wait.target;
                self.waiters(target).remove(me);
            }
            _ => self.delist(me),
        }
        if let Some(rendezvous) = rendezvous {
            self.objects[rendezvous.0].waiters.remove(me);
        }
        self.ready.insert(me);
    }

    /// Makes a task none of those who wait for any of what it waited for.
    fn delist(&mut self, me: TaskId) {
        let waits = std::mem::take(&mut self.tasks[me.0].waiting.waits);
        waits.iter().for_each(|wait| self.waiters(wait.target).remove(me));
        self.tasks[me.0].waiting.waits = waits;
    }

    /// Notifies up to so many of those who wait; says how many. Whom, if not all of them, is a choice.
    pub(super) fn notify(&mut self, me: TaskId, object: ObjectId, most: usize) -> usize {
        let awaited = Target::Notify(object);
        let since = |task: TaskId| (self.tasks[task.0].waiting.since, task);
        let is_waiting = |task: &TaskId| !self.tasks[task.0].waiting.notified;
        let waiters = self.objects[object.0].waiters.iter().filter(is_waiting);
        let mut waiting: Vec<(u64, TaskId)> = waiters.map(since).collect();
        waiting.sort_unstable();
        let count = most.min(waiting.len());
        for left in (1..=count).rev() {
            let is_choice = left < waiting.len() && !self.ending;
            let chosen = if is_choice { self.waiter(me, awaited, waiting.len()) } else { 0 };
            let (_, task) = waiting.remove(chosen);
            footprint::touch(Place::Task(task), What::Wakes);
            self.tasks[task.0].waiting.notified = true;
            self.ready.insert(task);
        }
        count
    }

    /// Chooses one of so many that wait for a notification.
    pub(super) fn waiter(&mut self, me: TaskId, awaited: Target, waiting: usize) -> usize {
        self.alternatives.clear();
        let alternative = |index| Alternative { task: me, branch: Some(index as u32), access: Some(awaited) };
        self.alternatives.extend((0..waiting).map(alternative));
        self.choose_for(me, Choosing::Waiter).map_or(0, |index| index as usize)
    }
}
