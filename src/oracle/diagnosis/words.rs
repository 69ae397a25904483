//! How a chain of waits is said: with names in a sentence, without in a signature.

use super::super::model::Watcher;
use super::graph::Graph;
use super::{Chain, ChainEnd, Link};
use crate::engine::words::{is_wait_group, object_name, place};
use crate::engine::{ObjectId, ObjectKind, Target, TaskId};

impl Graph<'_> {
    pub(super) fn shape(&self, start: TaskId, chain: &Chain) -> String {
        let mut shape = self.kind(start);
        let mut served: Option<Target> = None;
        for Link { task, target } in &chain.links {
            if let Some(served) = served {
                shape += &format!("{}, which", self.served_by_kind(served, &self.kind(*task)));
            }
            shape += &format!(" waits {}", self.kind_of_target(*target));
            served = Some(*target);
        }
        match (&chain.end, served) {
            (ChainEnd::Watcher(_), _) => {}
            (ChainEnd::Cycle(task), Some(target)) => shape += &self.served_by_kind(target, &self.kind(*task)),
            (ChainEnd::Panicked(task), Some(target)) => {
                shape += &format!("{}, which panicked", self.served_by_kind(target, &self.kind(*task)));
            }
            (ChainEnd::Nobody | ChainEnd::Ended(_) | ChainEnd::Lost(..), Some(target)) => {
                shape += &self.served_by_kind(target, "nobody");
            }
            (ChainEnd::Unknown, _) | (_, None) => shape += " is blocked",
        }
        shape
    }

    fn served_by_kind(&self, target: Target, kind: &str) -> String {
        match target {
            Target::Lock(_) => format!(", held by {kind}"),
            Target::Read(lock) if self.state.object(lock).shared => format!(", behind {kind}"),
            Target::Read(_) => format!(", held by {kind}"),
            Target::Send(_) | Target::Recv(_) => format!(", served by {kind}"),
            Target::Notify(_) => format!(", notified by {kind}"),
            // The wait itself has named it.
            Target::Join(_) => String::new(),
        }
    }

    fn kind_of_target(&self, target: Target) -> String {
        let own = self.script.and_then(|(_, call)| call).and_then(|call| call.watcher);
        let whose = |watcher: &Watcher<'_>| match own {
            Some(own) if own == watcher.id => "own watcher",
            Some(_) => "another watcher",
            None => "a watcher",
        };
        let channel = self.watcher(target).map_or("channel", whose);
        match target {
            Target::Send(_) => format!("to send to {channel}"),
            Target::Recv(group) if is_wait_group(self.state.object(group)) => "for wait group".to_owned(),
            Target::Recv(_) => format!("to receive from {channel}"),
            Target::Lock(lock) if self.is_rw(lock) => "for write lock".to_owned(),
            Target::Lock(_) => "for lock".to_owned(),
            Target::Read(_) => "for read lock".to_owned(),
            Target::Notify(_) => "for notification".to_owned(),
            Target::Join(task) => format!("for the end of {}", self.kind(task)),
        }
    }

    pub(super) fn sentence(&self, start: TaskId, chain: &Chain) -> String {
        let mut sentence = self.name(start);
        let mut before: Option<Link> = None;
        for link in &chain.links {
            if let Some(before) = before {
                sentence += &format!("{}, which", self.served_by(before, &self.name(link.task)));
            }
            sentence += &format!(" waits{} {}", self.in_op(link.task), self.target_name(link.target));
            before = Some(*link);
        }
        let Some(last) = before else { return format!("{sentence} is blocked{}", self.in_op(start)) };
        sentence + &self.end(chain, last)
    }

    fn end(&self, chain: &Chain, last: Link) -> String {
        match &chain.end {
            ChainEnd::Watcher(readers) => self.read_by(last.target, readers),
            ChainEnd::Cycle(task) if *task == last.task => match last.target {
                Target::Send(_) => ", whose receiver nobody else has used".to_owned(),
                Target::Recv(_) => ", whose sender nobody else has used".to_owned(),
                _ => self.served_by(last, "itself"),
            },
            ChainEnd::Cycle(task) => self.served_by(last, &self.name(*task)),
            ChainEnd::Ended(task) => {
                format!("{}, which has ended", self.served_by(last, &self.name(*task)))
            }
            ChainEnd::Panicked(task) => {
                format!("{}, which has panicked", self.served_by(last, &self.name(*task)))
            }
            ChainEnd::Lost(task, location) => format!(
                ", and the last one, by {} at {}, came when nobody waited: a lost wake-up",
                self.name(*task),
                place(location)
            ),
            ChainEnd::Nobody => match last.target {
                Target::Send(_) => ", which nobody receives from".to_owned(),
                Target::Recv(_) => ", which nobody sends to".to_owned(),
                Target::Notify(_) => ", which nobody is left to give".to_owned(),
                _ => self.served_by(last, "nobody"),
            },
            ChainEnd::Unknown => " and is blocked in a way that is not known".to_owned(),
        }
    }

    /// How whoever serves a wait is spoken of.
    fn served_by(&self, Link { target, .. }: Link, name: &str) -> String {
        match target {
            Target::Lock(lock) if self.state.object(lock).shared => format!(", read by {name}"),
            Target::Read(lock) if self.state.object(lock).shared => format!(", behind {name}"),
            Target::Lock(_) | Target::Read(_) => format!(", held by {name}"),
            Target::Send(_) => format!(", received by {name}"),
            Target::Recv(group) if is_wait_group(self.state.object(group)) => format!(", done by {name}"),
            Target::Recv(_) => format!(", sent by {name}"),
            Target::Notify(_) => format!(" by {name}"),
            // The wait itself has named it.
            Target::Join(_) => String::new(),
        }
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
            Target::Recv(group) if is_wait_group(self.state.object(group)) => format!("for {object}"),
            Target::Recv(_) => format!("to receive from {object}"),
            Target::Lock(lock) if self.is_rw(lock) => format!("to write {object}"),
            Target::Lock(_) => format!("for {object}"),
            Target::Read(_) => format!("to read {object}"),
            Target::Notify(_) => format!("for a notification of {object}"),
            Target::Join(task) => format!("for {} to end", self.name(task)),
        }
    }

    fn object_name(&self, id: ObjectId) -> String {
        match self.script.and_then(|(model, _)| model.watcher_reading(id)) {
            Some(watcher) => format!("watcher {}", watcher.name()),
            None => object_name(self.state.object(id)),
        }
    }

    fn is_rw(&self, lock: ObjectId) -> bool {
        self.state.object(lock).kind == ObjectKind::RwLock
    }

    fn read_by(&self, target: Target, readers: &[TaskId]) -> String {
        let names: Vec<String> = readers.iter().map(|task| self.name(*task)).collect();
        match names[..] {
            _ if self.watcher(target).is_some_and(|watcher| watcher.stopped().is_some()) => {
                ", which is stopped".to_owned()
            }
            [] => ", which nobody reads".to_owned(),
            [_] => format!(", which only {} reads", names[0]),
            [..] => format!(", which only {} read", names.join(" and ")),
        }
    }
}
