use std::io::{self, Write};
use std::panic::Location;

use super::style::{FAINT, TITLE, styled};
use crate::engine::words::{place, waiting, what};
use crate::engine::{State, Status, TaskId};
use crate::hunt::Execution;

/// Writes the tasks that are blocked or have panicked as Go dumps its goroutines: each with what it waits for,
/// who could end that, and where in the code it is.
pub(super) fn write(out: &mut dyn Write, execution: &Execution) -> io::Result<()> {
    let state = &execution.run.state;
    for (index, task) in state.tasks.iter().enumerate() {
        let name = styled(TITLE, &task.name);
        let op = pending(execution, TaskId(index)).map(|op| format!(": {op}")).unwrap_or_default();
        match &task.status {
            Status::Blocked(waits) => {
                writeln!(out, "  {name} [{}]{op}", waiting(waits))?;
                for wait in waits {
                    writeln!(out, "      {} {}", what(state, wait.target), at(wait.location))?;
                }
            }
            Status::Panicked(message) => writeln!(out, "  {name} [panicked]{op}\n      {message}")?,
            Status::Running | Status::Ended => {}
        }
    }
    Ok(())
}

/// Whether there is anything to write.
pub(super) fn is_any(state: &State) -> bool {
    state.tasks.iter().any(|task| matches!(task.status, Status::Blocked(_) | Status::Panicked(_)))
}

/// The op that the task has called and not returned from.
fn pending(execution: &Execution, task: TaskId) -> Option<String> {
    let mut calls = execution.history.calls.iter();
    calls.find(|call| call.task == task && call.returned.is_none()).map(|call| call.op.to_string())
}

fn at(location: &Location<'_>) -> String {
    styled(FAINT, format!("at {}", place(location))).to_string()
}
