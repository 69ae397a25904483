/// How far the schedules of something were explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// So many.
    Schedules(u64),
    /// Every one with up to so many preemptions.
    Preemptions(u32),
    /// Every one.
    All,
}
