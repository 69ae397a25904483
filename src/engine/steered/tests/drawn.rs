//! Drawn programs: tasks that do this and that with a few channels and locks.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Program, Replay, Seen, choices, led, on_fibers, schedule, steer};
use crate::sync::channel::{Receiver, Sender, bounded};
use crate::sync::{Condvar, Mutex, RwLock, select, thread};

/// What a task of a drawn program does; numbers are of channels and locks.
#[derive(Clone, Debug)]
enum Do {
    Send(usize),
    Recv(usize),
    TrySend(usize),
    TryRecv(usize),
    RecvTimeout(usize),
    /// Receives from one or the other, or sends to the third.
    Select(usize, usize, usize),
    /// Holds a lock over what comes next.
    Lock(usize),
    Read,
    Write,
    Wait,
    Notify,
    Drop(usize),
    Sleep,
}

/// A rendezvous or two, and channels with room.
const CAPACITIES: [usize; 4] = [0, 0, 1, 2];

fn things_to_do() -> impl Strategy<Value = Vec<Vec<Do>>> {
    let channel = || 0..CAPACITIES.len();
    let one = prop_oneof![
        4 => channel().prop_map(Do::Send),
        4 => channel().prop_map(Do::Recv),
        1 => channel().prop_map(Do::TrySend),
        1 => channel().prop_map(Do::TryRecv),
        1 => channel().prop_map(Do::RecvTimeout),
        3 => (channel(), channel(), channel()).prop_map(|(a, b, c)| Do::Select(a, b, c)),
        2 => (0..2usize).prop_map(Do::Lock),
        1 => Just(Do::Read),
        1 => Just(Do::Write),
        2 => Just(Do::Wait),
        1 => Just(Do::Notify),
        1 => channel().prop_map(Do::Drop),
        1 => Just(Do::Sleep),
    ];
    vec(vec(one, 1..6), 1..5)
}

/// What the tasks of a drawn program share.
struct Common {
    locks: [Mutex<()>; 2],
    shared: RwLock<()>,
    turns: (Mutex<()>, Condvar),
}

fn program(tasks: Vec<Vec<Do>>) -> Program {
    Arc::new(move |seen: &Seen| {
        let channels: Vec<_> = CAPACITIES.map(bounded::<usize>).into();
        let common = Arc::new(Common {
            locks: [Mutex::new(()), Mutex::new(())],
            shared: RwLock::new(()),
            turns: (Mutex::new(()), Condvar::new()),
        });
        let tasks: Vec<_> = tasks.iter().cloned().enumerate().collect();
        let run = |(number, things): (usize, Vec<Do>)| {
            let (seen, channels, common) = (seen.clone(), channels.clone(), Arc::clone(&common));
            thread::spawn(move || {
                act(number, &things, channels.into_iter().map(Some).collect(), &common, &seen)
            })
        };
        let tasks: Vec<_> = tasks.into_iter().map(run).collect();
        drop(channels);
        tasks.into_iter().for_each(|task| drop(task.join()));
    })
}

fn act(
    number: usize,
    things: &[Do],
    mut channels: Vec<Option<(Sender<usize>, Receiver<usize>)>>,
    common: &Common,
    seen: &Seen,
) {
    let mut held = Vec::new();
    for (index, thing) in things.iter().enumerate() {
        let message = number * 100 + index;
        let tx = |channel: usize| channels[channel].as_ref().map(|channel| &channel.0);
        let rx = |channel: usize| channels[channel].as_ref().map(|channel| &channel.1);
        let came = match *thing {
            Do::Send(channel) => format!("{:?}", tx(channel).map(|tx| tx.send(message))),
            Do::Recv(channel) => format!("{:?}", rx(channel).map(|rx| rx.recv())),
            Do::TrySend(channel) => format!("{:?}", tx(channel).map(|tx| tx.try_send(message))),
            Do::TryRecv(channel) => format!("{:?}", rx(channel).map(|rx| rx.try_recv())),
            Do::RecvTimeout(channel) => {
                format!("{:?}", rx(channel).map(|rx| rx.recv_timeout(Duration::from_secs(9))))
            }
            Do::Select(a, b, c) => match (rx(a), rx(b), tx(c)) {
                (Some(a), Some(b), Some(c)) => select! {
                    recv(a) -> got => format!("first {got:?}"),
                    recv(b) -> got => format!("second {got:?}"),
                    send(c, message) -> sent => format!("third {sent:?}"),
                },
                _ => continue,
            },
            Do::Lock(lock) => {
                held.push(common.locks[lock].lock());
                continue;
            }
            Do::Read => {
                drop(common.shared.read());
                "read".to_owned()
            }
            Do::Write => {
                drop(common.shared.write());
                "written".to_owned()
            }
            Do::Wait => {
                common.turns.1.wait(&mut common.turns.0.lock());
                "notified".to_owned()
            }
            Do::Notify => common.turns.1.notify_one().to_string(),
            Do::Drop(channel) => channels[channel].take().is_some().to_string(),
            Do::Sleep => {
                thread::sleep(Duration::from_secs(index as u64));
                "slept".to_owned()
            }
        };
        seen.note(format!("{number}: {thing:?} {came}"));
        held.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_drawn_is_the_same_on_threads(tasks in things_to_do(), seed: u64, cut: Index) {
        let program = program(tasks);
        for seed in [seed, !seed, seed.wrapping_mul(3)] {
            let (expected, whole) = on_fibers(&program, seed);
            let end = cut.index(choices(&whole).len() + 1);
            let prefix = schedule(choices(&whole).into_iter().take(end));
            let (after, _) = led(&program, Replay::new(&prefix));
            for (schedule, expected) in [(whole, expected), (prefix, after)] {
                match steer(&program, &schedule) {
                    Ok(did) => prop_assert_eq!(did, expected, "{}", schedule),
                    Err(divergence) => prop_assert!(false, "{}\n{}\n{:?}", divergence, schedule, expected),
                }
            }
        }
    }
}
