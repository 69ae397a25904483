//! Every rule has a history that it accepts and one that it must reject.

mod blocked;
mod diagnosis;
mod finality;
mod judge;
mod missed;
mod once;
mod order;
pub(super) mod story;
mod suffix;
