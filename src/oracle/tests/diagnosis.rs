use super::story::story;
use crate::oracle::{Class, Finding};
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
        "`lane0` waits in action to send to channel `incoming`, served by `dispatcher2`, which waits to send to \
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
        &diagnosed("close ...", "lane0 read rw; rw held-by lane0; dispatcher lock rw"),
        Class::RwrDeadlock,
        "close waits for read lock, held by dispatcher, which waits for write lock, held by close",
        "`lane0` waits in close to read lock `rw`, held by `dispatcher`, which waits for lock `rw`, held by `lane0`",
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
    let sentence = "`lane0` waits in recv to receive from watcher `a`, served by `dispatcher`, which waits to \
                    receive from channel `incoming`, served by nobody";
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
        "`lane0` waits in recv to receive from watcher `a`, served by nobody",
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
        "`lane0` waits in close to receive from channel `done`, served by `x-1`, which waits to send to channel \
         `x`, served by `x-2`, which waits to send to channel `y`, served by `x-1`",
    );
}

#[test]
fn condition_variables() {
    let notified = diagnosed("close ...", "lane0 notify cond; dispatcher notify cond2");
    expect(
        &notified,
        Class::CondvarDeadlock,
        "close waits for notification, notified by dispatcher, which waits for notification, notified by nobody",
        "`lane0` waits in close for a notification of condition variable `cond`, notified by `dispatcher`, which \
         waits for a notification of condition variable `cond2`, notified by nobody",
    );
    let sending = diagnosed("close ...", "lane0 notify cond; dispatcher send x");
    assert_eq!(sending.signature.class, Class::ChannelCondvarDeadlock);
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
    assert_eq!(locked.signature.class, Class::MisuseWaitGroup);
    assert_eq!(
        locked.signature.shape,
        "shutdown waits for the end of dispatcher, which waits for lock, held by shutdown"
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
        found[0].sentence.contains("for a lock made at src/oracle/tests/story.rs:"),
        "{}",
        found[0].sentence
    );
}

#[test]
fn classes_are_named_as_gobench_names_them() {
    assert_eq!(Class::MixedChannelLock.to_string(), "mixed deadlock: channel & lock");
    assert_eq!(Class::ChannelDeadlock.to_string(), "communication deadlock: channel");
    assert_eq!(Class::OrderViolation.to_string(), "order violation");
}
