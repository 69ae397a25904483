//! The hunt: scripts run, judged, and what is found made small.

pub mod execution;
