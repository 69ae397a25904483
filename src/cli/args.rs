use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::exit::Exit;
use crate::hunt::{Budget, Engines, Jobs};
use crate::script::{ContractKind, Plan};

/// How long a hunt takes that is not told.
const TIME: Duration = Duration::from_secs(10);

/// How many workers on free threads there are for each core, if it is not told: executions on free threads sleep more than they
/// compute, and one a core leaves more than half of it idle.
const JOBS_A_CORE: usize = 4;

/// The most workers, if it is not told.
const USUAL_JOBS: usize = 64;

/// The most workers.
const MOST_JOBS: u64 = 256;

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

/// The options of `hunt`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Hunt {
    /// A subject, or `all`; several if repeated [default: the first that `subjects` lists]
    #[arg(long = "subject", value_name = "NAME")]
    pub subjects: Vec<String>,
    /// How long to search each subject, in seconds [default: 10, without --runs]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub time: Option<Duration>,
    /// How many runs to search each subject for
    #[arg(long, value_name = "N", value_parser = number(1..=u64::MAX), allow_negative_numbers = true)]
    pub runs: Option<u64>,
    /// Go on after a finding, and report one for each signature
    #[arg(long)]
    pub keep_going: bool,
    /// Do each run on fibers twice, and report where the two differ: they do if a subject is not deterministic
    #[arg(long)]
    pub twice: bool,
    /// Save what is found to this folder, as *.script
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// What runs the scripts
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    pub engine: Engine,
    /// What all have in common.
    #[command(flatten)]
    pub common: Common,
}

impl Hunt {
    /// When to end.
    pub fn budget(&self) -> Budget {
        Budget { time: self.time.or(self.runs.is_none().then_some(TIME)), runs: self.runs }
    }
}

/// The options of `explore`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Explore {
    /// A subject [default: the first that `subjects` lists]
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// The most ops of a script, setup and lanes together
    #[arg(long, value_name = "N", value_parser = number(1..=12), default_value = "3", allow_negative_numbers = true)]
    pub ops: u64,
    /// The most lanes of a script
    #[arg(long, value_name = "N", value_parser = number(1..=4), default_value = "2", allow_negative_numbers = true)]
    pub lanes: u64,
    /// The most preemptions of a schedule [default: any number]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub preemptions: Option<u32>,
    /// Which contract judges: the subject's own, or the shipped mux's
    #[arg(long, value_name = "KIND", value_parser = contract, default_value = "own")]
    pub contract: ContractKind,
    /// Where to keep how far it is, and to go on from if that is there
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// How many scripts at a time [default: one a core]
    #[arg(long, value_name = "N", value_parser = number(1..=MOST_JOBS), allow_negative_numbers = true)]
    pub jobs: Option<u64>,
}

/// The options of `replay`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Replay {
    /// Scripts, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What runs the scripts
    #[arg(long, value_enum, default_value_t = ReplayEngine::Both)]
    pub engine: ReplayEngine,
    /// Report the verdict of this subject, or of `all`, and ignore `expect` lines; several if repeated
    #[arg(long = "subject", value_name = "NAME")]
    pub subjects: Vec<String>,
    /// How often each engine runs a script at most [default: 500 on fibers and 50 on threads if it must pass, 5,000 and
    /// 2,000 to see anything else, and once where a schedule leads]
    #[arg(long, value_name = "N", value_parser = number(1..=u64::MAX), allow_negative_numbers = true)]
    pub times: Option<u64>,
    /// What all have in common.
    #[command(flatten)]
    pub common: Common,
}

/// The options of `shrink`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Shrink {
    /// A script
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The subject it is shrunk on [default: the one that it expects something other than a pass of, or else its own]
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// How often each engine runs the script at most, to see what is to be shrunk [default: 5,000 on fibers and 2,000
    /// on threads]
    #[arg(long, value_name = "N", value_parser = number(1..=u64::MAX), allow_negative_numbers = true)]
    pub times: Option<u64>,
    /// Make only the schedule simpler, or find one, and leave the script as it is
    #[arg(long)]
    pub schedule: bool,
    /// Save what it is shrunk to to this folder, as *.script
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// What runs the scripts
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    pub engine: Engine,
    /// What all have in common.
    #[command(flatten)]
    pub common: Common,
}

/// The options of `convert`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Convert {
    /// Scripts, inputs of libFuzzer's, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The subject on which choices become a schedule, and a schedule becomes choices [default: the one that the script
    /// expects something other than a pass of, or else its own]
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// Where to write them: inputs under the names that libFuzzer gives them, scripts as *.script [default: scripts are
    /// printed]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// The options of `report`.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Report {
    /// A script
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The subject it is run on [default: the one that it expects something other than a pass of, or else its own]
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// Write it as one page of HTML to this file, rather than as text
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// How often each engine runs the script at most, to see what is to be explained [default: 5,000 on fibers and 2,000
    /// on threads]
    #[arg(long, value_name = "N", value_parser = number(1..=u64::MAX), allow_negative_numbers = true)]
    pub times: Option<u64>,
    /// What runs the scripts
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    pub engine: Engine,
    /// What all have in common.
    #[command(flatten)]
    pub common: Common,
}

/// What the options of `hunt`, `replay`, `shrink` and `report` have in common.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Common {
    /// Which contract judges, where no `expect` line says: the subject's own, or the shipped mux's
    /// [default: own, and both for a hunt of all]
    #[arg(long, value_name = "KIND", value_parser = contract)]
    pub contract: Option<ContractKind>,
    /// What scripts and noise are drawn from [default: random, and printed]
    #[arg(long, value_name = "N", value_parser = number(0..=u64::MAX), allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// How long one run on free threads may take, in seconds, before nothing is concluded from it
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1", allow_negative_numbers = true)]
    pub deadline: Duration,
    /// Has an event panic in each run, the first time that it is cloned (`clone:N`) or one of its copies is dropped
    /// (`drop:N`): events are numbered from 0 as they are made, and nobody but the watcher it is for may come to harm
    #[arg(long, value_name = "CALL:N")]
    pub panic: Option<Plan>,
    /// How many runs at a time [default: one a core on fibers, four a core on free threads, 64 at most]
    #[arg(long, value_name = "N", value_parser = number(1..=MOST_JOBS), allow_negative_numbers = true)]
    pub jobs: Option<u64>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

impl Common {
    /// The contract that judges.
    pub fn contract(&self) -> ContractKind {
        self.contract.unwrap_or(ContractKind::Own)
    }

    /// What is to be typed for the panic that is to happen, if one is.
    pub fn panicking(&self) -> String {
        self.panic.map(|plan| format!(" --panic {plan}")).unwrap_or_default()
    }

    /// How many runs at a time.
    pub fn jobs(&self) -> Jobs {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let usual = Jobs { fibers: cores.min(USUAL_JOBS), threads: (cores * JOBS_A_CORE).min(USUAL_JOBS) };
        self.jobs.map_or(usual, |jobs| Jobs::each(jobs as usize))
    }
}

/// How many cores there are.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What runs scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Deterministic: one task at a time, each sync point a choice; explores many schedules, repeats any of them
    Fibers,
    /// Free-running OS threads, with noise at their sync points
    Threads,
    /// Fibers first, and for most of the budget; then threads
    Both,
}

impl From<Engine> for Engines {
    fn from(engine: Engine) -> Engines {
        match engine {
            Engine::Fibers => Engines::Fibers,
            Engine::Threads => Engines::Threads,
            Engine::Both => Engines::Both,
        }
    }
}

/// What runs scripts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplayEngine {
    /// Deterministic: by its schedule, if the script has one that fits, and by many others if not
    Fibers,
    /// Free-running OS threads, with noise at their sync points
    Threads,
    /// Fibers first, then threads
    Both,
    /// OS threads led through its schedule, which it must have: for debuggers; they may want a longer --deadline
    Steered,
}

impl ReplayEngine {
    /// What finds the schedules; `None` if they are given.
    pub fn engines(self) -> Option<Engines> {
        match self {
            ReplayEngine::Fibers => Some(Engines::Fibers),
            ReplayEngine::Threads => Some(Engines::Threads),
            ReplayEngine::Both => Some(Engines::Both),
            ReplayEngine::Steered => None,
        }
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// To be read
    Text,
    /// One object a line
    Json,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or("expected seconds, more than 0")
}

/// Reads a number of this range.
fn number(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("expected a number from {} to {}", range.start(), range.end()))
    }
}

fn contract(text: &str) -> Result<ContractKind, &'static str> {
    let kind = ContractKind::ALL.into_iter().find(|kind| kind.name() == text);
    kind.ok_or("expected `own` or `strict`")
}

#[cfg(test)]
mod tests {
    use super::*;

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
