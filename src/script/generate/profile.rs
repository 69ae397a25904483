use std::ops::RangeInclusive;

#[cfg(doc)]
use crate::script::MAX_LANES;
use crate::script::{OpSet, WhenFull};

/// Which scripts are drawn: those that a subject can run.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The ops there may be.
    pub ops: OpSet,
    /// The capacities of the incoming queue.
    pub incoming: RangeInclusive<u8>,
    /// Whether the incoming queue can also have the capacity of a watcher's.
    pub incoming_as_queue: bool,
    /// The capacities of a watcher's queue.
    pub queue: RangeInclusive<u8>,
    /// The policies for a full queue. Not empty.
    pub when_full: &'static [WhenFull],
    /// Whether a `watch` can have a policy of its own.
    pub when_full_per_watcher: bool,
    /// Whether a `watch` can have a prefix.
    pub prefix: bool,
    /// What is the caller's own error beside whatever ends the mux, and after it. All that follows is excused, so some
    /// scripts must be without it.
    pub errors: OpSet,
    /// The most ops, setup and lanes together.
    pub max_ops: usize,
    /// The most lanes; at least 1, and at most [`MAX_LANES`].
    pub max_lanes: usize,
}

/// All there is, in scripts of up to 18 ops and 4 lanes.
impl Default for Profile {
    fn default() -> Profile {
        Profile {
            ops: OpSet::ALL,
            incoming: 0..=u8::MAX,
            incoming_as_queue: false,
            queue: 0..=u8::MAX,
            when_full: &WhenFull::ALL,
            when_full_per_watcher: true,
            prefix: true,
            errors: OpSet::NONE,
            max_ops: 18,
            max_lanes: 4,
        }
    }
}
