// Not all of its prelude, which has an `Arbitrary` of its own.
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::super::bytes::{Choices, Input};
use super::super::testing::{cases, lanes};
use super::super::{Op, OpKind, Script};
use super::*;

fn draw<R>(seed: u64, f: impl FnOnce(&mut Rng<'_>) -> R) -> R {
    f(&mut Draw(&mut Xoshiro256PlusPlus::seed_from_u64(seed)))
}

/// Each op of the input with its choice.
fn records(input: &Input) -> Vec<(Op, u8)> {
    let strand = Strand::from(input);
    strand.records.iter().map(|record| (record.op, record.choice)).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_made_is_valid_small_enough_and_the_same_for_the_same_seed(
        one in proptest::collection::vec(any::<u8>(), 0..400),
        other in proptest::collection::vec(any::<u8>(), 0..400),
        most in 0_usize..600,
        seed in any::<u64>(),
    ) {
        let made = [mutate(&one, most, seed), cross(&one, &other, most, seed)];
        prop_assert_eq!(&made, &[mutate(&one, most, seed), cross(&one, &other, most, seed)]);
        for bytes in made {
            prop_assert!(bytes.len() <= most);
            let input = Input::from_bytes(&bytes);
            if most >= HEADER {
                prop_assert_eq!(input.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn parts_of_two_are_parts_of_these(
        one in proptest::collection::vec(any::<u8>(), 0..200),
        other in proptest::collection::vec(any::<u8>(), 0..200),
        seed in any::<u64>(),
    ) {
        let ops = |bytes: &[u8]| Input::from_bytes(bytes).script.iter().copied().collect::<Vec<_>>();
        let [of_one, of_other] = [&one, &other].map(|bytes| ops(bytes));
        let made = ops(&cross(&one, &other, 4096, seed));
        prop_assert!(made.iter().all(|op| of_one.contains(op) || of_other.contains(op)));
    }
}

#[test]
fn each_change_leaves_what_it_does_not_change() {
    let script = lanes("watch a; action; recv a | stop a; action");
    let choices = Choices { ops: vec![1, 2, 3, 4, 5], tail: vec![6, 0, 7] };
    let input = Input { script, choices };
    let before = records(&input);
    type Change = fn(&mut Strand, &mut Rng<'_>);
    let changes: [(Change, usize); 6] = [
        (Strand::insert, 5),
        (|strand, draw| strand.remove(draw), 1),
        (Strand::relocate, 4),
        (Strand::repeat, 5),
        (Strand::change_op, 4),
        (Strand::change_choice, 4),
    ];
    for (change, left) in changes {
        let mut differ = 0;
        for seed in 0..50 {
            let mut strand = Strand::from(&input);
            draw(seed, |draw| change(&mut strand, draw));
            let after = Input::from_bytes(&finish(strand, 4096));
            let same = before.iter().filter(|record| records(&after).contains(record)).count();
            assert!(same >= left, "{after:?}");
            assert_eq!(
                (after.script.config, &after.choices.tail),
                (input.script.config, &input.choices.tail)
            );
            differ += usize::from(after != input);
        }
        assert!(differ > 25, "{differ} of 50 differ");
    }
    for seed in 0..50 {
        let mut strand = Strand::from(&input);
        draw(seed, |draw| strand.change_tail(draw));
        strand.change_config(&mut Draw(&mut Xoshiro256PlusPlus::seed_from_u64(seed)));
        assert_eq!(records(&Input::from_bytes(&finish(strand, 4096))), before);
    }
}

#[test]
fn everything_can_be_reached_from_nothing() {
    let mut seen = std::collections::BTreeSet::new();
    let (mut switches, mut delays, mut lanes) = (0, 0, 0);
    for seed in 0..2_000 {
        let mut bytes = Vec::new();
        for step in 0..4 {
            bytes = mutate(&bytes, 4096, seed * 4 + step);
        }
        let Input { script, choices } = Input::from_bytes(&bytes);
        seen.extend(script.iter().map(|op| op.kind()));
        switches += usize::from(choices.ops.iter().any(|choice| *choice > 0));
        delays +=
            usize::from(choices.tail.len() > 20 && choices.tail[..20].iter().all(|choice| *choice == 0));
        lanes = lanes.max(script.lanes.len());
    }
    assert_eq!(seen.len(), OpKind::ALL.len());
    assert!(switches > 200 && delays > 20 && lanes > 4, "{switches} {delays} {lanes}");
}

#[test]
fn a_crossing_takes_from_both() {
    let [one, other] =
        ["watch a; action | recv a", "watch b; close | stop b"].map(|line| lanes(line).to_bytes());
    let kinds =
        |bytes: &[u8]| -> Vec<OpKind> { Script::from_bytes(bytes).iter().map(|op| op.kind()).collect() };
    let both = (0..50)
        .map(|seed| kinds(&cross(&one, &other, 4096, seed)))
        .filter(|kinds| kinds.contains(&OpKind::Action) && kinds.contains(&OpKind::Stop));
    assert!(both.count() > 10);
}
