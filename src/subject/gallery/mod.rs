//! The gallery: known-bad muxes, which the suite must catch, and their fixed versions, which must pass.
//!
//! Each is the mechanism of a real one, written afresh over [`sync`](crate::sync).

use std::sync::Arc;

use super::{Payload, Received, Subject};
use crate::oracle::Closed;

pub(crate) mod gochan;
mod goker_1321;
mod k8s_1321;
mod k8s_906;
mod kubernetes;

use goker_1321::Goker1321;
use k8s_906::K8s906;
use k8s_1321::K8s1321;
use kubernetes::Kubernetes;

/// The gallery, oldest first.
pub fn gallery() -> Vec<Arc<dyn Subject>> {
    vec![Arc::new(Kubernetes::<K8s906>::new()), Arc::new(Kubernetes::<K8s1321>::new()), Arc::new(Goker1321)]
}

/// The end of a stream, of which Go's channels say no more.
const END: Closed = Closed { reason: None, missed: None };

/// What a Go channel delivers: the event, if it has a value, and no more.
fn received(event: Option<Payload>) -> Received {
    Received { event, seq: None, missed: None }
}
