use super::story::story;
use crate::engine::End;
use crate::oracle::{Class, Contract, Verdict};
use crate::script::{OpKind, OpSet};

const WOUND_DOWN: &str = "watch a; action 1; w0: stop a; w1: close";

fn excusing() -> Contract {
    Contract::silent().misuse_after_shutdown(OpSet::of(&[OpKind::Watch, OpKind::Action, OpKind::Shutdown]))
}

#[test]
fn all_that_ended_passes() {
    let judgement = story(WOUND_DOWN).judged(End::Finished, "");
    assert_eq!(judgement.verdict(), Verdict::Pass);
}

#[test]
fn a_deadline_is_never_a_hang() {
    let judgement = story("watch a; action 1; stop a ...").judged(End::Deadline, "dispatcher send a");
    assert_eq!(judgement.verdict(), Verdict::Inconclusive);
    let judgement = story("watch a; stop a ...").judged(End::Quiescent, "");
    assert_eq!(judgement.verdict(), Verdict::Hang);
}

#[test]
fn what_was_broken_before_a_deadline_is_known() {
    let judgement = story("watch a; action 1; recv a = 1; recv a = 1").judged(End::Deadline, "");
    assert_eq!(judgement.verdict(), Verdict::Violation);
    assert!(judgement.inconclusive.is_some());
}

#[test]
fn nothing_outlives_the_wind_down() {
    let told = story(WOUND_DOWN);
    let judgement = told.judged(End::Quiescent, "dispatcher recv incoming");
    let signature = &judgement.findings[0].signature;
    assert_eq!((signature.verdict, signature.op, signature.wind_down), (Verdict::Hang, None, true));
    assert_eq!(signature.shape, "dispatcher waits to receive from channel, served by nobody");
    // It may wait as long as the mux is open, or a watcher may still take something.
    for steps in [
        "watch a; watch b; w0: stop a; w1: close",
        "watch a; w0: stop a = panicked planned panic; w1: stop a; w2: close",
        "watch a; w0: stop a",
        "watch a; action 1; close",
        "watch a; w0: stop a; w1: close ...",
    ] {
        let judgement =
            story(steps).under(Contract::silent()).judged(End::Quiescent, "dispatcher recv incoming");
        assert_eq!(judgement.verdict(), Verdict::Pass);
    }
}

#[test]
fn nothing_may_block_once_all_is_wound_down() {
    for (steps, op) in [
        ("watch a; 1: action 1; 1: action 2 ...; w0: stop a; w1: close", "action"),
        ("watch a; recv a ...; w0: stop a; w1: close", "recv"),
        ("watch a; action 1; shutdown ...; w0: stop a", "shutdown"),
    ] {
        let judgement = story(steps).judged(End::Quiescent, "");
        let signature = &judgement.findings[0].signature;
        assert_eq!((signature.op.unwrap().name(), signature.wind_down), (op, true));
    }
}

#[test]
fn gallery_b4_and_b6() {
    let steps = "shutdown; action 1 = panicked send on closed channel";
    let judgement = story(steps).judged(End::Finished, "");
    let finding = &judgement.findings[0];
    assert_eq!((finding.signature.verdict, finding.signature.class), (Verdict::Panic, Class::ChannelMisuse));
    assert_eq!(finding.signature.shape, "action panics: send on closed channel");
    assert_eq!(finding.sentence, "`lane0` panicked in action: send on closed channel");
    assert!(!finding.signature.wind_down);
    assert_eq!(story(steps).under(excusing()).judged(End::Finished, "").verdict(), Verdict::Pass);
    let steps = "shutdown; shutdown = panicked close of closed channel";
    assert_eq!(story(steps).judged(End::Finished, "").findings[0].signature.class, Class::ChannelMisuse);
    assert_eq!(story(steps).under(excusing()).judged(End::Finished, "").verdict(), Verdict::Pass);
}

#[test]
fn gallery_b5() {
    // A stop concurrent with shutdown is nobody's error, wherever it panics.
    let told = story("watch a; 1: shutdown ...; stop a ...").under(excusing());
    let judgement = told.judged(End::Quiescent, "dispatcher-1 panicked send on closed channel");
    let finding = &judgement.findings[0];
    assert_eq!((finding.signature.verdict, finding.signature.op), (Verdict::Panic, None));
    assert_eq!(finding.signature.shape, "dispatcher panics: send on closed channel");
    assert_eq!(finding.sentence, "`dispatcher-1` panicked: send on closed channel");
}

#[test]
fn other_panics_are_the_subjects_own() {
    let judgement = story("close = panicked index 17 out of 4").judged(End::Finished, "");
    assert_eq!(judgement.findings[0].signature.class, Class::SubjectPanic);
    assert_eq!(judgement.findings[0].signature.shape, "close panics: index # out of #");
}

#[test]
fn planned_panics_are_the_users() {
    let judgement = story("action 1 = panicked planned panic in clone").judged(End::Finished, "");
    assert_eq!(judgement.verdict(), Verdict::Pass);
}

#[test]
fn what_follows_the_callers_error_is_excused() {
    let contract = excusing().guaranteeing(&crate::oracle::Guarantee::ALL);
    let steps = "watch a; action 1; recv a = 1; recv a = 1; shutdown; action 2 = refused";
    let late = "watch a; action 1; recv a = 1; shutdown; action 2 = refused; recv a = 1";
    assert_eq!(story(steps).under(contract.clone()).judged(End::Finished, "").verdict(), Verdict::Violation);
    assert_eq!(story(late).under(contract).judged(End::Finished, "").verdict(), Verdict::Pass);
    assert_eq!(story(late).judged(End::Finished, "").verdict(), Verdict::Violation);
}

#[test]
fn only_what_is_guaranteed_is_checked() {
    let told = story("watch a; action 1; recv a = 1; recv a = 1").under(Contract::silent());
    assert_eq!(told.judged(End::Finished, "").verdict(), Verdict::Pass);
}

#[test]
fn hangs_come_before_violations_before_panics() {
    let told = story("action 9 = panicked x; watch a; action 1; recv a = 1; recv a = 1; stop a ...");
    let judgement = told.judged(End::Quiescent, "");
    let verdicts: Vec<_> = judgement.findings.iter().map(|finding| finding.signature.verdict).collect();
    assert_eq!(verdicts, [Verdict::Hang, Verdict::Violation, Verdict::Panic]);
}

#[test]
fn the_same_finding_is_told_once() {
    let judgement =
        story("watch a; action 1; recv a = 1; recv a = 1; try-recv a = 1").judged(End::Finished, "");
    assert_eq!(judgement.findings.len(), 1);
    assert_eq!(judgement.findings[0].call, Some(3));
    assert!(!judgement.findings[0].signature.wind_down);
}

#[test]
fn what_shows_in_the_wind_down_says_so() {
    let told = story("watch a; action 1 ...; w0: stop a; w1: close; => panicked send on closed channel");
    assert!(told.judged(End::Finished, "").findings[0].signature.wind_down);
}

#[test]
fn a_hang_told_by_time_alone_says_so_and_nothing_else_does() {
    let told = story("watch a; action 1; recv a = 1; recv a = 1; stop a ...");
    let judgement = told.judged(End::Still(std::time::Duration::from_secs(10)), "");
    let sentences: Vec<bool> =
        judgement.findings.iter().map(|finding| finding.sentence.contains("by time alone")).collect();
    assert_eq!(sentences, [true, false]);
}

#[test]
fn a_finding_names_the_calls_that_it_contradicts() {
    let against = |steps: &str| {
        let findings = story(steps).judged(End::Finished, "").findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        (findings[0].call, findings[0].against.clone())
    };
    assert_eq!(against("watch a; watch b; stop a; try-recv a = empty"), (Some(3), vec![2]));
    assert_eq!(against("watch a; action 1; action 2; recv a = 2; recv a = 1"), (Some(4), vec![1, 2, 3]));
    let both = "watch a; watch b; 1: action 1 ...; 2: action 2 ...; 1: =>; 2: =>; recv a = 1; recv a = 2;";
    assert_eq!(against(&format!("{both} recv b = 2; recv b = 1")), (Some(7), vec![4, 5, 6]));
    let steps = "watch a drop-newest; action 1; action 2; action 3; recv a = 1 +0; recv a = 3 +0";
    assert_eq!(against(steps), (Some(5), vec![4]));
}

#[test]
fn what_a_call_panicked_with_is_known() {
    let told = story("close = panicked index 17 out of 4; shutdown");
    let panics: Vec<Option<&str>> = told.history.calls.iter().map(crate::oracle::Call::panic).collect();
    assert_eq!(panics, [Some("index 17 out of 4"), None]);
}

#[test]
fn verdicts_have_names_of_their_own() {
    let names: std::collections::BTreeSet<String> = Verdict::ALL.iter().map(Verdict::to_string).collect();
    assert_eq!(names.len(), Verdict::ALL.len());
    assert_eq!(Verdict::Hang.to_string(), "hang");
}

#[test]
fn clauses_say_what_of_which_op() {
    use crate::oracle::{Blocking, Guarantee};
    let clause = |kind: OpKind| Contract::strict().blocking(kind).clause(kind);
    assert_eq!(
        clause(OpKind::Stop),
        "`stop` never blocks: not for other watchers, other callers or the dispatcher"
    );
    assert_eq!(
        clause(OpKind::Shutdown),
        "`shutdown` may block only while a live `wait` watcher is full and unread"
    );
    for kind in OpKind::ALL {
        let clauses: std::collections::BTreeSet<String> =
            [Blocking::Never, Blocking::SendingToAnother, Blocking::UntilTheEnd, Blocking::Silent]
                .map(|blocking| blocking.clause(kind))
                .into();
        assert!(clauses.len() == 4 && clauses.iter().all(|clause| clause.starts_with(&format!("`{kind}` "))));
    }
    let clauses: std::collections::BTreeSet<&str> =
        Guarantee::ALL.iter().map(|guarantee| guarantee.clause()).collect();
    assert_eq!(clauses.len(), Guarantee::ALL.len());
    assert!(Guarantee::Once.clause().contains("twice"), "{}", Guarantee::Once.clause());
}
