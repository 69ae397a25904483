//! Mutation: what a fuzzer does to inputs, in ops, lanes and choices instead of bytes.
//!
//! libFuzzer's own mutations mostly move bytes to where they mean something else. These keep what they do not change: an op
//! that is inserted, removed or moved leaves all others with their choices, and so does one choice that changes. What they
//! make is small, as what a hunt draws is: see [`generate`](super::generate).
//!
//! Pure functions of the input, the limits and a seed.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::MAX_LANES;
use super::bytes::{HEADER, RECORD};
use super::draw::Draw;
use super::strand::{Record, Strand};

mod change;

/// No op is added where there are so many. Fewer find less, and more find no more: `fuzz/README.md`.
const USUAL_OPS: usize = 16;

/// No choice is added to a tail of this length.
const USUAL_TAIL: usize = 96;

type Rng<'a> = Draw<'a, Xoshiro256PlusPlus>;

/// Changes an input into another, of this many bytes at most.
pub fn mutate(data: &[u8], most: usize, seed: u64) -> Vec<u8> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draw = Draw(&mut rng);
    let mut strand = Strand::from_bytes(data);
    if strand.records.is_empty() || draw.one_in(128) {
        strand.script_afresh(&mut draw);
    }
    let changes = 1 + draw.below(1 << 4).trailing_ones();
    for _ in 0..changes {
        strand.change(&mut draw);
    }
    finish(strand, most)
}

/// Makes an input of parts of two, of this many bytes at most.
pub fn cross(one: &[u8], other: &[u8], most: usize, seed: u64) -> Vec<u8> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draw = Draw(&mut rng);
    let [one, other] = [one, other].map(Strand::from_bytes);
    finish(one.cross(other, &mut draw), most)
}

/// The bytes of what was made, this many at most.
fn finish(mut strand: Strand, most: usize) -> Vec<u8> {
    let Strand { lanes, records, tail, .. } = &mut strand;
    records.truncate(most.saturating_sub(HEADER) / RECORD);
    tail.truncate(most.saturating_sub(HEADER + RECORD * records.len()));
    // A choice of 0 is what comes after the end as well.
    let length = tail.iter().rposition(|choice| *choice != 0).map_or(0, |last| last + 1);
    tail.truncate(length);
    // Lanes without ops are left out.
    let mut used: Vec<usize> = records.iter().map(|record| record.place).filter(|place| *place > 0).collect();
    used.sort_unstable();
    used.dedup();
    for record in records.iter_mut().filter(|record| record.place > 0) {
        record.place = 1 + used.partition_point(|place| *place < record.place);
    }
    *lanes = used.len();
    records.sort_by_key(|record| record.place);
    let mut bytes = strand.to_bytes();
    bytes.truncate(most);
    bytes
}

impl Strand {
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
}

#[cfg(test)]
mod tests;
