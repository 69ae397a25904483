//! The table: what each version of the gallery must show, and no other.

use crate::oracle::{Class, Verdict};
use crate::script::{ContractKind, OpKind};
use crate::subject::{Bug, Sign};

/// A bug, and who has it.
struct Row {
    bug: Bug,
    /// The subjects, by name.
    on: &'static [&'static str],
}

/// What the subject of this name has.
pub(super) fn of(subject: &str) -> Vec<&'static Bug> {
    TABLE.iter().filter(|row| row.on.contains(&subject)).map(|row| &row.bug).collect()
}

const V0: &str = "k8s-906";
const V1: &str = "k8s-1321";
const V2: &str = "k8s-3381";
const V3: &str = "k8s-5270";
const V4: &str = "k8s-13058";
const V5: &str = "k8s-14881";
const V6: &str = "k8s-91602";
const V7: &str = "k8s-95664";
const V8: &str = "k8s-108080";
const V9: &str = "k8s-110040";
const KERNEL: &str = "goker-1321";

const STRICT: &[ContractKind] = &[ContractKind::Strict];
const BOTH: &[ContractKind] = &ContractKind::ALL;

const ACTION: Option<OpKind> = Some(OpKind::Action);
const RECV: Option<OpKind> = Some(OpKind::Recv);
const SHUTDOWN: Option<OpKind> = Some(OpKind::Shutdown);
const STOP: Option<OpKind> = Some(OpKind::Stop);
const TRY_ACTION: Option<OpKind> = Some(OpKind::TryAction);
const TRY_RECV: Option<OpKind> = Some(OpKind::TryRecv);
const WATCH: Option<OpKind> = Some(OpKind::Watch);

const fn hang(class: Class, ops: &'static [Option<OpKind>], shape: &'static [&'static str]) -> Sign {
    Sign { verdict: Verdict::Hang, class, ops, shape }
}

const fn order(ops: &'static [Option<OpKind>], shape: &'static [&'static str]) -> Sign {
    Sign { verdict: Verdict::Violation, class: Class::OrderViolation, ops, shape }
}

const fn atomicity(ops: &'static [Option<OpKind>], shape: &'static [&'static str]) -> Sign {
    Sign { verdict: Verdict::Violation, class: Class::AtomicityViolation, ops, shape }
}

const fn misuse(ops: &'static [Option<OpKind>], shape: &'static [&'static str]) -> Sign {
    Sign { verdict: Verdict::Panic, class: Class::ChannelMisuse, ops, shape }
}

/// Who waits for what in the end, where it is not the op's own watcher that is not read.
const FOR_ANOTHER: &str = "dispatcher, which waits to send to another watcher";
/// The same, of an op without a watcher.
const FOR_ONE: &str = "dispatcher, which waits to send to a watcher";

static TABLE: [Row; 19] = [
    Row {
        bug: Bug {
            id: "B1",
            title: "stop waits for the lock that the dispatcher holds while it sends to that watcher (#1321)",
            under: BOTH,
            signs: &[hang(
                Class::MixedChannelLock,
                &[STOP],
                &["lock, held by dispatcher, which waits to send to own watcher"],
            )],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n action\n stop a",
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n stop a",
            ],
        },
        on: &[V0, KERNEL],
    },
    Row {
        bug: Bug {
            id: "B2",
            title: "a watcher receives an event from before its watch (#14617, #14881)",
            under: STRICT,
            signs: &[order(&[RECV], &["exact suffix: an event from before the watch"])],
            scripts: &["mux incoming=1 queue=0 when-full=wait\nlane\n action\n watch a\n recv a"],
        },
        on: &[V0, V1, V2, V3, V4],
    },
    Row {
        bug: Bug {
            id: "B3",
            title: "shutdown returns before all is distributed (#13058)",
            under: STRICT,
            signs: &[
                order(&[TRY_RECV], &["shutdown is final: nothing there"]),
                order(&[RECV], &["shutdown is final: an event not distributed"]),
                order(&[RECV], &["shutdown is final: an event left out"]),
                hang(Class::ChannelDeadlock, &[RECV], &[FOR_ANOTHER]),
            ],
            scripts: &[
                "mux incoming=1 queue=1 when-full=wait\nlane\n watch a\n action\n shutdown\n try-recv a",
            ],
        },
        on: &[V0, V1, V2, V3],
    },
    Row {
        bug: Bug {
            id: "B4",
            title: "an action after shutdown sends on a closed channel (#94906, #108518)",
            under: STRICT,
            signs: &[misuse(&[ACTION, TRY_ACTION], &["send on closed channel"])],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n shutdown\n action"],
        },
        on: &[V0, V1, V2, V3, V4, V5, V6, V7],
    },
    Row {
        bug: Bug {
            id: "B4w",
            title: "a watch after shutdown sends on a closed channel",
            under: STRICT,
            signs: &[misuse(&[WATCH], &["send on closed channel"])],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n shutdown\n watch a"],
        },
        on: &[V5],
    },
    Row {
        bug: Bug {
            id: "B4w",
            title: "a watch after shutdown panics",
            under: STRICT,
            signs: &[Sign {
                verdict: Verdict::Panic,
                class: Class::SubjectPanic,
                ops: &[WATCH],
                shape: &["broadcaster already stopped"],
            }],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n shutdown\n watch a"],
        },
        on: &[V6, V7],
    },
    Row {
        bug: Bug {
            id: "B5",
            title: "a stop finds the mux open, and then sends on a channel that shutdown has closed (#110040)",
            under: BOTH,
            signs: &[misuse(&[STOP], &["send on closed channel"])],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nsetup\n watch a\nlane\n stop a\nlane\n shutdown",
            ],
        },
        on: &[V6, V7, V8],
    },
    Row {
        bug: Bug {
            id: "B5w",
            title: "a watch finds the mux open, and then sends on a channel that shutdown has closed (#110040)",
            under: STRICT,
            signs: &[misuse(&[WATCH], &["send on closed channel"])],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n watch a\nlane\n shutdown"],
        },
        on: &[V6, V7, V8],
    },
    Row {
        bug: Bug {
            id: "B6",
            title: "shutdown twice closes a closed channel",
            under: STRICT,
            signs: &[misuse(&[SHUTDOWN], &["close of closed channel"])],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n shutdown\n shutdown"],
        },
        on: &[V0, V1, V2, V3, V4, V5],
    },
    Row {
        bug: Bug {
            id: "B6",
            title: "two concurrent shutdowns close a closed channel, or one sends on it",
            under: STRICT,
            signs: &[
                misuse(&[None], &["close of closed channel"]),
                misuse(&[SHUTDOWN], &["send on closed channel"]),
                // What is left when the dispatcher is gone.
                hang(Class::ChannelDeadlock, &[], &["dispatcher, which panicked"]),
                hang(Class::MisuseWaitGroup, &[], &["dispatcher, which panicked"]),
                hang(Class::MixedLockWaitGroup, &[], &["dispatcher, which panicked"]),
                hang(Class::MixedChannelLock, &[], &["dispatcher, which panicked"]),
            ],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n shutdown\nlane\n shutdown"],
        },
        on: &[V6, V7],
    },
    Row {
        bug: Bug {
            id: "B7",
            title: "a watch after shutdown gives a watcher that nobody will ever close",
            under: STRICT,
            signs: &[
                hang(Class::ChannelDeadlock, &[RECV], &["own watcher, served by nobody"]),
                order(&[WATCH], &["close is final: accepted when closed"]),
                order(&[TRY_RECV], &["shutdown is final: late, and nothing there"]),
            ],
            scripts: &["mux incoming=0 queue=0 when-full=wait\nlane\n shutdown\n watch a\n recv a"],
        },
        on: &[V0, V1, V2, V3, V4],
    },
    Row {
        bug: Bug {
            id: "H1",
            title: "stop waits while the dispatcher sends to another watcher",
            under: STRICT,
            signs: &[
                hang(Class::MixedChannelLock, &[STOP], &[FOR_ANOTHER]),
                hang(Class::MixedChannelWaitGroup, &[STOP], &[FOR_ANOTHER]),
                hang(Class::ChannelDeadlock, &[STOP], &[FOR_ANOTHER]),
            ],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n watch b\n action\n stop b",
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n watch b\n stop b",
            ],
        },
        on: &[V0, V1, V2, V3, V4, V5, V6, V7, V8, V9, KERNEL],
    },
    Row {
        bug: Bug {
            id: "H2",
            title: "watch waits while the dispatcher sends to another watcher",
            under: STRICT,
            signs: &[
                hang(Class::MixedChannelLock, &[WATCH], &[FOR_ANOTHER]),
                hang(Class::MixedChannelWaitGroup, &[WATCH], &[FOR_ANOTHER]),
                hang(Class::ChannelDeadlock, &[WATCH], &[FOR_ANOTHER]),
            ],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n action\n watch b",
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n watch b",
            ],
        },
        on: &[V0, V1, V2, V3, V4, V5, V6, V7, V8, V9, KERNEL],
    },
    Row {
        bug: Bug {
            id: "H3",
            title: "an action waits, with room in the incoming queue, for the lock of one that waits for the dispatcher",
            under: BOTH,
            signs: &[hang(
                Class::MixedChannelLock,
                &[ACTION],
                &["for lock, held by", "for wait group", FOR_ONE],
            )],
            scripts: &[
                "mux incoming=25 queue=0 when-full=wait\nsetup\n watch a\n action\nlane\n shutdown\nlane\n action",
            ],
        },
        on: &[V8, V9],
    },
    Row {
        bug: Bug {
            id: "H4",
            title: "a try-action waits for the lock of one that waits for the dispatcher",
            under: BOTH,
            signs: &[hang(Class::MixedChannelLock, &[TRY_ACTION], &["for lock, held by", FOR_ONE])],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nsetup\n watch a\n action\nlane\n action\nlane\n try-action",
            ],
        },
        on: &[V8, V9],
    },
    Row {
        bug: Bug {
            id: "H5",
            title: "a stop that races with shutdown returns before the watcher is closed",
            under: BOTH,
            signs: &[
                order(&[TRY_RECV], &["stop is final: nothing there"]),
                order(&[RECV], &["stop is final: an event from after the stop"]),
            ],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nsetup\n watch a\nlane\n shutdown\nlane\n stop a\n try-recv a",
            ],
        },
        on: &[V6, V7, V8, V9],
    },
    Row {
        bug: Bug {
            id: "H6",
            title: "a prefix takes room in the watcher's queue, so the dispatcher waits or drops before that is full",
            under: STRICT,
            signs: &[
                hang(Class::MixedChannelWaitGroup, &[SHUTDOWN], &[FOR_ONE]),
                hang(Class::MixedChannelLock, &[SHUTDOWN], &[FOR_ONE]),
                hang(Class::ChannelDeadlock, &[SHUTDOWN], &[FOR_ONE]),
                hang(Class::ChannelDeadlock, &[RECV], &[FOR_ANOTHER]),
                hang(Class::ChannelDeadlock, &[RECV], &["dispatcher, which waits to receive from channel"]),
                atomicity(&[RECV], &["exact suffix: an event lost at the end"]),
                order(&[RECV], &["shutdown is final: an event not distributed"]),
            ],
            scripts: &[
                "mux incoming=25 queue=2 when-full=wait\nlane\n watch a prefix=1\n action\n action\n shutdown",
                "mux incoming=25 queue=2 when-full=wait\nlane\n watch a prefix=1\n watch b\n action\n action\n recv b\n recv b",
            ],
        },
        on: &[V3, V4, V5, V6, V7, V8, V9],
    },
    Row {
        bug: Bug {
            id: "H7",
            title: "an action that waits for room is not given back when shutdown is called",
            under: STRICT,
            signs: &[
                hang(Class::ChannelDeadlock, &[ACTION], &["to send to channel", FOR_ONE]),
                hang(
                    Class::MixedChannelLock,
                    &[ACTION],
                    &["for lock, held by", "to send to channel", FOR_ONE],
                ),
            ],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nsetup\n watch a\nlane\n action\n action\nlane\n shutdown",
            ],
        },
        on: &[V7, V8, V9],
    },
    Row {
        bug: Bug {
            id: "K1",
            title: "two watchers get the same number: stopping one closes the other, or nobody closes either",
            under: STRICT,
            signs: &[
                order(&[TRY_RECV], &["stop is final: nothing there"]),
                hang(Class::ChannelDeadlock, &[RECV], &["own watcher, served by nobody"]),
                hang(Class::ChannelDeadlock, &[RECV], &[FOR_ANOTHER]),
            ],
            scripts: &[
                "mux incoming=0 queue=0 when-full=wait\nlane\n watch a\n watch b\n stop a\n watch c\n stop b\n try-recv b",
            ],
        },
        on: &[KERNEL],
    },
];
