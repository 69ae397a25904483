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
