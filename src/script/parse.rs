use super::error::{ParseError, quote};
use super::line::{Line, named};
use super::text::{ContractKind, Entry, Expect};
use super::{Config, MAX_LANES, MAX_OPS, Op, OpKind, Plan, Schedule, Script};
use crate::oracle::Verdict;

/// The longest line that is read, in bytes: room for any schedule worth reading.
pub const MAX_LINE: usize = 1 << 20;

/// Reads a text, named `file` in errors.
///
/// # Errors
/// At the first line that is not as it must be.
pub fn parse(file: &str, text: &str) -> Result<Entry, ParseError> {
    let mut draft = Draft::default();
    let mut number = 0;
    for line in text.lines() {
        number += 1;
        if line.len() > MAX_LINE {
            let read = format!("a line of {} bytes", line.len());
            return Err(ParseError::new(file, number, read, &format!("at most {MAX_LINE}")));
        }
        let (content, comment) = match line.split_once('#') {
            Some((content, comment)) => (content.trim(), Some(comment)),
            None => (line.trim(), None),
        };
        if !content.is_empty() {
            draft.read(Line::new(file, number, content))?;
        } else if let Some(comment) = comment.filter(|_| !draft.started) {
            draft.header.push(comment.strip_prefix(' ').unwrap_or(comment).trim_end().to_owned());
        }
    }
    draft.finish().ok_or_else(|| {
        ParseError::new(file, number + 1, "the end of the file".to_owned(), "a `mux` line before it")
    })
}

/// Reads a file's content, named `file` in errors.
///
/// # Errors
/// At the first line that is not as it must be, or not UTF-8.
pub fn parse_bytes(file: &str, content: &[u8]) -> Result<Entry, ParseError> {
    let error = match str::from_utf8(content) {
        Ok(text) => return parse(file, text),
        Err(error) => error,
    };
    let (before, after) = content.split_at(error.valid_up_to());
    let number = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end = before.len() + after.iter().position(|byte| *byte == b'\n').unwrap_or(after.len());
    Err(ParseError::new(file, number, quote(&content[start..end]), "text in UTF-8"))
}

/// What was read so far.
#[derive(Default)]
struct Draft {
    started: bool,
    header: Vec<String>,
    subject: Option<String>,
    panic: Option<Plan>,
    config: Option<Config>,
    setup: Option<Vec<Op>>,
    lanes: Vec<Vec<Op>>,
    section: Section,
    ops: usize,
    schedule: Option<Schedule>,
    expects: Vec<Expect>,
}

/// Where an op belongs.
#[derive(Default)]
enum Section {
    #[default]
    Outside,
    Setup,
    Lane,
}

impl Draft {
    fn read(&mut self, mut line: Line<'_>) -> Result<(), ParseError> {
        self.started = true;
        let first = line.word("a line")?;
        let mut section = Section::Outside;
        match first {
            "subject" => line.once(&mut self.subject, Line::subject)?,
            "panic" => line.once(&mut self.panic, Line::plan)?,
            "mux" => line.once(&mut self.config, Line::config)?,
            "schedule" => line.once(&mut self.schedule, Line::schedule)?,
            "setup" => {
                line.once(&mut self.setup, |_| Ok(Vec::new()))?;
                section = Section::Setup;
            }
            "lane" if self.lanes.len() == MAX_LANES => {
                return Err(line.error(&format!("at most {MAX_LANES} lanes")));
            }
            "lane" => {
                self.lanes.push(Vec::new());
                section = Section::Lane;
            }
            "expect" => self.expect(&mut line)?,
            _ => return self.op(first, line),
        }
        self.section = section;
        line.end()
    }

    fn expect(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let subject = line.subject()?;
        let contract = line.one_of(&ContractKind::ALL, ContractKind::name)?;
        let verdict = line.one_of(&Verdict::ALL, Verdict::name)?;
        if self.expects.iter().any(|other| other.subject == subject && other.contract == contract) {
            return Err(line.error("one `expect` line for each subject and contract"));
        }
        self.expects.push(Expect { subject, contract, verdict });
        Ok(())
    }

    fn op(&mut self, first: &str, mut line: Line<'_>) -> Result<(), ParseError> {
        let Some(kind) = named(&OpKind::ALL, OpKind::name, first) else {
            let expected = "an op, `subject`, `panic`, `mux`, `setup`, `lane`, `schedule`, `expect` or `#`";
            return Err(line.error(expected));
        };
        let ops = match self.section {
            Section::Setup => self.setup.as_mut(),
            Section::Lane => self.lanes.last_mut(),
            Section::Outside => None,
        };
        let Some(ops) = ops else {
            return Err(line.error("`setup` or `lane` before its ops"));
        };
        if self.ops == MAX_OPS {
            return Err(line.error(&format!("at most {MAX_OPS} ops")));
        }
        self.ops += 1;
        ops.push(line.op(kind)?);
        line.end()
    }

    /// The entry; `None` without a configuration.
    fn finish(self) -> Option<Entry> {
        let Draft { header, subject, panic, config, setup, lanes, schedule, expects, .. } = self;
        let script = Script { config: config?, setup: setup.unwrap_or_default(), lanes };
        Some(Entry { header, subject, panic, script, schedule, expects })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{any_script, cases};
    use super::*;

    const MUX: &str = "mux incoming=1 queue=0 when-full=wait\n";

    fn any_entry() -> impl Strategy<Value = Entry> {
        let name = "[a-z0-9-]{1,9}";
        let word = "[^\\s\\p{Cc}*/#]{1,5}(/[0-9])?(\\*[1-9])?";
        let expects = proptest::collection::btree_map(
            (name, proptest::sample::select(ContractKind::ALL.as_slice())),
            proptest::sample::select(Verdict::ALL.as_slice()),
            0..4,
        );
        let expects = expects.prop_map(|expects| {
            let expects = expects.into_iter();
            expects.map(|((subject, contract), verdict)| Expect { subject, contract, verdict }).collect()
        });
        let schedule = proptest::collection::vec(word, 0..6).prop_map(|words| {
            let text = format!("{MUX}schedule {}", words.join(" "));
            parse("schedule", &text).expect("a schedule").schedule.expect("the schedule read")
        });
        let call = proptest::sample::select(&[Plan::Clone as fn(u32) -> Plan, Plan::Drop][..]);
        let panic = proptest::option::of((call, any::<u32>()).prop_map(|(call, event)| call(event)));
        let header = proptest::collection::vec("( {0,2}[^\\s\\p{Cc}]{1,9}){0,3}", 0..3);
        (header, proptest::option::of(name), panic, any_script(), proptest::option::of(schedule), expects)
            .prop_map(|(header, subject, panic, script, schedule, expects)| Entry {
                header,
                subject,
                panic,
                script,
                schedule,
                expects,
            })
    }

    proptest! {
        #![proptest_config(cases(512))]

        #[test]
        fn an_entry_is_the_same_after_a_round_trip(entry in any_entry()) {
            let text = entry.to_string();
            prop_assert_eq!(&parse("entry", &text).unwrap(), &entry, "{}", text);
            // Of the comments, those before all else are kept, and nothing else.
            let commented = text.replace('\n', " # said\r\n\t# aside\r\n");
            prop_assert_eq!(parse("entry", &commented).unwrap().script, entry.script);
        }

        #[test]
        fn a_script_is_the_same_after_a_round_trip(script in any_script()) {
            prop_assert_eq!(script.to_string().parse::<Script>().unwrap(), script.clone());
            prop_assert_eq!(format!("{script:?}"), script.to_string());
        }

        #[test]
        fn any_bytes_are_an_entry_or_one_short_printable_line(
            bytes in proptest::collection::vec(any::<u8>(), 0..200)
        ) {
            if let Err(error) = parse_bytes("noise", &bytes) {
                let line = error.to_string();
                prop_assert!(line.chars().count() < 250 && !line.contains(char::is_control), "{}", line);
            }
        }

        #[test]
        fn a_damaged_entry_is_an_entry_or_an_error(
            entry in any_entry(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut bytes = entry.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Err(error) = parse_bytes("damaged", &bytes) {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                prop_assert!((1..=lines + 2).contains(&error.line), "{}", error);
                prop_assert!(!error.to_string().contains(char::is_control), "{}", error);
            }
        }
    }

    /// What is wrong with this text, without the file's name.
    fn error(text: &str) -> String {
        parse("f", text).unwrap_err().to_string()
    }

    #[test]
    fn each_mistake_has_its_line() {
        let expected = [
            ("", "f:1: read the end of the file, expected a `mux` line before it"),
            ("# a\n\nsubject a\n", "f:4: read the end of the file, expected a `mux` line before it"),
            ("mux\n", "f:1: read the end of the line, expected `incoming=N`"),
            ("mux queue=1 incoming=0", "f:1: read the end of the line, expected `when-full=P`"),
            ("mux incoming=256", "f:1: read `incoming=256`, expected a number from 0 to 255, once"),
            ("mux incoming=+1", "f:1: read `incoming=+1`, expected a number from 0 to 255, once"),
            ("mux incoming=", "f:1: read `incoming=`, expected a number from 0 to 255, once"),
            ("mux queue=1 queue=1", "f:1: read `queue=1`, expected a number from 0 to 255, once"),
            ("mux size=1", "f:1: read `size=1`, expected `incoming=N`, `queue=N` or `when-full=P`"),
            (
                "mux when-full=never",
                "f:1: read `when-full=never`, expected `wait`, `drop-newest`, `drop-oldest` or `disconnect`, once",
            ),
            ("subject A", "f:1: read `A`, expected a subject's name, in lower-case letters, digits and `-`"),
            (
                "subject",
                "f:1: read the end of the line, expected a subject's name, in lower-case letters, digits and `-`",
            ),
            ("subject a b", "f:1: read `b`, expected the end of the line"),
            ("subject a\nsubject a", "f:2: read `subject a`, expected one `subject` line at most"),
            (
                "panic",
                "f:1: read the end of the line, expected `clone:N` or `drop:N`, the number of an event",
            ),
            (
                "panic clone:+1",
                "f:1: read `clone:+1`, expected `clone:N` or `drop:N`, the number of an event",
            ),
            ("panic drop", "f:1: read `drop`, expected `clone:N` or `drop:N`, the number of an event"),
            ("panic drop:1 2", "f:1: read `2`, expected the end of the line"),
            ("panic drop:1\npanic drop:1", "f:2: read `panic drop:1`, expected one `panic` line at most"),
            ("setup\nlane\nsetup # again", "f:3: read `setup`, expected one `setup` line at most"),
            ("schedule a\nschedule", "f:2: read `schedule`, expected one `schedule` line at most"),
            ("schedule a *2", "f:1: read `*2`, expected a task, as `lane0`, `lane0*2` or `lane0/1`"),
            ("action", "f:1: read `action`, expected `setup` or `lane` before its ops"),
            ("lane\nschedule a\n  action", "f:3: read `action`, expected `setup` or `lane` before its ops"),
            (
                "lane\n  act",
                "f:2: read `act`, expected an op, `subject`, `panic`, `mux`, `setup`, `lane`, `schedule`, `expect` or `#`",
            ),
            ("lane\n  stop", "f:2: read the end of the line, expected a slot, `a` to `h`"),
            ("lane\n  stop i", "f:2: read `i`, expected a slot, `a` to `h`"),
            ("lane\n  recv ab", "f:2: read `ab`, expected a slot, `a` to `h`"),
            ("lane\n  action a", "f:2: read `a`, expected the end of the line"),
            ("lane 0", "f:1: read `0`, expected the end of the line"),
            ("lane\n  watch a prefix=999", "f:2: read `prefix=999`, expected a number from 0 to 255, once"),
            ("lane\n  watch a b", "f:2: read `b`, expected `prefix=N`, `when-full=P` or the end of the line"),
            ("expect mux", "f:1: read the end of the line, expected `own` or `strict`"),
            (
                "expect mux own fail",
                "f:1: read `fail`, expected `pass`, `hang`, `violation`, `panic`, `diverged` or `inconclusive`",
            ),
            (
                "expect a own pass\nexpect a own hang",
                "f:2: read `expect a own hang`, expected one `expect` line for each subject and contract",
            ),
        ];
        for (text, line) in expected {
            assert_eq!(error(text), line);
        }
        assert_eq!(
            error(&format!("{MUX}{MUX}")),
            format!("f:2: read `{}`, expected one `mux` line at most", MUX.trim())
        );
    }

    #[test]
    fn there_are_limits() {
        let lanes = "lane\n".repeat(MAX_LANES);
        assert!(parse("f", &format!("{MUX}{lanes}")).is_ok());
        assert_eq!(error(&format!("{MUX}{lanes}lane\n")), "f:10: read `lane`, expected at most 8 lanes");

        let ops = "action\n".repeat(MAX_OPS - 1);
        assert!(parse("f", &format!("{MUX}setup\nclose\nlane\n{ops}")).is_ok());
        assert_eq!(
            error(&format!("{MUX}setup\nclose\nlane\n{ops}stop a")),
            "f:1027: read `stop a`, expected at most 1023 ops"
        );

        let long = "#".repeat(MAX_LINE);
        assert!(parse("f", &format!("{MUX}{long}")).is_ok());
        assert_eq!(
            error(&format!("{MUX}{long}#")),
            "f:2: read a line of 1048577 bytes, expected at most 1048576"
        );
    }

    #[test]
    fn what_is_not_utf8_is_reported_by_line() {
        let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x02\0\x08\x06\0\0\0";
        let error = parse_bytes("cat.png", picture).unwrap_err();
        assert_eq!(error.to_string(), r"cat.png:1: read `\x89PNG\r`, expected text in UTF-8");
        let error = parse_bytes("f", b"# one\n# tw\xffo\nlane").unwrap_err();
        assert_eq!(error.to_string(), r"f:2: read `# tw\xffo`, expected text in UTF-8");
        assert_eq!(parse_bytes("f", MUX.as_bytes()), parse("f", MUX));
    }

    #[test]
    fn a_header_is_kept_and_other_comments_are_not() {
        let text = format!("\n# One.\n#\n#  Two # three.\n\n{MUX}# four\n");
        let entry = parse("f", &text).unwrap();
        assert_eq!(entry.header, ["One.", "", " Two # three."]);
        assert_eq!(entry.to_string(), format!("# One.\n#\n#  Two # three.\n{MUX}"));
    }

    #[test]
    fn sections_go_in_any_order_and_lanes_may_be_empty() {
        let text = "lane\nlane\n close\nexpect b own pass\nsetup\n action\n\
                    mux queue=3 when-full=disconnect incoming=2\n";
        assert_eq!(
            parse("f", text).unwrap().to_string(),
            "mux incoming=2 queue=3 when-full=disconnect\nsetup\n  action\nlane\nlane\n  close\nexpect b own pass\n"
        );
    }
}
