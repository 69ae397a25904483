//! The search: one execution after the other, each different from all before in an order that matters.

use std::sync::Arc;

use super::super::strategy::{Choosing, Point};
use super::super::{Target, TaskId};
use super::books::Books;
use super::dependence::Entry;
use super::events::{Event, Events, Trace};
use super::node::{Asleep, Node};
use crate::sync::seam::footprint::{self, Place, Touch, What};

/// A search through the schedules of one body.
#[derive(Debug, Default)]
pub(super) struct Exploration {
    /// The most preemptions, if they are bounded: then nobody sleeps, for what was explored from elsewhere may have been cut
    /// short by the bound.
    bound: Option<u32>,
    /// Up to which bound it goes on with one preemption more, again and again, for as long as that adds anything.
    rises_to: Option<u32>,
    /// Whether the bound left anything out.
    pub(super) left_out: bool,
    nodes: Vec<Node>,
    /// The nodes before this one are as in the execution before.
    fresh: usize,

    // Of the execution that runs:
    trace: Trace,
    books: Books,
    running: Option<TaskId>,
    /// By task: what it waits for, if it must, at the sync point that it is at, or since.
    awaits: Vec<Vec<Target>>,
    /// By task: whether it can be chosen only when it is served.
    parked: Vec<bool>,
    /// What the running task waited for when it was chosen.
    awaited: Vec<Target>,
    /// Whether all that it does is to begin to wait, unseen.
    only_waits: bool,
    /// How many branches it has taken.
    branch: usize,
    touches: Vec<Touch>,
    /// Whether what follows need not be looked at.
    pub(super) redundant: bool,
    /// Whether the body did something else than before under the same choices.
    pub(super) diverged: bool,
}

impl Exploration {
    /// All schedules, or those with no more than so many preemptions.
    pub(super) fn new(bound: Option<u32>) -> Exploration {
        Exploration { bound, ..Exploration::default() }
    }

    /// Those without preemptions, and then those with no more than one, and so on up to so many.
    pub(super) fn iterative(most: u32) -> Exploration {
        Exploration { bound: Some(0), rises_to: Some(most), ..Exploration::default() }
    }

    /// Begins an execution.
    pub(super) fn begin(&mut self) {
        self.trace.clear();
        self.books.clear();
        self.running = None;
        self.awaits.clear();
        self.parked.clear();
        self.redundant = false;
    }

    pub(super) fn started(&mut self) {
        self.awaits.push(Vec::new());
        self.parked.push(false);
        self.trace.started(self.running.is_some());
    }

    pub(super) fn choose(&mut self, point: &Point<'_>) -> usize {
        if self.redundant || self.diverged {
            return 0;
        }
        match point.kind {
            Choosing::Task => self.choose_task(point),
            Choosing::Branch | Choosing::Waiter => self.choose_branch(point),
        }
    }

    /// The execution is over.
    pub(super) fn end(&mut self) {
        if !self.redundant && !self.diverged {
            self.close(false);
        }
    }

    /// Goes on to the next execution, if there is one.
    pub(super) fn next(&mut self) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            if !self.diverged && node.advance(self.bound, &mut self.left_out) {
                self.fresh = self.nodes.len() - 1;
                return true;
            }
            self.nodes.pop();
        }
        match (self.bound, self.rises_to) {
            (Some(bound), Some(most)) if self.left_out && bound < most && !self.diverged => {
                (self.bound, self.left_out, self.fresh) = (Some(bound + 1), false, 0);
                true
            }
            _ => false,
        }
    }

    fn choose_branch(&mut self, point: &Point<'_>) -> usize {
        let of = point.alternatives.len() as u32;
        let node = &mut self.nodes[self.trace.events.len()];
        if self.branch == node.branches.len() {
            node.branches.push((0, of));
        }
        let (chosen, known) = node.branches[self.branch];
        self.branch += 1;
        self.diverged |= known != of;
        chosen as usize
    }

    fn choose_task(&mut self, point: &Point<'_>) -> usize {
        self.close(point.current.is_some() && point.current == self.running);
        let at = self.trace.events.len();
        if at == self.nodes.len() {
            match self.node(point) {
                Some(node) => self.nodes.push(node),
                None => {
                    self.redundant = true;
                    return 0;
                }
            }
        }
        let task = self.nodes[at].task;
        let Some(index) = point.alternatives.iter().position(|alternative| alternative.task == task) else {
            self.diverged = true;
            return 0;
        };
        self.only_waits = self.waits(task) && !self.books.serve(&self.awaits[task.0]);
        if self.only_waits {
            self.awaited.clear();
        } else {
            self.awaited.clone_from(&self.awaits[task.0]);
        }
        self.running = Some(task);
        self.branch = 0;
        index
    }

    /// Whether the task is at a point at which it may have to wait unseen.
    fn waits(&self, task: TaskId) -> bool {
        !self.parked[task.0] && !self.awaits[task.0].is_empty()
    }

    /// The choices at a point at which no execution was yet; none, if all that can follow was explored elsewhere.
    fn node(&self, point: &Point<'_>) -> Option<Node> {
        let tasks = || point.alternatives.iter().map(|alternative| alternative.task);
        let mut enabled: Vec<TaskId> =
            tasks().filter(|task| !self.waits(*task) || self.books.serve(&self.awaits[task.0])).collect();
        if enabled.is_empty() {
            // Nobody sees in which order they begin to wait.
            enabled.extend(tasks().next());
        }
        let over = enabled.iter().copied().filter(|task| self.parked[task.0]).collect();
        let parent = self.nodes.last();
        let asleep: Vec<Asleep> = match parent {
            Some(parent) if self.bound.is_none() => parent.still_asleep(),
            _ => Vec::new(),
        };
        let awake = |task: &&TaskId| asleep.iter().all(|asleep| asleep.task != **task);
        let before = self.running;
        let going_on = enabled.iter().filter(awake).find(|task| Some(**task) == before);
        let task = *going_on.or_else(|| enabled.iter().find(awake))?;
        Some(Node {
            enabled,
            over,
            before,
            preemptions: parent.map_or(0, |parent| parent.preemptions_with(parent.task)),
            wanted: vec![task],
            done: Vec::new(),
            asleep,
            task,
            branches: Vec::new(),
            tried: Vec::new(),
            event: None,
            atomics: self.books.known,
        })
    }

    /// Ends the event that is going on, at a sync point of its task or where that waits or has ended.
    fn close(&mut self, at_point: bool) {
        let mut touches = std::mem::take(&mut self.touches);
        footprint::take(&mut touches);
        let intent = footprint::intent();
        let mut rest = touches.as_slice();
        if let Some(task) = self.running {
            let end = rest.iter().position(|touch| touch.place == Place::Rest).unwrap_or(rest.len());
            self.close_event(task, &rest[..end]);
            rest = &rest[end..];
            self.parked[task.0] = !at_point;
            if at_point {
                self.awaits[task.0] = intent;
            }
        }
        for touch in rest {
            if touch.what == What::Rests {
                self.rest();
            } else {
                self.books.note(*touch, &[], None);
            }
        }
        touches.clear();
        self.touches = touches;
    }

    fn close_event(&mut self, task: TaskId, touches: &[Touch]) {
        let at = self.trace.events.len();
        let known = if at < self.fresh { self.nodes[at].event.clone() } else { None };
        let awaited = std::mem::take(&mut self.awaited);
        let mut entries: Vec<Entry> = Vec::with_capacity(touches.len());
        for (index, touch) in touches.iter().enumerate() {
            let seen = known.as_ref().and_then(|event| event.entries.get(index));
            entries.push(self.books.note(*touch, &awaited, seen));
        }
        self.awaited = awaited;
        if let Some(event) = known {
            self.diverged |= event.entries != entries;
            self.trace.add(event);
            return;
        }
        let (before, races) = self.races(task, &entries);
        for race in races {
            self.reverse(race, task, &before);
        }
        let event = Arc::new(Event { task, entries, before, waits: self.only_waits });
        self.nodes[at].event = Some(Arc::clone(&event));
        self.trace.add(event);
    }

    fn races(&self, task: TaskId, entries: &[Entry]) -> (Events, Vec<usize>) {
        self.trace.races(task, entries, |event| self.nodes[event].over.contains(&task))
    }

    /// Nobody can go on: what others wait for could have been theirs as well, and would be, had they come first.
    fn rest(&mut self) {
        if self.trace.events.len() > self.fresh {
            for task in (0..self.awaits.len()).map(TaskId) {
                if self.books.has_ended(task) || self.awaits[task.0].is_empty() {
                    continue;
                }
                let entries = self.books.awaited(&self.awaits[task.0]);
                let (before, races) = self.races(task, &entries);
                for race in races {
                    self.reverse(race, task, &before);
                }
            }
        }
        self.trace.rest();
        self.running = None;
    }

    /// Has an event, which races with the next of another task, come after that.
    fn reverse(&mut self, event: usize, task: TaskId, before: &Events) {
        if self.bound.is_some() {
            self.reverse_bounded(event, task);
            return;
        }
        // What does not depend on the event, and could come in its place. To begin to wait is not of it: without the event that
        // task may have gone ahead instead, which is something else.
        let mut between = Events::default();
        let events = &self.trace.events;
        for (index, other) in events.iter().enumerate().skip(event + 1) {
            if !other.waits && !other.before.contains(event) {
                between.insert(index);
            }
        }
        let comes_first = |index: &usize| between.contains(*index) && !events[*index].before.meets(&between);
        let first = (event + 1..events.len()).filter(comes_first).map(|index| events[index].task);
        let own = (!before.meets(&between)).then_some(task);
        let mut initials: Vec<TaskId> = own.into_iter().chain(first).collect();
        let node = &mut self.nodes[event];
        if initials.iter().any(|task| node.wanted.contains(task) || node.is_asleep(*task)) {
            return;
        }
        initials.retain(|task| node.enabled.contains(task));
        if let Some(task) = initials.first() {
            node.want(*task);
        }
    }

    /// As [`Exploration::reverse`], where preemptions are bounded: also where the task that did it was switched to, for a
    /// switch costs nothing more there.
    fn reverse_bounded(&mut self, event: usize, task: TaskId) {
        let chosen = self.nodes[event].task;
        let mut start = event;
        while start > 0 && self.nodes[start - 1].task == chosen {
            start -= 1;
        }
        for at in [event, start] {
            let node = &mut self.nodes[at];
            if !node.want(task) {
                node.wanted.extend(node.enabled.clone());
                node.wanted.sort_unstable();
                node.wanted.dedup();
            }
        }
    }
}
