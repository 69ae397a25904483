//! Pieces of executions, once for all peers; see the scenarios.

use super::sync::{Mutex, channel, spawn, yield_now};
use crate::scenario::Piece;

/// That many pieces, one after the other.
pub fn repeat(piece: Piece, pieces: usize) {
    let each = |f: &dyn Fn()| (0..pieces).for_each(|_| f());
    match piece {
        Piece::Task => {
            let tasks: Vec<_> = (0..pieces).map(|_| spawn(|| ())).collect();
            tasks.into_iter().for_each(|task| task.join().unwrap());
        }
        Piece::Yield => {
            let yields = move || (0..pieces / 2).for_each(|_| yield_now());
            let other = spawn(yields);
            yields();
            other.join().unwrap();
        }
        Piece::Lock => each(&|| _ = Mutex::new(0)),
        Piece::Locking => {
            let lock = Mutex::new(0);
            each(&|| *lock.lock() += 1);
        }
        Piece::Channel => each(&|| _ = channel::<u32>(25)),
        Piece::Message => {
            let (sender, receiver) = channel(25);
            each(&|| {
                sender.send(1).unwrap();
                receiver.recv().unwrap();
            });
        }
        Piece::Sender => {
            let (sender, receiver) = channel::<u32>(25);
            each(&|| drop(sender.clone()));
            drop(receiver);
        }
        Piece::Awaited => {
            let ((sender, there), (back, receiver)) = (channel(25), channel(25));
            let other = spawn(move || there.into_iter().for_each(|message: u32| back.send(message).unwrap()));
            // One piece each way.
            (0..pieces / 2).for_each(|_| {
                sender.send(1).unwrap();
                receiver.recv().unwrap();
            });
            drop(sender);
            other.join().unwrap();
        }
        Piece::Rendezvous => {
            let (sender, receiver) = channel(0);
            let other = spawn(move || (0..pieces).for_each(|_| sender.send(1).unwrap()));
            each(&|| _ = receiver.recv().unwrap());
            other.join().unwrap();
        }
    }
}
