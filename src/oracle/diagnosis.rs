//! Why a task is blocked: the chain of waits it reaches, its class, and how to say it.
//!
//! A chain goes from the task to whoever could serve it, and on, until it comes to a watcher that is sent to,
//! back to a task of its own, or to nobody. Its shape names no task, lock or channel, so that it is the same in
//! every execution of the same bug: of the ops it has the kinds, and of the subject's own tasks the names they
//! were given. For the same reason it follows a channel to the subject's own tasks alone: which op used a handle
//! last is a matter of the schedule.

use super::model::{Model, Watcher};
use super::{Call, Class, Origin};
use crate::engine::{ObjectId, ObjectKind, State, Status, Target, TaskId};

/// What a blocked task waits for, in the end.
pub(super) struct Diagnosis {
    pub(super) class: Class,
    /// Without names: `stop waits for lock, held by dispatcher, which waits to send to own watcher`.
    pub(super) shape: String,
    /// With names.
    pub(super) sentence: String,
}

/// Follows the waits from this task, which is blocked in this call or in code of the subject's own.
pub(super) fn diagnose(model: &Model<'_>, state: &State, task: TaskId, call: Option<&Call>) -> Diagnosis {
    let graph = Graph { model, state, call };
    let chain = graph.chain(task);
    Diagnosis { class: graph.class(&chain), shape: graph.shape(&chain), sentence: graph.sentence(&chain) }
}

struct Graph<'a> {
    model: &'a Model<'a>,
    state: &'a State,
    call: Option<&'a Call>,
}

/// Tasks and what each waits for; the next one of the list could serve it.
struct Chain {
    task: TaskId,
    links: Vec<(TaskId, Target)>,
    end: End,
}

enum End {
    /// The last task waits for a watcher to take an event.
    Watcher,
    /// The last task waits for one of the chain.
    Cycle(TaskId),
    /// Whoever could serve the last task has ended.
    Ended(TaskId),
    /// Nobody can serve the last task.
    Nobody,
    /// It is not known what the last task waits for.
    Unknown,
}

impl Graph<'_> {
    fn chain(&self, start: TaskId) -> Chain {
        let mut links: Vec<(TaskId, Target)> = Vec::new();
        let mut task = start;
        let end = loop {
            let Some(target) = self.wait(task) else { break End::Unknown };
            links.push((task, target));
            if matches!(target, Target::Send(_)) && self.watcher(target).is_some() {
                break End::Watcher;
            }
            let servers = self.servers(task, target);
            if let Some(server) = servers.iter().find(|server| links.iter().any(|link| link.0 == **server)) {
                break End::Cycle(*server);
            }
            match servers.into_iter().find(|server| self.is_blocked(*server)) {
                Some(server) => task = server,
                None => break self.orphan(target),
            }
        };
        Chain { task: start, links, end }
    }

    /// What a task waits for; of several things the one that tells most.
    fn wait(&self, task: TaskId) -> Option<Target> {
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
    fn servers(&self, task: TaskId, target: Target) -> Vec<TaskId> {
        let mut servers = match target {
            Target::Lock(lock) => self.state.object(lock).holders.clone(),
            Target::Read(lock) => {
                let holders = &self.state.object(lock).holders;
                // Who reads already and reads again waits for the writer that came between.
                if holders.contains(&task) { self.writers(lock) } else { holders.clone() }
            }
            Target::Join(other) => vec![other],
            Target::Send(channel) => self.own_tasks(&self.state.object(channel).receivers, task),
            Target::Recv(channel) => self.own_tasks(&self.state.object(channel).senders, task),
            Target::Notify(condvar) => self.own_tasks(&self.state.object(condvar).senders, task),
        };
        servers.sort_by_key(|server| (self.kind(*server), *server));
        servers
    }

    /// Those of the users that are the subject's own and blocked; if it has other such tasks alone, any of them
    /// may be the one.
    fn own_tasks(&self, users: &[TaskId], waiting: TaskId) -> Vec<TaskId> {
        let blocked = self.state.blocked().map(|(task, _)| task);
        let own: Vec<TaskId> =
            blocked.filter(|task| *task != waiting && is_own(self.model, self.state, *task)).collect();
        let known: Vec<TaskId> = own.iter().copied().filter(|task| users.contains(task)).collect();
        if known.is_empty() && !is_own(self.model, self.state, waiting) { own } else { known }
    }

    fn writers(&self, lock: ObjectId) -> Vec<TaskId> {
        let writes = |task: &TaskId| self.wait(*task) == Some(Target::Lock(lock));
        self.state.blocked().map(|(task, _)| task).filter(writes).collect()
    }

    fn orphan(&self, target: Target) -> End {
        let holders = match target {
            Target::Lock(lock) | Target::Read(lock) => &self.state.object(lock).holders[..],
            _ => &[],
        };
        holders.first().map_or(End::Nobody, |holder| End::Ended(*holder))
    }

    fn is_blocked(&self, task: TaskId) -> bool {
        matches!(self.state.task(task).status, Status::Blocked(_))
    }

    fn watcher(&self, target: Target) -> Option<&Watcher<'_>> {
        target.object().and_then(|channel| self.model.watcher_reading(channel))
    }

    fn pending_call(&self, task: TaskId) -> Option<&Call> {
        self.model.history.calls.iter().find(|call| call.task == task && call.returned.is_none())
    }

    fn class(&self, chain: &Chain) -> Class {
        let any = |is: fn(&Target) -> bool| chain.links.iter().any(|(_, target)| is(target));
        let locks = any(|target| matches!(target, Target::Lock(_) | Target::Read(_)));
        let channels = any(|target| matches!(target, Target::Send(_) | Target::Recv(_)));
        let condvars = any(|target| matches!(target, Target::Notify(_)));
        let joins = any(|target| matches!(target, Target::Join(_)));
        let reads = any(|target| matches!(target, Target::Read(_)));
        match (channels, locks, condvars, joins) {
            (true, true, _, _) => Class::MixedChannelLock,
            (true, false, _, true) => Class::MixedChannelWaitGroup,
            (true, false, true, false) => Class::ChannelCondvarDeadlock,
            (true, false, false, false) => Class::ChannelDeadlock,
            (false, _, _, true) => Class::MisuseWaitGroup,
            (false, _, true, false) => Class::CondvarDeadlock,
            (false, true, false, false) => match chain.end {
                End::Cycle(_) if reads => Class::RwrDeadlock,
                End::Cycle(_) if chain.links.len() > 1 => Class::AbBaDeadlock,
                End::Cycle(_) => Class::DoubleLocking,
                _ => Class::ResourceDeadlock,
            },
            (false, false, false, false) => Class::Unknown,
        }
    }

    fn shape(&self, chain: &Chain) -> String {
        let mut shape = self.kind(chain.task);
        for (step, (task, target)) in chain.links.iter().enumerate() {
            if step > 0 {
                shape += &format!("{}, which", served_by(chain.links[step - 1].1, &self.kind(*task)));
            }
            shape += &format!(" waits {}", self.kind_of_target(*target));
        }
        match (&chain.end, chain.links.last()) {
            (End::Watcher, _) => {}
            (End::Cycle(task), Some((_, target))) => shape += &served_by(*target, &self.kind(*task)),
            (End::Nobody | End::Ended(_), Some((_, target))) => shape += &served_by(*target, "nobody"),
            (End::Unknown, _) | (_, None) => shape += " is blocked",
        }
        shape
    }

    /// An op's kind; a name without numbers for a task of the subject's own.
    fn kind(&self, task: TaskId) -> String {
        match self.pending_call(task) {
            Some(call) => call.op.kind().name().to_owned(),
            None if is_own(self.model, self.state, task) => kind_of_task(&self.state.task(task).name),
            None => "a task".to_owned(),
        }
    }

    fn kind_of_target(&self, target: Target) -> String {
        let whose = |watcher: &Watcher<'_>| match self.call.and_then(|call| call.watcher) {
            Some(own) if own == watcher.id => "own watcher",
            Some(_) => "another watcher",
            None => "a watcher",
        };
        let channel = self.watcher(target).map_or("channel", whose);
        match target {
            Target::Send(_) => format!("to send to {channel}"),
            Target::Recv(_) => format!("to receive from {channel}"),
            Target::Lock(lock) if self.state.object(lock).kind == ObjectKind::RwLock => {
                "for write lock".to_owned()
            }
            Target::Lock(_) => "for lock".to_owned(),
            Target::Read(_) => "for read lock".to_owned(),
            Target::Notify(_) => "for notification".to_owned(),
            Target::Join(task) => format!("for the end of {}", self.kind(task)),
        }
    }

    fn sentence(&self, chain: &Chain) -> String {
        let mut sentence = self.name(chain.task);
        for (step, (task, target)) in chain.links.iter().enumerate() {
            if step > 0 {
                sentence += &format!("{}, which", served_by(chain.links[step - 1].1, &self.name(*task)));
            }
            sentence += &format!(" waits{} {}", self.in_op(*task), self.target_name(*target));
        }
        let end = match (&chain.end, chain.links.last()) {
            (End::Watcher, Some((_, target))) => {
                self.watcher(*target).map_or_else(String::new, |watcher| self.readers(watcher))
            }
            (End::Cycle(task), Some((waiting, target))) if task == waiting => served_by(*target, "itself"),
            (End::Cycle(task), Some((_, target))) => served_by(*target, &self.name(*task)),
            (End::Ended(task), Some((_, target))) => {
                format!("{}, which has ended", served_by(*target, &self.name(*task)))
            }
            (End::Nobody, Some((_, target))) => served_by(*target, "nobody"),
            (End::Unknown, _) | (_, None) => format!(" is blocked{}", self.in_op(chain.task)),
        };
        sentence + &end
    }

    fn in_op(&self, task: TaskId) -> String {
        self.pending_call(task).map_or_else(String::new, |call| format!(" in {}", call.op.kind()))
    }

    fn name(&self, task: TaskId) -> String {
        format!("`{}`", self.state.task(task).name)
    }

    fn target_name(&self, target: Target) -> String {
        let object = target.object().map(|id| self.object_name(id)).unwrap_or_default();
        match target {
            Target::Send(_) => format!("to send to {object}"),
            Target::Recv(_) => format!("to receive from {object}"),
            Target::Lock(_) => format!("for {object}"),
            Target::Read(_) => format!("to read {object}"),
            Target::Notify(_) => format!("for a notification of {object}"),
            Target::Join(task) => format!("for {} to end", self.name(task)),
        }
    }

    fn object_name(&self, id: ObjectId) -> String {
        if let Some(watcher) = self.model.watcher_reading(id) {
            return format!("watcher {}", watcher.name());
        }
        let object = self.state.object(id);
        let kind = match object.kind {
            ObjectKind::Channel(_) => "channel",
            ObjectKind::Mutex | ObjectKind::RwLock => "lock",
            ObjectKind::Condvar => "condition variable",
        };
        match &object.name {
            Some(name) => format!("{kind} `{name}`"),
            None => format!("a {kind} made at {}:{}", object.made.file(), object.made.line()),
        }
    }

    /// Who could read the watcher: who has ops left on it, or used it last.
    fn readers(&self, watcher: &Watcher<'_>) -> String {
        let slot = watcher.watch.op.slot();
        let users = watcher.channel.map(|channel| &self.state.object(channel).receivers[..]).unwrap_or(&[]);
        let reads = |task: TaskId, name: &str| {
            let pending = self.pending_call(task).is_some_and(|call| call.watcher == Some(watcher.id));
            let used = users.contains(&task) && self.is_blocked(task);
            pending || used || self.ops_left(name).any(|op| op.slot() == slot)
        };
        let readers: Vec<String> = (0..self.state.tasks.len())
            .map(TaskId)
            .filter(|task| !is_own(self.model, self.state, *task))
            .filter(|task| reads(*task, &self.state.task(*task).name))
            .map(|task| self.name(task))
            .collect();
        match readers[..] {
            _ if watcher.stopped().is_some() => ", which is stopped".to_owned(),
            [] => ", which nobody reads".to_owned(),
            [_] => format!(", which only {} reads", readers[0]),
            [..] => format!(", which only {} read", readers.join(" and ")),
        }
    }

    /// The ops that the lane of this name has not come to.
    fn ops_left(&self, name: &str) -> impl Iterator<Item = &crate::script::Op> {
        let lane =
            (0u8..).zip(&self.model.context.script.lanes).find(|(index, _)| name == format!("lane{index}"));
        let called = |index: u8| {
            let calls = self.model.history.calls.iter();
            calls.filter(|call| call.origin == Origin::Lane(index)).count()
        };
        lane.into_iter().flat_map(move |(index, ops)| ops.iter().skip(called(index)))
    }
}

/// Whether a task is the subject's own: it makes no calls, and is not the harness's.
pub(super) fn is_own(model: &Model<'_>, state: &State, task: TaskId) -> bool {
    let is_lane = |name: &str| name.strip_prefix("lane").is_some_and(|index| index.parse::<u8>().is_ok());
    task != TaskId(0)
        && !is_lane(&state.task(task).name)
        && model.history.calls.iter().all(|call| call.task != task)
}

/// The name of a task of the subject's own without the numbers that tell it from others.
pub(super) fn kind_of_task(name: &str) -> String {
    let kind = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '-' || last == '#');
    if kind.is_empty() { "a task".to_owned() } else { kind.to_owned() }
}

/// How whoever serves a wait is spoken of.
fn served_by(target: Target, name: &str) -> String {
    match target {
        Target::Lock(_) | Target::Read(_) => format!(", held by {name}"),
        Target::Send(_) | Target::Recv(_) => format!(", served by {name}"),
        Target::Notify(_) => format!(", notified by {name}"),
        // The wait itself has named it.
        Target::Join(_) => String::new(),
    }
}
