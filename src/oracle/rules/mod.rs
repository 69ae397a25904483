//! The rules that a history must keep: guarantees 1 to 4, each checked only if the contract gives it.

use super::model::Model;
use super::{Call, Class, Finding, Guarantee, Outcome, Signature, Verdict};
use crate::script::OpKind;

mod finality;
mod missed;
mod once;
mod order;
mod suffix;

/// What the history breaks.
pub(super) fn check(model: &Model<'_>) -> Vec<Finding> {
    let mut rules = Rules { model, findings: Vec::new() };
    once::check(&mut rules);
    finality::check(&mut rules);
    suffix::check_from_before(&mut rules);
    // What was left out, and where, can be told only by an order.
    if order::check(&mut rules) {
        suffix::check_up_to_the_end(&mut rules);
        missed::check(&mut rules);
    }
    rules.findings
}

struct Rules<'m, 'a> {
    model: &'m Model<'a>,
    findings: Vec<Finding>,
}

impl Rules<'_, '_> {
    /// Records that a call broke a guarantee, in one of the ways that it can be broken, and which calls say otherwise; unless the contract does
    /// not give it, or the caller had already erred.
    fn broken(&mut self, guarantee: Guarantee, index: usize, against: &[&Call], how: &str, sentence: String) {
        let call = &self.model.history.calls[index];
        let erred = self.model.misuse().is_some_and(|error| call.returned_at().is_none_or(|at| error < at));
        if erred || !self.model.context.contract.guarantees(guarantee) {
            return;
        }
        let is_against = |call: &Call| against.iter().any(|other| std::ptr::eq(*other, call));
        let calls = self.model.history.calls.iter().enumerate();
        let against = calls
            .filter(|(other, call)| *other != index && is_against(call))
            .map(|(other, _)| other)
            .collect();
        self.findings.push(Finding {
            signature: Signature {
                verdict: Verdict::Violation,
                class: class(guarantee),
                op: Some(kind(call)),
                shape: format!("{}: {how}", guarantee.name()),
                wind_down: self.model.shows_in_wind_down(Some(call)),
            },
            sentence,
            clause: guarantee.clause().to_owned(),
            origin: Some(call.origin),
            call: Some(index),
            against,
            chain: None,
        });
    }
}

fn class(guarantee: Guarantee) -> Class {
    match guarantee {
        Guarantee::Complete | Guarantee::Once | Guarantee::Missed => Class::AtomicityViolation,
        Guarantee::Order
        | Guarantee::NoEarlier
        | Guarantee::StopFinal
        | Guarantee::ShutdownFinal
        | Guarantee::CloseFinal
        | Guarantee::Prefix => Class::OrderViolation,
        Guarantee::PanicSafety => Class::SubjectPanic,
    }
}

/// The op in signatures: a `try-` form that did what the other does counts as the other.
fn kind(call: &Call) -> OpKind {
    match (call.op.kind(), call.outcome()) {
        (OpKind::TryRecv, Some(Outcome::Delivered(_) | Outcome::Closed(_))) => OpKind::Recv,
        (OpKind::TryAction, Some(Outcome::Accepted(_) | Outcome::Refused(_))) => OpKind::Action,
        (kind, _) => kind,
    }
}
