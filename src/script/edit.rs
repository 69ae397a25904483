use super::{Op, Script, Slot, WhenFull};

/// The phases of shrinking: each lists what to try on a script, boldest first.
pub(super) const PHASES: [fn(&Script) -> Vec<Edit>; 4] = [removals, pairs, fewer_lanes, simpler_arguments];

/// Up to so many ops, removals of two ops that are not neighbours are tried as well: an event and what
/// receives it.
const MAX_OPS_FOR_PAIRS: usize = 10;

/// Up to so many ops, two lanes are merged in every order, and not only one after the other.
const MAX_OPS_TO_INTERLEAVE: usize = 6;

/// One change to a script; ops are counted as [`Script::iter`] goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    /// Removes ops in a row.
    Remove { first: usize, count: usize },
    /// Removes two ops, the first before the second.
    RemovePair(usize, usize),
    /// Removes a lane that is empty.
    DropLane(usize),
    /// Merges a lane into one before it.
    Merge { into: usize, from: usize, order: Order },
    /// Moves the setup to the start of the only lane.
    MoveSetup,
    /// Gives the mux another policy.
    Policy(WhenFull),
    /// Gives an op's watcher another policy of its own.
    OwnPolicy(usize, Option<WhenFull>),
    /// Gives an op's watcher a prefix of another length.
    Prefix(usize, u8),
    /// Gives the incoming queue another capacity.
    Incoming(u8),
    /// Gives watchers' queues another capacity.
    Queue(u8),
    /// Names the slots in the order of their use.
    RenameSlots,
}

/// How two lanes become one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// The earlier lane first.
    Earlier,
    /// The later lane first.
    Later,
    /// Interleaved: where the bit of a place is set, the later lane's op goes there.
    Mask(u32),
}

/// Ever smaller runs of ops, and at last each op.
fn removals(script: &Script) -> Vec<Edit> {
    let ops = script.ops();
    let mut edits = Vec::new();
    let mut count = ops;
    while count > 0 {
        // From the end: what goes there moves nothing that is yet to be tried.
        edits.extend((0..ops).step_by(count).rev().map(|first| Edit::Remove { first, count }));
        count = if count == 1 { 0 } else { count.div_ceil(2) };
    }
    edits
}

fn pairs(script: &Script) -> Vec<Edit> {
    let ops = script.ops();
    if ops > MAX_OPS_FOR_PAIRS {
        return Vec::new();
    }
    (0..ops)
        .rev()
        .flat_map(|second| (0..second).rev().map(move |first| Edit::RemovePair(first, second)))
        .collect()
}

fn fewer_lanes(script: &Script) -> Vec<Edit> {
    let lanes = script.lanes.len();
    let mut edits: Vec<Edit> = (0..lanes).rev().map(Edit::DropLane).collect();
    for from in (1..lanes).rev() {
        for into in 0..from {
            let merge = |order| Edit::Merge { into, from, order };
            edits.extend([Order::Earlier, Order::Later].map(merge));
            let (earlier, later) = (script.lanes[into].len(), script.lanes[from].len());
            if earlier + later <= MAX_OPS_TO_INTERLEAVE {
                let masks =
                    (0..1_u32 << (earlier + later)).filter(|mask| mask.count_ones() as usize == later);
                edits.extend(masks.map(Order::Mask).map(merge));
            }
        }
    }
    edits.push(Edit::MoveSetup);
    edits
}

fn simpler_arguments(script: &Script) -> Vec<Edit> {
    let mut edits = vec![Edit::RenameSlots];
    edits.extend(simpler_policies(script.config.when_full).map(Edit::Policy));
    for (index, op) in script.iter().enumerate() {
        if let Op::Watch { prefix, when_full, .. } = *op {
            if let Some(policy) = when_full {
                edits.push(Edit::OwnPolicy(index, None));
                edits.extend(simpler_policies(policy).map(|policy| Edit::OwnPolicy(index, Some(policy))));
            }
            edits.extend(smaller(prefix).map(|prefix| Edit::Prefix(index, prefix)));
        }
    }
    edits.extend(smaller(script.config.queue).map(Edit::Queue));
    edits.extend(smaller(script.config.incoming).map(Edit::Incoming));
    edits
}

fn simpler_policies(policy: WhenFull) -> impl Iterator<Item = WhenFull> {
    WhenFull::ALL.into_iter().take_while(move |simpler| *simpler < policy)
}

/// 0, then half, and ever nearer: once one of them is kept, this is a binary search.
fn smaller(number: u8) -> impl Iterator<Item = u8> {
    std::iter::successors(Some(number), |step| Some(step / 2))
        .take_while(|step| *step > 0)
        .map(move |step| number - step)
}

impl Edit {
    /// The script with this change; `None` if it does not apply, or changes nothing.
    pub(super) fn apply(self, script: &Script) -> Option<Script> {
        let mut edited = script.clone();
        let config = &mut edited.config;
        match self {
            Edit::Remove { first, count } => {
                retain(&mut edited, |index| !(first..first + count).contains(&index))
            }
            Edit::RemovePair(first, second) => retain(&mut edited, |index| index != first && index != second),
            Edit::DropLane(lane) => {
                let removable = edited.lanes.len() > 1 && edited.lanes.get(lane)?.is_empty();
                if removable {
                    edited.lanes.remove(lane);
                }
            }
            Edit::Merge { into, from, order } => {
                let later = if from < edited.lanes.len() { edited.lanes.remove(from) } else { return None };
                let earlier = std::mem::take(&mut edited.lanes[into]);
                edited.lanes[into] = order.merge(earlier, later)?;
            }
            Edit::MoveSetup => match edited.lanes.as_mut_slice() {
                [] if edited.setup.is_empty() => {}
                [] => edited.lanes.push(std::mem::take(&mut edited.setup)),
                [lane] => {
                    edited.setup.append(lane);
                    *lane = std::mem::take(&mut edited.setup);
                }
                _ => {}
            },
            // Never back from what was made simpler since this edit was listed.
            Edit::Policy(policy) => config.when_full = config.when_full.min(policy),
            Edit::Incoming(capacity) => config.incoming = config.incoming.min(capacity),
            Edit::Queue(capacity) => config.queue = config.queue.min(capacity),
            Edit::OwnPolicy(op, policy) => {
                if let Op::Watch { when_full, .. } = edited.iter_mut().nth(op)? {
                    *when_full = policy.min(*when_full);
                }
            }
            Edit::Prefix(op, length) => {
                if let Op::Watch { prefix, .. } = edited.iter_mut().nth(op)? {
                    *prefix = length.min(*prefix);
                }
            }
            Edit::RenameSlots => rename_slots(&mut edited),
        }
        (edited != *script).then_some(edited)
    }
}

impl Order {
    fn merge(self, earlier: Vec<Op>, later: Vec<Op>) -> Option<Vec<Op>> {
        let places = earlier.len() + later.len();
        match self {
            Order::Earlier => Some([earlier, later].concat()),
            Order::Later => Some([later, earlier].concat()),
            Order::Mask(mask) if places <= MAX_OPS_TO_INTERLEAVE => {
                let (mut earlier, mut later) = (earlier.into_iter(), later.into_iter());
                let next = |place| if mask & (1_u32 << place) == 0 { earlier.next() } else { later.next() };
                (0..places).map(next).collect()
            }
            // The lanes are not those that the mask is for.
            Order::Mask(_) => None,
        }
    }
}

/// Keeps the ops of these indices.
fn retain(script: &mut Script, keep: impl Fn(usize) -> bool) {
    let mut index = 0;
    for ops in std::iter::once(&mut script.setup).chain(&mut script.lanes) {
        ops.retain(|_| {
            index += 1;
            keep(index - 1)
        });
    }
}

fn rename_slots(script: &mut Script) {
    let mut used: Vec<Slot> = Vec::new();
    for slot in script.iter_mut().filter_map(Op::slot_mut) {
        let name = used.iter().position(|other| other == slot).unwrap_or_else(|| {
            used.push(*slot);
            used.len() - 1
        });
        *slot = Slot::new(name as u8);
    }
}
