//! What to run for which profiles, and how each command ended.

use std::ffi::OsString;
use std::process::ExitStatus;

use crate::errors::{Failure, FailureKind};
use crate::handover::exec::Keyring;

/// A command to run: its profile, and how to obtain its credentials.
pub(crate) struct Task {
    pub(crate) profile: String,
    pub(crate) prepare: Box<dyn FnOnce() -> Result<Prepared, Failure> + Send>,
}

/// What the command is started with.
pub(crate) struct Prepared {
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The account of its credentials, if known.
    pub(crate) account: Option<String>,
}

/// The form in which the output is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Line by line, each prefixed with the profile's name.
    Labelled,
    /// The whole output of a command after it has ended, below the profile's name.
    Grouped,
    /// One line of JSON per command.
    Json,
}

/// What to do after a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// Run the others nevertheless.
    KeepGoing,
    /// Start no more commands, and let the running ones end.
    Stop,
}

/// What to run, and how.
pub(crate) struct Batch {
    pub(crate) command: Vec<OsString>,
    pub(crate) keyring: Keyring,
    /// The maximum number of commands running at once.
    pub(crate) jobs: usize,
    pub(crate) on_failure: OnFailure,
    pub(crate) form: Form,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It exited with this code.
    Exited(i32),
    /// A signal of this number ended it.
    #[cfg_attr(all(windows, not(test)), expect(dead_code, reason = "no program ends by a signal there"))]
    Signalled(i32),
    /// It was not started, for this reason.
    Failed(Failure),
    /// It was not started, as the run was stopped before.
    NotStarted,
}

impl End {
    pub(super) fn of_status(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(number);
        }
        Self::Exited(status.code().unwrap_or(1))
    }

    /// The exit code that `exec` would have had in a shell.
    pub(crate) fn code(&self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(*code),
            Self::Signalled(number) => Some(128 + number),
            Self::Failed(failure) => Some(match failure.kind {
                FailureKind::CommandNotExecutable => 126,
                FailureKind::CommandNotFound => 127,
                _ => 125,
            }),
            Self::NotStarted => None,
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Exited(0))
    }

    pub(crate) fn render(&self) -> String {
        match self {
            Self::Exited(code) => format!("exit code {code}"),
            Self::Signalled(number) => format!("signal {number}"),
            Self::Failed(_) => "no credentials".to_owned(),
            Self::NotStarted => "not started".to_owned(),
        }
    }
}

/// The result of the whole run.
pub(crate) struct Ended {
    /// How the command of each profile ended, in the order of the tasks.
    pub(crate) ends: Vec<(String, End)>,
    /// The signal that stopped the run.
    pub(crate) signal: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_end_is_that_of_exec() {
        let failed = |kind| End::Failed(Failure::new(kind, "x"));
        for (end, code) in [
            (End::Exited(7), Some(7)),
            (End::Signalled(15), Some(143)),
            (failed(FailureKind::Usage), Some(125)),
            (failed(FailureKind::CommandNotFound), Some(127)),
            (failed(FailureKind::CommandNotExecutable), Some(126)),
            (End::NotStarted, None),
        ] {
            assert_eq!(end.code(), code, "{end:?}");
        }
    }
}
