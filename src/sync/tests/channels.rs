//! Channels against crossbeam-channel's, alone and with locks and threads.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{ENGINES, config, inside};

/// One step of a task that is alone with two channels.
#[derive(Clone, Copy, Debug)]
enum Step {
    TrySend(bool),
    TryRecv(bool),
    SendTimeout(bool),
    RecvTimeout(bool),
    Drain(bool),
    CloneSender(bool),
    DropSender(bool),
    CloneReceiver(bool),
    DropReceiver(bool),
    Look(bool),
    SelectSend(bool),
    SelectRecv(bool),
    SelectTimeout(bool),
    /// Offers a send on one channel and a receive on the other, of which the other cannot go ahead.
    SelectBoth(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..14u8, any::<bool>()).prop_map(|(kind, which)| match kind {
        0 => Step::TrySend(which),
        1 => Step::TryRecv(which),
        2 => Step::SendTimeout(which),
        3 => Step::RecvTimeout(which),
        4 => Step::Drain(which),
        5 => Step::CloneSender(which),
        6 => Step::DropSender(which),
        7 => Step::CloneReceiver(which),
        8 => Step::DropReceiver(which),
        9 => Step::Look(which),
        10 => Step::SelectSend(which),
        11 => Step::SelectRecv(which),
        12 => Step::SelectTimeout(which),
        _ => Step::SelectBoth(which),
    });
    vec(step, 0..40)
}

/// The same program, over the channels of one crate or the other.
macro_rules! programs {
    ($name:ident, $channel:path, $thread:path, $mutex:path, $rwlock:path) => {
        mod $name {
            use $channel::{Receiver, Sender, bounded, select, unbounded};
            use $mutex as Mutex;
            use $rwlock as RwLock;
            use $thread as thread;

            use super::*;

            type Side = (Vec<Sender<u32>>, Vec<Receiver<u32>>);

            const SOON: Duration = Duration::from_micros(50);

            fn channel(capacity: Option<usize>) -> Side {
                let (tx, rx) = capacity.map_or_else(unbounded, bounded);
                (vec![tx], vec![rx])
            }

            /// What one task sees of two channels.
            pub(super) fn alone(capacities: [Option<usize>; 2], steps: &[Step]) -> Vec<String> {
                let mut channels = capacities.map(channel);
                let mut seen = Vec::new();
                for (number, step) in (0..).zip(steps) {
                    let saw = one_step(&mut channels, *step, number);
                    seen.push(saw.unwrap_or_else(|| "nothing to do".to_owned()));
                }
                seen
            }

            fn one_step(channels: &mut [Side; 2], step: Step, number: u32) -> Option<String> {
                let saw = match step {
                    Step::TrySend(at) => format!("{:?}", channels[at as usize].0.last()?.try_send(number)),
                    Step::TryRecv(at) => format!("{:?}", channels[at as usize].1.last()?.try_recv()),
                    Step::SendTimeout(at) => {
                        format!("{:?}", channels[at as usize].0.last()?.send_timeout(number, SOON))
                    }
                    Step::RecvTimeout(at) => {
                        format!("{:?}", channels[at as usize].1.last()?.recv_timeout(SOON))
                    }
                    Step::Drain(at) => {
                        format!("{:?}", channels[at as usize].1.last()?.try_iter().collect::<Vec<_>>())
                    }
                    Step::CloneSender(at) => {
                        let clone = channels[at as usize].0.last()?.clone();
                        channels[at as usize].0.push(clone);
                        return None;
                    }
                    Step::DropSender(at) => {
                        channels[at as usize].0.pop();
                        return None;
                    }
                    Step::CloneReceiver(at) => {
                        let clone = channels[at as usize].1.last()?.clone();
                        channels[at as usize].1.push(clone);
                        return None;
                    }
                    Step::DropReceiver(at) => {
                        channels[at as usize].1.pop();
                        return None;
                    }
                    Step::Look(at) => {
                        let tx = channels[at as usize].0.last()?;
                        format!("{} {} {} {:?}", tx.len(), tx.is_empty(), tx.is_full(), tx.capacity())
                    }
                    Step::SelectSend(at) => {
                        let tx = channels[at as usize].0.last()?;
                        select! { send(tx, number) -> sent => format!("{sent:?}"), default => "no".to_owned() }
                    }
                    Step::SelectRecv(at) => {
                        let rx = channels[at as usize].1.last()?;
                        select! { recv(rx) -> got => format!("{got:?}"), default => "no".to_owned() }
                    }
                    Step::SelectTimeout(at) => {
                        let rx = channels[at as usize].1.last()?;
                        select! { recv(rx) -> got => format!("{got:?}"), default(SOON) => "late".to_owned() }
                    }
                    Step::SelectBoth(at) => {
                        let (tx, rx) = (channels[at as usize].0.last()?, channels[!at as usize].1.last()?);
                        let sends = channels[at as usize].1.is_empty() || !tx.is_full();
                        let receives = channels[!at as usize].0.is_empty() || !rx.is_empty();
                        if sends && receives {
                            return None;
                        }
                        select! {
                            send(tx, number) -> sent => format!("sent {sent:?}"),
                            recv(rx) -> got => format!("got {got:?}"),
                            default => "neither".to_owned(),
                        }
                    }
                };
                Some(saw)
            }

            /// What readers make of what writers send, through one channel, `recv` or `select!`, and locks.
            pub(super) fn together(
                capacity: Option<usize>,
                writers: u32,
                readers: usize,
                messages: u32,
                selects: bool,
            ) -> (Vec<u32>, u32) {
                let (tx, rx) = capacity.map_or_else(unbounded, bounded);
                let (done, finished) = bounded::<()>(0);
                let received = Arc::new(Mutex::new(Vec::new()));
                let largest = Arc::new(RwLock::new(0));
                let writing: Vec<_> = (0..writers)
                    .map(|writer| {
                        let tx: Sender<u32> = tx.clone();
                        thread::spawn(move || {
                            for message in 0..messages {
                                let message = writer * 1000 + message;
                                if selects {
                                    select! { send(tx, message) -> sent => sent.unwrap() }
                                } else {
                                    tx.send(message).unwrap();
                                }
                            }
                        })
                    })
                    .collect();
                let reading: Vec<_> = (0..readers)
                    .map(|_| {
                        let (rx, received, largest) = (rx.clone(), Arc::clone(&received), Arc::clone(&largest));
                        let finished = finished.clone();
                        thread::spawn(move || {
                            loop {
                                let message = if selects {
                                    select! {
                                        recv(rx) -> message => message,
                                        recv(finished) -> _ => unreachable!("nobody is done yet"),
                                    }
                                } else {
                                    rx.recv()
                                };
                                let Ok(message) = message else { return };
                                put(&received, message);
                                raise(&largest, message);
                            }
                        })
                    })
                    .collect();
                drop((tx, rx));
                writing.into_iter().for_each(|writer| writer.join().unwrap());
                reading.into_iter().for_each(|reader| reader.join().unwrap());
                drop(done);
                let mut all = take(&received);
                all.sort_unstable();
                (all, read(&largest))
            }

            fn put(to: &Mutex<Vec<u32>>, value: u32) {
                to.lock().push(value);
            }

            fn take(from: &Mutex<Vec<u32>>) -> Vec<u32> {
                std::mem::take(&mut from.lock())
            }

            fn raise(largest: &RwLock<u32>, value: u32) {
                if *largest.read() < value {
                    let mut largest = largest.write();
                    *largest = value.max(*largest);
                }
            }

            fn read(largest: &RwLock<u32>) -> u32 {
                *largest.read()
            }
        }
    };
}

programs!(native, crossbeam_channel, std::thread, parking_lot::Mutex, parking_lot::RwLock);
programs!(seam, crate::sync::channel, crate::sync::thread, crate::sync::Mutex, crate::sync::RwLock);

fn capacity() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![Just(Some(0)), Just(Some(1)), Just(Some(2)), Just(None)]
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn one_task_sees_what_it_sees_natively(capacities in [capacity(), capacity()], steps in steps()) {
        let natively = native::alone(capacities, &steps);
        prop_assert_eq!(&natively, &seam::alone(capacities, &steps));
        for engine in ENGINES {
            let steps = steps.clone();
            prop_assert_eq!(&natively, &inside(engine, 0, move || seam::alone(capacities, &steps)));
        }
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn tasks_do_together_what_they_do_natively(
        capacity in capacity(),
        writers in 1..4u32,
        readers in 1..4usize,
        messages in 0..8u32,
        selects: bool,
        seed: u64,
    ) {
        let natively = native::together(capacity, writers, readers, messages, selects);
        prop_assert_eq!(&natively, &seam::together(capacity, writers, readers, messages, selects));
        let run = move || seam::together(capacity, writers, readers, messages, selects);
        for engine in ENGINES {
            prop_assert_eq!(&natively, &inside(engine, seed, run));
        }
    }
}
