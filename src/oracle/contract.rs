//! Contracts: which ops may be blocked at quiescence, and when; which guarantees hold; which calls are the
//! caller's own error.

use crate::script::{OpKind, OpSet};

/// What a subject promises.
///
/// Built from one of the two ends, [`Contract::strict`] and [`Contract::silent`], by what differs:
///
/// ```
/// use watchmux::oracle::{Blocking, Contract, Guarantee};
/// use watchmux::script::{OpKind, OpSet};
///
/// let contract = Contract::silent()
///     .with(OpKind::Stop, Blocking::SendingToAnother)
///     .guaranteeing(&[Guarantee::Order, Guarantee::Once])
///     .misuse_after_shutdown(OpSet::of(&[OpKind::Action, OpKind::Shutdown]));
/// assert_eq!(contract.blocking(OpKind::Recv), Blocking::Silent);
/// ```
#[derive(Clone, Debug)]
pub struct Contract {
    /// When an op of each kind may be blocked at quiescence, by [`OpKind`].
    pub blocking: [Blocking; OpKind::ALL.len()],
    /// The guarantees it gives.
    pub guarantees: &'static [Guarantee],
    /// The ops that are the caller's own error once `shutdown` or `close` has been called (or at the same
    /// time): a panic they cause, there or on the subject's own tasks, is excused, and so is all that follows.
    pub misuse_after_shutdown: OpSet,
    /// Whether the prefix of a watcher takes room in its queue, which has room for one event more than that at least.
    /// It is outside the queue otherwise.
    pub prefix_in_queue: bool,
}

impl Contract {
    /// The shipped mux's contract: its whole table, every guarantee, and no call is the caller's error.
    pub const fn strict() -> Contract {
        Contract {
            blocking: [Blocking::Never; OpKind::ALL.len()],
            guarantees: &Guarantee::ALL,
            misuse_after_shutdown: OpSet::NONE,
            prefix_in_queue: false,
        }
        .with(OpKind::Action, Blocking::Table)
        .with(OpKind::Recv, Blocking::Table)
        .with(OpKind::Shutdown, Blocking::Table)
    }

    /// The contract that promises nothing: any op may block, and no call is the caller's error.
    pub const fn silent() -> Contract {
        Contract {
            blocking: [Blocking::Silent; OpKind::ALL.len()],
            guarantees: &[],
            misuse_after_shutdown: OpSet::NONE,
            prefix_in_queue: false,
        }
    }

    /// This contract, with another rule for one kind of op.
    #[must_use]
    pub const fn with(mut self, kind: OpKind, blocking: Blocking) -> Contract {
        self.blocking[kind as usize] = blocking;
        self
    }

    /// This contract, with these guarantees and no others.
    #[must_use]
    pub const fn guaranteeing(mut self, guarantees: &'static [Guarantee]) -> Contract {
        self.guarantees = guarantees;
        self
    }

    /// This contract, with these ops as the caller's error after or concurrent with `shutdown` or `close`.
    #[must_use]
    pub const fn misuse_after_shutdown(mut self, kinds: OpSet) -> Contract {
        self.misuse_after_shutdown = kinds;
        self
    }

    /// This contract, with the prefix of a watcher in its queue.
    #[must_use]
    pub const fn with_prefix_in_queue(mut self) -> Contract {
        self.prefix_in_queue = true;
        self
    }

    /// When an op of this kind may be blocked at quiescence.
    pub fn blocking(&self, kind: OpKind) -> Blocking {
        self.blocking[kind as usize]
    }

    /// Whether it gives this guarantee.
    pub fn guarantees(&self, guarantee: Guarantee) -> bool {
        self.guarantees.contains(&guarantee)
    }
}

/// When an op may be blocked at quiescence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocking {
    /// Never: not for other watchers, other callers or the dispatcher.
    Never,
    /// As the shipped mux's table says for this op (DESIGN: the mux).
    Table,
    /// As the table says, also when the mux is being closed; calls that are blocked too may have taken the room in the
    /// incoming queue.
    BackPressure,
    /// While the dispatcher sends to another watcher than the op's own.
    SendingToAnother,
    /// While a live watcher that waits when full is full and unread; also once the mux is closed.
    WatcherFull,
    /// Until the mux is closed and every watcher has been stopped.
    UntilTheEnd,
    /// Whenever it likes: the documentation does not say.
    Silent,
}

impl Blocking {
    /// The clause in words, for an op of this kind.
    pub fn clause(self, kind: OpKind) -> String {
        let when = match (self, kind) {
            (Blocking::Table, OpKind::Action) => {
                "may block only while the mux is open, the incoming queue is full and the dispatcher waits for \
                 a live, full, unread `wait` watcher"
            }
            (Blocking::Table, OpKind::Recv) => {
                "may block only until `shutdown` has returned, while nothing is owed to its live watcher or the \
                 dispatcher waits for another full one"
            }
            (Blocking::Table, OpKind::Shutdown) => {
                "may block only while a live `wait` watcher is full and unread"
            }
            (Blocking::BackPressure, OpKind::Action) => {
                "may block only while the incoming queue is full, of events or of other calls, and the dispatcher waits \
                 for a live, full, unread `wait` watcher"
            }
            (Blocking::BackPressure, _) => return Blocking::Table.clause(kind),
            (Blocking::Never | Blocking::Table, _) => {
                "never blocks: not for other watchers, other callers or the dispatcher"
            }
            (Blocking::SendingToAnother, _) => "may block only while the dispatcher sends to another watcher",
            (Blocking::WatcherFull, _) => "may block only while a live `wait` watcher is full and unread",
            (Blocking::UntilTheEnd, _) => {
                "may block only until the mux is closed and every watcher has been stopped"
            }
            (Blocking::Silent, _) => "may block",
        };
        format!("`{kind}` {when}")
    }
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
    /// After `close` returned, nothing is accepted; before it was called, nothing is refused.
    CloseFinal,
    /// A delivery's or an end's count of missed events is right.
    Missed,
    /// The prefix is delivered first, whole.
    Prefix,
    /// A panic in the user's `Clone` or `Drop` harms nobody but the watcher that the event is for. It is no rule of its own:
    /// where it is given, all the others are kept when an event panics, and where not, none is made to.
    PanicSafety,
}

impl Guarantee {
    /// Every guarantee.
    pub const ALL: [Guarantee; 10] = [
        Guarantee::Order,
        Guarantee::Complete,
        Guarantee::NoEarlier,
        Guarantee::Once,
        Guarantee::StopFinal,
        Guarantee::ShutdownFinal,
        Guarantee::CloseFinal,
        Guarantee::Missed,
        Guarantee::Prefix,
        Guarantee::PanicSafety,
    ];

    /// Two or three words for it, as signatures have it.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::Order => "order",
            Guarantee::Complete | Guarantee::NoEarlier => "exact suffix",
            Guarantee::Once => "once",
            Guarantee::StopFinal => "stop is final",
            Guarantee::ShutdownFinal => "shutdown is final",
            Guarantee::CloseFinal => "close is final",
            Guarantee::Missed => "missed adds up",
            Guarantee::Prefix => "prefix first",
            Guarantee::PanicSafety => "panic safety",
        }
    }

    /// The clause in words.
    pub fn clause(self) -> &'static str {
        match self {
            Guarantee::Order => {
                "all watchers see events in one total order, which respects the real time of their actions"
            }
            Guarantee::Complete => {
                "a watcher sees every event whose action was called after its watch returned, up to its stop"
            }
            Guarantee::NoEarlier => {
                "a watcher sees no event whose action returned before its watch was called"
            }
            Guarantee::Once => {
                "no event is seen twice or changed, and none that was refused or never published"
            }
            Guarantee::StopFinal => {
                "after `stop` returned, a receive gives what was buffered and then the end, and no event of a \
                 later action"
            }
            Guarantee::ShutdownFinal => {
                "after `shutdown` returned, all is distributed: a receive gives what was owed and then the end"
            }
            Guarantee::CloseFinal => {
                "after `close` or `shutdown` returned everything is refused, and before either was called nothing"
            }
            Guarantee::Missed => {
                "the number of missed events is right, and nothing is missed without a drop policy"
            }
            Guarantee::Prefix => "the prefix is delivered first, whole and in order",
            Guarantee::PanicSafety => {
                "an event that panics in `Clone` or `Drop` harms nobody but the watcher it is for"
            }
        }
    }
}
