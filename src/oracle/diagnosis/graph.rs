//! Who waits for what, and who could serve that.

use super::super::model::{Model, Watcher};
use super::super::{Call, Origin};
use super::{Chain, ChainEnd, Link, is_blocked};
use crate::engine::{ObjectId, State, Status, Target, TaskId};
use crate::script::Op;

/// The waits of one state.
pub(super) struct Graph<'a> {
    pub(super) state: &'a State,
    /// What a script tells of it besides, and the call that is asked about.
    pub(super) script: Option<(&'a Model<'a>, Option<&'a Call>)>,
}

impl<'a> Graph<'a> {
    pub(super) fn chain(&self, start: TaskId) -> Chain {
        let mut links: Vec<Link> = Vec::new();
        let mut task = start;
        let end = loop {
            let Some(target) = self.wait(task) else { break ChainEnd::Unknown };
            links.push(Link { task, target });
            if let (Target::Send(_), Some(watcher)) = (target, self.watcher(target)) {
                break ChainEnd::Watcher(self.readers(watcher));
            }
            let servers = self.servers(task, target, &links);
            if let Some(server) = servers.iter().find(|server| links.iter().any(|link| link.task == **server))
            {
                break ChainEnd::Cycle(*server);
            }
            match servers.into_iter().find(|server| is_blocked(self.state, *server)) {
                Some(server) => task = server,
                None => break self.orphan(target),
            }
        };
        Chain { links, end }
    }

    /// What a task waits for; of several things the one that tells most.
    pub(super) fn wait(&self, task: TaskId) -> Option<Target> {
        let Status::Blocked(waits) = &self.state.task(task).status else { return None };
        let rank = |target: &Target| match target {
            Target::Send(_) if self.watcher(*target).is_some() => 0,
            Target::Lock(_) | Target::Read(_) => 1,
            Target::Join(_) => 2,
            Target::Send(_) => 3,
            Target::Recv(_) if self.watcher(*target).is_some() => 4,
            Target::Recv(_) => 5,
            Target::Notify(_) => 6,
        };
        waits.iter().map(|wait| wait.target).min_by_key(rank)
    }

    /// Who could serve this wait, in the order of their kinds.
    fn servers(&self, task: TaskId, target: Target, links: &[Link]) -> Vec<TaskId> {
        let mut servers = match target {
            Target::Lock(lock) => self.state.object(lock).holders.clone(),
            // Who would read beside other readers waits for the writer that came between.
            Target::Read(lock) if self.state.object(lock).shared => self.writers(lock),
            Target::Read(lock) => self.state.object(lock).holders.clone(),
            Target::Join(other) => vec![other],
            Target::Send(channel) => self.users(&self.state.object(channel).receivers, task, links),
            Target::Recv(channel) => self.users(&self.state.object(channel).senders, task, links),
            Target::Notify(condvar) => self.notifiers(condvar, task, links),
        };
        servers.sort_by_key(|server| (self.kind(*server), *server));
        servers
    }

    /// Who of a channel's users could serve the task. A handle that was handed on and not used yet still counts as its
    /// maker's, so if that is the task itself, it is looked for with whoever waits for the task.
    fn users(&self, users: &[TaskId], waiting: TaskId, links: &[Link]) -> Vec<TaskId> {
        if let Some((model, _)) = self.script {
            return self.own_tasks(model, users, waiting);
        }
        let others: Vec<TaskId> = users.iter().copied().filter(|task| *task != waiting).collect();
        if !others.is_empty() {
            return others;
        }
        let waiters = self.waiters_for(links);
        if waiters.is_empty() { users.to_vec() } else { waiters }
    }

    /// The other blocked tasks that wait, in the end, for one of these.
    fn waiters_for(&self, links: &[Link]) -> Vec<TaskId> {
        let is_linked = |task: &TaskId| links.iter().any(|link| link.task == *task);
        let waits_for_one = |start: &TaskId| {
            let (mut seen, mut due) = (vec![*start], vec![*start]);
            while let Some(task) = due.pop() {
                for next in self.known_servers(task) {
                    if is_linked(&next) {
                        return true;
                    }
                    if !seen.contains(&next) {
                        seen.push(next);
                        due.push(next);
                    }
                }
            }
            false
        };
        let others = self.state.blocked().map(|(task, _)| task).filter(|task| !is_linked(task));
        others.filter(waits_for_one).collect()
    }

    /// Who is known to be what a task waits for.
    fn known_servers(&self, task: TaskId) -> Vec<TaskId> {
        let servers = match self.wait(task) {
            Some(Target::Lock(lock) | Target::Read(lock)) => self.state.object(lock).holders.clone(),
            Some(Target::Join(other)) => vec![other],
            Some(Target::Send(channel)) => self.state.object(channel).receivers.clone(),
            Some(Target::Recv(channel)) => self.state.object(channel).senders.clone(),
            Some(Target::Notify(_)) | None => Vec::new(),
        };
        servers.into_iter().filter(|server| *server != task).collect()
    }

    /// Those of the users that are the subject's own and blocked; if it has other such tasks alone, any of them
    /// may be the one.
    fn own_tasks(&self, model: &Model<'_>, users: &[TaskId], waiting: TaskId) -> Vec<TaskId> {
        let blocked = self.state.blocked().map(|(task, _)| task);
        let own: Vec<TaskId> =
            blocked.filter(|task| *task != waiting && is_own(model, self.state, *task)).collect();
        let known: Vec<TaskId> = own.iter().copied().filter(|task| users.contains(task)).collect();
        if known.is_empty() && !is_own(model, self.state, waiting) { own } else { known }
    }

    /// Who could notify: who did it before. Otherwise any task may be the one, but that counts only where it waits for the
    /// task itself.
    fn notifiers(&self, condvar: ObjectId, task: TaskId, links: &[Link]) -> Vec<TaskId> {
        if let Some((model, _)) = self.script {
            return self.own_tasks(model, &[], task);
        }
        let notified = self.state.object(condvar).notified.map(|last| last.by);
        let known: Vec<TaskId> =
            notified.filter(|by| *by != task && is_blocked(self.state, *by)).into_iter().collect();
        if known.is_empty() { self.waiters_for(links) } else { known }
    }

    fn writers(&self, lock: ObjectId) -> Vec<TaskId> {
        let writes = |task: &TaskId| self.wait(*task) == Some(Target::Lock(lock));
        self.state.blocked().map(|(task, _)| task).filter(writes).collect()
    }

    fn orphan(&self, target: Target) -> ChainEnd {
        match target {
            Target::Lock(lock) | Target::Read(lock) => {
                let holder = self.state.object(lock).holders.first();
                holder.map_or(ChainEnd::Nobody, |holder| ChainEnd::Ended(*holder))
            }
            Target::Notify(condvar) => match self.state.object(condvar).notified {
                Some(last) if last.woken == 0 => ChainEnd::Lost(last.by, last.location),
                _ => ChainEnd::Nobody,
            },
            _ => self.panicked().map_or(ChainEnd::Nobody, ChainEnd::Panicked),
        }
    }

    /// The first of the subject's own tasks that panicked.
    fn panicked(&self) -> Option<TaskId> {
        let (model, _) = self.script?;
        let panicked = |task: &TaskId| matches!(self.state.task(*task).status, Status::Panicked(_));
        let own = |task: &TaskId| is_own(model, self.state, *task);
        (0..self.state.tasks.len()).map(TaskId).filter(panicked).find(own)
    }

    pub(super) fn watcher(&self, target: Target) -> Option<&'a Watcher<'a>> {
        let (model, _) = self.script?;
        target.object().and_then(|channel| model.watcher_reading(channel))
    }

    pub(super) fn pending_call(&self, task: TaskId) -> Option<&'a Call> {
        let (model, _) = self.script?;
        model.history.calls.iter().find(|call| call.task == task && call.returned.is_none())
    }

    /// An op's kind; a name without numbers for a task of the subject's own.
    pub(super) fn kind(&self, task: TaskId) -> String {
        let Some((model, _)) = self.script else { return String::new() };
        match self.pending_call(task) {
            Some(call) => call.op.kind().name().to_owned(),
            None if is_own(model, self.state, task) => kind_of_task(&self.state.task(task).name),
            None => "a task".to_owned(),
        }
    }

    /// Who could read the watcher: who has ops left on it, or used it last. Nobody, if it is stopped.
    fn readers(&self, watcher: &Watcher<'_>) -> Vec<TaskId> {
        let Some((model, _)) = self.script.filter(|_| watcher.stopped().is_none()) else { return Vec::new() };
        let slot = watcher.watch.op.slot();
        let users = watcher.channel.map(|channel| &self.state.object(channel).receivers[..]).unwrap_or(&[]);
        let reads = |task: &TaskId| {
            let pending = self.pending_call(*task).is_some_and(|call| call.watcher == Some(watcher.id));
            let used = users.contains(task) && is_blocked(self.state, *task);
            pending || used || ops_left(model, &self.state.task(*task).name).any(|op| op.slot() == slot)
        };
        let tasks = (0..self.state.tasks.len()).map(TaskId);
        tasks.filter(|task| !is_own(model, self.state, *task)).filter(reads).collect()
    }
}

/// The ops that the lane of this name has not come to.
fn ops_left<'a>(model: &'a Model<'_>, name: &str) -> impl Iterator<Item = &'a Op> {
    let lane = (0u8..).zip(&model.context.script.lanes).find(|(index, _)| name == format!("lane{index}"));
    let called = |index: u8| {
        let calls = model.history.calls.iter();
        calls.filter(|call| call.origin == Origin::Lane(index)).count()
    };
    lane.into_iter().flat_map(move |(index, ops)| ops.iter().skip(called(index)))
}

/// Whether a task is the subject's own: it makes no calls, and is not the harness's.
fn is_own(model: &Model<'_>, state: &State, task: TaskId) -> bool {
    let is_lane = |name: &str| name.strip_prefix("lane").is_some_and(|index| index.parse::<u8>().is_ok());
    task != TaskId(0)
        && !is_lane(&state.task(task).name)
        && model.history.calls.iter().all(|call| call.task != task)
}

/// The name of a task of the subject's own without the numbers that tell it from others.
pub(in super::super) fn kind_of_task(name: &str) -> String {
    let kind = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '-' || last == '#');
    if kind.is_empty() { "a task".to_owned() } else { kind.to_owned() }
}
