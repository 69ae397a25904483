use std::error::Error;
use std::fmt;

/// Where an execution could not follow its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Which choice it was, counted from 1.
    pub at: u64,
    /// What the schedule says; `None` if it is over.
    pub expected: Option<String>,
    /// What could go on, in the words of a schedule; nothing, if the execution had ended.
    pub could: Vec<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Divergence { at, expected, could } = self;
        match expected {
            Some(expected) => write!(f, "at sync point {at}: `{expected}` was expected, and ")?,
            None => write!(f, "at sync point {at}: the schedule was over, and ")?,
        }
        match could.as_slice() {
            [] => f.write_str("the execution had ended"),
            could => write!(f, "`{}` could go on", could.join("`, `")),
        }
    }
}

impl Error for Divergence {}
