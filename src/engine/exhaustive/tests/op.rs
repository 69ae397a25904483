//! What the tasks of small programs do, and which programs are drawn.

use proptest::collection::vec;
use proptest::prelude::*;

/// How many channels there are: a rendezvous, one with room for one message, one for two, and one for any number.
const CHANNELS: usize = 4;

/// What a task does; channels and the like are taken modulo their number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Send(usize),
    TrySend(usize),
    SendTimeout(usize),
    Recv(usize),
    TryRecv(usize),
    RecvTimeout(usize),
    Select(usize, usize),
    SelectDefault(usize, usize),
    SelectSend(usize, usize),
    SelectSendAtOnce(usize, usize),
    DropSender(usize),
    DropReceiver(usize),
    Len(usize),
    Lock(usize),
    LockBoth(usize),
    LockAndSend(usize, usize),
    TryLock(usize),
    Read,
    ReadAndLoad,
    Write,
    TryWrite,
    Load(usize),
    Store(usize),
    Add(usize),
    Wait,
    WaitFor,
    WaitInVain,
    NotifyOne,
    NotifyAll,
    SpawnAndJoin(usize),
    Spawn(usize),
    Yield,
    Sleep,
}

/// Which kinds of op a program has.
pub(super) fn op() -> impl Strategy<Value = Op> {
    let two = || (0..CHANNELS, 0..CHANNELS);
    prop_oneof![
        3 => (0..CHANNELS).prop_map(Op::Send),
        2 => (0..CHANNELS).prop_map(Op::TrySend),
        1 => (0..CHANNELS).prop_map(Op::SendTimeout),
        3 => (0..CHANNELS).prop_map(Op::Recv),
        2 => (0..CHANNELS).prop_map(Op::TryRecv),
        1 => (0..CHANNELS).prop_map(Op::RecvTimeout),
        2 => two().prop_map(|(one, other)| Op::Select(one, other)),
        1 => two().prop_map(|(one, other)| Op::SelectDefault(one, other)),
        1 => two().prop_map(|(one, other)| Op::SelectSend(one, other)),
        1 => (0..CHANNELS).prop_map(Op::DropSender),
        1 => (0..CHANNELS).prop_map(Op::DropReceiver),
        1 => (0..CHANNELS).prop_map(Op::Len),
        2 => (0..2_usize).prop_map(Op::Lock),
        1 => (0..2_usize).prop_map(Op::LockBoth),
        1 => (0..2_usize, 0..CHANNELS).prop_map(|(lock, channel)| Op::LockAndSend(lock, channel)),
        1 => (0..2_usize).prop_map(Op::TryLock),
        1 => Just(Op::Read),
        1 => Just(Op::ReadAndLoad),
        1 => Just(Op::Write),
        1 => Just(Op::TryWrite),
        1 => (0..2_usize).prop_map(Op::Load),
        1 => (0..2_usize).prop_map(Op::Store),
        1 => (0..2_usize).prop_map(Op::Add),
        2 => Just(Op::Wait),
        1 => Just(Op::WaitFor),
        2 => Just(Op::NotifyOne),
        1 => Just(Op::NotifyAll),
        1 => (0..2_usize).prop_map(Op::SpawnAndJoin),
        1 => (0..2_usize).prop_map(Op::Spawn),
        1 => Just(Op::Yield),
        1 => Just(Op::Sleep),
    ]
}

impl Op {
    /// What it does when its time is up before all others are at rest: it fails as if it had not waited.
    fn hurried(self) -> Option<Op> {
        match self {
            Op::SendTimeout(c) => Some(Op::TrySend(c)),
            Op::RecvTimeout(c) => Some(Op::TryRecv(c)),
            Op::SelectSend(c, d) => Some(Op::SelectSendAtOnce(c, d)),
            Op::WaitFor => Some(Op::WaitInVain),
            Op::Sleep => Some(Op::Yield),
            _ => None,
        }
    }

    /// The same op with other channels.
    fn on(self, channel: impl Fn(usize) -> usize) -> Op {
        match self {
            Op::Send(c) => Op::Send(channel(c)),
            Op::TrySend(c) => Op::TrySend(channel(c)),
            Op::SendTimeout(c) => Op::SendTimeout(channel(c)),
            Op::Recv(c) => Op::Recv(channel(c)),
            Op::TryRecv(c) => Op::TryRecv(channel(c)),
            Op::RecvTimeout(c) => Op::RecvTimeout(channel(c)),
            Op::Select(c, d) => Op::Select(channel(c), channel(d)),
            Op::SelectDefault(c, d) => Op::SelectDefault(channel(c), channel(d)),
            Op::SelectSend(c, d) => Op::SelectSend(channel(c), channel(d)),
            Op::SelectSendAtOnce(c, d) => Op::SelectSendAtOnce(channel(c), channel(d)),
            Op::DropSender(c) => Op::DropSender(channel(c)),
            Op::DropReceiver(c) => Op::DropReceiver(channel(c)),
            Op::Len(c) => Op::Len(channel(c)),
            Op::LockAndSend(lock, c) => Op::LockAndSend(lock, channel(c)),
            other => other,
        }
    }
}

/// Up to three tasks, with a few ops each; some with all ops, and some with a few of one or two channels, which meet more.
pub(super) fn program() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let tasks = |op: BoxedStrategy<Op>| {
        prop_oneof![
            4 => vec(vec(op.clone(), 1..=3), 2),
            3 => vec(vec(op, 1..=2), 3),
        ]
    };
    let few = vec(op(), 3..=4).prop_flat_map(move |ops| tasks(proptest::sample::select(ops).boxed()));
    let few = (few, 0..CHANNELS, 0..CHANNELS).prop_map(|(tasks, one, other)| {
        let channel = |channel: usize| if channel.is_multiple_of(2) { one } else { other };
        tasks.into_iter().map(|ops| ops.into_iter().map(|op| op.on(channel)).collect()).collect()
    });
    prop_oneof![1 => tasks(op().boxed()), 2 => few]
}

/// Whether a task only tries for a lock, and so sees whether it is held.
pub(super) fn tries(tasks: &[Vec<Op>]) -> bool {
    tasks.iter().flatten().any(|op| matches!(op, Op::TryLock(_) | Op::TryWrite))
}

/// The program, and it with any of its time-outs hurried.
pub(super) fn with_hurried(tasks: &[Vec<Op>]) -> Vec<Vec<Vec<Op>>> {
    let mut programs = vec![tasks.to_vec()];
    for (task, ops) in tasks.iter().enumerate() {
        for (index, op) in ops.iter().enumerate() {
            let Some(hurried) = op.hurried() else { continue };
            for mut program in programs.clone() {
                program[task][index] = hurried;
                programs.push(program);
            }
        }
    }
    programs
}
