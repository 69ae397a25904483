use std::cell::OnceCell;

use super::State;

/// A moment at which nothing can go on. What is not asked is not computed: most executions pass.
pub struct Quiescence<'a> {
    anyone_blocked: bool,
    state: OnceCell<State>,
    make: &'a dyn Fn() -> State,
}

impl<'a> Quiescence<'a> {
    pub(super) fn new(anyone_blocked: bool, make: &'a dyn Fn() -> State) -> Quiescence<'a> {
        Quiescence { anyone_blocked, state: OnceCell::new(), make }
    }

    /// Whether any task is blocked; if not, all have ended.
    pub fn is_anyone_blocked(&self) -> bool {
        self.anyone_blocked
    }

    /// The tasks and objects.
    pub fn state(&self) -> &State {
        self.state.get_or_init(self.make)
    }
}
