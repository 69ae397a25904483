use super::execution::{Execution, Glimpse, interleaving};

/// What a search has to know of a run.
pub(super) struct Brief {
    pub(super) sync_points: u64,
    /// Equal for equal interleavings of one script.
    pub(super) interleaving: u64,
    /// What it was, unless it plainly passed.
    pub(super) execution: Option<Box<Execution>>,
}

impl Brief {
    pub(super) fn of(glimpse: Glimpse<'_>) -> Brief {
        Brief {
            sync_points: glimpse.sync_points(),
            interleaving: glimpse.interleaving(),
            execution: if glimpse.passes() { None } else { Some(Box::new(glimpse.told())) },
        }
    }
}

impl From<Execution> for Brief {
    fn from(execution: Execution) -> Brief {
        Brief {
            sync_points: execution.run.sync_points,
            interleaving: interleaving(&execution.history.calls),
            execution: Some(Box::new(execution)),
        }
    }
}
