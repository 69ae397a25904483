use std::cell::OnceCell;

use super::{State, TaskId};

/// A moment at which nothing can go on. What is not asked is not computed: most executions pass.
pub struct Quiescence<'a> {
    anyone_blocked: bool,
    is_blocked: &'a dyn Fn(TaskId) -> bool,
    state: OnceCell<State>,
    make: &'a dyn Fn() -> State,
}

impl<'a> Quiescence<'a> {
    pub(super) fn new(
        anyone_blocked: bool,
        is_blocked: &'a dyn Fn(TaskId) -> bool,
        make: &'a dyn Fn() -> State,
    ) -> Quiescence<'a> {
        Quiescence { anyone_blocked, is_blocked, state: OnceCell::new(), make }
    }

    /// Whether any task is blocked; if not, all have ended.
    pub fn is_anyone_blocked(&self) -> bool {
        self.anyone_blocked
    }

    /// Whether this task is blocked.
    pub fn is_blocked(&self, task: TaskId) -> bool {
        (self.is_blocked)(task)
    }

    /// The tasks and objects.
    pub fn state(&self) -> &State {
        self.state.get_or_init(self.make)
    }
}
