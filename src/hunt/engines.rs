/// An engine that hunts run scripts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// Fibers: one task running at a time, every sync point a choice.
    Fibers,
    /// Free-running OS threads, with noise at their sync points.
    Threads,
}

impl EngineKind {
    /// As `--engine` and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Fibers => "fibers",
            EngineKind::Threads => "threads",
        }
    }

    /// In a sentence: `on fibers`.
    pub fn phrase(self) -> &'static str {
        match self {
            EngineKind::Fibers => "on fibers",
            EngineKind::Threads => "on free threads",
        }
    }
}

/// Which engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engines {
    /// Fibers alone.
    Fibers,
    /// Threads alone.
    Threads,
    /// Fibers first, then threads.
    Both,
}

impl Engines {
    /// Each, in order.
    pub fn kinds(self) -> &'static [EngineKind] {
        match self {
            Engines::Fibers => &[EngineKind::Fibers],
            Engines::Threads => &[EngineKind::Threads],
            Engines::Both => &[EngineKind::Fibers, EngineKind::Threads],
        }
    }

    /// Whether it is one of these.
    pub fn contains(self, kind: EngineKind) -> bool {
        self.kinds().contains(&kind)
    }
}
