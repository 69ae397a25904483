//! Black boxes: subjects that are not written over [`sync`](crate::sync), run in a child process.
//!
//! The child is this program again, told by its environment which subject it is to [serve]. It is sent a script at a time and
//! tells each call and each return at once, so that nothing is lost when it dies: the one that hung has told what was called,
//! and is then replaced; the one that aborted is a finding, with the script that it was sent, the calls that it made and the
//! last words on its stderr.
//!
//! A hang can only be told by the time that passes, and is called one when nothing has moved for ten times the deadline; for
//! one deadline, where the same signature was proved before.

mod child;
mod crew;
mod process;
mod wire;

pub use child::serve;
pub(super) use crew::{Crew, Task};
pub use process::{SERVES, Unserved};
