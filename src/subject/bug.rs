//! Known bugs, by what they show.

use crate::oracle::{Class, Signature, Verdict};
use crate::script::{ContractKind, OpKind};

/// A bug or hazard that some subject is known to have.
#[derive(Debug)]
pub struct Bug {
    /// What tables call it: `B1`.
    pub id: &'static str,
    /// What happens, in a line.
    pub title: &'static str,
    /// The contracts that forbid it.
    pub under: &'static [ContractKind],
    /// The signatures that show it.
    pub signs: &'static [Sign],
    /// How many ops it takes at most.
    pub ops: usize,
}

/// What a signature must be like.
#[derive(Debug)]
pub struct Sign {
    /// Its verdict.
    pub verdict: Verdict,
    /// Its class.
    pub class: Class,
    /// Its op, one of these; `None` is a task of the subject's own.
    pub ops: &'static [Option<OpKind>],
    /// What its shape has in it.
    pub shape: &'static str,
}

impl Bug {
    /// Whether a finding with this signature shows it, in the script or in the wind-down.
    pub fn is_shown_by(&self, signature: &Signature) -> bool {
        self.signs.iter().any(|sign| sign.is_like(signature))
    }
}

impl Sign {
    fn is_like(&self, signature: &Signature) -> bool {
        (self.verdict, self.class) == (signature.verdict, signature.class)
            && self.ops.contains(&signature.op)
            && signature.shape.contains(self.shape)
    }
}
