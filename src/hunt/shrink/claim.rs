//! What is claimed about the scripts with an op less.

use super::super::explore::Extent;
use super::super::quantity::many;
use super::{Method, Shrunk};

impl Shrunk {
    /// What is claimed about the scripts with an op less: that none shows the finding, if that was exhausted, and otherwise how
    /// far it was tried. Nothing if the schedule alone was made simpler.
    pub fn claim(&self) -> Option<String> {
        Some(match self.method {
            Method::Schedule { .. } => return None,
            _ if !self.minimal => format!("given up after {}", many(self.candidates, "candidate")),
            Method::Joint { removals: Extent::All, .. } => {
                "no op can be removed (all schedules explored)".to_owned()
            }
            Method::Joint { removals: Extent::Preemptions(most), .. } => {
                let preemptions = many(most.into(), "preemption");
                format!("no op can be removed (every schedule with up to {preemptions} explored)")
            }
            Method::Joint { removals: Extent::Schedules(tried), .. } => {
                format!("with an op less, not in {}", many(tried, "schedule"))
            }
            Method::Sampled { reruns, capped: false } => {
                format!("no op can be removed ({} of each candidate)", many(reruns, "rerun"))
            }
            Method::Sampled { reruns, capped: true } => {
                let reruns = many(reruns, "rerun");
                format!("with an op less, not in {reruns} (it shows too rarely to say more)")
            }
        })
    }
}
