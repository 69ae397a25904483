//! Mutation: what a fuzzer does to inputs, in ops, lanes and choices instead of bytes.
//!
//! libFuzzer's own mutations mostly move bytes to where they mean something else. These keep what they do not change: an op
//! that is inserted, removed or moved leaves all others with their choices, and so does one choice that changes. What they
//! make is small, as what a hunt draws is: see [`generate`].
//!
//! Pure functions of the input, the limits and a seed.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::bytes::{Choices, HEADER, Input, RECORD};
use super::draw::Draw;
use super::generate::{self, Profile};
use super::{Config, MAX_LANES, Op, OpKind, Script, Slot, WhenFull};

/// No op is added where there are so many.
const USUAL_OPS: usize = 24;

/// No choice is added to a tail of this length.
const USUAL_TAIL: usize = 96;

type Rng<'a> = Draw<'a, Xoshiro256PlusPlus>;

/// Changes an input into another, of this many bytes at most.
pub fn mutate(data: &[u8], most: usize, seed: u64) -> Vec<u8> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draw = Draw(&mut rng);
    let mut strand = Strand::new(Input::from_bytes(data));
    if strand.records.is_empty() || draw.one_in(128) {
        strand.script_afresh(&mut draw);
    }
    let changes = 1 + draw.below(1 << 4).trailing_ones();
    for _ in 0..changes {
        strand.change(&mut draw);
    }
    strand.into_bytes(most)
}

/// Makes an input of parts of two, of this many bytes at most.
pub fn cross(one: &[u8], other: &[u8], most: usize, seed: u64) -> Vec<u8> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draw = Draw(&mut rng);
    let [one, other] = [one, other].map(|data| Strand::new(Input::from_bytes(data)));
    one.cross(other, &mut draw).into_bytes(most)
}

/// An input with its ops in one row.
struct Strand {
    config: Config,
    lanes: usize,
    records: Vec<Record>,
    tail: Vec<u8>,
}

/// An op, where it is done, and the choice before it.
#[derive(Clone, Copy)]
struct Record {
    /// 0 for the setup, otherwise 1 more than the lane.
    place: usize,
    op: Op,
    choice: u8,
}

impl Strand {
    fn new(input: Input) -> Strand {
        let Input { script, choices } = input;
        let places = std::iter::once(&script.setup).chain(&script.lanes).enumerate();
        let ops = places.flat_map(|(place, ops)| ops.iter().map(move |op| (place, *op)));
        let chosen = choices.ops.into_iter().chain(std::iter::repeat(0));
        let records = ops.zip(chosen).map(|((place, op), choice)| Record { place, op, choice }).collect();
        Strand { config: script.config, lanes: script.lanes.len(), records, tail: choices.tail }
    }

    fn into_bytes(mut self, most: usize) -> Vec<u8> {
        self.records.truncate(most.saturating_sub(HEADER) / RECORD);
        self.tail.truncate(most.saturating_sub(HEADER + RECORD * self.records.len()));
        // A choice of 0 is what comes after the end as well.
        let length = self.tail.iter().rposition(|choice| *choice != 0).map_or(0, |last| last + 1);
        self.tail.truncate(length);
        // Lanes without ops are left out.
        let mut used: Vec<usize> =
            self.records.iter().map(|record| record.place).filter(|place| *place > 0).collect();
        used.sort_unstable();
        used.dedup();
        for record in self.records.iter_mut().filter(|record| record.place > 0) {
            record.place = 1 + used.partition_point(|place| *place < record.place);
        }
        self.lanes = used.len();
        self.records.sort_by_key(|record| record.place);
        let ops = |place| {
            self.records.iter().filter(move |record| record.place == place).map(|record| record.op).collect()
        };
        let script =
            Script { config: self.config, setup: ops(0), lanes: (1..=self.lanes).map(ops).collect() };
        let choices =
            Choices { ops: self.records.iter().map(|record| record.choice).collect(), tail: self.tail };
        let mut bytes = Input { script, choices }.to_bytes();
        bytes.truncate(most);
        bytes
    }

    fn script_afresh(&mut self, draw: &mut Rng<'_>) {
        let script = generate::script(&Profile::default(), draw.0);
        *self = Strand { tail: std::mem::take(&mut self.tail), ..Strand::new(Input::from(script)) };
    }

    fn change(&mut self, draw: &mut Rng<'_>) {
        match draw.below(32) {
            0..6 => self.insert(draw),
            6..9 => self.remove(draw),
            9..11 => self.relocate(draw),
            11..13 => self.repeat(draw),
            13..16 => self.change_op(draw),
            16..20 => self.change_choice(draw),
            20..28 => self.change_tail(draw),
            28..30 => self.change_config(draw),
            _ => self.change_lanes(draw),
        }
    }

    fn insert(&mut self, draw: &mut Rng<'_>) {
        if self.records.len() < USUAL_OPS {
            let at = draw.below(self.records.len() as u32 + 1) as usize;
            // Beside an op of the same lane, as a rule.
            let place = match self.records.get(at.saturating_sub(1)) {
                Some(neighbour) if !draw.one_in(3) => neighbour.place,
                _ => self.any_place(draw),
            };
            let op = self.any_op(draw);
            let choice = if draw.one_in(2) { 0 } else { small(draw) };
            self.records.insert(at, Record { place, op, choice });
        }
    }

    fn remove(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let count = 1 + draw.below(8).trailing_ones() as usize;
            self.records.drain(at..self.records.len().min(at + count));
        }
    }

    /// Moves an op: to another lane, or among those of its own.
    fn relocate(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let mut record = self.records.remove(at);
            if draw.one_in(2) {
                record.place = self.any_place(draw);
            }
            self.records.insert(draw.below(self.records.len() as u32 + 1) as usize, record);
        }
    }

    /// Does an op several times more: queues fill so.
    fn repeat(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let room = USUAL_OPS.saturating_sub(self.records.len());
            let count = room.min(1 + draw.below(1 << 4).trailing_ones() as usize);
            let copy = self.records[at];
            self.records.splice(at..at, std::iter::repeat_n(copy, count));
        }
    }

    fn change_op(&mut self, draw: &mut Rng<'_>) {
        let Some(at) = self.any_record(draw) else { return };
        let other = self.any_op(draw);
        let op = &mut self.records[at].op;
        match (op.slot_mut(), other.slot()) {
            (Some(slot), Some(another)) if draw.one_in(2) => *slot = another,
            _ => *op = other,
        }
    }

    fn change_choice(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let choice = &mut self.records[at].choice;
            *choice = if *choice != 0 && draw.one_in(2) { 0 } else { small(draw) };
        }
    }

    fn change_tail(&mut self, draw: &mut Rng<'_>) {
        let length = self.tail.len();
        let at = draw.below(length as u32 + 1) as usize;
        match draw.below(8) {
            // Switches somewhere, and goes on without switching until there.
            0..3 => {
                let reach = 8 << draw.below(5);
                let at = draw.below(reach) as usize;
                self.tail.resize(length.max(at + 1).min(USUAL_TAIL), 0);
                if let Some(choice) = self.tail.get_mut(at) {
                    *choice = small(draw);
                }
            }
            3 => {
                if let Some(choice) = self.tail.get_mut(at) {
                    *choice = if *choice == 0 { small(draw) } else { 0 };
                }
            }
            // Those after it come later, or earlier.
            4 if length < USUAL_TAIL => {
                let count = 1 + draw.below(4) as usize;
                self.tail.splice(at..at, std::iter::repeat_n(0, count));
            }
            5 => {
                let count = 1 + draw.below(4) as usize;
                self.tail.drain(at..length.min(at + count));
            }
            6 => self.tail.truncate(at),
            // Anything goes.
            _ => {
                let count = draw.below(16) as usize;
                self.tail.resize(length.max(at + count).min(USUAL_TAIL), 0);
                self.tail[at.min(USUAL_TAIL)..]
                    .iter_mut()
                    .take(count)
                    .for_each(|choice| *choice = small(draw));
            }
        }
    }

    fn change_config(&mut self, draw: &mut Rng<'_>) {
        let config = &mut self.config;
        match draw.below(3) {
            0 => config.incoming = capacity(config.incoming, draw),
            1 => config.queue = capacity(config.queue, draw),
            _ => config.when_full = draw.pick(&WhenFull::ALL),
        }
    }

    fn change_lanes(&mut self, draw: &mut Rng<'_>) {
        if self.lanes < MAX_LANES && draw.one_in(2) {
            // With the second half of another, if there is one.
            self.lanes += 1;
            let split = self.any_place(draw);
            let count = self.records.iter().filter(|record| record.place == split).count();
            let rest = self.records.iter_mut().filter(|record| record.place == split).skip(count / 2);
            rest.for_each(|record| record.place = self.lanes);
        } else if self.lanes > 1 {
            // Into another.
            let last = self.lanes;
            self.lanes -= 1;
            let into = self.any_place(draw);
            let moved = self.records.iter_mut().filter(|record| record.place == last);
            moved.for_each(|record| record.place = into);
        }
    }

    fn cross(mut self, mut other: Strand, draw: &mut Rng<'_>) -> Strand {
        if draw.one_in(2) {
            self.config = other.config;
        }
        match draw.below(3) {
            // The lanes of one beside those of the other.
            0 => {
                let room = MAX_LANES - self.lanes.min(MAX_LANES);
                let first = self.lanes;
                let fits = |record: &Record| record.place <= room;
                self.lanes += other.lanes.min(room);
                let moved = other.records.iter().filter(|record| fits(record)).map(|record| {
                    let place = if record.place == 0 { 0 } else { first + record.place };
                    Record { place, ..*record }
                });
                self.records.extend(moved);
            }
            // One up to some op, and the other from some op on.
            1 => {
                let at = draw.below(self.records.len() as u32 + 1) as usize;
                let from = draw.below(other.records.len() as u32 + 1) as usize;
                self.records.truncate(at);
                self.records.extend(other.records.drain(from..));
                self.lanes = self.lanes.max(other.lanes);
            }
            // The ops of one, and the choices of the other.
            _ => {
                for (record, choices) in self.records.iter_mut().zip(&other.records) {
                    record.choice = choices.choice;
                }
                self.tail = std::mem::take(&mut other.tail);
            }
        }
        if draw.one_in(2) {
            let at = draw.below(self.tail.len() as u32 + 1) as usize;
            let from = draw.below(other.tail.len() as u32 + 1) as usize;
            self.tail.truncate(at);
            self.tail.extend(other.tail.drain(from..));
        }
        self.records.truncate(USUAL_OPS);
        self.tail.truncate(USUAL_TAIL);
        self
    }

    fn any_record(&self, draw: &mut Rng<'_>) -> Option<usize> {
        let count = self.records.len() as u32;
        (count > 0).then(|| draw.below(count) as usize)
    }

    /// The setup, or a lane; one is added if there is none.
    fn any_place(&mut self, draw: &mut Rng<'_>) -> usize {
        self.lanes = self.lanes.max(1);
        draw.below(self.lanes as u32 + 1) as usize
    }

    /// An op by weight, on a slot that is in use as a rule.
    fn any_op(&self, draw: &mut Rng<'_>) -> Op {
        let kind = OpKind::ALL[draw.weighted(&generate::WEIGHTS)];
        let used: Vec<Slot> = self.records.iter().filter_map(|record| record.op.slot()).collect();
        let slot = match used.as_slice() {
            [] => Slot::new(0),
            used if !draw.one_in(6) => draw.pick(used),
            _ => Slot::new(draw.below(4) as u8),
        };
        match kind {
            OpKind::Watch => {
                let prefix = if draw.one_in(4) { draw.below(4) as u8 } else { 0 };
                let when_full = draw.one_in(4).then(|| draw.pick(&WhenFull::ALL));
                Op::Watch { slot, prefix, when_full }
            }
            OpKind::Action => Op::Action,
            OpKind::TryAction => Op::TryAction,
            OpKind::Recv => Op::Recv(slot),
            OpKind::TryRecv => Op::TryRecv(slot),
            OpKind::Stop => Op::Stop(slot),
            OpKind::Drop => Op::Drop(slot),
            OpKind::Close => Op::Close,
            OpKind::Shutdown => Op::Shutdown,
        }
    }
}

/// A choice other than 0: most points have few alternatives.
fn small(draw: &mut Rng<'_>) -> u8 {
    1 + draw.below(8).trailing_ones() as u8
}

fn capacity(now: u8, draw: &mut Rng<'_>) -> u8 {
    match draw.below(3) {
        0 => now.saturating_add(1),
        1 => now.saturating_sub(1),
        _ => draw.capacity(&(0..=u8::MAX)),
    }
}

#[cfg(test)]
mod tests {
    // Not all of its prelude, which has an `Arbitrary` of its own.
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::super::testing::{cases, lanes};
    use super::*;

    fn draw<R>(seed: u64, f: impl FnOnce(&mut Rng<'_>) -> R) -> R {
        f(&mut Draw(&mut Xoshiro256PlusPlus::seed_from_u64(seed)))
    }

    /// Each op of the input with its choice.
    fn records(input: &Input) -> Vec<(Op, u8)> {
        let strand = Strand::new(input.clone());
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
                let mut strand = Strand::new(input.clone());
                draw(seed, |draw| change(&mut strand, draw));
                let after = Input::from_bytes(&strand.into_bytes(4096));
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
            let mut strand = Strand::new(input.clone());
            draw(seed, |draw| strand.change_tail(draw));
            strand.change_config(&mut Draw(&mut Xoshiro256PlusPlus::seed_from_u64(seed)));
            assert_eq!(records(&Input::from_bytes(&strand.into_bytes(4096))), before);
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
}
