use parking_lot::Mutex;

/// A value that the tasks of an execution share without the engine taking notice: locking it is no sync point.
///
/// For what watches an execution, not for what is watched.
#[derive(Debug, Default)]
pub struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    /// Shares a value.
    pub const fn new(value: T) -> Shared<T> {
        Shared(Mutex::new(value))
    }

    /// Uses the value.
    ///
    /// Nothing of [`sync`](crate::sync) may be used or dropped in there: a task that waits would keep all others
    /// out, unseen.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock())
    }

    /// The value, which nobody else can be using.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Gives up sharing for the value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}
