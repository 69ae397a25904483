//! What is kept of an exploration, to take it up again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::Lines;

use super::progress::Group;
use super::{Count, Exploration};

/// How far an exploration has come. Its text is a line for each of these: what is explored, and how many scripts that are;
/// which of them are done; what they came to; how many executions there were, by ops and lanes; the scripts that show
/// findings; and `end`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// What is done.
    pub count: Count,
    pub(super) scripts: Ranges,
    pub(super) executions: BTreeMap<Group, u64>,
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
        let read = if read.is_empty() { "nothing".to_owned() } else { format!("`{}`", read.escape_debug()) };
        write!(f, "{line}: read {read}, expected {expected}")
    }
}

impl std::error::Error for Unfit {}

impl Checkpoint {
    /// The scripts that are not done, of so many.
    pub(super) fn left(&self, scripts: u64) -> Vec<u64> {
        (0..scripts).filter(|index| !self.scripts.contains(*index)).collect()
    }

    /// As text, for [`Checkpoint::parse`].
    pub fn text(&self, exploration: &Exploration) -> String {
        let Count { scripts: _, executions, redundant, inconclusive, left_out } = self.count;
        let by_group: String = self
            .executions
            .iter()
            .map(|(Group { ops, lanes }, executions)| format!(" {ops}x{lanes}:{executions}"))
            .collect();
        let findings: String = self.findings.iter().map(|index| format!(" {index}")).collect();
        format!(
            "{}\ndone{}\ncount {executions} {redundant} {inconclusive} {left_out}\nexecutions{by_group}\n\
             findings{findings}\nend\n",
            what(exploration),
            self.scripts,
        )
    }

    /// Reads a checkpoint of that exploration.
    ///
    /// # Errors
    /// If the text is none, or not a whole one, or is of another exploration.
    pub fn parse(exploration: &Exploration, text: &str) -> Result<Checkpoint, Unfit> {
        let mut reader = Reader { lines: text.lines(), line: 0, read: "" };
        let what = what(exploration);
        if reader.next() != Some(&what) {
            return Err(reader.unfit(&format!("`{what}`")));
        }
        let of = exploration.scripts();
        let scripts = reader.words("done", "rising ranges of scripts", |words| Ranges::parse(words, of))?;
        let numbers = |words: &[&str]| words.iter().map(|word| number(word)).collect::<Option<Vec<u64>>>();
        let [executions, redundant, inconclusive, left_out] =
            reader.words("count", "four numbers", |words| numbers(words)?.try_into().ok())?;
        let by_group = reader.words("executions", "`OPSxLANES:NUMBER`, any number of times", |words| {
            words.iter().map(|word| group(word)).collect()
        })?;
        let findings = reader.words("findings", "scripts that are done", |words| {
            numbers(words).filter(|findings| findings.iter().all(|index| scripts.contains(*index)))
        })?;
        reader.words("end", "nothing more in the line", |words| words.is_empty().then_some(()))?;
        if reader.next().is_some() {
            return Err(reader.unfit("the end of the file"));
        }
        let count = Count { scripts: scripts.len(), executions, redundant, inconclusive, left_out };
        Ok(Checkpoint { count, scripts, executions: by_group, findings })
    }
}

/// Reads line by line.
struct Reader<'a> {
    lines: Lines<'a>,
    line: usize,
    read: &'a str,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.next();
        (self.line, self.read) = (self.line + 1, line.unwrap_or_default());
        line
    }

    /// The next line, which begins with that word; and what is made of the others.
    fn words<T>(
        &mut self,
        word: &str,
        others: &str,
        f: impl FnOnce(&[&'a str]) -> Option<T>,
    ) -> Result<T, Unfit> {
        let words: Vec<&str> = self.next().unwrap_or_default().split(' ').collect();
        let made = words.split_first().filter(|(first, _)| **first == word).and_then(|(_, others)| f(others));
        made.ok_or_else(|| self.unfit(&format!("`{word}` and {others}")))
    }

    fn unfit(&self, expected: &str) -> Unfit {
        Unfit { line: self.line, read: self.read.to_owned(), expected: expected.to_owned() }
    }
}

/// A number as it is written: without sign or leading zeros.
fn number(word: &str) -> Option<u64> {
    word.parse().ok().filter(|number: &u64| number.to_string() == word)
}

fn group(word: &str) -> Option<(Group, u64)> {
    let (group, executions) = word.split_once(':')?;
    let (ops, lanes) = group.split_once('x')?;
    let size = |word| number(word).map(|size| size as usize);
    Some((Group { ops: size(ops)?, lanes: size(lanes)? }, number(executions)?))
}

/// What is explored, in a line.
fn what(exploration: &Exploration) -> String {
    let Exploration { trial, bounds, preemptions, .. } = exploration;
    format!(
        "watchmux {} explore --subject {} --contract {} --ops {} --lanes {} --preemptions {}: {} scripts",
        env!("CARGO_PKG_VERSION"),
        trial.subject().name(),
        trial.kind.name(),
        bounds.ops,
        bounds.lanes,
        preemptions.map_or("any".to_owned(), |bound| bound.to_string()),
        exploration.scripts()
    )
}

/// A set of numbers, as ranges: each from its first number to its last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, last)| number <= *last)
    }

    pub(super) fn insert(&mut self, number: u64) {
        if self.contains(number) {
            return;
        }
        let last = self.0.remove(&(number + 1)).unwrap_or(number);
        match self.0.range_mut(..number).next_back() {
            Some((_, before)) if *before + 1 == number => *before = last,
            _ => _ = self.0.insert(number, last),
        }
    }

    /// The first number that is not in it.
    pub(super) fn first_missing(&self) -> u64 {
        self.0.get(&0).map_or(0, |last| last + 1)
    }

    fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Of numbers below that one, in rising order.
    fn parse(words: &[&str], below: u64) -> Option<Ranges> {
        let mut ranges = Ranges::default();
        let mut least = 0;
        for word in words {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (first, last) = (number(first)?, number(last)?);
            if first < least || last < first || last >= below {
                return None;
            }
            ranges.0.insert(first, last);
            least = last + 2;
        }
        Some(ranges)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(first, last)| match last - first {
            0 => write!(f, " {first}"),
            _ => write!(f, " {first}-{last}"),
        })
    }
}
