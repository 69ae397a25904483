//! Each class of blocking bugs, told of a real program.

use watchmux::explore::What;
use watchmux::oracle::{ChainEnd, Class, class_of_panic};

use super::findings::{FINDINGS, found};
use super::programs::{self, failure};

#[track_caller]
fn told(program: fn(), class: Class, sentence: &str) {
    let failure = failure(program);
    assert_eq!(failure.what, What::Deadlock, "{failure}");
    let diagnosis = failure.diagnosis.as_ref().expect("it is blocked");
    assert_eq!((diagnosis.class, diagnosis.sentence.as_str()), (class, sentence), "{failure}");
}

/// A program for each class whose bug any code can have.
fn program(class: Class) -> Option<fn()> {
    Some(match class {
        Class::DoubleLocking => programs::double_locking,
        Class::AbBaDeadlock => programs::ab_ba,
        Class::RwrDeadlock => programs::rwr,
        Class::ResourceDeadlock => programs::a_lock_that_is_never_released,
        Class::ChannelDeadlock => programs::channels_in_a_cycle,
        Class::CondvarDeadlock => programs::nobody_notifies,
        Class::ChannelCondvarDeadlock => programs::a_condition_and_a_channel,
        Class::MixedChannelLock => programs::a_channel_and_a_lock,
        Class::MixedChannelWaitGroup => programs::a_channel_and_a_join,
        Class::MixedCondvarLock => programs::a_condition_and_a_lock,
        Class::MixedCondvarWaitGroup => programs::a_condition_and_a_join,
        Class::MixedLockWaitGroup => programs::a_lock_and_a_join,
        Class::MisuseWaitGroup => programs::joins_in_a_circle,
        Class::ChannelMisuse => programs::a_send_on_a_closed_channel,
        Class::SubjectPanic => programs::a_panic,
        // What the history of a mux shows, and no program alone; and what nothing is known of.
        Class::OrderViolation | Class::AtomicityViolation | Class::Unknown => return None,
    })
}

#[test]
fn each_class_is_told_of_a_program_that_has_its_bug() {
    for (class, program) in Class::ALL.into_iter().filter_map(|class| Some((class, program(class)?))) {
        let failure = failure(program);
        let diagnosed = failure.diagnosis.as_ref().map(|diagnosis| diagnosis.class);
        let told = match failure.what {
            What::Panic => failure.panic().map(class_of_panic),
            _ => diagnosed,
        };
        assert_eq!(told, Some(class), "{failure}");
    }
}

#[test]
fn each_class_of_histories_is_told_of_a_mux_that_has_its_bug() {
    let told = |name: &str| {
        let case = FINDINGS.iter().find(|case| case.name == name).unwrap();
        found(case).1.findings[0].found.finding.signature.class
    };
    assert_eq!(told("order_violation"), Class::OrderViolation);
    assert_eq!(told("repeated_event"), Class::AtomicityViolation);
}

#[test]
fn resource_deadlocks() {
    told(programs::double_locking, Class::DoubleLocking, "`main` waits for lock `account`, held by itself");
    told(
        programs::ab_ba,
        Class::AbBaDeadlock,
        "`main` waits for lock `savings`, held by `payday`, which waits for lock `current`, held by `main`",
    );
    told(
        programs::rwr,
        Class::RwrDeadlock,
        "`main` waits to write lock `rates`, read by `reader`, which waits to read lock `rates`, behind `main`",
    );
    told(
        programs::a_lock_that_is_never_released,
        Class::ResourceDeadlock,
        "`main` waits for lock `account`, held by `forgetful`, which has ended",
    );
}

#[test]
fn communication_deadlocks() {
    let made = |failure: &watchmux::explore::Failure, of: usize| {
        let made = failure.state.objects[of].made;
        format!("{}:{}", made.file(), made.line())
    };
    let failed = failure(programs::channels_in_a_cycle);
    let (left, right) = (made(&failed, 0), made(&failed, 1));
    told(
        programs::channels_in_a_cycle,
        Class::ChannelDeadlock,
        &format!(
            "`main` waits to send to the channel made at {right}, received by `peer`, which waits to send to the \
             channel made at {left}, received by `main`"
        ),
    );
    let orphan = failure(programs::nobody_sends);
    let diagnosis = orphan.diagnosis.as_ref().unwrap();
    assert_eq!(diagnosis.class, Class::ChannelDeadlock, "{orphan}");
    told(
        programs::nobody_notifies,
        Class::CondvarDeadlock,
        "`main` waits for a notification of condition variable `opened`, which nobody is left to give",
    );
    let both = failure(programs::a_condition_and_a_channel);
    let diagnosis = both.diagnosis.as_ref().unwrap();
    assert_eq!(diagnosis.class, Class::ChannelCondvarDeadlock, "{both}");
}

#[test]
fn a_lost_wake_up_is_told_as_such() {
    let failure = failure(programs::a_lost_wake_up);
    let diagnosis = failure.diagnosis.as_ref().unwrap();
    assert_eq!(diagnosis.class, Class::CondvarDeadlock);
    assert!(matches!(diagnosis.chain.end, ChainEnd::Lost(..)), "{failure}");
    let told = "`main` waits for a notification of condition variable `opened`, and the last one, by `opener` at \
                tests/report/programs.rs:";
    assert!(diagnosis.sentence.starts_with(told), "{failure}");
    assert!(diagnosis.sentence.ends_with(", came when nobody waited: a lost wake-up"), "{failure}");
}

#[test]
fn mixed_deadlocks_are_circles() {
    for program in [
        programs::a_channel_and_a_lock as fn(),
        programs::a_channel_and_a_join,
        programs::a_lock_and_a_join,
        programs::a_condition_and_a_lock,
        programs::a_condition_and_a_join,
        programs::joins_in_a_circle,
    ] {
        let failure = failure(program);
        let diagnosis = failure.diagnosis.as_ref().expect("it is blocked");
        assert!(diagnosis.chain.cycle().len() > 1, "{failure}");
    }
}
