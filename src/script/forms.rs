//! What must hold of any bytes at all, read as each of the forms: for the fuzz target `text`, and for its seeds.

use super::bytes::Input;
use super::{Entry, Schedule, text};

/// Reads bytes as text and as bytes, and checks that what was read is the same after a round trip.
///
/// # Panics
/// If it is not, or if an error is more than one line.
pub fn check(data: &[u8]) {
    match text::parse_bytes("input", data) {
        Ok(entry) => check_entry(&entry),
        Err(error) => assert!(!error.to_string().contains('\n'), "an error in several lines: {error}"),
    }
    if let Ok(schedule) = String::from_utf8_lossy(data).parse::<Schedule>() {
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }
    let input = Input::from_bytes(data);
    assert_eq!(Input::from_bytes(&input.to_bytes()), input);
    check_entry(&Entry::from(input.script));
}

fn check_entry(entry: &Entry) {
    let printed = entry.to_string();
    assert_eq!(text::parse_bytes("printed", printed.as_bytes()).as_ref(), Ok(entry));
    let bytes = entry.script.to_bytes();
    assert_eq!(Input::from_bytes(&bytes).script, entry.script);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_can_be_checked() {
        for data in [
            &b""[..],
            b"\xff\xfe",
            b"mux incoming=1 queue=0 when-full=wait\nlane\n  stop a\n",
            b"lane0*3 lane1/2",
        ] {
            check(data);
        }
    }
}
