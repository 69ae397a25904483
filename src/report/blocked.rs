use std::borrow::Cow;
use std::io::{self, Write};

use super::Layout;
use super::style::{FAINT, TITLE, styled, wrap};
use crate::engine::words::{described, is_wait_group, place, waiting, who_could_end};
use crate::engine::{Stack, State, Status, Target, TaskId, Wait};
use crate::hunt::{Execution, Interleaving};
use crate::oracle::{Call, Chain, ChainEnd, Outcome};

/// The tasks that are left at the end of an execution, and what is known of them.
pub(super) struct Left<'a> {
    pub(super) calls: &'a [Call],
    pub(super) state: &'a State,
    /// Who waits for whom, if that is known.
    pub(super) chain: Option<&'a Chain>,
    pub(super) stacks: Cow<'a, [Stack]>,
    /// Whether tasks are told of that could go on.
    pub(super) running: bool,
}

/// A task that is left.
pub(super) struct LeftTask<'a> {
    id: TaskId,
    pub(super) name: &'a str,
    /// In Go's words: `chan send`, `lock`, `select`…
    pub(super) word: &'static str,
    /// The call that it is in, or panicked in.
    pub(super) call: Option<&'a Call>,
    pub(super) panic: Option<&'a str>,
    pub(super) waits: &'a [Wait],
    /// Its calls, if any are known.
    pub(super) stack: Option<&'a Stack>,
}

impl<'a> Left<'a> {
    /// Of an execution of a script; and the same step by step, if it has a schedule.
    pub(super) fn of(
        execution: &'a Execution,
        interleaving: Option<&'a Interleaving>,
        chain: Option<&'a Chain>,
    ) -> Left<'a> {
        let stacks = match interleaving {
            Some(told) => Cow::Borrowed(&told.trace.stacks[..]),
            None => Cow::Owned(execution.run.stacks.resolve(&execution.run.state)),
        };
        Left { calls: &execution.history.calls, state: &execution.run.state, chain, stacks, running: false }
    }

    /// Whether there are any.
    pub(super) fn is_any(&self) -> bool {
        self.tasks().next().is_some()
    }

    /// Them, in the order in which they were started.
    pub(super) fn tasks(&self) -> impl Iterator<Item = LeftTask<'_>> {
        self.state.tasks.iter().enumerate().filter_map(|(index, task)| {
            let id = TaskId(index);
            let of_task = || self.calls.iter().filter(|call| call.task == id);
            let panicked = of_task().rev().find(|call| call.panic().is_some());
            let pending = of_task().find(|call| call.returned.is_none());
            let (word, call, panic, waits) = match (&task.status, panicked) {
                (Status::Blocked(waits), _) => (waiting(self.state, waits), pending, None, &waits[..]),
                (Status::Panicked(message), _) => ("panicked", pending, Some(message.as_str()), &[][..]),
                (_, Some(call)) => ("panicked", Some(call), call.panic(), &[][..]),
                (Status::Running, None) if self.running => ("running", pending, None, &[][..]),
                (Status::Running | Status::Ended, None) => return None,
            };
            let mut stacks = self.stacks.iter().filter(|stack| !stack.frames.is_empty());
            let stack = stacks.find(|stack| stack.task == id && stack.panicked == panic.is_some());
            Some(LeftTask { id, name: &task.name, word, call, panic, waits, stack })
        })
    }

    /// Writes them as Go dumps its goroutines: each with its state, what it waits for, who could end that, and its stack; or
    /// where in the code it is, if its stack is not known.
    pub(super) fn write(&self, out: &mut dyn Write, layout: Layout) -> io::Result<()> {
        for task in self.tasks() {
            let op = task.call.map(|call| format!(" in {}", call.op)).unwrap_or_default();
            writeln!(out, "  {} [{}]{op}", styled(TITLE, task.name), task.word)?;
            for wait in task.waits {
                let at = if task.stack.is_some() { String::new() } else { place(wait.location) };
                told(out, &self.what(&task, wait), &at, layout)?;
            }
            if let Some(message) = task.panic {
                told(out, message, "", layout)?;
            }
            if let Some(stack) = task.stack {
                frames(out, stack, layout)?;
            }
        }
        Ok(())
    }

    /// What a task waits for, and who could end that: ``to send to watcher `a` (channel(0) `watcher`), which only lane0
    /// reads``.
    pub(super) fn what(&self, task: &LeftTask<'_>, wait: &Wait) -> String {
        let (what, who) = (self.waits_for(wait.target), self.who(task, wait.target));
        if who.is_empty() || wait.target.object().is_none() { what } else { format!("{what}, {who}") }
    }

    /// What is waited for: ``to send to watcher `a` (channel(0) `watcher`)``.
    pub(super) fn waits_for(&self, target: Target) -> String {
        let Some(id) = target.object() else { return format!("for {}", who_could_end(self.state, target)) };
        let object = self.state.object(id);
        let verb = match target {
            Target::Send(_) => "to send to",
            Target::Recv(_) if !is_wait_group(object) => "to receive from",
            Target::Read(_) => "to read",
            _ => "for",
        };
        let joined = Outcome::Joined(Some(id));
        let watch = self.calls.iter().rfind(|call| call.outcome() == Some(&joined));
        match watch.and_then(|call| call.op.slot()) {
            Some(slot) => format!("{verb} watcher `{slot}` ({})", described(object)),
            None => format!("{verb} {}", described(object)),
        }
    }

    /// Who could end a wait. Who reads a watcher is known from its script; of other channels it is known who used them.
    fn who(&self, task: &LeftTask<'_>, target: Target) -> String {
        let last = self.chain.and_then(|chain| chain.links.last().map(|last| (last, &chain.end)));
        let readers = match last {
            Some((last, ChainEnd::Watcher(readers))) if (last.task, last.target) == (task.id, target) => {
                readers
            }
            _ => return who_could_end(self.state, target),
        };
        let names: Vec<&str> = readers.iter().map(|reader| self.state.task(*reader).name.as_str()).collect();
        match names[..] {
            [] => "which nobody reads".to_owned(),
            [name] => format!("which only {name} reads"),
            [..] => format!("which only {} read", names.join(" and ")),
        }
    }
}

fn told(out: &mut dyn Write, text: &str, at: &str, layout: Layout) -> io::Result<()> {
    for line in text.lines().flat_map(|line| wrap(line, layout.width.saturating_sub(6))) {
        writeln!(out, "      {line}")?;
    }
    if !at.is_empty() {
        writeln!(out, "        {}", styled(FAINT, format!("at {at}")))?;
    }
    Ok(())
}

fn frames(out: &mut dyn Write, stack: &Stack, layout: Layout) -> io::Result<()> {
    for frame in &stack.frames {
        let function = frame.short_function();
        let at = format!("at {}:{}", frame.file, frame.line);
        let fits = 9 + function.chars().count() + at.chars().count() <= layout.width;
        let gap = if fits { " " } else { "\n          " };
        writeln!(out, "        {function}{gap}{}", styled(FAINT, at))?;
    }
    Ok(())
}
