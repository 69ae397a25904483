use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::oracle::EventId;

/// A panic, once, in the user's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Plan {
    /// The first `Clone` of this event panics.
    Clone(EventId),
    /// The first `Drop` of a copy of this event panics. One that comes while its thread unwinds anyway does
    /// not: two panics at once end the process.
    Drop(EventId),
}

/// `clone:3`
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plan::Clone(id) => write!(f, "clone:{id}"),
            Plan::Drop(id) => write!(f, "drop:{id}"),
        }
    }
}

impl FromStr for Plan {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Plan, &'static str> {
        let (call, id) = text.split_once(':').unwrap_or_default();
        let id = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
        match (call, id) {
            ("clone", Some(id)) => Ok(Plan::Clone(id)),
            ("drop", Some(id)) => Ok(Plan::Drop(id)),
            _ => Err("expected `clone:N` or `drop:N`, the number of an event"),
        }
    }
}
