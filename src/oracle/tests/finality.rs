use super::story::story;
use crate::oracle::{Class, Contract, Guarantee};

#[test]
fn after_stop_a_receive_is_never_empty() {
    story("watch a; stop a; try-recv a = closed stopped").passes();
    story("watch a; 1: stop a ...; try-recv a = empty; 1: =>").passes();
    story("watch a; stop a; try-recv a = empty").breaks("stop is final: nothing there");
}

#[test]
fn after_shutdown_a_receive_is_never_empty() {
    story("watch a; action 1; shutdown; try-recv a = 1; try-recv a = closed shutdown").queue(1).passes();
    story("watch a; action 1; close; try-recv a = empty").queue(1).passes();
}

#[test]
fn gallery_b3() {
    let told = story("watch a; action 1; shutdown; try-recv a = empty").queue(1);
    told.breaks("shutdown is final: nothing there");
    let final_alone = Contract::silent().guaranteeing(&[Guarantee::ShutdownFinal]);
    let late = story("shutdown; watch a; try-recv a = empty").under(final_alone);
    late.breaks("shutdown is final: late, and nothing there");
    let found = told.judged(crate::engine::End::Finished, "").findings;
    assert_eq!(found[0].signature.class, Class::OrderViolation);
}

#[test]
fn what_shutdown_distributed_outlives_a_stop() {
    let steps = "watch a; action 1; shutdown; stop a;";
    story(&format!("{steps} recv a = 1; recv a = closed")).queue(1).passes();
    story(&format!("{steps} recv a = closed")).queue(1).breaks("shutdown is final: an event not distributed");
    let steps = "watch a; action 1; action 2; shutdown; stop a;";
    story(&format!("{steps} recv a = 1; recv a = 2")).queue(2).passes();
    story(&format!("{steps} recv a = 2")).queue(2).breaks("shutdown is final: an event left out");
    story("watch a; action 1; 1: shutdown ...; stop a; 1: =>; recv a = closed").queue(1).passes();
    story("watch a; action 1; stop a; shutdown; stop a; recv a = closed").queue(1).passes();
}

#[test]
fn the_end_is_for_ever() {
    story("watch a; stop a; recv a = closed stopped; try-recv a = closed stopped").passes();
    story("watch a; close; recv a = closed; try-recv a = empty")
        .breaks("shutdown is final: more after the end");
    story("watch a; action 1; 1: stop a ...; recv a = closed; recv a = 1; 1: =>")
        .breaks("stop is final: more after the end");
    story("watch a; close; recv a = closed shutdown; stop a; recv a = closed stopped")
        .breaks("shutdown is final: another reason for the same end");
}

#[test]
fn nothing_from_after_the_stop() {
    story("watch a; 1: stop a ...; action 1; 1: =>; recv a = 1").passes();
    story("watch a; stop a; action 1; recv a = 1").breaks("stop is final: an event from after the stop");
    story("watch a; stop a; recv a = 9").breaks("once: an event that nobody published");
}

#[test]
fn the_reason_is_one_that_there_was() {
    story("watch a; 1: drop a ...; recv a = closed stopped").passes();
    story("watch a; close; recv a = closed stopped").breaks("stop is final: stopped, but nobody did");
    story("watch a; stop a; recv a = closed shutdown").breaks("shutdown is final: shut down, but nobody did");
    story("watch a disconnect; action 1; recv a = closed too-slow").passes();
    story("watch a disconnect; close; recv a = closed too-slow")
        .breaks("exact suffix: too slow, but it was not");
    story("watch a; close; recv a = closed too-slow").breaks("exact suffix: too slow, but it was not");
}

#[test]
fn after_close_everything_is_refused() {
    story("close; action 1 = refused; try-action 2 = refused; watch a = refused").passes();
    story("1: close ...; action 1; watch a; 1: =>").passes();
    story("close; action 1").breaks("close is final: accepted when closed");
    story("shutdown; try-action 1").breaks("close is final: accepted when closed");
    story("close; watch a").breaks("close is final: accepted when closed");
    story("close; try-action 1 = full").breaks("close is final: full when closed");
}

#[test]
fn before_close_nothing_is_refused() {
    story("1: action 1 ...; close ...; 1: => refused").passes();
    story("action 1 = refused; close").breaks("close is final: refused when open");
    story("watch a = refused").breaks("close is final: refused when open");
}

#[test]
fn what_tells_that_the_mux_is_closed_is_final_too() {
    story("watch a; 1: close ...; action 1 = refused; action 2 = refused; 1: =>").passes();
    story("watch a; 1: close ...; action 1 = refused; action 2; 1: =>")
        .breaks("close is final: accepted when closed");
    story("watch a; 1: close ...; recv a = closed shutdown; watch b; 1: =>")
        .breaks("close is final: accepted when closed");
}
