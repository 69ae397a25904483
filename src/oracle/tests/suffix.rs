use super::story::story;
use crate::oracle::{Class, Contract, Guarantee};

#[test]
fn gallery_b2() {
    let steps = "action 1; watch a; recv a = 1";
    story(steps).breaks("exact suffix: an event from before the watch");
    let found = story(steps).judged(crate::engine::End::Finished, "").findings;
    assert_eq!(found[0].signature.class, Class::OrderViolation);
    // As the versions before V5 read their own documentation.
    story(steps).under(Contract::silent().guaranteeing(&[Guarantee::Order, Guarantee::Once])).passes();
}

#[test]
fn none_from_before() {
    story("1: action 1 ...; watch a; 1: =>; recv a = 1").passes();
    story("1: watch a ...; action 1; 1: =>; recv a = 1").passes();
    story("action 1; watch a 7; recv a = 7; recv a = 1")
        .breaks("exact suffix: an event from before the watch");
}

#[test]
fn no_gap() {
    story("watch a; action 1; action 2; recv a = 1; recv a = 2").passes();
    story("watch a; action 1; action 2; recv a = 2").breaks("exact suffix: an event left out");
    story("watch a disconnect; action 1; action 2; recv a = 2").breaks("exact suffix: an event left out");
    story("watch a drop-newest; action 1; action 2; recv a = 2").passes();
    story("watch a; action 1; action 2; recv a = _; recv a = 2; close; recv a = closed").passes();
}

#[test]
fn no_gap_among_concurrent_actions() {
    // That event 2 came between the others is known from watcher b, and that a had joined from event 1.
    let actions = "1: action 1 ...; 2: action 2 ...; 3: action 3 ...; watch a; watch b; 1: =>; 2: =>; 3: =>;";
    let b = "recv b = 1; recv b = 2; recv b = 3;";
    story(&format!("{actions} {b} recv a = 1; recv a = 2; recv a = 3")).passes();
    story(&format!("{actions} {b} recv a = 2; recv a = 3")).passes();
    story(&format!("{actions} {b} recv a = 1; recv a = 3")).breaks("exact suffix: an event left out");
}

#[test]
fn a_stop_may_leave_events_out() {
    story("watch a; action 1; action 2; stop a; recv a = closed").passes();
    story("watch a; action 1; action 2; 1: stop a ...; recv a = 2; 1: =>").passes();
    story("watch a; action 1; action 2; recv a = 2; stop a").breaks("exact suffix: an event left out");
}

#[test]
fn all_that_is_owed_comes_before_the_end() {
    story("watch a; action 1; close; recv a = 1; recv a = closed").passes();
    story("watch a; action 1; close; recv a = closed").breaks("exact suffix: an event lost at the end");
    story("watch a; 1: action 1 ...; close; recv a = closed; 1: => refused 1").passes();
    story("1: action 1 ...; watch a; 1: =>; close; recv a = closed").passes();
    story("watch a; action 1; close; recv a = closed event-panicked").passes();
}

#[test]
fn what_is_kept_of_what_is_dropped_comes_before_the_end() {
    let told = |policy: &str, received: &str| {
        story(&format!("watch a {policy}; action 1; action 2; action 3; close; {received}; recv a = closed"))
            .queue(1)
    };
    told("drop-newest", "recv a = 1").passes();
    told("drop-newest", "").breaks("exact suffix: an event lost at the end");
    told("drop-oldest", "recv a = 3").passes();
    told("drop-oldest", "recv a = 1").breaks("exact suffix: an event lost at the end");
    told("drop-oldest", "recv a = 3").queue(0).passes();
    told("drop-oldest", "recv a = 1").queue(0).passes();
    told("disconnect", "recv a = 1").passes();
    told("disconnect", "").breaks("exact suffix: an event lost at the end");
}

#[test]
fn a_watcher_that_kept_up_loses_nothing_at_the_end() {
    let steps = "watch a disconnect; action 1; recv a = 1; action 2; close;";
    story(&format!("{steps} recv a = 2; recv a = closed shutdown")).queue(1).passes();
    story(&format!("{steps} recv a = closed too-slow")).queue(1).passes();
    story(&format!("{steps} recv a = closed shutdown"))
        .queue(1)
        .breaks("exact suffix: an event lost at the end");
}

#[test]
fn an_end_has_a_reason() {
    story("watch a; 1: recv a ...; close ...; 1: => closed").passes();
    story("watch a; recv a = closed").breaks("exact suffix: an end without a reason");
    let mut told = story("watch a; recv a = closed");
    told.capabilities.closes_with_last_watcher = true;
    told.passes();
}
