//! Known bugs, by what they show.

use crate::oracle::{Class, Signature, Verdict};
use crate::script::{ContractKind, OpKind};

/// A bug or hazard that a subject is known to have.
#[derive(Debug)]
pub struct Bug {
    /// What tables call it: `B1`.
    pub id: &'static str,
    /// What happens, in a line.
    pub title: &'static str,
    /// The contracts that forbid it.
    pub under: &'static [ContractKind],
    /// What it shows, at least one of these.
    pub signs: &'static [Sign],
    /// Scripts that show it, each on the subjects that have what is in it. None has more ops than it takes.
    pub scripts: &'static [&'static str],
}

/// What a signature must be like.
#[derive(Debug)]
pub struct Sign {
    /// Its verdict.
    pub verdict: Verdict,
    /// Its class.
    pub class: Class,
    /// Its op: one of these, or any if there are none. A task of the subject's own is `None`.
    pub ops: &'static [Option<OpKind>],
    /// What its shape has in it, in this order.
    pub shape: &'static [&'static str],
}

impl Bug {
    /// Whether a finding with this signature shows it, in the script or in the wind-down.
    pub fn is_shown_by(&self, signature: &Signature) -> bool {
        self.signs.iter().any(|sign| sign.is_like(signature))
    }
}

impl Sign {
    fn is_like(&self, signature: &Signature) -> bool {
        let mut rest = signature.shape.as_str();
        let has = |part: &&str| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        };
        (self.verdict, self.class) == (signature.verdict, signature.class)
            && (self.ops.is_empty() || self.ops.contains(&signature.op))
            && self.shape.iter().all(has)
    }
}
