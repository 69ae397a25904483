use std::process::ExitCode;

use crate::oracle::Verdict;

/// How the command ends. Of several, the one that comes first here after [`Pass`](Exit::Pass).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Pass, or all as expected.
    Pass = 0,
    /// The tool failed.
    Failed = 1,
    /// Bad usage or input.
    Usage = 2,
    /// Hang.
    Hang = 3,
    /// Violation.
    Violation = 4,
    /// Panic in the subject.
    Panic = 5,
    /// Nothing could be concluded, or a schedule diverged.
    Inconclusive = 6,
    /// A corpus entry is not as expected, or a known bug was not found.
    Unexpected = 7,
}

impl Exit {
    const ALL: [Exit; 8] = [
        Exit::Pass,
        Exit::Failed,
        Exit::Usage,
        Exit::Hang,
        Exit::Violation,
        Exit::Panic,
        Exit::Inconclusive,
        Exit::Unexpected,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Exit::Pass => "pass, or all as expected",
            Exit::Failed => "the tool failed",
            Exit::Usage => "bad usage or input",
            Exit::Hang => "hang",
            Exit::Violation => "violation",
            Exit::Panic => "panic in the subject",
            Exit::Inconclusive => "nothing could be concluded, or a schedule diverged",
            Exit::Unexpected => "a corpus entry, or a known bug, is not as expected",
        }
    }

    /// All of them, as `--help` prints them.
    pub(super) fn help() -> String {
        let lines = Exit::ALL.map(|exit| format!("\n  {}  {}", exit as u8, exit.meaning()));
        format!("Exit codes, of several the first after 0:{}", lines.concat())
    }

    /// The one of both that the command ends with.
    #[must_use]
    pub fn and(self, other: Exit) -> Exit {
        match (self, other) {
            (Exit::Pass, exit) | (exit, Exit::Pass) => exit,
            (one, other) => one.min(other),
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Pass => Exit::Pass,
            Verdict::Hang => Exit::Hang,
            Verdict::Violation => Exit::Violation,
            Verdict::Panic => Exit::Panic,
            Verdict::Diverged | Verdict::Inconclusive => Exit::Inconclusive,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_worst_counts() {
        assert_eq!(Exit::Pass.and(Exit::Pass), Exit::Pass);
        assert_eq!(Exit::Pass.and(Exit::Unexpected), Exit::Unexpected);
        assert_eq!(Exit::Panic.and(Exit::Hang), Exit::Hang);
        assert_eq!(Exit::Violation.and(Exit::Panic).and(Exit::Inconclusive), Exit::Violation);
    }

    #[test]
    fn help_lists_each_code() {
        let help = Exit::help();
        assert!(Exit::ALL.iter().all(|exit| help.contains(&format!(
            "\n  {}  {}",
            *exit as u8,
            exit.meaning()
        ))));
    }
}
