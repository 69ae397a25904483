use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::exit::Exit;

mod options;

pub(super) use options::cores;
pub use options::{Common, Convert, Engine, Explore, Format, Hunt, Replay, ReplayEngine, Report, Shrink};

/// What the command is told to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Search subjects.
    Hunt(Hunt),
    /// Explore all scripts up to a size.
    Explore(Explore),
    /// Run kept scripts again.
    Replay(Replay),
    /// Make a kept script smaller.
    Shrink(Shrink),
    /// Write kept scripts in their other form.
    Convert(Convert),
    /// Explain what a kept script shows.
    Report(Report),
    /// List the subjects.
    Subjects,
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Print this, and that is all.
    Print(String),
    /// Bad usage: one line.
    Usage(String),
}

/// Reads the command line, the program's name first.
///
/// # Errors
/// If it asks for help, or is not as it must be.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Request, Refusal> {
    let mut line: Vec<OsString> = line.into_iter().collect();
    let program = program(line.first());
    if let Some(first) = line.first_mut() {
        *first = program.clone().into();
    }
    let command = Command::command().bin_name(program).after_help(Exit::help());
    let matches = command.try_get_matches_from(line).map_err(refusal)?;
    let command = Command::from_arg_matches(&matches).map_err(refusal)?;
    Ok(match command.task {
        None => Request::Hunt(command.hunt),
        Some(Task::Hunt(hunt)) => Request::Hunt(hunt),
        Some(Task::Explore(explore)) => Request::Explore(explore),
        Some(Task::Replay(replay)) => Request::Replay(replay),
        Some(Task::Shrink(shrink)) => Request::Shrink(shrink),
        Some(Task::Convert(convert)) => Request::Convert(convert),
        Some(Task::Report(report)) => Request::Report(report),
        Some(Task::Subjects) => Request::Subjects,
    })
}

/// What the program is called, by how it was called.
pub(super) fn program(first: Option<&OsString>) -> String {
    let name = first.and_then(|first| Path::new(first).file_stem()).map(|name| name.to_string_lossy());
    name.map_or_else(|| env!("CARGO_PKG_NAME").to_owned(), |name| name.into_owned())
}

/// clap's message as one line: its first paragraph.
fn refusal(error: clap::Error) -> Refusal {
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Refusal::Print(text);
    }
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let line = paragraph.join(" ");
    Refusal::Usage(line.strip_prefix("error: ").unwrap_or(&line).to_owned())
}

/// Hunts for hangs and broken guarantees in watch muxes.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Command {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    hunt: Hunt,
}

#[derive(Subcommand)]
enum Task {
    /// Search subjects, in scripts drawn from a seed (the default)
    Hunt(Hunt),
    /// Explore all scripts up to a size, each in all of its schedules
    Explore(Explore),
    /// Run kept scripts again, and compare their verdicts with the expected ones
    Replay(Replay),
    /// Make a kept script smaller, and its schedule simpler
    Shrink(Shrink),
    /// Write scripts as a fuzzer's inputs, and a fuzzer's inputs as scripts
    Convert(Convert),
    /// Explain what a kept script shows, in text or as a page to step through
    Report(Report),
    /// List the subjects
    Subjects,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::options::TIME;
    use super::*;
    use crate::hunt::Budget;
    use crate::script::{ContractKind, Plan};

    fn read(line: &str) -> Result<Request, Refusal> {
        parse(std::iter::once("target/watchmux").chain(line.split_whitespace()).map(OsString::from))
    }

    fn hunt(line: &str) -> Hunt {
        match read(line) {
            Ok(Request::Hunt(hunt)) => hunt,
            other => panic!("`{line}` is read as {other:?}"),
        }
    }

    fn usage(line: &str) -> String {
        match read(line) {
            Err(Refusal::Usage(error)) => error,
            other => panic!("`{line}` is read as {other:?}"),
        }
    }

    #[test]
    fn hunt_is_the_default() {
        let options = "--subject a --subject b --runs 3 --seed 7 --contract strict --save x --keep-going";
        assert_eq!(hunt(options), hunt(&format!("hunt {options}")));
        assert_eq!(hunt(options).subjects, ["a", "b"]);
        assert_eq!(hunt(options).common.contract(), ContractKind::Strict);
        assert_eq!(hunt("").common.contract(), ContractKind::Own);
        assert_eq!(hunt("--panic drop:3").common.panic, Some(Plan::Drop(3)));
    }

    #[test]
    fn a_hunt_has_ten_seconds_unless_it_is_told() {
        assert_eq!(hunt("").budget(), Budget { time: Some(TIME), runs: None });
        assert_eq!(hunt("--runs 5").budget(), Budget { time: None, runs: Some(5) });
        let half = Duration::from_millis(500);
        assert_eq!(hunt("--time .5 --runs 5").budget(), Budget { time: Some(half), runs: Some(5) });
    }

    #[test]
    fn bad_usage_is_told_in_a_line_that_names_what_was_read() {
        for (line, named) in [
            ("--time -1", &["-1", "--time", "seconds, more than 0"][..]),
            ("--time 0", &["0", "--time"]),
            ("--time 1e-30", &["1e-30", "--time"]),
            ("--time 1e300", &["1e300", "--time"]),
            ("--time nan", &["nan", "--time"]),
            ("--deadline x", &["x", "--deadline"]),
            ("--seed x", &["x", "--seed", "a number from 0 to"]),
            ("--seed -1", &["-1", "--seed"]),
            ("--runs 0", &["0", "--runs"]),
            ("--confirm -1", &["-1", "--confirm"]),
            ("--jobs 0", &["0", "--jobs", "from 1 to 256"]),
            ("--panic 3", &["3", "--panic", "`clone:N` or `drop:N`"]),
            ("--panic drop:x", &["drop:x", "--panic"]),
            ("--contract mine", &["mine", "--contract", "`own` or `strict`"]),
            ("--engine steam", &["steam", "--engine", "threads"]),
            ("--format html", &["html", "--format", "text, json"]),
            ("replay", &["<PATH>"]),
            ("replay x --times 0", &["0", "--times"]),
            ("hunt now", &["now"]),
            ("--nonsense", &["--nonsense"]),
            ("--time 3 hunt", &["hunt"]),
        ] {
            let error = usage(line);
            assert!(named.iter().all(|name| error.contains(name)), "`{line}` is answered `{error}`");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for line in ["--help", "-h", "--version", "hunt --help", "replay --help", "help"] {
            assert!(matches!(read(line), Err(Refusal::Print(_))), "{line}");
        }
        let Err(Refusal::Print(help)) = read("--help") else { unreachable!() };
        assert!(help.contains("7  a corpus entry, or a known bug, is not as expected"), "{help}");
    }
}
