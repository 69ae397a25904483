//! What kind of bug a chain of waits is.

use super::super::Class;
use super::graph::Graph;
use super::{Chain, ChainEnd, Link};
use crate::engine::Target;
use crate::engine::words::is_wait_group;

impl Graph<'_> {
    /// By what is waited for: locks alone are resources, channels and condition variables communicate, and several
    /// of these are mixed.
    pub(super) fn class(&self, chain: &Chain) -> Class {
        let any = |is: fn(&Target) -> bool| chain.links.iter().any(|link| is(&link.target));
        let wait_group = |target: &Target| match target {
            Target::Recv(channel) => is_wait_group(self.state.object(*channel)),
            _ => false,
        };
        let wait_groups = chain.links.iter().any(|link| wait_group(&link.target));
        let is_channel = |target: &Target| matches!(target, Target::Send(_) | Target::Recv(_));
        let channels = chain.links.iter().any(|link| is_channel(&link.target) && !wait_group(&link.target));
        let locks = any(|target| matches!(target, Target::Lock(_) | Target::Read(_)));
        let condvars = any(|target| matches!(target, Target::Notify(_)));
        let joins = wait_groups || any(|target| matches!(target, Target::Join(_)));
        match (channels, locks, condvars, joins) {
            (true, true, _, _) => Class::MixedChannelLock,
            (true, false, _, true) => Class::MixedChannelWaitGroup,
            (true, false, true, false) => Class::ChannelCondvarDeadlock,
            (true, false, false, false) => Class::ChannelDeadlock,
            (false, true, true, _) => Class::MixedCondvarLock,
            (false, false, true, true) => Class::MixedCondvarWaitGroup,
            (false, false, true, false) => Class::CondvarDeadlock,
            (false, true, false, true) => Class::MixedLockWaitGroup,
            (false, false, false, true) => Class::MisuseWaitGroup,
            (false, true, false, false) => self.class_of_locks(chain),
            (false, false, false, false) => Class::Unknown,
        }
    }

    fn class_of_locks(&self, chain: &Chain) -> Class {
        let behind_writer = |link: &Link| match link.target {
            Target::Read(lock) => self.state.object(lock).shared,
            _ => false,
        };
        match chain.end {
            ChainEnd::Cycle(_) if chain.links.iter().any(behind_writer) => Class::RwrDeadlock,
            ChainEnd::Cycle(_) if chain.cycle().len() > 1 => Class::AbBaDeadlock,
            ChainEnd::Cycle(_) => Class::DoubleLocking,
            _ => Class::ResourceDeadlock,
        }
    }
}
