use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};

pub(super) use crate::hunt::quantity::{count, many};
use crate::oracle::Verdict;

/// A title.
pub(super) const TITLE: Style = Style::new().bold();

/// What is there to be found again: names and places.
pub(super) const FAINT: Style = Style::new().dimmed();

/// The style of a verdict.
pub(super) fn of(verdict: Verdict) -> Style {
    let color = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Hang | Verdict::Violation | Verdict::Panic => AnsiColor::Red,
        Verdict::Diverged | Verdict::Inconclusive => AnsiColor::Yellow,
    };
    color.on_default().bold()
}

/// In this style.
pub(super) fn styled(style: Style, text: impl Display) -> impl Display {
    struct Styled<T>(Style, T);
    impl<T: Display> Display for Styled<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}{}{:#}", self.0, self.1, self.0)
        }
    }
    Styled(style, text)
}

/// The text in lines of at most this many characters, if its words are no longer.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("überlong a", 6), ["überlong", "a"]);
        assert!(wrap(" ", 6).is_empty());
    }
}
