/// Whoever has one is of this crate: a method that takes one can be implemented nowhere else.
///
/// A task that cannot go on must never be chosen: one that borrows from the stack of another would outlive it. Of what
/// [`choose`](super::Strategy::choose) says any number will do:
///
/// ```
/// use watchmux::engine::strategy::{Point, Strategy};
///
/// struct Last;
///
/// impl Strategy for Last {
///     fn choose(&mut self, _: &Point<'_>) -> usize {
///         usize::MAX
///     }
/// }
/// ```
///
/// But not of a task:
///
/// ```compile_fail
/// use watchmux::engine::strategy::{Point, Strategy};
/// use watchmux::engine::{Access, TaskId, TaskSet};
///
/// struct Last;
///
/// impl Strategy for Last {
///     fn choose(&mut self, _: &Point<'_>) -> usize {
///         usize::MAX
///     }
///
///     fn choose_task(&mut self, _: Option<TaskId>, _: &TaskSet, _: &[Access]) -> TaskId {
///         TaskId(usize::MAX)
///     }
/// }
/// ```
///
/// Nor of who goes on without being written down:
///
/// ```compile_fail
/// use watchmux::engine::fibers::Step;
/// use watchmux::engine::strategy::{Point, Strategy};
/// use watchmux::engine::{Access, TaskId, TaskSet};
///
/// struct Unnoted;
///
/// impl Strategy for Unnoted {
///     fn choose(&mut self, _: &Point<'_>) -> usize {
///         0
///     }
///
///     fn step(&mut self, current: TaskId, _: &TaskSet, _: &[Access], _: &mut Vec<Step>) -> TaskId {
///         current
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sealed;
