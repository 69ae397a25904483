use std::str::{FromStr, SplitWhitespace};

use super::error::{ParseError, quote};
use super::{Config, Op, OpKind, Plan, Slot, WhenFull};
use crate::engine::schedule::{Schedule, Step};

/// A line that is being read, word by word.
pub(super) struct Line<'a> {
    file: &'a str,
    number: usize,
    content: &'a str,
    words: SplitWhitespace<'a>,
}

impl<'a> Line<'a> {
    pub(super) fn new(file: &'a str, number: usize, content: &'a str) -> Line<'a> {
        Line { file, number, content, words: content.split_whitespace() }
    }

    /// About the line as a whole.
    pub(super) fn error(&self, expected: &str) -> ParseError {
        self.error_at(self.content, expected)
    }

    /// About one word of the line.
    fn error_at(&self, word: &str, expected: &str) -> ParseError {
        ParseError::new(self.file, self.number, quote(word.as_bytes()), expected)
    }

    fn missing(&self, expected: &str) -> ParseError {
        ParseError::new(self.file, self.number, "the end of the line".to_owned(), expected)
    }

    pub(super) fn word(&mut self, expected: &str) -> Result<&'a str, ParseError> {
        self.words.next().ok_or_else(|| self.missing(expected))
    }

    pub(super) fn end(mut self) -> Result<(), ParseError> {
        match self.words.next() {
            Some(word) => Err(self.error_at(word, "the end of the line")),
            None => Ok(()),
        }
    }

    /// Reads what there may be one of.
    pub(super) fn once<T>(
        &mut self,
        place: &mut Option<T>,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<(), ParseError> {
        if place.is_some() {
            let first = self.content.split_whitespace().next().unwrap_or_default();
            return Err(self.error(&format!("one `{first}` line at most")));
        }
        *place = Some(read(self)?);
        Ok(())
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, ParseError> {
        let expected = alternatives(all, name);
        let word = self.word(&expected)?;
        named(all, name, word).ok_or_else(|| self.error_at(word, &expected))
    }

    pub(super) fn subject(&mut self) -> Result<String, ParseError> {
        let expected = "a subject's name, in lower-case letters, digits and `-`";
        let word = self.word(expected)?;
        let is_name_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if word.bytes().all(is_name_byte) { Ok(word.to_owned()) } else { Err(self.error_at(word, expected)) }
    }

    pub(super) fn plan(&mut self) -> Result<Plan, ParseError> {
        let expected = "`clone:N` or `drop:N`, the number of an event";
        let word = self.word(expected)?;
        word.parse().map_err(|_| self.error_at(word, expected))
    }

    pub(super) fn schedule(&mut self) -> Result<Schedule, ParseError> {
        let mut schedule = Schedule::default();
        while let Some(word) = self.words.next() {
            let expected = "a task, as `lane0`, `lane0*2` or `lane0/1`";
            schedule.push(Step::parse(word).ok_or_else(|| self.error_at(word, expected))?);
        }
        Ok(schedule)
    }

    pub(super) fn config(&mut self) -> Result<Config, ParseError> {
        let (mut incoming, mut queue, mut when_full) = (None, None, None);
        while let Some(word) = self.words.next() {
            match word.split_once('=') {
                Some(("incoming", value)) => self.number(&mut incoming, word, value)?,
                Some(("queue", value)) => self.number(&mut queue, word, value)?,
                Some(("when-full", value)) => self.policy(&mut when_full, word, value)?,
                _ => return Err(self.error_at(word, "`incoming=N`, `queue=N` or `when-full=P`")),
            }
        }
        Ok(Config {
            incoming: incoming.ok_or_else(|| self.missing("`incoming=N`"))?,
            queue: queue.ok_or_else(|| self.missing("`queue=N`"))?,
            when_full: when_full.ok_or_else(|| self.missing("`when-full=P`"))?,
        })
    }

    pub(super) fn op(&mut self, kind: OpKind) -> Result<Op, ParseError> {
        Ok(match kind {
            OpKind::Watch => {
                let slot = self.slot()?;
                let (mut prefix, mut when_full) = (None, None);
                while let Some(word) = self.words.next() {
                    match word.split_once('=') {
                        Some(("prefix", value)) => self.number(&mut prefix, word, value)?,
                        Some(("when-full", value)) => self.policy(&mut when_full, word, value)?,
                        _ => {
                            let expected = "`prefix=N`, `when-full=P` or the end of the line";
                            return Err(self.error_at(word, expected));
                        }
                    }
                }
                Op::Watch { slot, prefix: prefix.unwrap_or(0), when_full }
            }
            OpKind::Action => Op::Action,
            OpKind::TryAction => Op::TryAction,
            OpKind::Recv => Op::Recv(self.slot()?),
            OpKind::TryRecv => Op::TryRecv(self.slot()?),
            OpKind::Stop => Op::Stop(self.slot()?),
            OpKind::Drop => Op::Drop(self.slot()?),
            OpKind::Close => Op::Close,
            OpKind::Shutdown => Op::Shutdown,
        })
    }

    fn slot(&mut self) -> Result<Slot, ParseError> {
        let expected = "a slot, `a` to `h`";
        let word = self.word(expected)?;
        let mut letters = word.chars();
        match (letters.next().and_then(Slot::from_name), letters.next()) {
            (Some(slot), None) => Ok(slot),
            _ => Err(self.error_at(word, expected)),
        }
    }

    fn number(&self, place: &mut Option<u8>, word: &str, value: &str) -> Result<(), ParseError> {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| value.parse().ok()).flatten();
        self.value(place, word, number, "a number from 0 to 255, once")
    }

    fn policy(&self, place: &mut Option<WhenFull>, word: &str, value: &str) -> Result<(), ParseError> {
        let expected = alternatives(&WhenFull::ALL, WhenFull::name);
        self.value(place, word, named(&WhenFull::ALL, WhenFull::name, value), &(expected + ", once"))
    }

    /// Keeps a key's value, unless the key has one already, or this is none.
    fn value<T>(
        &self,
        place: &mut Option<T>,
        word: &str,
        value: Option<T>,
        expected: &str,
    ) -> Result<(), ParseError> {
        if value.is_none() || place.is_some() {
            return Err(self.error_at(word, expected));
        }
        *place = value;
        Ok(())
    }
}

pub(super) fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, word: &str) -> Option<T> {
    all.iter().copied().find(|one| name(*one) == word)
}

/// `` `wait`, `drop-newest` or `disconnect` ``
fn alternatives<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    let mut names: Vec<String> = all.iter().map(|one| format!("`{}`", name(*one))).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

impl FromStr for Schedule {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Schedule, ParseError> {
        Line::new("schedule", 1, text).schedule()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        let text = "setup*2 lane0/0 lane0/1*3 lane0";
        assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        let error = "setup *2".parse::<Schedule>().unwrap_err().to_string();
        assert_eq!(error, "schedule:1: read `*2`, expected a task, as `lane0`, `lane0*2` or `lane0/1`");
    }
}
