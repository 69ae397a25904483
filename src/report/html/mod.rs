//! Reports as one page that explains itself: a timeline with a lane a task, to be stepped through.
//!
//! It is one file that loads nothing: styles, code and data are in it. What it shows is data, which the page's own code
//! puts into place as text, never as markup.

use std::io::{self, Write};

use super::blocked::Left;
use super::text;
use crate::hunt::{Execution, Group, Interleaving, Outcome, Trial};
use crate::oracle::Finding;
use crate::script::{ContractKind, Script};

mod data;

use data::Data;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// In one scope that they share.
const CODE: &str = concat!(
    include_str!("page.js"),
    include_str!("timeline.js"),
    include_str!("state.js"),
    include_str!("details.js"),
    include_str!("stepping.js"),
);

/// Writes a finding of a campaign as a page. `again` is what is to be typed to see it again.
///
/// # Errors
/// Those of the writer.
pub fn finding(
    out: &mut dyn Write,
    outcome: &Outcome,
    group: &Group,
    trial: &Trial,
    again: &str,
) -> io::Result<()> {
    let (finding, script, execution) = group.shown();
    let interleaving = trial.shown(script, execution);
    let mut facts = text::told(outcome, group, trial);
    facts.extend(execution.schedule().map(|schedule| ("Schedule", schedule.to_string())));
    facts.push(("Replay", again.to_owned()));
    let (subject, contract) = (outcome.subject.as_str(), outcome.contract);
    let interleaving = interleaving.as_ref();
    Page { subject, contract, finding, script, execution, interleaving, facts }.write(out)
}

/// A finding, and what is known of it.
struct Page<'a> {
    subject: &'a str,
    contract: ContractKind,
    finding: &'a Finding,
    script: &'a Script,
    execution: &'a Execution,
    /// `None` if it was on free threads.
    interleaving: Option<&'a Interleaving>,
    facts: Vec<(&'static str, String)>,
}

impl Page<'_> {
    /// The tasks that are left in the end.
    fn left(&self) -> Left<'_> {
        Left::of(self.execution, self.interleaving, self.finding.chain.as_ref())
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let signature = &self.finding.signature;
        let data = serde_json::to_string(&Data::of(self))?;
        let title = format!("{} in {}: {}", signature.verdict, self.subject, signature.class);
        let plain = format!("{}\n\n{}", self.finding.sentence, self.script);
        let mut rest = PAGE;
        // One after the other, so that nothing is looked for in what was put in.
        for (mark, text) in [
            ("{title}", escaped(&title)),
            ("{style}", STYLE.to_owned()),
            ("{plain}", escaped(&plain)),
            ("{data}", data.replace('<', "\\u003c")),
            ("{code}", CODE.to_owned()),
        ] {
            let (before, after) =
                rest.split_once(mark).expect("the page has a place for each, in this order");
            out.write_all(before.as_bytes())?;
            out.write_all(text.as_bytes())?;
            rest = after;
        }
        out.write_all(rest.as_bytes())
    }
}

/// As the text of an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
