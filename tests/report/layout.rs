//! What is the same of a text wherever lines are moved to, and how wide it is.

use watchmux::report::Layout;

use super::findings::{FINDINGS, text};
use super::programs::{self, failure};

/// The text with the numbers of lines of code, and the room they take, left out.
pub(crate) fn without_line_numbers(text: &str) -> String {
    let line = |line: &str| {
        let mut parts = line.split(".rs:");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
            plain += &format!(".rs:#{rest}");
        }
        match plain.trim_end().rsplit_once("   ") {
            Some((before, place)) if !before.trim().is_empty() && place.trim().ends_with(".rs:#") => {
                format!("{}   {}", before.trim_end(), place.trim())
            }
            _ => plain,
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_report_fits_its_columns() {
    for columns in [Layout::NARROWEST, 90, Layout::WIDEST] {
        for finding in FINDINGS {
            let text = text(finding, Layout::of(columns));
            let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= columns, "{} in {columns} columns:\n{widest}", finding.subject);
        }
    }
}

#[test]
fn it_is_readable_without_colours() {
    let told = failure(programs::ab_ba).to_string();
    assert!(!told.contains('\u{1b}'), "{told:?}");
    assert!(told.contains("✗ "), "{told}");
}
