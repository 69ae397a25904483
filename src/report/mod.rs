//! Reports: what a hunt or a replay has found, for people and for programs.
//!
//! Each renderer writes to any writer. Text is styled with ANSI escapes, for the writer to strip where they are
//! not wanted.

mod blocked;
mod calls;
mod checked;
pub mod html;
pub mod json;
mod steps;
mod style;
pub mod text;

pub use checked::Checked;
