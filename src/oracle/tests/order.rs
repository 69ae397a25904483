use super::story::story;
use crate::oracle::{Class, Verdict};

#[test]
fn watchers_agree() {
    let both = "watch a; watch b; 1: action 1 ...; 2: action 2 ...; 1: =>; 2: =>; recv a = 1; recv a = 2; ";
    story(&format!("{both} recv b = 1; recv b = 2")).passes();
    story(&format!("{both} recv b = 2; recv b = 1")).breaks("order: watchers disagree");
}

#[test]
fn the_order_respects_real_time() {
    story("watch a; action 1; action 2; recv a = 1; recv a = 2").passes();
    story("watch a; action 1; action 2; recv a = 2; recv a = 1").breaks("order: against real time");
    story("watch a; 1: action 1 ...; action 2; 1: =>; recv a = 2; recv a = 1").passes();
    story("watch a; 1: action 1 ...; action 2; recv a = 2; recv a = 1").passes();
}

#[test]
fn a_longer_cycle_is_found() {
    // 1 before 2 for a, 2 before 3 for b, 3 before 1 in real time.
    let steps = "watch a drop-newest; watch b drop-newest; 2: action 2 ...; action 3; action 1; 2: =>;";
    story(&format!("{steps} recv a = 1; recv a = 2; recv b = 2; recv b = 3"))
        .breaks("order: against real time");
    story(&format!("{steps} recv a = 2; recv a = 1; recv b = 2; recv b = 3")).passes();
    // Three watchers that agree two by two, and have no common order.
    let steps = "watch a drop-newest; watch b drop-newest; watch c drop-newest; \
                 1: action 1 ...; 2: action 2 ...; 3: action 3 ...; 1: =>; 2: =>; 3: =>;";
    story(&format!("{steps} recv a = 1; recv a = 2; recv b = 2; recv b = 3; recv c = 3; recv c = 1"))
        .breaks("order: watchers disagree");
    story(&format!("{steps} recv a = 1; recv a = 2; recv b = 2; recv b = 3; recv c = 1; recv c = 3"))
        .passes();
}

#[test]
fn one_place_for_each_event() {
    story("watch a; watch b; action 1 = #4; recv a = 1 #4; recv b = 1 #4").passes();
    story("watch a; action 1 = #4; recv a = 1 #5").breaks("order: two places for one event");
    story("action 1 = #4; action 2 = #4").breaks("order: one place for two events");
}

#[test]
fn places_rise() {
    story("action 1 = #4; action 2 = #5").passes();
    story("action 1 = #5; action 2 = #4").breaks("order: places against real time");
    story("1: action 1 ...; 2: action 2 = #4; 1: => #5").passes();
    let steps = "watch a; 1: action 1 ...; 2: action 2 ...; 1: => #1; 2: => #2;";
    story(&format!("{steps} recv a = 2 #2; recv a = 1 #1")).breaks("order: places out of order");
    story(&format!("{steps} recv a = 1 #1; recv a = 2 #2")).passes();
}

#[test]
fn an_order_finding_says_who_saw_what() {
    let told = story("watch a; action 1; action 2; 1: recv a = 2; 1: recv a = 1");
    let finding = told.judged(crate::engine::End::Finished, "").findings.remove(0);
    assert_eq!(finding.signature.verdict, Verdict::Violation);
    assert_eq!(finding.signature.class, Class::OrderViolation);
    assert_eq!(finding.call, Some(4));
    assert_eq!(
        finding.sentence,
        "the action of event 1 returned before that of event 2 was called, but watcher `a` received event 2 \
         before event 1"
    );
}

#[test]
fn long_histories_are_checked_whole() {
    let mut steps = String::from("watch a;");
    (0..300).for_each(|event| steps += &format!("action {event};"));
    (0..300).for_each(|event| steps += &format!("recv a = {event};"));
    story(&steps).passes();
}

#[test]
fn what_comes_between_two_cycles_is_in_neither() {
    let actions = |one: u8, other: u8| format!("1: action {one} ...; 2: action {other} ...; 1: =>; 2: =>;");
    let actions = format!("{} action 3; {}", actions(1, 2), actions(4, 5));
    let steps =
        format!("watch a; watch b; {actions} recv a = 1; recv a = 2; recv a = 3; recv a = 4; recv a = 5;");
    story(&format!("{steps} recv b = 1; recv b = 2; recv b = 3; recv b = 4; recv b = 5")).passes();
    story(&format!("{steps} recv b = 2; recv b = 1; recv b = 3; recv b = 5; recv b = 4"))
        .breaks("order: watchers disagree");
}

#[test]
fn the_same_place_again_is_the_same_event_again() {
    story("watch a; action 1 = #4; recv a = 1 #4; recv a = 1 #4").breaks("once: an event twice");
}
