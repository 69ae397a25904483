use super::story::story;
use crate::oracle::{Blocking, Class, Contract, Verdict};
use crate::script::{Op, OpKind, OpSet, Slot};

/// What the versions before V6 promise of blocking.
fn v0() -> Contract {
    Contract::silent().with(OpKind::Stop, Blocking::SendingToAnother).misuse_after_shutdown(OpSet::of(&[
        OpKind::Watch,
        OpKind::Action,
        OpKind::Shutdown,
    ]))
}

#[test]
fn ops_that_never_block() {
    for steps in [
        "watch a; action 1; stop a ...",
        "watch a; action 1; drop a ...",
        "watch a; action 1; close ...",
        "watch a; action 1; watch b ...",
        "watch a; action 1; try-action 2 ...",
        "watch a; action 1; try-recv a ...",
    ] {
        let last = steps.rsplit("; ").next().unwrap().split(' ').next().unwrap();
        story(steps).hangs(&[last]);
    }
}

#[test]
fn an_action_waits_for_a_full_watcher() {
    story("watch a; action 1; 1: action 2 ...").may_be_blocked();
    story("watch a; action 1; action 2; action 3; action 4; 1: action 5 ...")
        .incoming(1)
        .queue(2)
        .may_be_blocked();
    story("watch a; action 1; action 2; action 3; 1: action 5 ...").incoming(1).queue(2).hangs(&["action"]);
    story("action 1; watch a; 1: action 2 ...").may_be_blocked();
    // What an action that panicked left behind is not known.
    story("watch a; action 1 = panicked x; 1: action 2 ...").may_be_blocked();
}

#[test]
fn most_that_may_be_blocked_takes_no_look_at_the_state() {
    assert!(story("watch a; action 1; 1: action 2 ...").plainly_may_be_blocked());
    assert!(story("watch a; 1: recv a ...").plainly_may_be_blocked());
}

#[test]
fn an_action_does_not_wait_for_nobody() {
    story("action 1 ...").hangs(&["action"]);
    story("watch a; action 1; stop a; 1: action 2 ...").hangs(&["action"]);
    story("watch a; action 1; drop a; 1: action 2 ...").hangs(&["action"]);
    story("watch a drop-newest; action 1; 1: action 2 ...").hangs(&["action"]);
    story("watch a; action 1; recv a = 1; 1: action 2 ...").hangs(&["action"]);
    story("watch a; action 1; recv a = closed event-panicked; 1: action 2 ...").hangs(&["action"]);
}

#[test]
fn an_action_does_not_outlast_close() {
    story("watch a; action 1; 1: action 2 ...; close").hangs(&["action"]);
    story("watch a; action 1; 1: action 2 ...; shutdown ...").hangs(&["action"]);
}

#[test]
fn back_pressure_outlasts_close_and_counts_other_calls() {
    let contract = Contract::strict().with(OpKind::Action, Blocking::BackPressure);
    let contract = contract.with(OpKind::Watch, Blocking::Silent).with(OpKind::Stop, Blocking::Silent);
    let told = |steps: &str| story(steps).under(contract.clone());
    told("watch a; action 1; 1: action 2 ...; shutdown ...").may_be_blocked();
    told("watch a; action 1; 1: action 2 ...").incoming(1).hangs(&["action"]);
    told("watch a; action 1; 1: watch b ...; 2: action 2 ...").incoming(1).may_be_blocked();
    told("watch a; action 1; 1: stop a ...; 2: action 2 ...").incoming(1).may_be_blocked();
    told("watch a; action 1; 1: action 2 ...; 2: action 3 ...").incoming(1).hangs(&["action"]);
    told("watch a; action 1; 1: watch b ...; 2: action 2 ...").incoming(2).hangs(&["action"]);
}

#[test]
fn a_prefix_can_take_room_in_the_queue() {
    let (apart, inside) = (Contract::strict(), Contract::strict().with_prefix_in_queue());
    let told = |contract: &Contract, steps| story(steps).incoming(9).queue(3).under(contract.clone());
    let steps = "watch a 7 8; action 1; action 2; shutdown ...";
    told(&inside, steps).may_be_blocked();
    told(&apart, steps).hangs(&["shutdown"]);
    // There is room for one event, however long the prefix is.
    told(&inside, "watch a 4 5 6 7; action 1; shutdown ...").hangs(&["shutdown"]);
    told(&inside, "watch a; action 1; action 2; action 3; shutdown ...").hangs(&["shutdown"]);
    let other = "watch a 7 8; watch b; action 1; action 2; recv b = 1; recv b ...";
    told(&inside, other).may_be_blocked();
    told(&apart, other).hangs(&["recv"]);
}

#[test]
fn an_action_that_others_wait_for_too() {
    // What waits itself is in no queue.
    story("watch a; 1: action 1 ...; 2: action 2 ...").hangs(&["action"]);
}

#[test]
fn a_receive_waits_for_what_is_not_owed() {
    story("watch a; recv a ...").may_be_blocked();
    story("action 1; watch a; recv a ...").may_be_blocked();
    story("1: action 1 ...; watch a; 1: =>; recv a ...").may_be_blocked();
    story("watch a; action 1 = full; recv a ...").may_be_blocked();
    story("watch a; action 1; recv a = 1; recv a ...").may_be_blocked();
}

#[test]
fn a_receive_does_not_wait_for_what_is_owed() {
    story("watch a; action 1; recv a ...").hangs(&["recv"]);
    story("watch a; recv a ...; 1: action 1").hangs(&["recv"]);
    story("watch a disconnect; action 1; recv a ...").queue(1).hangs(&["recv"]);
    story("watch a 7; recv a ...").hangs(&["recv"]);
    story("watch a 7; recv a = 7; recv a ...").may_be_blocked();
    story("watch a 7; recv a = _; recv a ...").may_be_blocked();
    // Received after an event that came later, so the watcher had joined.
    story("1: action 1 ...; 2: action 2 ...; watch a; 1: => #0; 2: => #1; recv a = 1; recv a ...")
        .hangs(&["recv"]);
}

#[test]
fn a_receive_waits_while_another_watcher_is_full() {
    story("watch a; watch b; action 1; recv a ...").may_be_blocked();
    story("watch a; watch b; action 1; recv b = 1; recv a ...").hangs(&["recv"]);
    story("watch a; watch b; action 1; recv a ...").queue(1).hangs(&["recv"]);
    // Event 2 is the one that b has no room for, and event 1 comes before it.
    story("watch a; watch b; action 1; action 2; recv a ...").queue(1).hangs(&["recv"]);
    story("watch a; watch b; action 1; action 2; recv a = 1; recv a ...").queue(1).may_be_blocked();
    story("watch a; watch b; action 1; stop b; recv a ...").hangs(&["recv"]);
    story("watch a; watch b drop-newest; action 1; recv a ...").hangs(&["recv"]);
    // Event 1 comes before event 2, which is the first that b has no room for.
    story("watch a; action 1; watch b; action 2; recv b = 2; action 3; recv a ...").hangs(&["recv"]);
}

#[test]
fn a_receive_ends_with_its_watcher() {
    story("watch a; stop a; recv a ...").hangs(&["recv"]);
    story("watch a; watch b; action 1; stop a; recv a ...").hangs(&["recv"]);
    story("watch a; watch b; action 1; shutdown; recv a ...").hangs(&["recv"]);
    story("watch a; recv a = closed; recv a ...").hangs(&["recv"]);
    story("watch a; close; recv a ...").hangs(&["recv"]);
    story("watch a; watch b; action 1; close; recv a ...").may_be_blocked();
    let stop_may_block = Contract::strict().with(OpKind::Stop, Blocking::Silent);
    story("watch a; action 1; recv a ...; 1: stop a ...").under(stop_may_block).may_be_blocked();
}

#[test]
fn a_receive_of_a_watcher_that_drops() {
    for policy in ["drop-newest", "drop-oldest"] {
        let told = |steps: &str| story(&format!("watch a {policy}; {steps}"));
        told("action 1; recv a ...").queue(0).may_be_blocked();
        told("action 1; recv a ...").queue(1).hangs(&["recv"]);
        told("recv a ...; 1: action 1").queue(1).hangs(&["recv"]);
        told("action 1; action 2; recv a = 1; recv a ...").queue(2).hangs(&["recv"]);
        told("action 1; action 2; recv a = 2; recv a ...").queue(1).may_be_blocked();
        told("action 1; recv a = 1; action 2; recv a ...").queue(1).hangs(&["recv"]);
    }
    // The newest is dropped, or makes room for itself.
    story("watch a drop-newest; action 1; action 2; recv a = 1; recv a ...").queue(1).may_be_blocked();
    story("watch a drop-oldest; action 1; action 2; recv a = 1; recv a ...").queue(1).hangs(&["recv"]);
    story("watch a drop-oldest; action 1; action 2; action 3; recv a = 2; recv a ...")
        .queue(1)
        .hangs(&["recv"]);
    story("watch a drop-oldest; action 1; recv a = 1; action 2; action 3; recv a = 3; recv a ...")
        .queue(1)
        .may_be_blocked();
    story("watch a drop-newest; action 1; action 2; recv a = 1; action 3; recv a ...")
        .queue(1)
        .hangs(&["recv"]);
}

#[test]
fn shutdown_waits_for_a_full_watcher() {
    story("watch a; action 1; shutdown ...").may_be_blocked();
    story("watch a; action 1; shutdown ...").queue(1).hangs(&["shutdown"]);
    story("watch a; action 1; 1: shutdown ...; stop a").hangs(&["shutdown"]);
    story("watch a; shutdown ...").hangs(&["shutdown"]);
    story("watch a; action 1; recv a = 1; shutdown ...").hangs(&["shutdown"]);
}

#[test]
fn a_stop_that_may_wait_for_another_watcher() {
    let other = story("watch a; watch b; action 1; stop a ...").under(v0());
    assert_eq!(other.blocked("lane0 lock lock; dispatcher send b"), []);
    let own = other.blocked("lane0 lock lock; dispatcher send a");
    assert_eq!(own[0].signature.op, Some(OpKind::Stop));
    assert_eq!(other.blocked("lane0 lock lock; dispatcher recv b").len(), 1);
    assert_eq!(other.blocked("lane0 lock lock; dispatcher send incoming").len(), 1);
    // A sender that is an op is not the dispatcher.
    let op = story("watch a; watch b; 1: action 1 ...; stop a ...").under(v0());
    assert_eq!(op.blocked("lane0 lock lock; lane1 send b").len(), 1);
}

#[test]
fn a_stop_where_channels_are_unknown() {
    let unknown = |steps: &str, watcher: usize| {
        let mut told = story(steps).under(v0());
        let watch = &mut told.history.calls[watcher];
        watch.returned = watch.returned.take().map(|(at, _)| (at, crate::oracle::Outcome::Joined(None)));
        told
    };
    unknown("watch a; watch b; action 1; stop a ...", 0).may_be_blocked();
    unknown("watch a; watch b; action 1; stop a ...", 1).may_be_blocked();
    unknown("watch a; watch b; action 1; stop a ...", 1).queue(1).hangs(&["stop"]);
    unknown("watch a; action 1; stop a ...", 0).hangs(&["stop"]);
    // Who has not joined yet cannot be sent to.
    let joining = story("watch a; 1: watch b ...; action 1; stop a ...").under(v0());
    assert_eq!(joining.blocked("lane0 lock lock; dispatcher recv incoming").len(), 1);
}

#[test]
fn the_callers_own_error_excuses_what_follows() {
    let steps = "watch a; shutdown; watch b; stop a ...";
    story(steps).under(v0()).may_be_blocked();
    story(steps).hangs(&["stop"]);
    story("watch a; 1: action 1 ...; shutdown; stop a ...").under(v0()).may_be_blocked();
    story("watch a; action 1; shutdown; stop a ...").under(v0()).hangs(&["stop"]);
}

#[test]
fn only_what_is_blocked_counts() {
    let story = story("watch a; stop a ...");
    let mut state = story.state("");
    state.tasks[1].status = crate::engine::Status::Running;
    assert_eq!(crate::oracle::blocked(&story.context(), &story.history, &state), []);
}

#[test]
fn the_most_telling_op_comes_first() {
    story("watch a; action 1; 1: recv a ...; 2: shutdown ...; 3: close ...; 4: watch b ...; 5: stop a ...")
        .queue(1)
        .hangs(&["stop", "close", "watch", "shutdown"]);
}

#[test]
fn gallery_b1() {
    for contract in [v0(), Contract::strict()] {
        let story = story("watch a; action 1; stop a ...").under(contract);
        let found = story.blocked("lane0 lock lock; lock held-by dispatcher; dispatcher send a");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].signature.verdict, Verdict::Hang);
        assert_eq!(found[0].signature.op, Some(OpKind::Stop));
        assert_eq!(found[0].signature.class, Class::MixedChannelLock);
    }
}

#[test]
fn gallery_b7() {
    let story = story("shutdown; watch a; recv a ...");
    let found = story.blocked("lane0 recv a; a sent-by lane0");
    assert_eq!(found[0].signature.op, Some(OpKind::Recv));
    assert_eq!(found[0].signature.class, Class::ChannelDeadlock);
}

#[test]
fn gallery_h1_and_h2() {
    let stop = story("watch a; watch b; action 1; stop a ...");
    let watch = story("watch a; action 1; watch b ...");
    stop.hangs(&["stop"]);
    watch.hangs(&["watch"]);
    let [stop, watch] = [stop, watch].map(|story| story.under(v0()));
    assert_eq!(stop.blocked("lane0 lock lock; dispatcher send b; lock held-by dispatcher"), []);
    watch.may_be_blocked();
}

#[test]
fn gallery_h3() {
    // The dispatcher waits for a, and incoming has room: the action waits for the lock that the stop holds.
    let steps = "watch a; watch b; action 1; action 2; stop b ...; 1: recv a = 1; 1: action 3 ...";
    let own = Contract::silent().with(OpKind::Action, Blocking::Table);
    story(steps).incoming(25).under(own.clone()).hangs(&["action"]);
    story(steps).incoming(25).hangs(&["stop", "action"]);
    story("watch a; action 1; action 2; 1: action 3 ...").incoming(1).under(own).may_be_blocked();
}

#[test]
fn gallery_h4() {
    story("watch a; action 1; action 2; 1: action 3 ...; 2: try-action 4 ...")
        .incoming(1)
        .hangs(&["try-action"]);
}

#[test]
fn gallery_controls() {
    // C1, C2 and C3; none is a finding under either contract.
    for contract in [v0(), Contract::strict()] {
        let told = |steps: &str| story(steps).under(contract.clone());
        told("watch a; action 1; shutdown ...").may_be_blocked();
        told("watch a; action 1; 1: recv a = 1; action 2; 1: action 3 ...").may_be_blocked();
        told("watch a; action 1; action 2; action 3; action 4 ...").incoming(1).queue(1).may_be_blocked();
        told("watch a; 1: action 1; 1: action 2 ...; 2: recv a = 1; 1: =>; 1: action 3 ...").may_be_blocked();
    }
    // C4 and C5 are histories.
    story("watch a drop-newest; action 1; try-recv a = empty; shutdown; recv a = closed shutdown +1")
        .passes();
    for end in ["recv a = 1; recv a = closed stopped", "recv a = closed stopped"] {
        story(&format!("watch a; stop a ...; 1: action 1; =>; {end}")).queue(1).passes();
    }
}

#[test]
fn ops_left_in_a_lane_are_no_calls() {
    let mut told = story("watch a; action 1; 1: action 2 ...");
    told.script.lanes = vec![vec![], vec![Op::Action, Op::Recv(Slot::new(0))]];
    told.may_be_blocked();
}

#[test]
fn back_pressure_is_of_actions_alone() {
    let contract = Contract::strict().with(OpKind::Recv, Blocking::BackPressure);
    story("watch a; recv a ...").under(contract.clone()).may_be_blocked();
    story("watch a; action 1; recv a ...").under(contract).hangs(&["recv"]);
}

#[test]
fn what_may_last_until_the_end_ends_with_the_mux_and_the_last_watcher() {
    let until =
        |steps: &str| story(steps).under(Contract::strict().with(OpKind::Recv, Blocking::UntilTheEnd));
    until("watch a; action 1; recv a ...").may_be_blocked();
    until("watch a; stop a; recv a ...").may_be_blocked();
    until("watch a; close; recv a ...").may_be_blocked();
    until("watch a; watch b; close; stop a; recv a ...").may_be_blocked();
    until("watch a; close; stop a; recv a ...").hangs(&["recv"]);
}

#[test]
fn who_is_being_read_is_not_waited_for() {
    story("watch a; action 1; 1: recv a ...; shutdown ...").hangs(&["recv", "shutdown"]);
}

#[test]
fn events_at_one_place_are_in_no_order() {
    story("watch a; action 1 = #4; action 2 = #4; recv a = 2 #4; shutdown ...").may_be_blocked();
}
