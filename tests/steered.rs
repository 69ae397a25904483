//! Kept scripts on steered threads. Nothing here runs on fibers, so Miri can run all of it (`.ci/miri`).
#![cfg(feature = "suite")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use watchmux::hunt::Trial;
use watchmux::hunt::corpus::{self, Loaded};
use watchmux::oracle::Verdict;
use watchmux::script::{Expect, Schedule};
use watchmux::subject;

/// None is ever waited for: it is as long as Miri could need.
const DEADLINE: Duration = Duration::from_secs(600);

/// Runs each file of the corpus on each subject that it says this much of, led through that schedule, and compares the verdicts.
fn led(is_meant: impl Fn(&Expect) -> bool, schedule: impl Fn(&Loaded) -> Option<Schedule>) -> usize {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus"));
    let subjects = subject::all();
    let mut runs = 0;
    for loaded in corpus::load(&[folder]).unwrap_or_else(|error| panic!("{error}")) {
        let Some(schedule) = schedule(&loaded) else { continue };
        // Miri takes seconds for each.
        let most = if cfg!(miri) { 1 } else { usize::MAX };
        for expect in loaded.entry.expects.iter().filter(|expect| is_meant(expect)).take(most) {
            let subject = subjects.iter().find(|subject| subject.name() == expect.subject);
            let subject = subject.expect("there is such a subject");
            let trial = Trial::new(Arc::clone(subject), expect.contract, DEADLINE)
                .planning(loaded.entry.panic)
                .expect("it promises something of it");
            let script = Arc::new(trial.clamp(&loaded.entry.script));
            let file = loaded.path.display();
            let execution = trial
                .steered(&script, &schedule)
                .unwrap_or_else(|divergence| panic!("{file}, {expect}: diverged {divergence}"));
            let came_to = (execution.judgement.verdict(), execution.run.forgotten);
            assert_eq!(came_to, (expect.verdict, 0), "{file}, {expect}: {:#?}", execution.judgement);
            runs += 1;
        }
    }
    runs
}

#[test]
fn each_finding_is_what_threads_do_that_are_led_through_its_schedule() {
    let runs = led(|expect| expect.verdict != Verdict::Pass, |loaded| loaded.entry.schedule.clone());
    assert!(runs > 0, "no file has a schedule");
}

#[test]
fn the_mux_passes_with_each_task_going_on_for_as_long_as_it_can() {
    let runs = led(|expect| expect.subject == "mux", |_| Some(Schedule::default()));
    assert!(runs > 0, "no file says anything of the mux");
}
