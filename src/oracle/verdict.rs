use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Chain, Origin};
use crate::script::OpKind;

/// What an execution was judged to be. A value, never a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing broke the contract.
    Pass,
    /// An op is blocked where the contract does not allow it, and nothing can ever wake it.
    Hang,
    /// The history breaks a guarantee.
    Violation,
    /// The subject panicked, and the contract does not excuse it.
    Panic,
    /// The schedule to be replayed does not fit.
    Diverged,
    /// Nothing can be concluded: a deadline or a budget ran out.
    Inconclusive,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Verdict; 6] = [
        Verdict::Pass,
        Verdict::Hang,
        Verdict::Violation,
        Verdict::Panic,
        Verdict::Diverged,
        Verdict::Inconclusive,
    ];

    /// As `expect` lines and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Hang => "hang",
            Verdict::Violation => "violation",
            Verdict::Panic => "panic",
            Verdict::Diverged => "diverged",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of bug a finding is, in GoBench's taxonomy (Yuan et al., CGO 2021).
///
/// A join is what Go does with a wait group. Three kinds of mixed deadlock are named here that GoBench has no bug of:
/// those over a lock and a condition variable, a lock and a join, a condition variable and a join. Of GoBench's
/// classes these have no counterpart: *channel & context* (there are no contexts; one that is cancelled is a channel
/// that is closed), *data race* and *anonymous function* (a task of safe Rust shares no variable unprotected), and
/// *special libraries* (Go's own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Blocking: a task waits for a lock that it holds.
    DoubleLocking,
    /// Blocking: tasks hold a lock each, and wait for the next one's.
    AbBaDeadlock,
    /// Blocking: a reader waits behind a writer, which waits for that reader, or for one who waits for it.
    RwrDeadlock,
    /// Blocking, over locks alone: whoever held one has ended.
    ResourceDeadlock,
    /// Blocking, over channels alone.
    ChannelDeadlock,
    /// Blocking, over condition variables alone.
    CondvarDeadlock,
    /// Blocking, over channels and condition variables.
    ChannelCondvarDeadlock,
    /// Blocking, over channels and locks.
    MixedChannelLock,
    /// Blocking, over channels and joins.
    MixedChannelWaitGroup,
    /// Blocking, over condition variables and locks: a lock that a waiting task still holds.
    MixedCondvarLock,
    /// Blocking, over condition variables and joins.
    MixedCondvarWaitGroup,
    /// Blocking, over locks and joins.
    MixedLockWaitGroup,
    /// Blocking, over joins alone.
    MisuseWaitGroup,
    /// Non-blocking: things happened in an order that must not be.
    OrderViolation,
    /// Non-blocking: an event was lost, repeated or changed.
    AtomicityViolation,
    /// Non-blocking: a channel was used after it was closed, or closed twice.
    ChannelMisuse,
    /// Non-blocking: any other panic.
    SubjectPanic,
    /// Nothing is known of the waits: a black box was still blocked at its deadline.
    Unknown,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 18] = [
        Class::DoubleLocking,
        Class::AbBaDeadlock,
        Class::RwrDeadlock,
        Class::ResourceDeadlock,
        Class::ChannelDeadlock,
        Class::CondvarDeadlock,
        Class::ChannelCondvarDeadlock,
        Class::MixedChannelLock,
        Class::MixedChannelWaitGroup,
        Class::MixedCondvarLock,
        Class::MixedCondvarWaitGroup,
        Class::MixedLockWaitGroup,
        Class::MisuseWaitGroup,
        Class::OrderViolation,
        Class::AtomicityViolation,
        Class::ChannelMisuse,
        Class::SubjectPanic,
        Class::Unknown,
    ];

    /// As reports and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Class::DoubleLocking => "resource deadlock: double locking",
            Class::AbBaDeadlock => "resource deadlock: AB-BA",
            Class::RwrDeadlock => "resource deadlock: RWR",
            Class::ResourceDeadlock => "resource deadlock",
            Class::ChannelDeadlock => "communication deadlock: channel",
            Class::CondvarDeadlock => "communication deadlock: condition variable",
            Class::ChannelCondvarDeadlock => "communication deadlock: channel & condition variable",
            Class::MixedChannelLock => "mixed deadlock: channel & lock",
            Class::MixedChannelWaitGroup => "mixed deadlock: channel & wait group",
            Class::MixedCondvarLock => "mixed deadlock: condition variable & lock",
            Class::MixedCondvarWaitGroup => "mixed deadlock: condition variable & wait group",
            Class::MixedLockWaitGroup => "mixed deadlock: lock & wait group",
            Class::MisuseWaitGroup => "mixed deadlock: misuse of wait group",
            Class::OrderViolation => "order violation",
            Class::AtomicityViolation => "atomicity violation",
            Class::ChannelMisuse => "channel misuse",
            Class::SubjectPanic => "panic",
            Class::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What makes two findings the same: verdict, class, and the cycle or the broken rule in kinds of op and
/// object, without names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// The verdict.
    pub verdict: Verdict,
    /// The class.
    pub class: Class,
    /// The op that is blocked, was answered wrongly or panicked; `None` for a task of the subject's own.
    /// In a violation, a `try-` form that did what the other does counts as the other.
    pub op: Option<OpKind>,
    /// The chain of waits or the broken rule, in kinds: `stop waits for lock, held by dispatcher, which waits to
    /// send to own watcher`.
    pub shape: String,
    /// Whether it showed only while the execution was wound down.
    pub wind_down: bool,
}

/// A verdict other than [`Verdict::Pass`], and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What makes it the same as another.
    pub signature: Signature,
    /// In one sentence, with names.
    pub sentence: String,
    /// The clause of the contract that was broken, in words.
    pub clause: String,
    /// Where the call that shows it comes from; `None` for a task of the subject's own.
    pub origin: Option<Origin>,
    /// The index of the call that shows it, in [`History::calls`](super::History::calls).
    pub call: Option<usize>,
    /// The calls that this one contradicts, by their indexes, in order: a violation is not in one call alone.
    pub against: Vec<usize>,
    /// Of a hang, who waits for whom.
    pub chain: Option<Chain>,
}

/// What the oracle says of one execution.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Judgement {
    /// All that was found, the one to report first.
    pub findings: Vec<Finding>,
    /// Why nothing could be concluded, if that is so.
    pub inconclusive: Option<String>,
}

impl Judgement {
    /// The verdict: the first finding's, and otherwise whether all was checked.
    pub fn verdict(&self) -> Verdict {
        match (self.findings.first(), &self.inconclusive) {
            (Some(finding), _) => finding.signature.verdict,
            (None, Some(_)) => Verdict::Inconclusive,
            (None, None) => Verdict::Pass,
        }
    }
}
