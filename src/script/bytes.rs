//! The bytes form: what a fuzzer mutates.
//!
//! A header of fixed width, op records of fixed width with a choice byte each, and then a tail of choices.
//! Every field is taken modulo what is possible, so that any bytes are a script, and a change to one field
//! leaves all others as they are.
//!
//! | header byte | field |
//! | --- | --- |
//! | 0, 1 | capacity of the incoming queue, of a watcher's queue |
//! | 2 | the ranges of these two (incoming's plus 8 times the other's) |
//! | 3 | what to do when a watcher's queue is full |
//! | 4 | how many lanes |
//! | 5, 6 | how many op records follow, low byte first |
//!
//! | record byte | field |
//! | --- | --- |
//! | 0 | 0 for the setup, otherwise 1 more than the lane |
//! | 1 | kind of op |
//! | 2 | slot |
//! | 3 | length of the prefix |
//! | 4 | its range, plus 8 times the `when-full` of its own (0 for none) |
//! | 5 | choice |
//!
//! A *range* says what its number is taken modulo: most ranges are narrow, so that most bytes give small
//! numbers, for full queues are where the bugs are. Bytes that are missing are read as 0.

use std::fmt;

use arbitrary::{Arbitrary, Unstructured};

use super::strand::Strand;
use super::{Config, Op, OpKind, Script, Slot, WhenFull};
pub use crate::engine::strategy::Choices;

pub(super) const HEADER: usize = 7;
pub(super) const RECORD: usize = 6;

/// What a number is taken modulo, by its range.
const RANGES: [u16; 8] = [1, 1, 2, 2, 4, 4, 8, 256];

/// What bytes say: a script, and the choices of one execution of it. Any bytes say one.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    /// The script.
    pub script: Script,
    /// The choices.
    pub choices: Choices,
}

/// Every choice is 0.
impl From<Script> for Input {
    fn from(script: Script) -> Input {
        Input { script, choices: Choices::default() }
    }
}

/// The text form of the script, and the choices below it.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Choices { ops, tail } = &self.choices;
        write!(f, "{}\n# choices {ops:?} {tail:?}", self.script)
    }
}

impl Input {
    /// Reads any bytes, none at all included.
    pub fn from_bytes(data: &[u8]) -> Input {
        Strand::from_bytes(data).into()
    }

    /// The bytes that say this.
    ///
    /// # Panics
    /// If the script has more than [`MAX_LANES`](super::MAX_LANES) lanes or [`MAX_OPS`](super::MAX_OPS) ops: no other form
    /// can have these.
    pub fn to_bytes(&self) -> Vec<u8> {
        Strand::from(self).to_bytes()
    }
}

pub(super) fn decode_config(&[incoming, queue, ranges, when_full, ..]: &[u8; HEADER]) -> Config {
    Config {
        incoming: number(incoming, ranges),
        queue: number(queue, ranges / 8),
        when_full: pick(&WhenFull::ALL, when_full),
    }
}

pub(super) fn encode_config(config: &Config) -> [u8; 4] {
    let Config { incoming, queue, when_full } = *config;
    [incoming, queue, range(incoming) + 8 * range(queue), when_full as u8]
}

pub(super) fn decode_op(&[_, kind, slot, prefix, style, _]: &[u8; RECORD]) -> Op {
    let slot = Slot::new(slot);
    match pick(&OpKind::ALL, kind) {
        OpKind::Watch => Op::Watch {
            slot,
            prefix: number(prefix, style),
            when_full: match style / 8 % (WhenFull::ALL.len() as u8 + 1) {
                0 => None,
                policy => Some(pick(&WhenFull::ALL, policy - 1)),
            },
        },
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

pub(super) fn encode_op(place: usize, op: Op, choice: u8) -> [u8; RECORD] {
    let slot = op.slot().map_or(0, Slot::index);
    let (prefix, style) = match op {
        Op::Watch { prefix, when_full, .. } => {
            (prefix, range(prefix) + 8 * when_full.map_or(0, |policy| 1 + policy as u8))
        }
        _ => (0, 0),
    };
    [place as u8, op.kind() as u8, slot as u8, prefix, style, choice]
}

/// The number that a byte is, in a range.
fn number(byte: u8, range: u8) -> u8 {
    (u16::from(byte) % pick(&RANGES, range)) as u8
}

/// The narrowest range that has this number.
fn range(number: u8) -> u8 {
    RANGES.partition_point(|range| *range <= number.into()) as u8
}

fn pick<T: Copy>(all: &[T], byte: u8) -> T {
    all[usize::from(byte) % all.len()]
}

impl Script {
    /// The script as bytes, with every choice 0.
    ///
    /// # Panics
    /// As [`Input::to_bytes`] does.
    pub fn to_bytes(&self) -> Vec<u8> {
        Input::from(self.clone()).to_bytes()
    }

    /// The script that these bytes are; any are one. Their choices are left out, see [`Input`].
    pub fn from_bytes(data: &[u8]) -> Script {
        Input::from_bytes(data).script
    }
}

/// Through the bytes form.
impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(data: &mut Unstructured<'a>) -> arbitrary::Result<Script> {
        <&[u8]>::arbitrary(data).map(Script::from_bytes)
    }

    fn arbitrary_take_rest(data: Unstructured<'a>) -> arbitrary::Result<Script> {
        Ok(Script::from_bytes(data.take_rest()))
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        <&[u8]>::size_hint(depth)
    }
}

#[cfg(test)]
mod tests {
    // Not all of its prelude, which has an `Arbitrary` of its own.
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, prop_assume, proptest};

    use super::super::testing::{any_script, cases, lanes};
    use super::super::{MAX_LANES, MAX_OPS};
    use super::*;

    proptest! {
        #![proptest_config(cases(512))]

        #[test]
        fn a_script_is_the_same_after_a_round_trip(script in any_script()) {
            let bytes = script.to_bytes();
            prop_assert_eq!(bytes.len(), HEADER + RECORD * script.ops());
            prop_assert_eq!(Script::from_bytes(&bytes), script);
        }

        #[test]
        fn any_bytes_are_a_valid_script(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let input = Input::from_bytes(&bytes);
            let Choices { ops, tail } = &input.choices;
            prop_assert!(input.script.lanes.len() <= MAX_LANES);
            prop_assert_eq!(ops.len(), input.script.ops());
            prop_assert!(bytes.ends_with(tail));
            prop_assert!(HEADER + RECORD * ops.len() + tail.len() == bytes.len().max(HEADER));
            prop_assert_eq!(Input::from_bytes(&input.to_bytes()), input);
        }

        #[test]
        fn a_changed_byte_of_a_record_changes_that_op_alone(
            script in any_script(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            prop_assume!(script.ops() > 0);
            let mut bytes = script.to_bytes();
            let at = at.index(bytes.len() - HEADER);
            bytes[HEADER + at] = byte;
            let changed = Script::from_bytes(&bytes);
            prop_assert_eq!(changed.config, script.config);
            prop_assert_eq!(changed.ops(), script.ops());
            if at % RECORD != 0 {
                let differ = changed.iter().zip(script.iter()).filter(|(new, old)| new != old);
                prop_assert!(differ.count() <= 1);
            }
        }
    }

    #[test]
    fn no_bytes_are_an_empty_script() {
        let input = Input::from_bytes(&[]);
        assert_eq!(input.script.to_string(), "mux incoming=0 queue=0 when-full=wait");
        assert_eq!(input.choices, Choices::default());
    }

    #[test]
    fn choices_are_kept_as_read_and_follow_their_ops() {
        let script = lanes("action; close | stop a");
        let mut bytes = script.to_bytes();
        let choices = [7, 8, 9];
        for (record, choice) in bytes[HEADER..].as_chunks_mut::<RECORD>().0.iter_mut().zip(choices) {
            record[5] = choice;
        }
        // The record of `stop a` goes first: it is still the second lane's, and keeps its choice.
        bytes[HEADER..].rotate_right(RECORD);
        bytes.extend([1, 2]);
        let expected = Input { script, choices: Choices { ops: choices.to_vec(), tail: vec![1, 2] } };
        assert_eq!(Input::from_bytes(&bytes), expected);
    }

    #[test]
    fn the_longest_script_has_bytes() {
        let mut script = lanes("");
        script.lanes = vec![vec![Op::Shutdown; MAX_OPS - 1], vec![Op::Close]];
        assert_eq!(Script::from_bytes(&script.to_bytes()), script);
        let tail = [script.to_bytes(), vec![0; 2 * RECORD]].concat();
        assert_eq!(Input::from_bytes(&tail).choices.tail.len(), 2 * RECORD);
        let records = [0xff; HEADER + RECORD * 3 * MAX_OPS];
        assert_eq!(Input::from_bytes(&records).script.ops(), 0xffff % (MAX_OPS + 1));
    }

    #[test]
    #[should_panic(expected = "a script of 1024 ops")]
    fn a_longer_script_has_none() {
        let mut script = lanes("");
        script.setup = vec![Op::Action; MAX_OPS + 1];
        script.to_bytes();
    }

    #[test]
    fn most_bytes_give_small_numbers() {
        let queues = (0..=255_u8).map(|byte| Script::from_bytes(&[0, byte, byte]).config.queue);
        assert!(queues.filter(|queue| *queue < 8).count() > 200);
    }

    #[test]
    fn arbitrary_goes_through_bytes_and_is_cheap_without_data() {
        let script = lanes("watch a prefix=200 when-full=disconnect | action");
        let taken = Script::arbitrary_take_rest(Unstructured::new(&script.to_bytes())).unwrap();
        assert_eq!(taken, script);
        assert_eq!(Script::arbitrary(&mut Unstructured::new(&[])).unwrap(), Script::from_bytes(&[]));
        // Some data is left for what follows in the same input.
        let data: Vec<u8> = (0..=255).cycle().take(2000).collect();
        let mut data = Unstructured::new(&data);
        assert!(Script::arbitrary(&mut data).unwrap().ops() > 0);
        assert!(!data.is_empty());
    }
}
