//! Small programs over the seam, and what an execution of one shows.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::engine::fibers::{self, Traced};
use crate::engine::strategy::Strategy as Search;
use crate::engine::threads::{self, Settings};
use crate::engine::{Body, End, Job, Next, Quiescence, Run, Shared, Status};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::channel::{Receiver, Sender, bounded, unbounded};
use crate::sync::{Condvar, Mutex, RwLock, select, thread};

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

/// What an execution shows: what each task saw, what it is blocked at, and how all ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shown {
    noted: Noted,
    blocked: Vec<String>,
}

/// What the tasks note: what each saw, and the values of the locks.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Noted {
    saw: Vec<Vec<u64>>,
    values: [u64; 3],
}

struct World {
    locks: [Mutex<u64>; 2],
    value: RwLock<u64>,
    atomics: [AtomicU64; 2],
    turns: Condvar,
    noted: Arc<Shared<Noted>>,
    lingers: bool,
}

impl World {
    /// What is read of the locks is noted in the order of their values alone.
    fn note(&self, place: usize, value: u64) {
        self.noted.with(|noted| noted.values[place] = value);
    }

    /// Before a lock is released.
    fn linger(&self) {
        if self.lingers {
            thread::yield_now();
        }
    }
}

/// A task's own handles of the channels.
#[derive(Clone)]
struct Handles {
    senders: Vec<Option<Sender<u64>>>,
    receivers: Vec<Option<Receiver<u64>>>,
}

fn perform(world: &Arc<World>, handles: &mut Handles, task: usize, op: Op) -> u64 {
    let message = task as u64 + 1;
    let limit = Duration::from_millis(5);
    let sender = |channel: usize| handles.senders[channel].clone();
    let receiver = |channel: usize| handles.receivers[channel].clone();
    match op {
        Op::Send(c) => sender(c).map_or(90, |tx| tx.send(message).map_or(91, |()| 92)),
        Op::TrySend(c) => handles.senders[c].as_ref().map_or(90, |tx| match tx.try_send(message) {
            Ok(()) => 92,
            Err(error) => 93 + u64::from(error.is_full()),
        }),
        Op::SendTimeout(c) => {
            handles.senders[c].as_ref().map_or(90, |tx| match tx.send_timeout(message, limit) {
                Ok(()) => 92,
                Err(error) => 93 + u64::from(error.is_timeout()),
            })
        }
        Op::Recv(c) => handles.receivers[c].as_ref().map_or(90, |rx| rx.recv().unwrap_or(91)),
        Op::TryRecv(c) => receiver(c)
            .map_or(90, |rx| rx.try_recv().unwrap_or_else(|error| 93 + u64::from(error.is_empty()))),
        Op::RecvTimeout(c) => handles.receivers[c].as_ref().map_or(90, |rx| {
            rx.recv_timeout(limit).unwrap_or_else(|error| 93 + u64::from(error.is_timeout()))
        }),
        Op::Select(c, d) => match (&handles.receivers[c], &handles.receivers[d]) {
            (Some(one), Some(other)) => select! {
                recv(one) -> got => 100 + got.unwrap_or(50),
                recv(other) -> got => 200 + got.unwrap_or(50),
            },
            _ => 90,
        },
        Op::SelectDefault(c, d) => match (&handles.receivers[c], &handles.senders[d]) {
            (Some(one), Some(other)) => select! {
                recv(one) -> got => 100 + got.unwrap_or(50),
                send(other, message) -> sent => 200 + u64::from(sent.is_ok()),
                default => 300,
            },
            _ => 90,
        },
        Op::SelectSend(c, d) => match (&handles.senders[c], &handles.receivers[d]) {
            (Some(one), Some(other)) => select! {
                send(one, message) -> sent => 200 + u64::from(sent.is_ok()),
                recv(other) -> got => 100 + got.unwrap_or(50),
                default(limit) => 300,
            },
            _ => 90,
        },
        Op::SelectSendAtOnce(c, d) => match (&handles.senders[c], &handles.receivers[d]) {
            (Some(one), Some(other)) => select! {
                send(one, message) -> sent => 200 + u64::from(sent.is_ok()),
                recv(other) -> got => 100 + got.unwrap_or(50),
                default => 300,
            },
            _ => 90,
        },
        Op::DropSender(c) => {
            handles.senders[c] = None;
            95
        }
        Op::DropReceiver(c) => {
            handles.receivers[c] = None;
            95
        }
        Op::Len(c) => handles.receivers[c].as_ref().map_or(90, |rx| rx.len() as u64),
        Op::Lock(lock) => {
            let mut held = world.locks[lock].lock();
            *held = *held * 10 + message;
            world.note(lock, *held);
            world.linger();
            *held
        }
        Op::LockBoth(lock) => {
            let mut held = world.locks[lock].lock();
            *held = *held * 10 + message;
            world.note(lock, *held);
            let mut other = world.locks[1 - lock].lock();
            *other = *other * 10 + message;
            world.note(1 - lock, *other);
            let both = *held * 1000 + *other;
            world.linger();
            drop(other);
            world.linger();
            both
        }
        Op::LockAndSend(lock, c) => {
            let held = world.locks[lock].lock();
            let sent = handles.senders[c].as_ref().map_or(90, |tx| tx.send(message).map_or(91, |()| 92));
            world.linger();
            *held * 100 + sent
        }
        Op::TryLock(lock) => world.locks[lock].try_lock().map_or(96, |held| {
            world.linger();
            *held
        }),
        Op::Read => {
            let held = world.value.read();
            world.linger();
            *held
        }
        Op::ReadAndLoad => {
            let held = world.value.read();
            let loaded = world.atomics[0].load(Ordering::SeqCst);
            world.linger();
            *held * 100 + loaded
        }
        Op::Write => {
            let mut held = world.value.write();
            *held = *held * 10 + message;
            world.note(2, *held);
            world.linger();
            *held
        }
        Op::TryWrite => world.value.try_write().map_or(96, |mut held| {
            *held = *held * 10 + message;
            world.note(2, *held);
            world.linger();
            *held
        }),
        Op::Load(atomic) => world.atomics[atomic].load(Ordering::SeqCst),
        Op::Store(atomic) => {
            world.atomics[atomic].store(message, Ordering::SeqCst);
            97
        }
        Op::Add(atomic) => world.atomics[atomic].fetch_add(message, Ordering::SeqCst),
        Op::Wait => {
            let mut held = world.locks[0].lock();
            world.linger();
            world.turns.wait(&mut held);
            world.linger();
            *held
        }
        Op::WaitFor => {
            let mut held = world.locks[0].lock();
            world.linger();
            let timed_out = world.turns.wait_for(&mut held, limit).timed_out();
            world.linger();
            *held * 2 + u64::from(timed_out)
        }
        Op::WaitInVain => {
            let mut in_vain = 0;
            for _ in 0..2 {
                let held = world.locks[0].lock();
                world.linger();
                in_vain = *held * 2 + 1;
            }
            in_vain
        }
        Op::NotifyOne => u64::from(world.turns.notify_one()),
        Op::NotifyAll => world.turns.notify_all() as u64,
        Op::SpawnAndJoin(lock) | Op::Spawn(lock) => {
            let shared = Arc::clone(world);
            let child = thread::spawn(move || {
                let mut held = shared.locks[lock].lock();
                *held = *held * 10 + 9;
                shared.note(lock, *held);
                shared.linger();
                *held
            });
            if matches!(op, Op::Spawn(_)) { child.is_finished().into() } else { child.join().unwrap_or(98) }
        }
        Op::Yield => {
            thread::yield_now();
            99
        }
        Op::Sleep => {
            thread::sleep(limit);
            99
        }
    }
}

struct Program {
    tasks: Vec<Vec<Op>>,
    /// Whether there is a sync point before a lock is released.
    lingers: bool,
    noted: Arc<Shared<Noted>>,
    /// What was noted when all had come to rest; what is blocked may go on while it is unwound.
    at_rest: Shared<Noted>,
}

impl Program {
    fn new(tasks: &[Vec<Op>], lingers: bool) -> Arc<Program> {
        let noted = Noted { saw: vec![Vec::new(); tasks.len()], ..Noted::default() };
        let (noted, at_rest) = (Arc::new(Shared::new(noted)), Shared::default());
        Arc::new(Program { tasks: tasks.to_vec(), lingers, noted, at_rest })
    }

    fn shown(&self, run: &Run) -> Shown {
        let mut blocked: Vec<String> = run
            .state
            .tasks
            .iter()
            .filter_map(|task| match &task.status {
                Status::Blocked(waits) => {
                    let name = if task.name.starts_with("task") { task.name.as_str() } else { "child" };
                    let targets: Vec<_> = waits.iter().map(|wait| wait.target.object()).collect();
                    Some(format!("{name} {targets:?}"))
                }
                Status::Panicked(message) => Some(message.clone()),
                Status::Running | Status::Ended => None,
            })
            .collect();
        blocked.sort();
        Shown { noted: self.at_rest.with(std::mem::take), blocked }
    }
}

impl Body for Program {
    fn first(self: Arc<Self>) -> Job {
        let run = move || {
            let channels = [bounded(0), bounded(1), bounded(2), unbounded()];
            let (senders, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
            let handles = Handles {
                senders: senders.into_iter().map(Some).collect(),
                receivers: receivers.into_iter().map(Some).collect(),
            };
            let world = Arc::new(World {
                locks: Default::default(),
                value: RwLock::new(0),
                atomics: Default::default(),
                turns: Condvar::new(),
                noted: Arc::clone(&self.noted),
                lingers: self.lingers,
            });
            let mut all: Vec<Handles> = self.tasks.iter().map(|_| handles.clone()).collect();
            // From here on it does nothing that the tasks could see.
            drop(handles);
            for (task, ops) in self.tasks.iter().enumerate() {
                let (world, mut handles, ops) = (Arc::clone(&world), all.remove(0), ops.clone());
                let name = format!("task{task}");
                let run = move || {
                    for op in ops {
                        let saw = perform(&world, &mut handles, task, op);
                        world.noted.with(|noted| noted.saw[task].push(saw));
                    }
                };
                drop(thread::Builder::new().name(name).spawn(run));
            }
        };
        Job::new("main", run)
    }

    fn quiescent(self: Arc<Self>, _: &Quiescence<'_>) -> Next {
        let noted = self.noted.with(|noted| noted.clone());
        self.at_rest.with(|at_rest| *at_rest = noted);
        Next::End
    }
}

/// Runs the program once.
pub(super) fn run(tasks: &[Vec<Op>], strategy: Box<dyn Search>) -> (Shown, Traced) {
    run_on_fibers(tasks, false, strategy)
}

/// As [`run`]; if it lingers, with a sync point before each release of a lock.
pub(super) fn run_on_fibers(tasks: &[Vec<Op>], lingers: bool, strategy: Box<dyn Search>) -> (Shown, Traced) {
    let program = Program::new(tasks, lingers);
    let traced = fibers::run(Arc::clone(&program) as Arc<dyn Body>, strategy, 10_000);
    assert_ne!(traced.run.end, End::Exhausted);
    (program.shown(&traced.run), traced)
}

/// As [`run_on_fibers`], but on free threads; `None` if nothing can be concluded.
pub(super) fn run_on_threads(tasks: &[Vec<Op>], lingers: bool, settings: Settings) -> Option<Shown> {
    let program = Program::new(tasks, lingers);
    let run = threads::run(Arc::clone(&program) as Arc<dyn Body>, settings);
    (run.end != End::Deadline).then(|| program.shown(&run))
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
