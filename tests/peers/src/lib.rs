//! What the programs and tests here share.

pub mod adapters;
pub mod statistics;
