//! Small programs over the seam: how they are run, and what an execution of one shows.

use std::sync::Arc;
use std::time::Duration;

use super::op::Op;
use crate::engine::fibers::{self, Traced};
use crate::engine::strategy::Strategy as Search;
use crate::engine::threads::{self, Settings};
use crate::engine::{Body, End, Job, Next, Quiescence, Run, Shared, Status};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::channel::{Receiver, Sender, bounded, unbounded};
use crate::sync::{Condvar, Mutex, RwLock, select, thread};

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
