//! Reports: what is told of a finding, as text and JSON, and of any code that is explored.
#![cfg(feature = "suite")]

mod classes;
mod explored;
mod faulty;
mod findings;
mod layout;
mod lost;
mod page;

mod programs;
