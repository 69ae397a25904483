use super::story::story;
use crate::oracle::{ChainEnd, Class, Finding};
use crate::script::{Op, Slot};

/// What is found of the only op that is blocked.
#[track_caller]
fn diagnosed(steps: &str, state: &str) -> Finding {
    let mut found = story(steps).queue(1).blocked(state);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[track_caller]
fn expect(finding: &Finding, class: Class, shape: &str, sentence: &str) {
    assert_eq!(finding.signature.class, class);
    assert_eq!(finding.signature.shape, shape);
    assert_eq!(finding.sentence, sentence);
}

#[test]
fn kubernetes_1321() {
    let shape = "stop waits for lock, held by dispatcher, which waits to send to own watcher";
    let state = "lane0 lock lock-watchers; lock-watchers held-by dispatcher; dispatcher send a | recv stopped; \
                 a received-by lane0";
    expect(
        &diagnosed("watch a; action 1; stop a ...", state),
        Class::MixedChannelLock,
        shape,
        "`lane0` waits in stop for lock `lock-watchers`, held by `dispatcher`, which waits to send to watcher \
         `a`, which only `lane0` reads",
    );
    assert!(!diagnosed("watch a; action 1; stop a ...", state).signature.wind_down);
    // The same by another task, in another slot, seen in the wind-down.
    let found = story("s: watch b; 0: action 1; w0: stop b ...")
        .blocked("wind-down0 lock lock; lock held-by dispatcher; dispatcher send b; b received-by setup");
    assert_eq!(found[0].signature.shape, shape);
    assert!(found[0].signature.wind_down);
}

#[test]
fn another_watcher_is_told_from_its_own() {
    expect(
        &diagnosed(
            "s: watch a; s: watch b; action 1; action 2; stop a ...",
            "lane0 lock lock; lock held-by dispatcher; dispatcher send b",
        ),
        Class::MixedChannelLock,
        "stop waits for lock, held by dispatcher, which waits to send to another watcher",
        "`lane0` waits in stop for lock `lock`, held by `dispatcher`, which waits to send to watcher `b`, which \
         nobody reads",
    );
}

#[test]
fn lanes_with_ops_left_are_readers() {
    let mut told = story("s: watch a; s: watch b; action 1; action 2; 1: stop a ...");
    let b = Slot::new(1);
    told.script.lanes =
        vec![vec![Op::Action, Op::Action, Op::Recv(b)], vec![Op::Stop(Slot::new(0)), Op::Stop(b)]];
    let state = "lane1 lock lock; lock held-by dispatcher; dispatcher send b; lane0 recv x";
    assert!(told.blocked(state)[0].sentence.ends_with("which only `lane0` and `lane1` read"));
}

#[test]
fn a_stopped_watcher_is_said_to_be() {
    let found = diagnosed(
        "watch a; action 1; action 2; stop a; action 3 ...",
        "lane0 send incoming; incoming received-by dispatcher2; dispatcher2 send a",
    );
    expect(
        &found,
        Class::ChannelDeadlock,
        "action waits to send to channel, served by dispatcher, which waits to send to a watcher",
        "`lane0` waits in action to send to channel `incoming`, received by `dispatcher2`, which waits to send to \
         watcher `a`, which is stopped",
    );
}

#[test]
fn double_locking() {
    expect(
        &diagnosed("close ...", "lane0 lock lock; lock held-by lane0"),
        Class::DoubleLocking,
        "close waits for lock, held by close",
        "`lane0` waits in close for lock `lock`, held by itself",
    );
}

#[test]
fn ab_ba() {
    expect(
        &diagnosed(
            "close ...",
            "lane0 lock lock1; dispatcher lock lock2; lock1 held-by dispatcher; lock2 held-by lane0",
        ),
        Class::AbBaDeadlock,
        "close waits for lock, held by dispatcher, which waits for lock, held by close",
        "`lane0` waits in close for lock `lock1`, held by `dispatcher`, which waits for lock `lock2`, held by `lane0`",
    );
}

#[test]
fn rwr() {
    expect(
        &diagnosed("close ...", "lane0 read rw; rw read-by lane0; dispatcher lock rw"),
        Class::RwrDeadlock,
        "close waits for read lock, behind dispatcher, which waits for write lock, held by close",
        "`lane0` waits in close to read lock `rw`, behind `dispatcher`, which waits to write lock `rw`, read by `lane0`",
    );
    // The second read is another task's, which the first reader waits for.
    let others = "lane0 lock lock; lock held-by reader; reader read rw; rw read-by lane0; dispatcher lock rw";
    let found = diagnosed("close ...", others);
    assert_eq!(found.signature.class, Class::RwrDeadlock);
    assert!(found.sentence.ends_with("behind `dispatcher`, which waits to write lock `rw`, read by `lane0`"));
}

#[test]
fn readers_and_writers_are_not_always_rwr() {
    let crossed = "lane0 read rw; rw held-by dispatcher; dispatcher lock lock; lock held-by lane0";
    assert_eq!(diagnosed("close ...", crossed).signature.class, Class::AbBaDeadlock);
    let upgraded = diagnosed("close ...", "lane0 lock rw; rw read-by lane0");
    expect(
        &upgraded,
        Class::DoubleLocking,
        "close waits for write lock, held by close",
        "`lane0` waits in close to write lock `rw`, read by itself",
    );
}

#[test]
fn a_lock_that_is_never_released() {
    expect(
        &diagnosed("close ...", "lane0 lock lock; lock held-by dispatcher"),
        Class::ResourceDeadlock,
        "close waits for lock, held by nobody",
        "`lane0` waits in close for lock `lock`, held by `dispatcher`, which has ended",
    );
}

#[test]
fn channels() {
    let shape = "recv waits to receive from own watcher, served by dispatcher, which waits to receive from \
                 channel, served by nobody";
    let sentence = "`lane0` waits in recv to receive from watcher `a`, sent by `dispatcher`, which waits to \
                    receive from channel `incoming`, which nobody sends to";
    for users in ["a sent-by dispatcher", "a sent-by setup; incoming sent-by lane0"] {
        let state = format!("lane0 recv a; dispatcher recv incoming; {users}");
        expect(&diagnosed("watch a; action 1; recv a ...", &state), Class::ChannelDeadlock, shape, sentence);
    }
    // Of two tasks that could be meant, the one that sends there; which no other task makes up for.
    let state = "lane0 recv a; another recv x; dispatcher recv incoming; a sent-by dispatcher";
    expect(&diagnosed("watch a; action 1; recv a ...", state), Class::ChannelDeadlock, shape, sentence);
    expect(
        &diagnosed("watch a; action 1; recv a ...", "lane0 recv a; a sent-by setup"),
        Class::ChannelDeadlock,
        "recv waits to receive from own watcher, served by nobody",
        "`lane0` waits in recv to receive from watcher `a`, which nobody sends to",
    );
}

#[test]
fn tasks_with_calls_are_not_the_subjects_own() {
    let found = story("watch a; watch b; w0: stop a ...; w1: recv b ...")
        .blocked("wind-down0 recv done; wind-down1 recv b; setup recv x");
    assert_eq!(found[0].signature.shape, "stop waits to receive from channel, served by nobody");
}

#[test]
fn channels_in_a_cycle() {
    expect(
        &diagnosed(
            "close ...",
            "lane0 recv done; x-1 send x; x received-by x-2; x-2 send y; y received-by x-1",
        ),
        Class::ChannelDeadlock,
        "close waits to receive from channel, served by x, which waits to send to channel, served by x, which \
         waits to send to channel, served by x",
        "`lane0` waits in close to receive from channel `done`, sent by `x-1`, which waits to send to channel \
         `x`, received by `x-2`, which waits to send to channel `y`, received by `x-1`",
    );
}

#[test]
fn condition_variables() {
    let notified = diagnosed("close ...", "lane0 notify cond; dispatcher notify cond2");
    expect(
        &notified,
        Class::CondvarDeadlock,
        "close waits for notification, notified by dispatcher, which waits for notification, notified by nobody",
        "`lane0` waits in close for a notification of condition variable `cond` by `dispatcher`, which waits for \
         a notification of condition variable `cond2`, which nobody is left to give",
    );
    let class = |state: &str| diagnosed("close ...", state).signature.class;
    assert_eq!(class("lane0 notify cond; dispatcher send x"), Class::ChannelCondvarDeadlock);
    assert_eq!(class("lane0 notify cond; dispatcher lock lock; lock held-by lane0"), Class::MixedCondvarLock);
    assert_eq!(class("lane0 notify cond; dispatcher join lane0"), Class::MixedCondvarWaitGroup);
}

#[test]
fn a_lost_wake_up() {
    let lost = diagnosed("close ...", "lane0 notify cond; cond notified-by dispatcher 0");
    assert_eq!(lost.signature.class, Class::CondvarDeadlock);
    // Whether it was lost or never came is a matter of the schedule.
    assert_eq!(lost.signature.shape, "close waits for notification, notified by nobody");
    let told = "`lane0` waits in close for a notification of condition variable `cond`, and the last one, by \
                `dispatcher` at src/oracle/tests/story.rs:";
    assert!(lost.sentence.starts_with(told), "{}", lost.sentence);
    assert!(lost.sentence.ends_with(", came when nobody waited: a lost wake-up"), "{}", lost.sentence);
    // One that woke another was not lost.
    let other = diagnosed("close ...", "lane0 notify cond; cond notified-by dispatcher 1");
    assert!(other.sentence.ends_with("which nobody is left to give"), "{}", other.sentence);
}

#[test]
fn joins() {
    expect(
        &diagnosed(
            "watch a; action 1; action 2; stop a; shutdown ...",
            "lane0 join dispatcher; dispatcher send a",
        ),
        Class::MixedChannelWaitGroup,
        "shutdown waits for the end of dispatcher, which waits to send to a watcher",
        "`lane0` waits in shutdown for `dispatcher` to end, which waits to send to watcher `a`, which is stopped",
    );
    let locked = diagnosed("shutdown ...", "lane0 join dispatcher; dispatcher lock lock; lock held-by lane0");
    assert_eq!(locked.signature.class, Class::MixedLockWaitGroup);
    assert_eq!(
        locked.signature.shape,
        "shutdown waits for the end of dispatcher, which waits for lock, held by shutdown"
    );
    let alone = diagnosed("shutdown ...", "lane0 join dispatcher; dispatcher join lane0");
    assert_eq!(alone.signature.class, Class::MisuseWaitGroup);
}

#[test]
fn who_waits_for_whom_is_data_as_well() {
    let cycle = |steps: &str, state: &str| {
        let chain = diagnosed(steps, state).chain.unwrap();
        (chain.links.len(), chain.cycle().len(), chain.end)
    };
    let (links, circle, end) = cycle(
        "watch a; action 1; stop a ...",
        "lane0 lock lock; lock held-by dispatcher; dispatcher send a; a received-by lane0",
    );
    assert_eq!((links, circle), (2, 2));
    assert!(matches!(end, ChainEnd::Watcher(readers) if readers.len() == 1));
    // What leads to a circle is not in it.
    let (links, circle, _) =
        cycle("close ...", "lane0 recv done; x-1 send x; x received-by x-2; x-2 send y; y received-by x-1");
    assert_eq!((links, circle), (3, 2));
    let (links, circle, end) = cycle("close ...", "lane0 lock lock; lock held-by dispatcher");
    assert_eq!((links, circle), (1, 0));
    assert!(matches!(end, ChainEnd::Ended(_)));
}

#[test]
fn nobody_is_left_where_a_task_panicked() {
    expect(
        &diagnosed("watch a; action 1; recv a ...", "lane0 recv a; dispatcher panicked x"),
        Class::ChannelDeadlock,
        "recv waits to receive from own watcher, served by dispatcher, which panicked",
        "`lane0` waits in recv to receive from watcher `a`, sent by `dispatcher`, which has panicked",
    );
}

#[test]
fn a_lock_held_by_an_op() {
    let told = story("watch a; action 1; 1: action 2 ...; 2: stop a ...").incoming(9);
    let found = told.blocked("lane1 send a; lock held-by lane1; lane2 lock lock");
    assert_eq!(
        found[0].signature.shape,
        "stop waits for lock, held by action, which waits to send to own watcher"
    );
    assert_eq!(
        found[0].sentence,
        "`lane2` waits in stop for lock `lock`, held by `lane1`, which waits in action to send to watcher `a`, \
         which only `lane2` reads"
    );
}

#[test]
fn nothing_known() {
    expect(&diagnosed("close ...", ""), Class::Unknown, "close is blocked", "`lane0` is blocked in close");
}

#[test]
fn what_has_no_name_is_told_by_where_it_was_made() {
    let told = story("close ...");
    let mut state = told.state("lane0 lock lock");
    state.objects.iter_mut().for_each(|object| object.name = None);
    let found = crate::oracle::blocked(&told.context(), &told.history, &state);
    assert!(
        found[0].sentence.contains("for the lock made at src/oracle/tests/story.rs:"),
        "{}",
        found[0].sentence
    );
}

#[test]
fn classes_are_named_as_gobench_names_them() {
    assert_eq!(Class::MixedChannelLock.to_string(), "mixed deadlock: channel & lock");
    assert_eq!(Class::ChannelDeadlock.to_string(), "communication deadlock: channel");
    assert_eq!(Class::OrderViolation.to_string(), "order violation");
    let names: std::collections::BTreeSet<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    assert_eq!(names.len(), Class::ALL.len());
}

#[test]
fn of_several_things_waited_for_the_one_that_tells_most() {
    let told = |waits: &str| {
        let state = format!("lane0 lock lock; lock held-by dispatcher; dispatcher {waits}");
        diagnosed("s: watch a; s: watch b; action 1; action 2; stop a ...", &state).signature.shape
    };
    let held = "stop waits for lock, held by dispatcher, which waits";
    assert_eq!(told("send x | send b"), format!("{held} to send to another watcher"));
    assert_eq!(told("recv b | send x"), format!("{held} to send to channel, served by nobody"));
    assert_eq!(told("recv x | recv b"), format!("{held} to receive from another watcher, served by nobody"));
}

#[test]
fn who_makes_no_calls_is_the_subjects_own_but_for_the_harness() {
    let nobody = "close waits to receive from channel, served by nobody";
    for other in ["setup", "lane1"] {
        let state = format!("lane0 recv x; {other} recv y");
        assert_eq!(diagnosed("close ...", &state).signature.shape, nobody, "{other}");
    }
    let state = "lane0 lock lock; lock held-by lane1; lane1 recv x; dispatcher recv y";
    let shape = diagnosed("close ...", state).signature.shape;
    assert!(shape.starts_with("close waits for lock, held by a task, which waits"), "{shape}");
}

#[test]
fn a_reader_waits_for_a_writer() {
    expect(
        &diagnosed("close ...", "lane0 read rw; rw held-by dispatcher; dispatcher recv x"),
        Class::MixedChannelLock,
        "close waits for read lock, held by dispatcher, which waits to receive from channel, served by nobody",
        "`lane0` waits in close to read lock `rw`, held by `dispatcher`, which waits to receive from channel `x`, \
         which nobody sends to",
    );
}

#[test]
fn wait_groups_are_told_from_channels() {
    let told = story("watch a; action 1; action 2; stop a; shutdown ...").queue(1);
    let mut state = told.state("lane0 recv done; dispatcher send a");
    let group = state.objects.iter_mut().find(|object| object.name.as_deref() == Some("done")).unwrap();
    group.name = Some(format!("done{}", crate::engine::words::WAIT_GROUP));
    let found = crate::oracle::blocked(&told.context(), &told.history, &state);
    expect(
        &found[0],
        Class::MixedChannelWaitGroup,
        "shutdown waits for wait group, served by dispatcher, which waits to send to a watcher",
        "`lane0` waits in shutdown for wait group `done`, done by `dispatcher`, which waits to send to watcher `a`, \
         which is stopped",
    );
}

/// What is said of tasks of any code that are blocked so.
fn explained(words: &str) -> Option<(Class, String)> {
    let told = story("");
    crate::oracle::explain(&told.state(words)).map(|diagnosis| (diagnosis.class, diagnosis.sentence))
}

#[test]
fn of_all_chains_the_one_that_explains_the_others_is_told() {
    assert_eq!(explained(""), None);
    // A circle of two, and two who wait for them.
    let circle = "x lock lock1; lock1 held-by y; y lock lock2; lock2 held-by x";
    let told = "`x` waits for lock `lock1`, held by `y`, which waits for lock `lock2`, held by `x`";
    let waiting = "lane0 lock lock3; lock3 held-by lane1; lane1 lock lock1;";
    assert_eq!(explained(&format!("{waiting} {circle}")), Some((Class::AbBaDeadlock, told.to_owned())));
    // A lock that was never released tells more than a channel that nobody uses, and a circle more than that.
    let ended = "x lock lock4; lock4 held-by z";
    let (class, sentence) = explained(&format!("lane0 recv x; {ended}")).unwrap();
    assert_eq!(class, Class::ResourceDeadlock, "{sentence}");
    let (class, sentence) = explained(&format!("lane0 lock lock4; lock4 held-by z; {circle}")).unwrap();
    assert_eq!(class, Class::AbBaDeadlock, "{sentence}");
}

#[test]
fn who_alone_has_used_a_channel_waits_for_others_to() {
    let (class, sentence) = explained("lane0 send x; x received-by lane0").unwrap();
    assert_eq!(class, Class::ChannelDeadlock);
    assert_eq!(sentence, "`lane0` waits to send to channel `x`, whose receiver nobody else has used");
    let (_, sentence) = explained("lane0 recv x; x sent-by lane0").unwrap();
    assert_eq!(sentence, "`lane0` waits to receive from channel `x`, whose sender nobody else has used");
    let (_, sentence) = explained("lane0 send x").unwrap();
    assert_eq!(sentence, "`lane0` waits to send to channel `x`, which nobody receives from");
    // Whoever waits for that task may have it.
    let (_, sentence) =
        explained("lane0 recv x; x sent-by lane0; lane1 join lane2; lane2 join lane0").unwrap();
    assert_eq!(
        sentence,
        "`lane0` waits to receive from channel `x`, sent by `lane1`, which waits for `lane2` to end, which waits for \
         `lane0` to end"
    );
}

#[test]
fn who_notified_before_may_notify_again() {
    let by = |words: &str| explained(&format!("lane0 notify cond; lane1 join lane0; {words}")).unwrap().1;
    let told = |who: &str| {
        format!(
            "`lane0` waits for a notification of condition variable `cond` by `{who}`, which waits for `lane0` to end"
        )
    };
    assert_eq!(by("lane2 join lane0; cond notified-by lane2 1"), told("lane2"));
    assert_eq!(by("cond notified-by lane0 1"), told("lane1"), "nobody notifies itself");
    assert_eq!(by("cond notified-by lane3 1"), told("lane1"), "who has ended does not notify");
}
