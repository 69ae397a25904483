//! Engines: running one body once.
//!
//! An engine knows nothing of muxes or scripts: it runs a [`Body`] that uses [`sync`](crate::sync), finds
//! the moments at which nothing can go on, and leaves a [`Run`] to be judged.

pub mod run;

pub use run::{End, Object, ObjectId, ObjectKind, Run, State, Status, Target, Task, TaskId, Wait};

/// What an engine runs.
pub trait Body: Send + Sync + 'static {
    /// The first task, and its name.
    fn first(self: std::sync::Arc<Self>) -> Job;

    /// Called at each quiescence with some task still blocked: nothing can go on unless something is added.
    fn quiescent(self: std::sync::Arc<Self>, state: &State) -> Next;
}

/// A task to be started by the engine.
pub struct Job {
    /// The name it has in schedules and reports.
    pub name: String,
    /// What it does.
    pub run: Box<dyn FnOnce() + Send>,
}

/// What to do at quiescence.
pub enum Next {
    /// Start these and go on.
    Start(Vec<Job>),
    /// End the execution; what is blocked is unwound.
    End,
}
