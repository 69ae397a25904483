use std::error::Error;
use std::fmt;

/// How many characters of what was read an error repeats.
const ECHO: usize = 60;

/// A text that is not a script: one line that says where, what was read and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The name of the file, printable.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What was read, printable and short.
    pub read: String,
    /// What was expected.
    pub expected: String,
}

impl ParseError {
    pub(super) fn new(file: &str, line: usize, read: String, expected: &str) -> ParseError {
        let file = printable(file.as_bytes(), usize::MAX);
        ParseError { file, line, read, expected: expected.to_owned() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { file, line, read, expected } = self;
        write!(f, "{file}:{line}: read {read}, expected {expected}")
    }
}

impl Error for ParseError {}

/// What was read, as an error repeats it: in quotes, printable, and cut short.
pub(super) fn quote(read: &[u8]) -> String {
    format!("`{}`", printable(read, ECHO))
}

fn printable(bytes: &[u8], limit: usize) -> String {
    let mut printed = String::new();
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().chars().map(|c| match c {
            '\'' | '"' => c.to_string(),
            _ => c.escape_debug().to_string(),
        });
        let invalid = chunk.invalid().iter().map(|byte| byte.escape_ascii().to_string());
        for escaped in valid.chain(invalid) {
            if printed.chars().count() + escaped.len() > limit {
                return printed + "…";
            }
            printed += &escaped;
        }
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_read_is_repeated_as_one_short_printable_line() {
        assert_eq!(quote(b"it's \"so\""), "`it's \"so\"`");
        assert_eq!(quote(b"\x89PNG\r\n\x1a\n\0"), r"`\x89PNG\r\n\u{1a}\n\0`");
        assert_eq!(quote("\u{202e}\u{7f}\u{85}é".as_bytes()), r"`\u{202e}\u{7f}\u{85}é`");
        assert_eq!(quote(&[0xff; 1000]), format!("`{}…`", r"\xff".repeat(15)));
        assert_eq!(quote("é".repeat(61).as_bytes()), format!("`{}…`", "é".repeat(59)));
    }

    #[test]
    fn a_file_name_cannot_break_the_line() {
        let error = ParseError::new("a\nb", 1, quote(b"x"), "y");
        assert_eq!(error.to_string(), "a\\nb:1: read `x`, expected y");
    }
}
