//! Drawing scripts: a proptest strategy with swarm weights.
//!
//! Each script first draws which ops are off, and then, for each lane, what it does mostly (*swarm* testing:
//! Groce et al., ISSTA 2012). Scripts are small, queues smaller, and most ops name a slot that is in use, for
//! that is where the bugs are: a queue that nobody reads must fill within a few ops.

use proptest::prelude::Rng;
use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::TestRunner;

use super::draw::Draw;
use super::{Config, Script, ScriptTree};

mod author;
mod profile;

pub(super) use author::WEIGHTS;
pub use profile::Profile;

use author::{Author, policy};

/// A strategy for the scripts of a profile, drawn from the runner's generator alone: the same seed gives the
/// same scripts.
pub fn strategy(profile: &Profile) -> impl Strategy<Tree = ScriptTree, Value = Script> + use<> {
    Scripts(profile.clone())
}

#[derive(Debug)]
struct Scripts(Profile);

impl Strategy for Scripts {
    type Tree = ScriptTree;
    type Value = Script;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(ScriptTree::new(script(&self.0, runner.rng())))
    }
}

/// Draws a script of this profile.
pub fn script(profile: &Profile, rng: &mut impl Rng) -> Script {
    let mut draw = Draw(rng);
    let (incoming, queue) = (draw.capacity(&profile.incoming), draw.capacity(&profile.queue));
    let config = Config {
        incoming: if profile.incoming_as_queue && draw.one_in(2) { queue } else { incoming },
        queue,
        when_full: policy(profile, &mut draw),
    };
    let mut author = Author::new(profile, draw);
    let setup = author.setup();
    let lanes = author.lanes(profile.max_ops.saturating_sub(setup.len()));
    Script { config, setup, lanes }
}

#[cfg(test)]
mod tests;
