//! Reports: what a hunt or a replay has found, for people and for programs.
//!
//! Each renderer writes to any writer. Text is styled with ANSI escapes, for the writer to strip where they are
//! not wanted.

mod blocked;
mod calls;
mod checked;
mod columns;
pub(crate) mod failure;
pub mod html;
pub mod json;
pub mod matrix;
mod steps;
mod style;
pub mod text;

pub use checked::Checked;

/// What a text has to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many columns there are.
    width: usize,
}

impl Layout {
    /// The most columns that a report uses.
    pub const WIDEST: usize = 100;

    /// The fewest columns that it can be read in.
    pub const NARROWEST: usize = 80;

    /// A layout of about so many columns: no more than can be read, and no fewer.
    pub fn of(columns: usize) -> Layout {
        Layout { width: columns.clamp(Layout::NARROWEST, Layout::WIDEST) }
    }
}

impl Default for Layout {
    /// Of the most columns.
    fn default() -> Layout {
        Layout::of(Layout::WIDEST)
    }
}
