//! What is kept of an exploration, to take it up again.

use std::fmt;

use super::{Count, Exploration};

/// How far an exploration has come. Its text is a line for each of these: what is explored, how much of it is done, how many
/// executions there were of scripts of 0, 1, … ops, and the indexes of the scripts that show findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// What is done, of the first scripts.
    pub count: Count,
    pub(super) executions: Vec<u64>,
    pub(super) findings: Vec<u64>,
}

/// Why a text is no checkpoint of an exploration: the line, what it is, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    line: usize,
    read: String,
    expected: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unfit { line, read, expected } = self;
        write!(f, "{line}: read `{}`, expected {expected}", read.escape_debug())
    }
}

impl std::error::Error for Unfit {}

impl Checkpoint {
    /// As text, for [`Checkpoint::parse`].
    pub fn text(&self, exploration: &Exploration) -> String {
        let Count { scripts, executions, redundant, inconclusive, left_out } = self.count;
        let list = |numbers: &[u64]| numbers.iter().map(|number| format!(" {number}")).collect::<String>();
        format!(
            "{}\ndone {scripts} {executions} {redundant} {inconclusive} {left_out}\nexecutions{}\nfindings{}\n",
            what(exploration),
            list(&self.executions),
            list(&self.findings)
        )
    }

    /// Reads a checkpoint of that exploration.
    ///
    /// # Errors
    /// If the text is none, or is of another exploration.
    pub fn parse(exploration: &Exploration, text: &str) -> Result<Checkpoint, Unfit> {
        let lines: Vec<&str> = text.lines().collect();
        let unfit = |line: usize, expected: String| Unfit {
            line,
            read: lines.get(line - 1).copied().unwrap_or_default().to_owned(),
            expected,
        };
        let what = what(exploration);
        if lines.first() != Some(&what.as_str()) {
            return Err(unfit(1, format!("`{what}`")));
        }
        let numbers = |line: usize, word: &str| -> Result<Vec<u64>, Unfit> {
            let failed = || unfit(line, format!("`{word}` and numbers"));
            let mut words = lines.get(line - 1).ok_or_else(failed)?.split(' ');
            if words.next() != Some(word) {
                return Err(failed());
            }
            words.map(|word| word.parse().map_err(|_| failed())).collect()
        };
        let done = numbers(2, "done")?;
        let [scripts, executions, redundant, inconclusive, left_out] = done[..] else {
            return Err(unfit(2, "`done` and five numbers".to_owned()));
        };
        let (by_size, findings) = (numbers(3, "executions")?, numbers(4, "findings")?);
        if lines.len() > 4 {
            return Err(unfit(5, "the end of the file".to_owned()));
        }
        if scripts > exploration.scripts() {
            return Err(unfit(2, format!("no more than {} scripts", exploration.scripts())));
        }
        if findings.iter().any(|index| *index >= scripts) {
            return Err(unfit(4, "scripts that are done".to_owned()));
        }
        let count = Count { scripts, executions, redundant, inconclusive, left_out };
        Ok(Checkpoint { count, executions: by_size, findings })
    }
}

/// What is explored, in a line.
fn what(exploration: &Exploration) -> String {
    let Exploration { trial, bounds, preemptions, .. } = exploration;
    format!(
        "watchmux {} explore --subject {} --contract {} --ops {} --lanes {} --preemptions {}",
        env!("CARGO_PKG_VERSION"),
        trial.subject().name(),
        trial.kind.name(),
        bounds.ops,
        bounds.lanes,
        preemptions.map_or("any".to_owned(), |bound| bound.to_string())
    )
}
