//! An input with its ops in one row: what is between its bytes and its script, and what mutations change.

use super::bytes::{self, Choices, HEADER, Input, RECORD};
use super::{Config, MAX_LANES, MAX_OPS, Op, Script};

/// What bytes say, op by op.
pub(super) struct Strand {
    pub(super) config: Config,
    pub(super) lanes: usize,
    /// Those of the setup first, and then each lane's.
    pub(super) records: Vec<Record>,
    pub(super) tail: Vec<u8>,
}

/// An op, where it is done, and the choice before it.
#[derive(Clone, Copy)]
pub(super) struct Record {
    /// 0 for the setup, otherwise 1 more than the lane.
    pub(super) place: usize,
    pub(super) op: Op,
    pub(super) choice: u8,
}

impl Strand {
    /// Reads any bytes, none at all included.
    pub(super) fn from_bytes(data: &[u8]) -> Strand {
        let (header, rest) = data.split_at(data.len().min(HEADER));
        let header: [u8; HEADER] = std::array::from_fn(|index| header.get(index).copied().unwrap_or(0));
        let [.., lanes, low, high] = header;
        let possible = (rest.len() / RECORD).min(MAX_OPS);
        let count = usize::from(u16::from_le_bytes([low, high])) % (possible + 1);
        let (records, tail) = rest.split_at(count * RECORD);
        let lanes = usize::from(lanes) % (MAX_LANES + 1);
        let decode = |record: &[u8; RECORD]| Record {
            place: usize::from(record[0]) % (lanes + 1),
            op: bytes::decode_op(record),
            choice: record[5],
        };
        let mut records: Vec<Record> = records.as_chunks::<RECORD>().0.iter().map(decode).collect();
        records.sort_by_key(|record| record.place);
        Strand { config: bytes::decode_config(&header), lanes, records, tail: tail.to_vec() }
    }

    /// The bytes that say this.
    ///
    /// # Panics
    /// If there are more than [`MAX_LANES`] lanes or [`MAX_OPS`] ops.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Strand { config, lanes, records, tail } = self;
        assert!(*lanes <= MAX_LANES, "a script of {lanes} lanes");
        assert!(records.len() <= MAX_OPS, "a script of {} ops", records.len());
        let mut bytes = Vec::with_capacity(HEADER + RECORD * records.len() + tail.len());
        let [low, high] = (records.len() as u16).to_le_bytes();
        bytes.extend(bytes::encode_config(config));
        bytes.extend([*lanes as u8, low, high]);
        for Record { place, op, choice } in records {
            bytes.extend(bytes::encode_op(*place, *op, *choice));
        }
        bytes.extend(tail);
        bytes
    }
}

impl From<&Input> for Strand {
    fn from(input: &Input) -> Strand {
        let Input { script, choices } = input;
        let places = std::iter::once(&script.setup).chain(&script.lanes).enumerate();
        let ops = places.flat_map(|(place, ops)| ops.iter().map(move |op| (place, *op)));
        let chosen = choices.ops.iter().copied().chain(std::iter::repeat(0));
        let records = ops.zip(chosen).map(|((place, op), choice)| Record { place, op, choice }).collect();
        Strand { config: script.config, lanes: script.lanes.len(), records, tail: choices.tail.clone() }
    }
}

impl From<Strand> for Input {
    fn from(strand: Strand) -> Input {
        let Strand { config, lanes, records, tail } = strand;
        let ops = records.iter().map(|record| record.choice).collect();
        let mut records = records.into_iter().peekable();
        let mut places = (0..=lanes).map(|place| {
            std::iter::from_fn(|| records.next_if(|record| record.place == place).map(|record| record.op))
                .collect()
        });
        let setup = places.next().unwrap_or_default();
        let script = Script { config, setup, lanes: places.collect() };
        Input { script, choices: Choices { ops, tail } }
    }
}
