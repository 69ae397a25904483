use std::io::{self, Write};

use super::Layout;
use super::style::{FAINT, TITLE, styled, wrap};
use crate::engine::trace::Trace;
use crate::engine::words::{described, place, waiting, who_could_end};
use crate::engine::{Stack, State, Status, Target, TaskId, Wait};
use crate::hunt::Execution;
use crate::oracle::{Call, Outcome};

/// The tasks that are left at the end of an execution, and what is known of them.
pub(super) struct Left<'a> {
    pub(super) calls: &'a [Call],
    pub(super) state: &'a State,
    pub(super) stacks: &'a [Stack],
    /// Whether tasks are told of that could go on.
    pub(super) running: bool,
}

impl<'a> Left<'a> {
    /// Of an execution of a script.
    pub(super) fn of(execution: &'a Execution, trace: Option<&'a Trace>) -> Left<'a> {
        let stacks = trace.map_or(&[][..], |trace| &trace.stacks);
        Left { calls: &execution.history.calls, state: &execution.run.state, stacks, running: false }
    }

    /// Whether there is anything to write.
    pub(super) fn is_any(&self) -> bool {
        self.state.tasks.iter().any(|task| is_left(&task.status, self.running))
            || self.calls.iter().any(|call| call.panic().is_some())
    }

    /// Writes the tasks that are blocked or have panicked as Go dumps its goroutines: each with its state, what it waits
    /// for, who could end that, and its stack; or where in the code it is, if its stack is not known.
    pub(super) fn write(&self, out: &mut dyn Write, layout: Layout) -> io::Result<()> {
        for (index, task) in self.state.tasks.iter().enumerate() {
            let id = TaskId(index);
            let panic = self.calls.iter().rfind(|call| call.task == id && call.panic().is_some());
            let pending = self.calls.iter().find(|call| call.task == id && call.returned.is_none());
            let (word, call) = match (&task.status, panic) {
                (Status::Blocked(waits), _) => (waiting(waits), pending),
                (Status::Panicked(_), _) => ("panicked", pending),
                (_, Some(call)) => ("panicked", Some(call)),
                (Status::Running, None) if self.running => ("running", pending),
                (Status::Running | Status::Ended, None) => continue,
            };
            let op = call.map(|call| format!(" in {}", call.op)).unwrap_or_default();
            writeln!(out, "  {} [{word}]{op}", styled(TITLE, &task.name))?;
            let panicked = word == "panicked";
            let mut stacks = self.stacks.iter().filter(|stack| !stack.frames.is_empty());
            let stack = stacks.find(|stack| stack.task == id && stack.panicked == panicked);
            match (&task.status, panic.and_then(Call::panic)) {
                (Status::Blocked(waits), _) => {
                    for wait in waits {
                        let at = if stack.is_some() { String::new() } else { place(wait.location) };
                        told(out, &self.what(wait), &at, layout)?;
                    }
                }
                (Status::Panicked(message), _) => told(out, message, "", layout)?,
                (_, Some(message)) => told(out, message, "", layout)?,
                (Status::Running | Status::Ended, None) => {}
            }
            if let Some(stack) = stack {
                frames(out, stack, layout)?;
            }
        }
        Ok(())
    }

    /// ``to send to watcher `a` (channel(0)), whose receiver was last used by lane0``
    fn what(&self, wait: &Wait) -> String {
        let who = who_could_end(self.state, wait.target);
        let Some(id) = wait.target.object() else { return format!("for {who}") };
        let object = described(self.state.object(id));
        let joined = Outcome::Joined(Some(id));
        let watch = self.calls.iter().rfind(|call| call.outcome() == Some(&joined));
        let object = match watch.and_then(|call| call.op.slot()) {
            Some(slot) => format!("watcher `{slot}` ({object})"),
            None => object,
        };
        let verb = match wait.target {
            Target::Send(_) => "to send to",
            Target::Recv(_) => "to receive from",
            Target::Read(_) => "to read",
            _ => "for",
        };
        if who.is_empty() { format!("{verb} {object}") } else { format!("{verb} {object}, {who}") }
    }
}

/// Whether a task is blocked or has panicked; or could go on, if such are told of.
pub(super) fn is_left(status: &Status, running: bool) -> bool {
    match status {
        Status::Blocked(_) | Status::Panicked(_) => true,
        Status::Running => running,
        Status::Ended => false,
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
