//! The parameters of backends that are external programs, and how those programs are found and run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::sys::process_group::is_executable;
use crate::sys::program::{Ended, Person, Program, ProgramError, Streams, run_program};
use crate::wait_line::{Company, WaitLine};

/// Limit for a run without a prompt: a program that takes longer hangs.
const UNASKED: Duration = Duration::from_secs(30);

/// The settings and the environment of these programs.
#[derive(Clone)]
pub(crate) struct Programs {
    /// Their whole environment. Nothing in it opens one of hatbox's stores.
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) home: PathBuf,
    /// Whether such a program started this hatbox.
    pub(crate) is_inside: bool,
    /// Limit for a run that may prompt the user.
    pub(crate) patience: Duration,
    pub(crate) pass: PassSettings,
    pub(crate) passage: PassSettings,
    /// The directory of hatbox's items in the stores of `pass` and `passage`.
    pub(crate) prefix: Option<String>,
    /// The helper command of the backend `command`.
    pub(crate) command: Option<String>,
}

/// The settings of `pass` or `passage`. Paths are absolute.
#[derive(Debug, Clone, Default)]
pub(crate) struct PassSettings {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) program: Option<PathBuf>,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Security: the variables may contain secrets.
        f.debug_struct("Programs")
            .field("pass", &self.pass)
            .field("passage", &self.passage)
            .finish_non_exhaustive()
    }
}

impl Programs {
    /// Returns the value of a variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.environment.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// Finds a program in the absolute directories of PATH, so that a program in the working directory is never run.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        let directories = std::env::split_paths(self.variable("PATH")?);
        directories
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(name))
            .find(|path| is_executable(path))
    }

    /// Runs a program with `input` on its stdin. Errors call it `name`, and the variables `extra` replace those of the
    /// same names.
    pub(crate) fn run(
        &self,
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        extra: &[(&str, OsString)],
        input: Zeroizing<Vec<u8>>,
        person: Person,
    ) -> Result<Ended, ProgramError> {
        if self.is_inside {
            return Err(ProgramError::Failed("it runs hatbox, which would run it again".to_owned()));
        }
        let mut environment: Vec<_> = self
            .environment
            .iter()
            .filter(|(name, _)| extra.iter().all(|(other, _)| name != other))
            .cloned()
            .collect();
        environment.extend(extra.iter().map(|(name, value)| (OsString::from(name), value.clone())));
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        let (timeout, company) = match person {
            Person::MayBeAsked => (self.patience, Company::MayAsk),
            Person::IsNotAsked => (self.patience.min(UNASKED), Company::None),
        };
        let _line = WaitLine::start(timeout, company, move || format!("waiting for `{name}`"));
        run_program(Program {
            command,
            environment: &environment,
            timeout,
            person,
            streams: Streams::Kept(input),
        })
    }
}
