//! The changes that are made to one input.

use super::super::bytes::Input;
use super::super::generate::{self, Profile};
use super::super::strand::{Record, Strand};
use super::super::{MAX_LANES, Op, OpKind, Slot, WhenFull};
use super::{Rng, USUAL_OPS, USUAL_TAIL};

impl Strand {
    pub(super) fn script_afresh(&mut self, draw: &mut Rng<'_>) {
        let script = generate::script(&Profile::default(), draw.0);
        *self = Strand { tail: std::mem::take(&mut self.tail), ..Strand::from(&Input::from(script)) };
    }

    pub(super) fn change(&mut self, draw: &mut Rng<'_>) {
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

    pub(super) fn insert(&mut self, draw: &mut Rng<'_>) {
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

    pub(super) fn remove(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let count = 1 + draw.below(8).trailing_ones() as usize;
            self.records.drain(at..self.records.len().min(at + count));
        }
    }

    /// Moves an op: to another lane, or among those of its own.
    pub(super) fn relocate(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let mut record = self.records.remove(at);
            if draw.one_in(2) {
                record.place = self.any_place(draw);
            }
            self.records.insert(draw.below(self.records.len() as u32 + 1) as usize, record);
        }
    }

    /// Does an op several times more: queues fill so.
    pub(super) fn repeat(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let room = USUAL_OPS.saturating_sub(self.records.len());
            let count = room.min(1 + draw.below(1 << 4).trailing_ones() as usize);
            let copy = self.records[at];
            self.records.splice(at..at, std::iter::repeat_n(copy, count));
        }
    }

    pub(super) fn change_op(&mut self, draw: &mut Rng<'_>) {
        let Some(at) = self.any_record(draw) else { return };
        let other = self.any_op(draw);
        let op = &mut self.records[at].op;
        match (op.slot_mut(), other.slot()) {
            (Some(slot), Some(another)) if draw.one_in(2) => *slot = another,
            _ => *op = other,
        }
    }

    pub(super) fn change_choice(&mut self, draw: &mut Rng<'_>) {
        if let Some(at) = self.any_record(draw) {
            let choice = &mut self.records[at].choice;
            *choice = if *choice != 0 && draw.one_in(2) { 0 } else { small(draw) };
        }
    }

    pub(super) fn change_tail(&mut self, draw: &mut Rng<'_>) {
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

    pub(super) fn change_config(&mut self, draw: &mut Rng<'_>) {
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
