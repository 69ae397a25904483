//! The matrix: what each subject is known to show, and what was found of that.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::json;
use super::style::{FAINT, TITLE, count, many, styled};
use crate::hunt::{Cell, Survey};
use crate::script::ContractKind;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// How wide a column is.
const WIDE: usize = 5;

/// Writes a table for each contract, a line for each subject and a column for each bug: in which run it was first found.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, surveys: &[Survey]) -> io::Result<()> {
    let name = surveys.iter().map(|survey| survey.subject.len()).max().unwrap_or(0);
    for kind in ContractKind::ALL {
        let surveys: Vec<&Survey> = surveys.iter().filter(|survey| survey.contract == kind).collect();
        let mut ids: Vec<&str> = Vec::new();
        for cell in surveys.iter().flat_map(|survey| &survey.cells) {
            if !ids.contains(&cell.bug.id) {
                ids.push(cell.bug.id);
            }
        }
        ids.sort_by_key(order);
        if !surveys.is_empty() {
            table(out, kind, name, &ids, &surveys)?;
            writeln!(out)?;
        }
    }
    writeln!(
        out,
        "{}  known, and first found in that run   {}  not known, not found\n\
         {}  known, and not found               {}  found in that run, and not known   ?  of no known bug",
        styled(GOOD, "12"),
        styled(FAINT, "·"),
        styled(BAD, "--"),
        styled(BAD, "!12"),
    )?;
    let (agreeing, all) = (surveys.iter().filter(|survey| survey.agrees()).count(), surveys.len());
    let verdict =
        if agreeing == all { styled(GOOD, "all as expected") } else { styled(BAD, "not as expected") };
    let found = surveys.iter().flat_map(|survey| &survey.cells).filter(|cell| cell.expected && cell.agrees());
    let seconds: f64 = surveys.iter().map(|survey| survey.elapsed.as_secs_f64()).sum();
    let runs = surveys.iter().map(|survey| survey.runs).sum();
    let forgotten = surveys.iter().map(|survey| survey.forgotten).sum();
    writeln!(
        out,
        "\n{verdict}: {} of {all} lines agree, {} found where they are known, {} in {seconds:.0} s, {} forgotten",
        agreeing,
        many(found.count() as u64, "bug"),
        many(runs, "run"),
        many(forgotten, "task"),
    )
}

/// A survey, for programs.
#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    subject: &'a str,
    contract: &'static str,
    agrees: bool,
    runs: u64,
    seconds: f64,
    forgotten: u64,
    bugs: Vec<Known>,
    unknown: usize,
}

/// A bug that is known, or was found.
#[derive(Serialize)]
struct Known {
    id: &'static str,
    expected: bool,
    found_in_runs: u64,
    first_run: Option<u64>,
}

/// Writes a survey as an object on a line of its own.
///
/// # Errors
/// Those of the writer.
pub fn json(out: &mut dyn Write, survey: &Survey) -> io::Result<()> {
    let known = |cell: &Cell| Known {
        id: cell.bug.id,
        expected: cell.expected,
        found_in_runs: cell.count,
        first_run: cell.first,
    };
    let line = Line {
        version: json::VERSION,
        subject: &survey.subject,
        contract: survey.contract.name(),
        agrees: survey.agrees(),
        runs: survey.runs,
        seconds: survey.elapsed.as_secs_f64(),
        forgotten: survey.forgotten,
        bugs: survey.cells.iter().map(known).collect(),
        unknown: survey.unknown,
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

/// Bugs before hazards, each by their numbers.
fn order<'a>(id: &&'a str) -> (&'a str, usize, &'a str) {
    let (letter, number) = id.split_at(1);
    let digits = number.trim_end_matches(|last: char| !last.is_ascii_digit());
    (letter, digits.parse().unwrap_or(0), number)
}

fn table(
    out: &mut dyn Write,
    kind: ContractKind,
    name: usize,
    ids: &[&str],
    surveys: &[&Survey],
) -> io::Result<()> {
    write!(out, "{}", styled(TITLE, format!("{:name$}", kind.name())))?;
    for id in ids {
        write!(out, "{}", styled(TITLE, format!("{id:>WIDE$}")))?;
    }
    writeln!(out, "{}", styled(TITLE, format!("{:>WIDE$}{:>10}{:>7}", "?", "runs", "s")))?;
    for survey in surveys {
        write!(out, "{:name$}", survey.subject)?;
        for id in ids {
            let cell = survey.cells.iter().filter(|cell| cell.bug.id == *id).min_by_key(|cell| cell.agrees());
            let (style, text) = self::cell(cell);
            write!(out, "{}", styled(style, format!("{text:>WIDE$}")))?;
        }
        let unknown = match survey.unknown {
            0 => (FAINT, "·".to_owned()),
            unknown => (BAD, unknown.to_string()),
        };
        write!(out, "{}", styled(unknown.0, format!("{:>WIDE$}", unknown.1)))?;
        writeln!(out, "{:>10}{:>7.1}", count(survey.runs), survey.elapsed.as_secs_f64())?;
    }
    Ok(())
}

fn cell(cell: Option<&Cell>) -> (Style, String) {
    match cell {
        None => (FAINT, "·".to_owned()),
        Some(Cell { first: None, .. }) => (BAD, "--".to_owned()),
        Some(Cell { first: Some(run), expected: true, .. }) => (GOOD, short(run + 1)),
        Some(Cell { first: Some(run), .. }) => (BAD, format!("!{}", short(run + 1))),
    }
}

/// A number in at most four characters: `950`, `9k5`, `23k`, `1M2`.
fn short(number: u64) -> String {
    let parts = |unit: u64, letter: char| {
        let (whole, tenths) = (number / unit, number % unit / (unit / 10));
        if whole < 10 && tenths > 0 { format!("{whole}{letter}{tenths}") } else { format!("{whole}{letter}") }
    };
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => parts(1_000, 'k'),
        _ => parts(1_000_000, 'M'),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::subject::gallery;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [7, 999, 1_000, 1_234, 23_456, 999_999, 1_200_000].map(short),
            ["7", "999", "1k", "1k2", "23k", "999k", "1M2"]
        );
    }

    #[test]
    fn what_is_not_as_expected_stands_out() {
        let [first, .., last] = &gallery()[..] else { unreachable!() };
        let (b1, other) = (first.bugs()[0], last.bugs()[1]);
        let cell = |bug, expected, first| Cell { bug, expected, count: 1, first };
        let survey = |cells, unknown| Survey {
            subject: "x".to_owned(),
            contract: ContractKind::Own,
            runs: 12_345,
            elapsed: Duration::from_secs(2),
            forgotten: 0,
            cells,
            unknown,
        };
        let text = |surveys: &[Survey]| {
            let mut text = Vec::new();
            write(&mut text, surveys).unwrap();
            anstream::adapter::strip_str(&String::from_utf8(text).unwrap()).to_string()
        };
        let good = text(&[survey(vec![cell(b1, true, Some(11))], 0)]);
        assert!(good.contains("x   12    ·    12,345    2.0\n"), "{good}");
        assert!(good.contains("all as expected: 1 of 1 lines agree, 1 bug found"), "{good}");
        let bad = text(&[survey(vec![cell(b1, true, None), cell(other, false, Some(4))], 3)]);
        assert!(bad.contains("x   --   !5    3    12,345    2.0\n"), "{bad}");
        assert!(bad.contains("not as expected: 0 of 1 lines agree, 0 bugs found"), "{bad}");
    }
}
