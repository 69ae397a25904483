//! Contracts: which ops may be blocked at quiescence, and when; which guarantees hold; which calls are the
//! caller's own error.

use crate::script::{OpKind, OpSet};

/// What a subject promises.
#[derive(Clone, Debug)]
pub struct Contract {
    /// When an op of each kind may be blocked at quiescence, by [`OpKind`].
    pub blocking: [Blocking; OpKind::ALL.len()],
    /// The guarantees it gives.
    pub guarantees: &'static [Guarantee],
    /// The ops that are the caller's own error once `shutdown` has been called (or at the same time): a panic
    /// they cause, there or on the subject's own tasks, is excused, and so is what they block.
    pub misuse_after_shutdown: OpSet,
}

/// When an op may be blocked at quiescence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocking {
    /// Never: not for other watchers, other callers or the dispatcher.
    Never,
    /// As the shipped mux's table says for this op (DESIGN: the mux).
    Table,
    /// While the dispatcher sends to another watcher than the op's own.
    SendingToAnother,
    /// Whenever it likes: the documentation does not say.
    Silent,
}

/// What a contract can guarantee of histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// All watchers see events in one total order that respects real time.
    Order,
    /// A watcher sees every event whose action was called after its watch returned.
    Complete,
    /// A watcher sees no event whose action returned before its watch was called.
    NoEarlier,
    /// No event twice, none changed, none that nobody published.
    Once,
    /// After `stop` returned: what was buffered, then closed, for ever.
    StopFinal,
    /// After `shutdown` returned: all was distributed, and then closed, for ever.
    ShutdownFinal,
    /// After `close` returned, nothing is accepted.
    CloseFinal,
    /// A delivery's or an end's count of missed events is right.
    Missed,
    /// The prefix is delivered first, whole.
    Prefix,
}
