//! A child, as its parent sees it.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::super::execution::{Events, Told};
use super::wire::{self, Answer, Request};
use crate::engine::Run;
use crate::oracle::History;

/// The environment variable that names the subject which a child is to serve.
pub const SERVES: &str = "WATCHMUX_SERVES";

/// How long a child may take to begin, or beyond what its script may take.
const SLACK: Duration = Duration::from_secs(20);

/// A script may have so many phases, each of which may take ten deadlines.
const PHASES: u32 = 40;

/// How much of what a child has written to stderr is kept, from the end.
const LAST_WORDS: u64 = 4096;

/// Why there is no child.
#[derive(Clone, Debug)]
pub struct Unserved(String);

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unserved {}

/// How a child ended.
pub(super) enum Death {
    /// By itself: how, and its last words.
    Ended { how: String, words: String },
    /// It said nothing any more, and was killed.
    Killed,
}

/// A child.
pub(super) struct Process {
    child: Child,
    to: UnixStream,
    from: BufReader<UnixStream>,
    stderr: File,
}

impl Process {
    /// Starts this program with these arguments, to serve that subject.
    pub(super) fn start(subject: &str, arguments: &[OsString]) -> Result<Process, Unserved> {
        if std::env::var_os(SERVES).is_some() {
            return Err(Unserved(format!(
                "{SERVES} is set: a child was started, but `cli::run` or `suite!` is not what its program came to first"
            )));
        }
        let failed = |error: io::Error| Unserved(format!("a child process for `{subject}`: {error}"));
        let mut process = Process::spawn(subject, arguments).map_err(failed)?;
        process.to.set_read_timeout(Some(SLACK)).map_err(failed)?;
        match wire::read(&mut process.from) {
            Ok(Some(Answer::Ready)) => Ok(process),
            other => {
                let words = process.last_words();
                let read = other.map_or_else(|error| error.to_string(), |answer| format!("{answer:?}"));
                let expected = "expected `cli::run` or `suite!` to serve it";
                Err(Unserved(format!(
                    "a child process for `{subject}`: read {read}, {expected}; it said: {words}"
                )))
            }
        }
    }

    fn spawn(subject: &str, arguments: &[OsString]) -> io::Result<Process> {
        let (to, theirs) = UnixStream::pair()?;
        let from = BufReader::new(to.try_clone()?);
        let stderr = tempfile::tempfile()?;
        let child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .env(SERVES, subject)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(stderr.try_clone()?)
            // An interrupt is for the parent to act on.
            .process_group(0)
            .spawn()?;
        Ok(Process { child, to, from, stderr })
    }

    /// Has it run a script. What it calls and returns is noted in the history, whatever becomes of it.
    pub(super) fn run(&mut self, request: &Request, history: &mut History) -> Result<(Run, Events), Death> {
        // Each script has its own last words.
        let rewound = self.stderr.set_len(0).and_then(|()| self.stderr.seek(SeekFrom::Start(0)));
        let limit = request.deadline.saturating_mul(PHASES) + SLACK;
        let asked = rewound
            .and_then(|_| self.to.set_read_timeout(Some(limit)))
            .and_then(|()| wire::write(&mut self.to, request));
        if asked.is_err() {
            return Err(self.death());
        }
        loop {
            match wire::read(&mut self.from) {
                Ok(Some(Answer::Told(told))) => note(history, told),
                Ok(Some(Answer::Done { ran, events })) => return Ok((Run::from(ran), events)),
                Ok(Some(Answer::Ready) | None) | Err(_) => return Err(self.death()),
            }
        }
    }

    fn death(&mut self) -> Death {
        // One that only says nothing is still alive.
        let is_silent = self.to.set_nonblocking(true).is_ok()
            && matches!(self.from.get_mut().read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if is_silent {
            let _ = self.child.kill();
            return Death::Killed;
        }
        let how = match self.child.wait() {
            Ok(status) => match status.signal() {
                Some(signal) => format!("signal {signal}"),
                None => format!("exit code {}", status.code().unwrap_or_default()),
            },
            Err(error) => error.to_string(),
        };
        Death::Ended { how, words: self.last_words() }
    }

    fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        let length = self.stderr.metadata().map_or(0, |metadata| metadata.len());
        let start = SeekFrom::Start(length.saturating_sub(LAST_WORDS));
        let read = self.stderr.seek(start).and_then(|_| self.stderr.read_to_end(&mut words));
        match read {
            Ok(_) => String::from_utf8_lossy(&words).trim().to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn note(history: &mut History, told: Told) {
    match told {
        Told::Called(call) => {
            history.clock = history.clock.max(call.returned_at().unwrap_or(call.called) + 1);
            history.calls.push(call);
        }
        Told::Returned(index, at, outcome) => {
            history.clock = history.clock.max(at + 1);
            if let Some(call) = history.calls.get_mut(index) {
                call.returned = Some((at, outcome));
            }
        }
    }
}
