//! All scripts up to a size.
//!
//! Two scripts are the same where one becomes the other by renaming slots or changing the order of lanes; and a script is left
//! out where a smaller one does the same:
//!
//! - what names a slot must be able to find a watcher there: its `watch` comes before it in the setup or in its own lane, or is
//!   in another lane; and there is one `watch` for each slot, for any other is skipped or replaces it;
//! - a setup is for several lanes: before one it is but the beginning of that.

use super::{Config, Op, OpKind, OpSet, Script, Slot};

/// How large scripts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most ops, setup and lanes together.
    pub ops: usize,
    /// The most lanes.
    pub lanes: usize,
}

/// The scripts of up to that size with these ops, each under every one of the configurations; the smallest first.
///
/// An op has no arguments besides its slot.
pub fn scripts(bounds: Bounds, ops: OpSet, configs: &[Config]) -> Vec<Script> {
    let mut all = Vec::new();
    for count in 1..=bounds.ops {
        for lanes in 1..=bounds.lanes.min(count) {
            for shape in shapes(count, lanes) {
                let mut filling =
                    Filling { ops, shape: &shape, places: vec![Vec::new(); shape.len()], found: Vec::new() };
                filling.fill(0, 0);
                for places in filling.found {
                    let script = |config: &Config| Script {
                        config: *config,
                        setup: places[0].clone(),
                        lanes: places[1..].to_vec(),
                    };
                    all.extend(configs.iter().map(script));
                }
            }
        }
    }
    all
}

/// How many ops the setup and each of so many lanes can have, the longest lane first.
fn shapes(ops: usize, lanes: usize) -> Vec<Vec<usize>> {
    let most_in_setup = if lanes == 1 { 0 } else { ops - lanes };
    let mut shapes = Vec::new();
    for setup in 0..=most_in_setup {
        let mut shape = vec![setup];
        parts(ops - setup, lanes, ops, &mut shape, &mut shapes);
    }
    shapes
}

fn parts(ops: usize, lanes: usize, most: usize, shape: &mut Vec<usize>, shapes: &mut Vec<Vec<usize>>) {
    if lanes == 0 {
        if ops == 0 {
            shapes.push(shape.clone());
        }
        return;
    }
    for length in (1..=most.min(ops.saturating_sub(lanes - 1))).rev() {
        shape.push(length);
        parts(ops - length, lanes - 1, length, shape, shapes);
        shape.pop();
    }
}

/// Fills the places of a shape, one after the other: the setup, and then each lane.
struct Filling<'a> {
    ops: OpSet,
    shape: &'a [usize],
    places: Vec<Vec<Op>>,
    found: Vec<Vec<Vec<Op>>>,
}

impl Filling<'_> {
    fn fill(&mut self, place: usize, slots: u8) {
        let Some(length) = self.shape.get(place) else {
            if is_whole(&self.places) && is_first(&self.places) {
                self.found.push(self.places.clone());
            }
            return;
        };
        if self.places[place].len() == *length {
            self.fill(place + 1, slots);
            return;
        }
        for kind in self.ops.iter() {
            // A slot that is new has the next name.
            let most = if takes_slot(kind) { usize::from(slots) + 1 } else { 1 };
            for slot in 0..most.min(Slot::COUNT) as u8 {
                let is_new = takes_slot(kind) && slot == slots;
                self.places[place].push(op(kind, Slot::new(slot)));
                self.fill(place, slots + u8::from(is_new));
                self.places[place].pop();
            }
        }
    }
}

fn takes_slot(kind: OpKind) -> bool {
    op(kind, Slot::new(0)).slot().is_some()
}

fn op(kind: OpKind, slot: Slot) -> Op {
    match kind {
        OpKind::Watch => Op::Watch { slot, prefix: 0, when_full: None },
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

/// Whether no smaller script does the same.
fn is_whole(places: &[Vec<Op>]) -> bool {
    let all = || {
        places.iter().enumerate().flat_map(|(place, ops)| ops.iter().enumerate().map(move |at| (place, at)))
    };
    let watches =
        |slot: Slot| all().filter(move |(_, (_, op))| op.kind() == OpKind::Watch && op.slot() == Some(slot));
    all().all(|(place, (at, op))| {
        let Some(slot) = op.slot() else { return true };
        let mut watches = watches(slot);
        let Some((watched_in, (watched_at, _))) = watches.next() else { return false };
        let reaches = op.kind() == OpKind::Watch
            || watched_in == place && watched_at < at
            || watched_in != place && place > 0;
        reaches && watches.next().is_none()
    })
}

/// Whether it comes first of all that the order of lanes makes of it.
fn is_first(places: &[Vec<Op>]) -> bool {
    let mut orders = Vec::new();
    permutations(&mut (1..places.len()).collect(), 0, &mut orders);
    let own = named(places, &(1..places.len()).collect::<Vec<_>>());
    orders
        .iter()
        .filter(|order| order.iter().zip(1..).all(|(lane, at)| places[*lane].len() == places[at].len()))
        .all(|order| own <= named(places, order))
}

fn permutations(lanes: &mut Vec<usize>, from: usize, orders: &mut Vec<Vec<usize>>) {
    if from == lanes.len() {
        orders.push(lanes.clone());
    }
    for next in from..lanes.len() {
        lanes.swap(from, next);
        permutations(lanes, from + 1, orders);
        lanes.swap(from, next);
    }
}

/// The ops with the lanes in that order, and the slots named in the order of their use.
fn named(places: &[Vec<Op>], order: &[usize]) -> Vec<Vec<Op>> {
    let mut used: Vec<Slot> = Vec::new();
    let mut rename = |mut op: Op| {
        if let Some(slot) = op.slot_mut() {
            let name = used.iter().position(|other| other == slot).unwrap_or_else(|| {
                used.push(*slot);
                used.len() - 1
            });
            *slot = Slot::new(name as u8);
        }
        op
    };
    let setup = std::iter::once(&0);
    setup.chain(order).map(|place| places[*place].iter().map(|op| rename(*op)).collect()).collect()
}

#[cfg(test)]
mod tests;
