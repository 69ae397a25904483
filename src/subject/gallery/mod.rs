//! The gallery: known-bad muxes, which the suite must catch, and their fixed versions, which must pass.
//!
//! Each is the mechanism of a real one, written afresh over [`sync`](crate::sync).

use std::sync::Arc;

use super::{Payload, Received, Subject};
use crate::oracle::Closed;

mod bugs;
pub(crate) mod gochan;
mod goker_1321;
mod gosync;
mod k8s_108080;
mod k8s_110040;
mod k8s_13058;
mod k8s_1321;
mod k8s_14881;
mod k8s_3381;
mod k8s_5270;
mod k8s_906;
mod k8s_91602;
mod k8s_95664;
mod locked;
mod queue;
mod unlocked;
mod version;
mod watchers;

/// The gallery, oldest first.
pub fn gallery() -> Vec<Arc<dyn Subject>> {
    let versions = [
        k8s_906::VERSION,
        k8s_1321::VERSION,
        k8s_3381::VERSION,
        k8s_5270::VERSION,
        k8s_13058::VERSION,
        k8s_14881::VERSION,
        k8s_91602::VERSION,
        k8s_95664::VERSION,
        k8s_108080::VERSION,
        k8s_110040::VERSION,
    ];
    let versions = versions.into_iter().map(|version| Arc::new(version) as Arc<dyn Subject>);
    versions.chain([Arc::new(goker_1321::Goker1321) as Arc<dyn Subject>]).collect()
}

/// The end of a stream, of which Go's channels say no more.
const END: Closed = Closed { reason: None, missed: None };

/// What a Go channel delivers: the event, if it has a value, and no more.
fn received(event: Option<Payload>) -> Received {
    Received { event, seq: None, missed: None }
}
