//! Runs one of the programs so many times, outside of any execution. All are on one thread, so that the count of their
//! instructions is the same each time.

use std::hint::black_box;
use std::process::ExitCode;

use watchmux::sync::atomic::{AtomicU64, Ordering};
use watchmux::sync::channel::{bounded, never};
use watchmux::sync::{Condvar, Mutex, RwLock, select};
use watchmux::{Config, Mux};

/// The programs, by name.
const PROGRAMS: [(&str, fn(u64)); 6] = [
    ("ping-pong over two channels", ping_pong),
    ("select of two channels", selection),
    ("mutex and condition variable", mutex),
    ("rwlock, read and written", rwlock),
    ("atomic", atomic),
    ("mux, read by four watchers", mux),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &*arguments {
        [] => PROGRAMS.iter().for_each(|(name, _)| println!("{name}")),
        [name, times] => {
            let program = PROGRAMS.iter().find(|(own, _)| own == name);
            let (Some((_, run)), Ok(times)) = (program, times.parse()) else {
                eprintln!("read `{name}` `{times}`, expected a program and a number");
                return ExitCode::from(2);
            };
            run(times);
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn ping_pong(times: u64) {
    let (ping, pinged) = bounded(1);
    let (pong, ponged) = bounded(1);
    for n in 0..times {
        ping.send(black_box(n)).unwrap();
        pong.send(pinged.recv().unwrap()).unwrap();
        black_box(ponged.recv().unwrap());
    }
}

fn selection(times: u64) {
    let (sender, receiver) = bounded(1);
    let other = never::<u64>();
    for n in 0..times {
        sender.send(black_box(n)).unwrap();
        select! {
            recv(receiver) -> message => _ = black_box(message),
            recv(other) -> message => _ = black_box(message),
        }
    }
}

fn mutex(times: u64) {
    let (total, changed) = (Mutex::new(0), Condvar::new());
    for n in 0..times {
        *total.lock() += black_box(n);
        changed.notify_all();
    }
    black_box(total.into_inner());
}

fn rwlock(times: u64) {
    let total = RwLock::new(0);
    for n in 0..times {
        *total.write() += black_box(n);
        black_box(*total.read());
    }
}

fn atomic(times: u64) {
    let total = AtomicU64::new(0);
    for n in 0..times {
        total.fetch_add(black_box(n), Ordering::SeqCst);
        black_box(total.load(Ordering::SeqCst));
    }
}

fn mux(times: u64) {
    let mux = Mux::new(Config::default());
    let watchers = [(); 4].map(|()| mux.watch().unwrap());
    for n in 0..times {
        mux.action(black_box(n)).unwrap();
        for watcher in &watchers {
            black_box(watcher.recv().unwrap());
        }
    }
}
