use std::sync::atomic::AtomicBool;

use super::checkpoint::Ranges;
use super::*;
use crate::hunt::Jobs;
use crate::subject;

fn effort(stop: &AtomicBool) -> Effort<'_> {
    Effort { jobs: Jobs::each(2), time: None, stop }
}

/// The Mux of 2014, with scripts of up to so many ops.
fn exploration(ops: usize, lanes: usize) -> Exploration {
    let subject =
        subject::all().into_iter().find(|subject| subject.name() == "k8s-906").expect("it is there");
    let trial = Trial::new(subject, ContractKind::Own, Duration::from_secs(1));
    Exploration::new(trial, Bounds { ops, lanes }, None)
}

fn run(exploration: &Exploration, from: Checkpoint) -> Explored {
    let progress = Progress::new(exploration, &from);
    exploration.run(effort(&AtomicBool::new(false)), from, &progress, &|_| (), &|_| ())
}

fn signatures(explored: &Explored) -> Vec<(u64, &Signature)> {
    explored.findings.iter().map(|shown| (shown.index, &shown.finding.signature)).collect()
}

#[test]
fn what_was_done_in_any_order_is_not_done_again_and_none_of_it_is_lost() {
    let exploration = exploration(3, 1);
    let whole = run(&exploration, Checkpoint::default());
    assert!(whole.is_complete() && !whole.findings.is_empty());
    let never = AtomicBool::new(false);
    let mut done = Done::from(Checkpoint::default());
    for index in (0..exploration.scripts()).rev().filter(|index| index % 3 != 1) {
        done.add(index, exploration.group(index), exploration.explore(index, effort(&never)));
    }
    let text = done.checkpoint().text(&exploration);
    let from = Checkpoint::parse(&exploration, &text).unwrap_or_else(|unfit| panic!("{unfit}\n{text}"));
    assert_eq!(from, done.checkpoint());
    assert!(from.count.scripts > 0 && from.count.scripts < whole.scripts);
    let resumed = run(&exploration, from);
    assert_eq!((resumed.count, signatures(&resumed)), (whole.count, signatures(&whole)));
}

#[test]
fn findings_are_told_once_in_the_order_of_their_scripts_and_the_first_is_the_smallest() {
    let exploration = exploration(3, 1);
    let (told, progress) = (Shared::new(Vec::new()), Progress::new(&exploration, &Checkpoint::default()));
    let never = AtomicBool::new(false);
    let news = |shown: &Shown| told.with(|told| told.push((shown.index, shown.finding.signature.clone())));
    let explored = exploration.run(effort(&never), Checkpoint::default(), &progress, &news, &|_| ());
    let told = told.into_inner();
    assert!(told.is_sorted_by_key(|(index, _)| *index), "{told:?}");
    assert!(told.iter().all(|one| told.iter().filter(|other| one.1 == other.1).count() == 1), "{told:?}");
    // A smaller one may show something as it is wound down.
    let is_own = |shown: &&Shown| !shown.finding.signature.wind_down;
    let first = explored.findings.iter().find(is_own).expect("there is one");
    let ops: Vec<OpKind> = first.script.lanes[0].iter().map(|op| op.kind()).collect();
    assert_eq!(ops, [OpKind::Watch, OpKind::Action, OpKind::Stop]);
    assert_eq!(first.finding.signature.verdict, Verdict::Hang);
    let by_itself = told.iter().find(|(_, signature)| !signature.wind_down).map(|(index, _)| *index);
    assert_eq!(by_itself, Some(first.index));
    // A preemption is needed, and no more.
    assert_eq!(first.execution.steps.iter().filter(|step| step.preempts).count(), 1);
    assert_eq!((progress.total().0, progress.left()), (explored.scripts, 0.0));
}

#[test]
fn a_text_that_is_no_checkpoint_of_it_is_refused_at_its_line() {
    let small = exploration(2, 1);
    let text = Checkpoint::parse(&small, &run_text(&small)).expect("it is one").text(&small);
    let lines: Vec<&str> = text.lines().collect();
    // Cut short anywhere, at a line's end or in the midst of it.
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let cut = Checkpoint::parse(&small, &text[..end]);
        assert!(cut.is_err() || text[end..] == *"\n", "{}", &text[..end]);
    }
    let refused = |line: usize, with: &str, expected: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = with;
        let unfit = Checkpoint::parse(&small, &lines.join("\n")).expect_err(with).to_string();
        assert_eq!(unfit, format!("{line}: read `{with}`, expected {expected}"));
    };
    refused(2, "done 0-99999", "`done` and rising ranges of scripts");
    refused(2, "done 3-5 4", "`done` and rising ranges of scripts");
    refused(2, "done 5-3", "`done` and rising ranges of scripts");
    refused(3, "count 1 2 3", "`count` and four numbers");
    refused(3, "count 1 2 3 -4", "`count` and four numbers");
    refused(4, "executions 1:2", "`executions` and `OPSxLANES:NUMBER`, any number of times");
    refused(5, "findings 99999", "`findings` and scripts that are done");
    let other = exploration(1, 1);
    let unfit = Checkpoint::parse(&other, &text).expect_err("it is of another").to_string();
    assert!(unfit.contains("--ops 2 --lanes 1") && unfit.contains("--ops 1 --lanes 1"), "{unfit}");
}

fn run_text(exploration: &Exploration) -> String {
    let (never, kept) = (AtomicBool::new(false), Shared::new(Checkpoint::default()));
    let progress = Progress::new(exploration, &Checkpoint::default());
    let keep = |checkpoint: &Checkpoint| kept.with(|kept| kept.clone_from(checkpoint));
    exploration.run(effort(&never), Checkpoint::default(), &progress, &|_| (), &keep);
    kept.into_inner().text(exploration)
}

#[test]
fn ranges_hold_what_was_put_in() {
    let mut ranges = Ranges::default();
    for number in [7, 3, 4, 9, 8, 0, 3] {
        ranges.insert(number);
    }
    assert_eq!(ranges.to_string(), " 0 3-4 7-9");
    assert_eq!(ranges.iter().collect::<Vec<_>>(), [0, 3, 4, 7, 8, 9]);
    assert_eq!((ranges.first_missing(), ranges.contains(5), ranges.contains(8)), (1, false, true));
    ranges.insert(1);
    ranges.insert(2);
    assert_eq!((ranges.to_string().as_str(), ranges.first_missing()), (" 0-4 7-9", 5));
}

/// What those that are done took tells what the others will take.
#[test]
fn what_is_left_is_told_by_what_is_done_and_by_how_it_has_grown() {
    let exploration = exploration(3, 2);
    let progress = Progress::new(&exploration, &Checkpoint::default());
    let sizes = |group: Group| exploration.scripts.iter().filter(|script| Group::of(script) == group).count();
    for (ops, lanes, executions) in [(1, 1, 1), (2, 1, 1), (2, 2, 4), (3, 1, 1)] {
        let group = Group { ops, lanes };
        (0..sizes(group)).for_each(|_| progress.add(group, 1, executions));
    }
    let last = Group { ops: 3, lanes: 2 };
    assert_eq!(progress.left(), sizes(last) as f64 * 4.0 * 4.0, "as one lane more took four times as much");
    (0..40).for_each(|_| progress.add(last, 1, 10));
    assert_eq!(progress.left(), (sizes(last) - 40) as f64 * 10.0);
}
