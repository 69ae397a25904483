//! The options of each command.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::hunt::{Budget, CONFIRMATIONS, Engines, Jobs};
use crate::script::{ContractKind, Plan};

/// How long a hunt takes that is not told.
pub(super) const TIME: Duration = Duration::from_secs(10);

/// How many workers on free threads there are for each core, if it is not told: executions on free threads sleep more than they
/// compute, and one a core leaves more than half of it idle.
const JOBS_A_CORE: usize = 4;

/// The most workers, if it is not told.
const USUAL_JOBS: usize = 64;

/// The most workers.
const MOST_JOBS: u64 = 256;

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
    /// How often to run again on OS threads what was found and shrunk, led through its schedule and left to themselves
    #[arg(long, value_name = "N", value_parser = number(0..=u64::MAX), default_value_t = CONFIRMATIONS, allow_negative_numbers = true)]
    pub confirm: u64,
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
    /// How often to run again on OS threads what was found and shrunk, led through its schedule and left to themselves
    #[arg(long, value_name = "N", value_parser = number(0..=u64::MAX), default_value_t = CONFIRMATIONS, allow_negative_numbers = true)]
    pub confirm: u64,
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
        let cores = cores();
        let usual = Jobs { fibers: cores.min(USUAL_JOBS), threads: (cores * JOBS_A_CORE).min(USUAL_JOBS) };
        self.jobs.map_or(usual, |jobs| Jobs::each(jobs as usize))
    }
}

/// How many cores there are.
pub(in crate::cli) fn cores() -> usize {
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
