//! What the seam looks at of the calling thread.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use super::Me;
use super::footprint::Writes;
use crate::engine::fibers::Table;

/// What the calling thread is in the middle of, as far as each operation looks at it. It is in one place, for to find one is a
/// call in the eyes of the compiler, before which it has to save what it has in registers.
pub(crate) struct Here {
    /// Outside executions it is all that a call looks at.
    pub(super) me: Cell<Option<Me>>,
    /// How far the current task has been unwound: see [`Unwound`](super::Unwound).
    pub(super) unwound: Cell<u64>,
    /// Whether what is touched is written down: see [`footprint`](super::footprint).
    pub(super) writes: Cell<Writes>,
    /// The table of the execution, if that is on fibers; none while it is used. The engine takes it away again.
    pub(crate) table: Cell<Option<ManuallyDrop<Box<Table>>>>,
}

thread_local! {
    // Without a destructor, which each access would have to ask for.
    pub(crate) static HERE: Here = const {
        Here { me: Cell::new(None), unwound: Cell::new(0), writes: Cell::new(Writes::No), table: Cell::new(None) }
    };
}
