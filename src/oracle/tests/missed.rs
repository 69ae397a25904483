use super::story::story;

const WRONG: &str = "missed adds up: not what was left out";

#[test]
fn a_watcher_that_waits_misses_nothing() {
    story("watch a; action 1; recv a = 1 +0; close; recv a = closed shutdown +0").passes();
    story("watch a; action 1; recv a = 1 +1").breaks(WRONG);
    story("watch a; action 1; recv a = 1 +0; 1: action 2 ...; close; recv a = closed shutdown +1")
        .breaks(WRONG);
    story("watch a; action 1; action 2; recv a = 2 +0").breaks("exact suffix: an event left out");
    story("watch a; close; recv a = closed shutdown +1").breaks(WRONG);
    story("watch a 7; recv a = 7 +1").breaks("missed adds up: missed in the prefix");
    story("watch a 7; recv a = 7 +0").passes();
}

#[test]
fn a_stop_may_make_it_miss() {
    story("watch a; 1: action 1; action 2; 2: stop a ...; recv a = 2 +1; 2: =>").passes();
}

#[test]
fn what_was_dropped_before_an_event_is_counted() {
    let told = |missed: &str| {
        story(&format!("watch a drop-newest; action 1; action 2; action 3; recv a = 3 {missed}")).queue(0)
    };
    told("+2").passes();
    told("").passes();
    told("+1").breaks(WRONG);
    told("+3").breaks(WRONG);
    let steps = "watch a drop-newest; action 1; action 2; action 3;";
    story(&format!("{steps} recv a = 1 +1")).breaks(WRONG);
    story(&format!("{steps} recv a = 2 +1; recv a = 3 +1")).breaks(WRONG);
    story(&format!("{steps} recv a = 2 +1; recv a = 3 +0")).passes();
}

#[test]
fn what_may_have_been_dropped_may_be_counted() {
    for missed in ["+0", "+1"] {
        story(&format!("1: action 1 ...; watch a drop-newest; 1: =>; action 2; recv a = 2 {missed}"))
            .passes();
    }
    story("action 1; watch a drop-newest; action 2; recv a = 2 +1").breaks(WRONG);
}

#[test]
fn what_was_dropped_before_the_end_is_counted() {
    let steps = "watch a drop-newest; action 1; recv a = 1 +0; action 2;";
    story(&format!("{steps} close; recv a = closed shutdown +1")).passes();
    story(&format!("{steps} close; recv a = closed shutdown +0")).breaks(WRONG);
    story(&format!("{steps} close; recv a = closed shutdown +2")).breaks(WRONG);
    story(&format!("{steps} stop a; recv a = closed stopped +0")).passes();
    story(&format!("{steps} stop a; recv a = closed stopped +2")).breaks(WRONG);
}

#[test]
fn places_tell_what_was_missed() {
    let told = |missed: &str| {
        story(&format!(
            "watch a drop-newest; 1: action 1 ...; 2: action 2 ...; recv a = 1 #3; recv a = 2 #5 {missed}"
        ))
    };
    told("+0").breaks("missed adds up: not the gap in places");
    let told = |missed: &str| {
        story(&format!(
            "watch a drop-newest; action 1 = #3; action 2 = #4; action 3 = #5; recv a = 1 #3; recv a = 3 #5 {missed}"
        ))
    };
    told("+1").passes();
}

#[test]
fn a_watcher_that_is_disconnected_misses_only_at_its_end() {
    let told = |steps: &str| story(&format!("watch a disconnect; action 1; action 2; {steps}")).queue(1);
    told("recv a = 1 +0; recv a = closed too-slow +1").passes();
    told("recv a = 1 +0; recv a = closed too-slow +0").passes();
    told("recv a = 1 +0; recv a = closed too-slow +2").breaks(WRONG);
    told("recv a = 1 +1").breaks(WRONG);
}

#[test]
fn what_was_dropped_before_an_end_without_a_reason_may_be_counted() {
    let steps = "watch a drop-newest; action 1; recv a = 1 +0; action 2; close;";
    for missed in ["+0", "+1"] {
        story(&format!("{steps} recv a = closed {missed}")).passes();
    }
}
