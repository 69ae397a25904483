//! Reports as one page that explains itself: a timeline with a lane a task, to be stepped through.
//!
//! It is one file that loads nothing: styles, code and data are in it. What it shows is data, which the page's own code
//! puts into place as text, never as markup.

use std::io::{self, Write};

use crate::hunt::{Execution, Interleaving};
use crate::oracle::Finding;
use crate::script::{ContractKind, Script};

mod data;

use data::Data;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const CODE: &str = include_str!("page.js");

/// A finding, and what is known of it.
pub struct Page<'a> {
    /// The subject's name.
    pub subject: &'a str,
    /// Which contract it was judged by.
    pub contract: ContractKind,
    /// The finding.
    pub finding: &'a Finding,
    /// The script that shows it, clamped.
    pub script: &'a Script,
    /// The execution that shows it.
    pub execution: &'a Execution,
    /// What that did, step by step; `None` if it was on free threads.
    pub interleaving: Option<&'a Interleaving>,
    /// What else there is to say, by name.
    pub facts: Vec<(&'static str, String)>,
}

impl Page<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
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
