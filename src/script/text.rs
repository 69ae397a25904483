//! The text form: what people read, edit and keep in the corpus.
//!
//! Line by line, in any order, but an op belongs to the `setup` or `lane` before it:
//!
//! | line | how many | meaning |
//! | --- | --- | --- |
//! | `subject NAME` | at most one | the subject, where there is neither `--subject` nor `expect` |
//! | `panic clone:N\|drop:N` | at most one | in each run the first `Clone` of event N, or the first `Drop` of a copy of it, panics |
//! | `mux incoming=N queue=N when-full=P` | one | the configuration, all three keys |
//! | `setup` | at most one | the ops of the setup follow |
//! | `lane` | up to [`MAX_LANES`](super::MAX_LANES) | the ops of the next lane follow |
//! | an op | up to [`MAX_OPS`](super::MAX_OPS) | see below |
//! | `schedule TASK…` | at most one | tasks by name, as a [`Schedule`] writes them |
//! | `expect SUBJECT own\|strict VERDICT` | one for each subject and contract | the verdict it must have |
//!
//! The ops are `watch S [prefix=N] [when-full=P]`, `action`, `try-action`, `recv S`, `try-recv S`, `stop S`,
//! `drop S`, `close` and `shutdown`; `S` is a slot, `a` to `h`, `N` a number to 255, and `P` one of `wait`,
//! `drop-newest`, `drop-oldest` and `disconnect`. `#` to the end of the line is a comment. Indentation and
//! empty lines mean nothing.
//!
//! A script and an entry print as they are read; of the comments, those before all else are kept.
//!
//! ```
//! use watchmux::script::{Script, text};
//!
//! let text = "\
//! ## kubernetes#1321: a watcher stops while the dispatcher is sending to it
//! subject k8s-906
//! mux incoming=1 queue=0 when-full=wait
//! setup
//!   watch a
//! lane
//!   action
//! lane
//!   stop a
//! schedule setup*6 dispatcher*3 lane0*4 dispatcher*4 lane1*3
//! expect k8s-906 own hang
//! expect mux strict pass
//! ";
//! let entry = text::parse("1321.script", text)?;
//! assert_eq!((entry.script.ops(), entry.script.lanes.len()), (3, 2));
//! assert_eq!(entry.to_string(), text);
//!
//! let script: Script = "mux incoming=0 queue=0 when-full=wait".parse()?;
//! assert_eq!(script.ops(), 0);
//!
//! let error = text::parse("typo.script", "mux incoming=1\nlane\n  stop i\n").unwrap_err();
//! assert_eq!(error.to_string(), "typo.script:1: read the end of the line, expected `queue=N`");
//! # Ok::<(), watchmux::script::ParseError>(())
//! ```

use std::fmt;
use std::str::FromStr;

pub use super::parse::{MAX_LINE, parse, parse_bytes};

use serde::{Deserialize, Serialize};

use super::{Config, Op, ParseError, Plan, Schedule, Script};
use crate::oracle::Verdict;

/// A script as it is kept: with what it is about, how it is scheduled, and the verdicts it must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The comment lines before all else, one line each, without their `# `.
    pub header: Vec<String>,
    /// The subject it is for, where neither the command nor an `expect` line says.
    pub subject: Option<String>,
    /// The panic that is to happen in each run, if one is.
    pub panic: Option<Plan>,
    /// The script.
    pub script: Script,
    /// How it is scheduled; explored if it does not say.
    pub schedule: Option<Schedule>,
    /// The verdicts it must have.
    pub expects: Vec<Expect>,
}

/// A verdict that an entry must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expect {
    /// On this subject.
    pub subject: String,
    /// Under this contract.
    pub contract: ContractKind,
    /// The verdict.
    pub verdict: Verdict,
}

/// Which contract a subject is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContractKind {
    /// The subject's own.
    Own,
    /// The shipped mux's, for the ops that the subject has.
    Strict,
}

impl ContractKind {
    /// Both.
    pub const ALL: [ContractKind; 2] = [ContractKind::Own, ContractKind::Strict];

    /// As `expect` lines and `--contract` write it.
    pub fn name(self) -> &'static str {
        match self {
            ContractKind::Own => "own",
            ContractKind::Strict => "strict",
        }
    }
}

impl From<Script> for Entry {
    fn from(script: Script) -> Entry {
        Entry { header: Vec::new(), subject: None, panic: None, script, schedule: None, expects: Vec::new() }
    }
}

/// Reads the text form, and keeps what is the script's own of an entry.
impl FromStr for Script {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Script, ParseError> {
        parse("script", text).map(|entry| entry.script)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        if let Some(slot) = self.slot() {
            write!(f, " {slot}")?;
        }
        if let Op::Watch { prefix, when_full, .. } = *self {
            if prefix > 0 {
                write!(f, " prefix={prefix}")?;
            }
            if let Some(policy) = when_full {
                write!(f, " when-full={}", policy.name())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { incoming, queue, when_full } = self;
        write!(f, "mux incoming={incoming} queue={queue} when-full={}", when_full.name())
    }
}

/// The text form, without a newline at its end.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.config)?;
        if !self.setup.is_empty() {
            f.write_str("\nsetup")?;
            self.setup.iter().try_for_each(|op| write!(f, "\n  {op}"))?;
        }
        for lane in &self.lanes {
            f.write_str("\nlane")?;
            lane.iter().try_for_each(|op| write!(f, "\n  {op}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expect { subject, contract, verdict } = self;
        write!(f, "expect {subject} {} {verdict}", contract.name())
    }
}

/// The content of a file, with a newline at its end.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.header {
            writeln!(f, "{}", format!("# {line}").trim_end())?;
        }
        if let Some(subject) = &self.subject {
            writeln!(f, "subject {subject}")?;
        }
        if let Some(plan) = self.panic {
            writeln!(f, "panic {plan}")?;
        }
        writeln!(f, "{}", self.script)?;
        if let Some(schedule) = &self.schedule {
            writeln!(f, "{}", format!("schedule {schedule}").trim_end())?;
        }
        self.expects.iter().try_for_each(|expect| writeln!(f, "{expect}"))
    }
}
