//! What a script is written like.

use proptest::prelude::Rng;

use super::Profile;
use crate::script::draw::Draw;
use crate::script::{MAX_LANES, Op, OpKind, OpSet, Slot, WhenFull};

/// Waiting as a rule, for what waits can hang.
pub(super) fn policy(profile: &Profile, draw: &mut Draw<'_, impl Rng>) -> WhenFull {
    let waits = profile.when_full.contains(&WhenFull::Wait) && draw.one_in(2);
    if waits { WhenFull::Wait } else { draw.pick(profile.when_full) }
}

/// How often an op of each kind is drawn, against the others; by [`OpKind`]. What ends a mux is rare, or
/// little would come after it.
pub(in crate::script) const WEIGHTS: [u32; OpKind::ALL.len()] = [6, 12, 4, 8, 4, 7, 4, 3, 3];

/// What a lane does mostly, against its other ops. Most lanes have one or two such ops: publishers, readers.
const EMPHASIS: [u32; 6] = [1, 1, 1, 1, 4, 12];

/// One in so many ops goes astray: to a slot that is empty, or to a `watch` on one in use.
const ASTRAY: u32 = 24;

/// In one of so many scripts a lane of its own ends the mux, if the script has what does: so that it happens at any time,
/// with all else still to come.
const ENDED: u32 = 4;

/// One of so many scripts with what ends the mux has nothing in its lanes that would then be the caller's own error.
const SPARED: u32 = 2;

/// After one of so many stops the watcher is read on: only that tells whether the stop is final.
const READ_ON: u32 = 3;

type Weights = [u32; OpKind::ALL.len()];

/// Writes one script.
pub(super) struct Author<'a, R> {
    profile: &'a Profile,
    draw: Draw<'a, R>,
    /// The ops that this script has.
    on: OpSet,
    /// How many slots this script uses.
    slots: u32,
    /// The slots in use, as if the lanes ran one after the other.
    watched: u8,
}

impl<'a, R: Rng> Author<'a, R> {
    pub(super) fn new(profile: &'a Profile, mut draw: Draw<'a, R>) -> Author<'a, R> {
        let mut on = profile.ops;
        for kind in profile.ops.iter() {
            let off = match kind {
                // Nothing happens without watchers and events.
                OpKind::Watch | OpKind::Action => draw.one_in(16),
                OpKind::Close | OpKind::Shutdown => draw.one_in(2),
                _ => draw.one_in(4),
            };
            if off {
                on = on.without(&[kind]);
            }
        }
        let slots = draw.pick(&[1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4]);
        Author { profile, draw, on, slots, watched: 0 }
    }

    /// A `watch` or two as a rule, and now and then something else.
    pub(super) fn setup(&mut self) -> Vec<Op> {
        let watches = self.draw.pick(&[0, 1, 1, 1, 2, 2, 3]).min(self.slots);
        let others = self.draw.pick(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
        let mut ops = Vec::new();
        if self.profile.ops.contains(OpKind::Watch) {
            ops.extend((0..watches).filter_map(|_| self.op(OpKind::Watch, None)));
        }
        let weights = self.weights();
        ops.extend((0..others).filter_map(|_| self.any_op(&weights, None)));
        ops.truncate(self.profile.max_ops.min(4));
        ops
    }

    pub(super) fn lanes(&mut self, room: usize) -> Vec<Vec<Op>> {
        let most = self.profile.max_lanes.clamp(1, MAX_LANES);
        let count = self.draw.pick(&[1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 8]).min(most);
        // Half of all scripts are short: there, what there is matters.
        let usual = if self.draw.one_in(2) { 6 } else { self.profile.max_ops.max(1) as u32 };
        let mut left = room.min(1 + self.draw.below(usual) as usize);
        let errors = self.profile.errors;
        let ends = self.ends();
        let spares_errors = errors != OpSet::NONE && !ends.is_empty() && self.draw.one_in(SPARED);
        if spares_errors {
            errors.iter().for_each(|kind| self.on = self.on.without(&[kind]));
        }
        let mut lanes = Vec::with_capacity(count);
        for rest in (0..count).rev() {
            // The last lane takes what is left, so that no length is out of reach.
            let length = match rest {
                0 => left,
                _ => left.min(1 + self.draw.below(2 * left as u32 / (rest as u32 + 1) + 1) as usize),
            };
            left -= length;
            let weights = self.weights();
            let focus = if self.draw.one_in(2) { Some(self.draw.below(self.slots) as u8) } else { None };
            let lane = self.lane(length, &weights, focus);
            if !lane.is_empty() || lanes.is_empty() {
                lanes.push(lane);
            }
        }
        let ops: usize = lanes.iter().map(Vec::len).sum();
        if ops < room && lanes.len() < most && (spares_errors || self.draw.one_in(ENDED)) && !ends.is_empty()
        {
            lanes.push(vec![self.draw.pick(&ends)]);
        }
        lanes
    }

    fn lane(&mut self, length: usize, weights: &Weights, focus: Option<u8>) -> Vec<Op> {
        let mut lane = Vec::with_capacity(length);
        while lane.len() < length {
            let Some(op) = self.any_op(weights, focus) else { break };
            lane.push(op);
            if let Op::Stop(slot) = op
                && lane.len() < length
                && self.draw.one_in(READ_ON)
            {
                lane.extend(
                    [Op::TryRecv(slot), Op::Recv(slot)].into_iter().find(|op| self.on.contains(op.kind())),
                );
            }
        }
        lane
    }

    /// What this script has that ends the mux.
    fn ends(&self) -> Vec<Op> {
        [Op::Close, Op::Shutdown].into_iter().filter(|end| self.on.contains(end.kind())).collect()
    }

    fn weights(&mut self) -> Weights {
        let mut weights = [0; OpKind::ALL.len()];
        for kind in self.on.iter() {
            let emphasis = match kind {
                OpKind::Close | OpKind::Shutdown => 1,
                _ => self.draw.pick(&EMPHASIS),
            };
            weights[kind as usize] = emphasis * WEIGHTS[kind as usize];
        }
        weights
    }

    /// An op by weight; `None` if every kind is off.
    fn any_op(&mut self, weights: &Weights, focus: Option<u8>) -> Option<Op> {
        if weights.iter().all(|weight| *weight == 0) {
            return None;
        }
        let kind = OpKind::ALL[self.draw.weighted(weights)];
        self.op(kind, focus)
    }

    fn op(&mut self, kind: OpKind, focus: Option<u8>) -> Option<Op> {
        Some(match kind {
            OpKind::Watch => {
                let slot = self.slot(!self.watched, focus);
                self.watched |= 1 << slot.index();
                Op::Watch { slot, prefix: self.prefix(), when_full: self.own_policy() }
            }
            OpKind::Action => Op::Action,
            OpKind::TryAction => Op::TryAction,
            OpKind::Recv => Op::Recv(self.slot(self.watched, focus)),
            OpKind::TryRecv => Op::TryRecv(self.slot(self.watched, focus)),
            OpKind::Stop => Op::Stop(self.slot(self.watched, focus)),
            OpKind::Drop => {
                let slot = self.slot(self.watched, focus);
                self.watched &= !(1 << slot.index());
                Op::Drop(slot)
            }
            OpKind::Close => Op::Close,
            OpKind::Shutdown => Op::Shutdown,
        })
    }

    /// A slot of this script, among these (a bit each) where possible, and the lane's own as a rule.
    fn slot(&mut self, among: u8, focus: Option<u8>) -> Slot {
        if self.draw.one_in(ASTRAY) {
            return Slot::new(self.draw.below(Slot::COUNT as u32) as u8);
        }
        let is_among = |slot: &u8| among & (1 << slot) != 0;
        if let Some(focus) = focus.filter(is_among)
            && !self.draw.one_in(4)
        {
            return Slot::new(focus);
        }
        let slots = self.slots;
        let first = self.draw.below(slots);
        let mut turned = (0..slots).map(|next| ((first + next) % slots) as u8);
        Slot::new(turned.find(is_among).unwrap_or(first as u8))
    }

    fn prefix(&mut self) -> u8 {
        if self.profile.prefix { self.draw.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 2, 3]) } else { 0 }
    }

    fn own_policy(&mut self) -> Option<WhenFull> {
        (self.profile.when_full_per_watcher && self.draw.one_in(4))
            .then(|| policy(self.profile, &mut self.draw))
    }
}
