//! `watchmux::suite!` over this mux and over a small broadcaster that is not ours, from its documentation alone; and what it
//! says of bad ones.
#![cfg(feature = "suite")]
#![expect(clippy::disallowed_types, reason = "a black box is what is not written over `sync`")]

use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Mutex, PoisonError};

use watchmux::oracle::{Blocking, Closed, Contract, Guarantee};
use watchmux::script::{Config, OpKind, OpSet, WhenFull};
use watchmux::subject::{Capabilities, Payload, Received, Refused, Running, Subject, Watching};

watchmux::suite!(shipped, watchmux::subject::Shipped);
watchmux::suite!(awaited, watchmux::subject::Awaited);
watchmux::suite!(numbers, watchmux::subject::Numbers);
watchmux::suite!(black_box every, Every);

/// What the standard library's documentation of `mpsc` gives who sends each event to a channel of each watcher: "Asynchronous
/// channels […] `send` will never block", "Data sent on the Sender will become available on the Receiver in the same order as it
/// was sent", and `recv` fails only when "the corresponding Sender has disconnected" and all was received.
struct Every;

impl Subject for Every {
    fn name(&self) -> &str {
        "every"
    }

    fn provenance(&self) -> &str {
        "std::sync::mpsc, a channel for each watcher"
    }

    fn capabilities(&self) -> Capabilities {
        use OpKind::{Action, Close, Drop, Recv, TryRecv, Watch};
        Capabilities {
            ops: OpSet::of(&[Watch, Action, Recv, TryRecv, Drop, Close]),
            incoming: 0..=0,
            incoming_as_queue: false,
            // It has no limit, and so no script can fill it.
            queue: u8::MAX..=u8::MAX,
            when_full: &[WhenFull::Wait],
            when_full_per_watcher: false,
            prefix: false,
            stop_from_another_task: false,
            values: true,
            closes_with_last_watcher: false,
            shares_events: false,
        }
    }

    fn contract(&self) -> Contract {
        use Guarantee::{Complete, NoEarlier, Once, Order};
        Contract::strict()
            .with(OpKind::Action, Blocking::Never)
            .guaranteeing(&[Order, Complete, NoEarlier, Once])
    }

    /// It is written over `std`, which no engine can see into.
    fn is_black_box(&self) -> bool {
        true
    }

    fn start(&self, _: &Config) -> Box<dyn Running> {
        Box::new(Senders(Mutex::new(Some(Vec::new()))))
    }
}

struct Senders(Mutex<Option<Vec<Sender<Payload>>>>);

impl Running for Senders {
    fn watch(&self, _: Vec<Payload>, _: WhenFull) -> Result<Box<dyn Watching>, Refused> {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, receiver) = mpsc::channel();
        senders.as_mut().ok_or(Refused(None))?.push(sender);
        Ok(Box::new(Reader(receiver)))
    }

    fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *senders {
            Some(senders) => senders.retain(|sender| sender.send(event.clone()).is_ok()),
            None => return Err(Refused(Some(event))),
        }
        Ok(None)
    }

    fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

struct Reader(Receiver<Payload>);

impl Reader {
    fn received(event: Payload) -> Received {
        Received { event: Some(event), seq: None, missed: None }
    }
}

const CLOSED: Closed = Closed { reason: None, missed: None };

impl Watching for Reader {
    fn recv(&mut self) -> Result<Received, Closed> {
        self.0.recv().map(Reader::received).map_err(|_| CLOSED)
    }

    fn try_recv(&mut self) -> Result<Option<Received>, Closed> {
        match self.0.try_recv() {
            Ok(event) => Ok(Some(Reader::received(event))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(CLOSED),
        }
    }
}

/// What the suite says of a subject that does this at its third action: the report with which its test fails.
mod failing {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use watchmux::cli::Suite;

    use super::*;

    struct Bad(&'static str, fn());

    impl Subject for Bad {
        fn name(&self) -> &str {
            self.0
        }

        fn provenance(&self) -> &str {
            "a test"
        }

        fn capabilities(&self) -> Capabilities {
            Every.capabilities()
        }

        fn contract(&self) -> Contract {
            Every.contract()
        }

        fn is_black_box(&self) -> bool {
            true
        }

        fn start(&self, config: &Config) -> Box<dyn Running> {
            Box::new(Third { inner: Every.start(config), actions: AtomicU32::new(0), then: self.1 })
        }
    }

    struct Third {
        inner: Box<dyn Running>,
        actions: AtomicU32,
        then: fn(),
    }

    impl Running for Third {
        fn watch(&self, prefix: Vec<Payload>, when_full: WhenFull) -> Result<Box<dyn Watching>, Refused> {
            self.inner.watch(prefix, when_full)
        }

        fn action(&self, event: Payload) -> Result<Option<u64>, Refused> {
            if self.actions.fetch_add(1, Ordering::Relaxed) == 2 {
                (self.then)();
            }
            self.inner.action(event)
        }

        fn close(&self) {
            self.inner.close();
        }
    }

    fn aborting() -> Suite {
        let abort = || {
            eprintln!("these are my last words");
            std::process::abort()
        };
        Suite::new("suite::failing::aborting", Arc::new(Bad("aborting", abort)))
    }

    fn hanging() -> Suite {
        let hang = || loop {
            std::thread::park();
        };
        Suite::new("suite::failing::hanging", Arc::new(Bad("hanging", hang)))
    }

    mod aborting {
        #[test]
        fn child() {
            super::aborting().serve();
        }
    }

    mod hanging {
        #[test]
        fn child() {
            super::hanging().serve();
        }
    }

    fn report(suite: &Suite) -> String {
        let failed = watchmux::sync::catch_unwind(|| suite.on_free_threads_in_children())
            .expect_err("something is found");
        *failed.downcast::<String>().expect("a panic with a report")
    }

    #[test]
    #[should_panic(expected = "`every` is a black box: write `suite!(black_box …)`")]
    fn a_black_box_has_no_test_of_fibers() {
        Suite::new("suite::every", Arc::new(Every)).on_fibers();
    }

    #[test]
    #[should_panic(expected = "`mux` is no black box: write `suite!(…)` without `black_box`")]
    fn what_is_no_black_box_is_not_run_as_one() {
        Suite::new("suite::shipped", Arc::new(watchmux::subject::Shipped)).on_free_threads_in_children();
    }

    /// The script that is left has the third action, however far it was shrunk in the time there was.
    fn has_third_action(report: &str) -> bool {
        report.lines().filter(|line| *line == "    action").count() >= 3
    }

    #[test]
    fn a_child_that_aborts_is_a_finding_with_its_script_and_its_last_words() {
        let report = report(&aborting());
        for said in ["PANIC in aborting", "signal 6", "these are my last words", "WATCHMUX_REPLAY="] {
            assert!(report.contains(said), "`{said}` is not in: {report}");
        }
        assert!(has_third_action(&report), "{report}");
    }

    #[test]
    fn a_hang_is_told_by_time_alone_and_proved_by_ten_times_as_much() {
        let report = report(&hanging());
        for said in ["HANG in hanging", "by time alone", "[no way to go on] in action", "5 of 5 reruns hung"]
        {
            assert!(report.contains(said), "`{said}` is not in: {report}");
        }
        assert!(has_third_action(&report), "{report}");
    }
}
