//! The command, for any list of subjects: arguments in, exit code out.
//!
//! Only this module prints and reads the environment, but for last words, which a process that has to end says on stderr, and for
//! the children of black boxes, whose environment says whom to serve.

use std::ffi::OsString;
use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::hunt::black_box::{self, SERVES};
use crate::hunt::{Engines, Trial};
use crate::script::{ContractKind, Plan};
use crate::subject::Subject;

mod args;
mod convert;
mod exit;
mod explore;
mod fuzz;
mod hunt;
mod interrupt;
mod output;
mod progress;
mod replay;
mod report;
mod shrink;
mod subjects;
mod suite;
mod survey;
mod target;

pub use args::{
    Common, Convert, Engine, Explore, Format, Hunt, Refusal, Replay, ReplayEngine, Report, Request, Shrink,
    parse,
};
pub use exit::Exit;
pub use fuzz::fuzz;
use output::Output;
pub use suite::Suite;

/// Runs the command of this process over these subjects; the first is hunted where none is named.
///
/// A [black box](Subject::is_black_box) is run in children of this process, which are this program again with the
/// environment variable [`SERVES`] set: what a program does before it calls this, they do as well.
///
/// ```no_run
/// use std::sync::Arc;
///
/// fn main() -> std::process::ExitCode {
///     watchmux::cli::run(&[Arc::new(watchmux::subject::Shipped)])
/// }
/// ```
pub fn run(subjects: &[Arc<dyn Subject>]) -> ExitCode {
    run_line(subjects, std::env::args_os().collect()).into()
}

/// As [`run`], by this command line; its first word is the program's name.
pub fn run_line(subjects: &[Arc<dyn Subject>], line: Vec<OsString>) -> Exit {
    let program = args::program(line.first());
    if let Some(name) = std::env::var_os(SERVES) {
        return serve(subjects, &name.to_string_lossy()).map_or_else(Failure::report, |()| Exit::Pass);
    }
    let mut out = Output::stdout();
    let exit = match parse(line) {
        Err(Refusal::Print(text)) => out.print(&text).map(|()| Exit::Pass),
        Err(Refusal::Usage(error)) => Err(Failure::Usage(error)),
        Ok(request) => {
            let command = Command { subjects, program: &program, stop: interrupt::flag() };
            caught(|| command.run(&request, &mut out))
        }
    };
    let exit = exit.and_then(|exit| out.finish().map(|()| exit));
    exit.unwrap_or_else(Failure::report)
}

/// Serves a subject as the child of another process.
fn serve(subjects: &[Arc<dyn Subject>], name: &str) -> Result<(), Failure> {
    let subject = subjects::named(subjects, name, SERVES, "")?;
    black_box::serve(&subject).map_err(|error| Failure::tool("the parent process", error))
}

/// A panic that is to happen in each run, and how an error begins that is about it: where it is asked for, and in which words.
#[derive(Clone)]
struct Panic {
    plan: Plan,
    read: String,
}

impl Panic {
    /// The one that the command line asks for, if it does.
    fn asked(common: &Common) -> Option<Panic> {
        common.panic.map(|plan| Panic { plan, read: format!("--panic: read `{plan}`") })
    }
}

/// A trial of a subject.
fn trial(
    subject: Arc<dyn Subject>,
    contract: ContractKind,
    deadline: Duration,
    panic: Option<Panic>,
) -> Result<Trial, Failure> {
    let (plan, read) = panic.map(|Panic { plan, read }| (plan, read)).unzip();
    let unpromised = |error| Failure::Usage(format!("{}, expected none: {error}", read.unwrap_or_default()));
    Trial::new(subject, contract, deadline).planning(plan).map_err(unpromised)
}

/// Those of the wanted engines that can run the subject; with a child ready to do so, if it needs one.
fn engines(trial: &Trial, wanted: Engines) -> Result<Engines, Failure> {
    let Some(engines) = trial.engines(wanted) else {
        let name = trial.subject().name();
        return Err(Failure::Usage(format!(
            "--engine: read `fibers`, expected `threads` or `both`: `{name}` is a black box"
        )));
    };
    trial.muster().map_err(|error| Failure::Tool(error.to_string()))?;
    Ok(engines)
}

/// The command, ready for a request.
struct Command<'a> {
    subjects: &'a [Arc<dyn Subject>],
    program: &'a str,
    /// Set when it is to end.
    stop: &'static AtomicBool,
}

impl Command<'_> {
    fn run(&self, request: &Request, out: &mut Output) -> Result<Exit, Failure> {
        match request {
            Request::Hunt(options) => self.hunt(options, out),
            Request::Explore(options) => self.explore(options, out),
            Request::Replay(options) => self.replay(options, out),
            Request::Shrink(options) => self.shrink(options, out),
            Request::Convert(options) => self.convert(options, out),
            Request::Report(options) => self.report(options, out),
            Request::Subjects => subjects::list(out, self.subjects).map(|()| Exit::Pass),
        }
    }
}

/// Why there is no verdict.
#[derive(Debug)]
enum Failure {
    /// Bad usage or input.
    Usage(String),
    /// The tool failed.
    Tool(String),
}

impl Failure {
    /// Tells it in one line.
    fn report(self) -> Exit {
        let (text, exit) = match self {
            Failure::Usage(text) => (text, Exit::Usage),
            Failure::Tool(text) => (text, Exit::Failed),
        };
        // There is nowhere left to tell that stderr is closed.
        let _ = writeln!(io::stderr(), "error: {text}");
        exit
    }

    fn tool(doing: &str, error: impl Display) -> Failure {
        Failure::Tool(format!("{doing}: {error}"))
    }
}

/// A panic of the tool's own is a failure like any other; its message is printed already.
#[expect(clippy::disallowed_methods, reason = "no task runs here, so no abort can pass")]
fn caught(f: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
        .unwrap_or_else(|_| Err(Failure::Tool("a defect of the tool's own, see above".to_owned())))
}

/// The seed to use: this one, or a random one, short enough to type.
fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| RandomState::new().build_hasher().finish() & 0xffff_ffff)
}
