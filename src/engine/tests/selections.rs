//! Selections: of nothing, and what is selected and not completed, or only later.

use std::collections::BTreeSet;

use super::*;
use crate::explore::{Config, Search, explore};

on_both! {

#[test]
fn a_selection_of_nothing_is_over_at_once_or_when_its_time_is_up() {
    let run = run_once(0, || {
        let (began, soon) = (Instant::now(), Duration::from_millis(1));
        assert!(Select::new().try_select().is_err());
        assert!(Select::new().select_timeout(soon).is_err());
        assert!(began.elapsed() >= soon);
        assert!(Select::new().select_deadline(began + 2 * soon).is_err());
        assert!(began.elapsed() >= 2 * soon);
    });
    assert_eq!((run.end, panicked(&run)), (End::Finished, vec![]));
    for wait in [|| Select::new().select(), || Select::new().select_timeout(Duration::MAX).unwrap()] {
        let run = run_once(0, move || drop(wait()));
        assert_eq!(panicked(&run), ["no operations have been added to `Select`"]);
    }
}

#[test]
fn a_selected_operation_is_completed_on_the_handle_it_was_added_with() {
    let run = run_once(0, || {
        let (tx, rx) = bounded(1);
        tx.send(()).unwrap();
        let mut select = Select::new();
        select.recv(&rx);
        let _ = select.select().recv(&rx.clone());
    });
    assert_eq!(panicked(&run), ["passed a receiver that wasn't selected"]);
}

#[test]
fn a_selected_operation_that_is_dropped_panics() {
    let run = run_once(0, || {
        let (tx, rx) = bounded(1);
        tx.send(()).unwrap();
        let mut select = Select::new();
        select.recv(&rx);
        drop(select.select());
    });
    assert_eq!(panicked(&run), ["dropped `SelectedOperation` without completing the operation"]);
}

#[test]
fn a_hang_between_a_selection_and_its_end_is_a_quiescence_and_unwinds() {
    let run = run_once(0, || {
        let (tx, _rx) = bounded(1);
        let (_never, stuck) = bounded::<()>(0);
        select! { send(tx, stuck.recv().unwrap()) -> sent => sent.unwrap() }
    });
    assert_eq!((run.end, run.forgotten, blocked(&run).len()), (End::Quiescent, 0, 1));
}

}

/// How a reader can receive a message.
type Reads = fn(&Receiver<i32>) -> Option<i32>;

const READERS: [Reads; 3] = [
    |rx| rx.recv().ok(),
    |rx| rx.recv_timeout(Duration::from_secs(1)).ok(),
    |rx| select! { recv(rx) -> got => got.ok(), recv(never::<()>()) -> _ => None },
];

// Natively the process is aborted if the message panics, and the partner waits for ever if nothing does.
#[test]
fn who_has_met_a_sender_that_sends_nothing_waits_again() {
    fn no_message() -> i32 {
        thread::yield_now();
        panic!("bad luck")
    }
    let fails: [fn(&Sender<i32>); 3] = [
        |tx| select! { send(tx, no_message()) -> _ => {} },
        |tx| {
            let mut select = Select::new();
            select.send(tx);
            drop(select.select());
        },
        |tx| {
            let mut select = Select::new();
            select.send(tx);
            let _ = select.select().send(&tx.clone(), 0);
        },
    ];
    for (fail, read) in fails.into_iter().flat_map(|fail| READERS.map(|read| (fail, read))) {
        for seed in 0..100 {
            let body = move || {
                let (tx, rx) = bounded(0);
                let (unlucky, other) = (tx.clone(), tx);
                let fails = thread::spawn(move || fail(&unlucky));
                let senders = [1, 2].map(|message| {
                    let tx = other.clone();
                    thread::spawn(move || tx.send(message).unwrap())
                });
                let readers = [(); 3].map(|()| {
                    let rx = rx.clone();
                    thread::spawn(move || read(&rx))
                });
                drop((other, rx));
                assert!(fails.join().is_err());
                senders.into_iter().for_each(|sender| sender.join().unwrap());
                let mut got = readers.map(|reader| reader.join().unwrap());
                got.sort_unstable();
                assert_eq!(got, [None, Some(1), Some(2)]);
            };
            let run = on_fibers(Arc::new(Only(body)), seed);
            assert_eq!((run.end, run.forgotten), (End::Finished, 0), "{run:?}");
            assert_eq!(panicked(&run).len(), 1, "{run:?}");
        }
    }
}

#[test]
fn a_message_of_a_receive_that_is_dropped_is_nobody_elses() {
    for seed in 0..300 {
        let body = || {
            let (tx, rx) = bounded(0);
            let senders = [1, 2].map(|message| {
                let tx: Sender<i32> = tx.clone();
                thread::spawn(move || tx.send(message).unwrap())
            });
            let other = rx.clone();
            let fails = thread::spawn(move || {
                let mut select = Select::new();
                select.recv(&other);
                drop(select.select());
            });
            assert!(fails.join().is_err());
            let (got, before) = (rx.recv().unwrap(), rx.try_recv().is_ok());
            assert!((1..=2).contains(&got) && !before);
            senders.into_iter().for_each(|sender| sender.join().unwrap());
        };
        let run = on_fibers(Arc::new(Only(body)), seed);
        assert_eq!((run.end, panicked(&run).len()), (End::Finished, 1), "{run:?}");
    }
}

/// All that comes of it, which a random walk finds as well, and it never goes wrong.
fn outcomes(body: impl Fn() -> [i32; 2] + Clone + Send + Sync + 'static) -> BTreeSet<[i32; 2]> {
    let [all, walked] = [Search::Exhaustive { preemptions: None }, Search::RandomWalk].map(|search| {
        let (seen, body) = (Arc::new(Shared::new(BTreeSet::new())), body.clone());
        let see = Arc::clone(&seen);
        let config = Config { search, executions: 2000, ..Config::default() };
        let explored = explore(config, move || {
            let outcome = body();
            see.with(|seen| seen.insert(outcome));
        });
        explored.unwrap_or_else(|failure| panic!("{failure}"));
        seen.with(std::mem::take)
    });
    assert_eq!(all, walked);
    all
}

#[test]
fn a_send_that_is_selected_has_its_place() {
    for capacity in [Some(1), Some(2), None] {
        let all = outcomes(move || {
            let (tx, rx) = capacity.map_or_else(unbounded, bounded);
            let other = tx.clone();
            let sends = thread::spawn(move || other.send(1).unwrap());
            let slow = || {
                thread::yield_now();
                2
            };
            let selects = thread::spawn(move || select! { send(tx, slow()) -> sent => sent.unwrap() });
            let got = [rx.recv().unwrap(), rx.recv().unwrap()];
            sends.join().unwrap();
            selects.join().unwrap();
            got
        });
        assert_eq!(Vec::from_iter(all), [[1, 2], [2, 1]]);
    }
}

#[test]
fn a_send_that_is_given_up_gives_up_its_place() {
    let all = outcomes(|| {
        let (tx, rx) = bounded(1);
        let other = tx.clone();
        let sends = thread::spawn(move || other.send(1).unwrap());
        let unlucky = || -> i32 {
            thread::yield_now();
            resume_unwind(Box::new("bad luck"))
        };
        let selects = thread::spawn(move || {
            let caught = crate::sync::catch_unwind(|| select! { send(tx, unlucky()) -> _ => {} });
            assert!(caught.is_err());
            tx.send(2).unwrap();
        });
        let got = [rx.recv().unwrap(), rx.recv().unwrap()];
        sends.join().unwrap();
        selects.join().unwrap();
        got
    });
    assert_eq!(Vec::from_iter(all), [[1, 2], [2, 1]]);
}

#[test]
fn a_receive_that_is_selected_has_its_message() {
    for capacity in 0..2 {
        let all = outcomes(move || {
            let (tx, rx) = bounded(capacity);
            let other = rx.clone();
            let slow = thread::spawn(move || {
                let mut select = Select::new();
                select.recv(&other);
                let selected = select.select();
                thread::yield_now();
                selected.recv(&other).unwrap()
            });
            let receives = thread::spawn(move || rx.recv().unwrap());
            tx.send(1).unwrap();
            tx.send(2).unwrap();
            drop(tx);
            [slow.join().unwrap(), receives.join().unwrap()]
        });
        assert_eq!(Vec::from_iter(all), [[1, 2], [2, 1]]);
    }
}
