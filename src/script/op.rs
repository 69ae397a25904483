use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a script keeps a watcher: `a` to `h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(u8);

impl Slot {
    /// How many slots there are.
    pub const COUNT: usize = 8;

    /// The slot of this index, taken modulo [`Slot::COUNT`].
    pub fn new(index: u8) -> Slot {
        Slot(index % Slot::COUNT as u8)
    }

    /// The slot of this name, `a` to `h`.
    pub fn from_name(name: char) -> Option<Slot> {
        ('a'..='h').position(|slot| slot == name).map(|index| Slot(index as u8))
    }

    /// 0 for `a`, and so on.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// `a` to `h`.
    pub fn name(self) -> char {
        (b'a' + self.0).into()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

/// What to do with an event for a watcher whose queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WhenFull {
    /// Wait until there is room.
    Wait,
    /// Leave the new event out.
    DropNewest,
    /// Make room by leaving the oldest event out.
    DropOldest,
    /// End the watcher.
    Disconnect,
}

impl WhenFull {
    /// Every policy, simplest first.
    pub const ALL: [WhenFull; 4] =
        [WhenFull::Wait, WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Disconnect];

    /// As the text form writes it.
    pub fn name(self) -> &'static str {
        match self {
            WhenFull::Wait => "wait",
            WhenFull::DropNewest => "drop-newest",
            WhenFull::DropOldest => "drop-oldest",
            WhenFull::Disconnect => "disconnect",
        }
    }
}

/// One call on the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Op {
    /// Join, and keep the watcher in a slot; skipped if the slot is in use.
    Watch {
        /// Where the watcher is kept.
        slot: Slot,
        /// How many events of its own the watcher is given first.
        prefix: u8,
        /// What to do when its queue is full; the configuration's where it is `None`.
        when_full: Option<WhenFull>,
    },
    /// Publish the next event.
    Action,
    /// Publish the next event, unless that would wait.
    TryAction,
    /// Take the next delivery of a watcher, waiting for it.
    Recv(Slot),
    /// Take the next delivery of a watcher, if there is one.
    TryRecv(Slot),
    /// Stop a watcher; it stays in its slot, and can be read.
    Stop(Slot),
    /// Drop a watcher; its slot is free again.
    Drop(Slot),
    /// Close the mux.
    Close,
    /// Shut the mux down.
    Shutdown,
}

impl Op {
    /// Which kind of op it is.
    pub fn kind(self) -> OpKind {
        match self {
            Op::Watch { .. } => OpKind::Watch,
            Op::Action => OpKind::Action,
            Op::TryAction => OpKind::TryAction,
            Op::Recv(_) => OpKind::Recv,
            Op::TryRecv(_) => OpKind::TryRecv,
            Op::Stop(_) => OpKind::Stop,
            Op::Drop(_) => OpKind::Drop,
            Op::Close => OpKind::Close,
            Op::Shutdown => OpKind::Shutdown,
        }
    }

    /// The slot it names, if it names one.
    pub fn slot(self) -> Option<Slot> {
        match self {
            Op::Watch { slot, .. } | Op::Recv(slot) | Op::TryRecv(slot) | Op::Stop(slot) | Op::Drop(slot) => {
                Some(slot)
            }
            Op::Action | Op::TryAction | Op::Close | Op::Shutdown => None,
        }
    }

    /// As [`Op::slot`], to be changed.
    pub fn slot_mut(&mut self) -> Option<&mut Slot> {
        match self {
            Op::Watch { slot, .. } | Op::Recv(slot) | Op::TryRecv(slot) | Op::Stop(slot) | Op::Drop(slot) => {
                Some(slot)
            }
            Op::Action | Op::TryAction | Op::Close | Op::Shutdown => None,
        }
    }
}

/// The kinds of op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum OpKind {
    /// `watch`, `watch_with_prefix`
    Watch,
    /// `action`
    Action,
    /// `try-action`
    TryAction,
    /// `recv`
    Recv,
    /// `try-recv`
    TryRecv,
    /// `stop`
    Stop,
    /// `drop`
    Drop,
    /// `close`
    Close,
    /// `shutdown`
    Shutdown,
}

impl OpKind {
    /// Every kind.
    pub const ALL: [OpKind; 9] = [
        OpKind::Watch,
        OpKind::Action,
        OpKind::TryAction,
        OpKind::Recv,
        OpKind::TryRecv,
        OpKind::Stop,
        OpKind::Drop,
        OpKind::Close,
        OpKind::Shutdown,
    ];

    /// As the text form writes it.
    pub fn name(self) -> &'static str {
        match self {
            OpKind::Watch => "watch",
            OpKind::Action => "action",
            OpKind::TryAction => "try-action",
            OpKind::Recv => "recv",
            OpKind::TryRecv => "try-recv",
            OpKind::Stop => "stop",
            OpKind::Drop => "drop",
            OpKind::Close => "close",
            OpKind::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of kinds of op.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpSet(u16);

impl OpSet {
    /// No kind at all.
    pub const NONE: OpSet = OpSet(0);
    /// Every kind.
    pub const ALL: OpSet = OpSet((1 << OpKind::ALL.len()) - 1);

    /// The set of these kinds.
    pub const fn of(kinds: &[OpKind]) -> OpSet {
        let mut bits = 0;
        let mut next = 0;
        while next < kinds.len() {
            bits |= 1 << kinds[next] as u16;
            next += 1;
        }
        OpSet(bits)
    }

    /// This set without these kinds.
    pub const fn without(self, kinds: &[OpKind]) -> OpSet {
        OpSet(self.0 & !OpSet::of(kinds).0)
    }

    /// Whether the kind is in the set.
    pub const fn contains(self, kind: OpKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }

    /// The kinds in the set, in the order of [`OpKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = OpKind> {
        OpKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl fmt::Debug for OpSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(OpKind::name)).finish()
    }
}
