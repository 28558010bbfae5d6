//! What the backends that are programs are given, and how they find and run theirs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::sys::process_group::is_executable;
use crate::sys::program::{Ended, Person, Program, ProgramError, Streams, run_program};
use crate::wait_line::{Company, WaitLine};

/// No one is asked: what takes longer hangs.
const UNASKED: Duration = Duration::from_secs(30);

/// What the settings and the environment say about such programs.
#[derive(Clone)]
pub(crate) struct Programs {
    /// All that they get; nothing in it opens a store of hatbox's.
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) home: PathBuf,
    /// Whether one of them runs this hatbox.
    pub(crate) is_inside: bool,
    /// How long one may take that can ask a person.
    pub(crate) patience: Duration,
    pub(crate) pass: PassSettings,
    pub(crate) passage: PassSettings,
    /// The directory of hatbox's items in the stores of both.
    pub(crate) prefix: Option<String>,
    /// The helper of the backend `command`.
    pub(crate) command: Option<String>,
}

/// What the settings say about `pass` or `passage`. Paths are absolute.
#[derive(Debug, Clone, Default)]
pub(crate) struct PassSettings {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) program: Option<PathBuf>,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Security: the variables may be secrets.
        f.debug_struct("Programs")
            .field("pass", &self.pass)
            .field("passage", &self.passage)
            .finish_non_exhaustive()
    }
}

impl Programs {
    /// The value of a variable that is set to something.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.environment.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// A program by its name, in the absolute directories of PATH: whatever the working directory holds is
    /// not run.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        let directories = std::env::split_paths(self.variable("PATH")?);
        directories
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(name))
            .find(|path| is_executable(path))
    }

    /// Runs a program, called `name`, with `input` on its stdin, and `extra` variables in the place of those of these names.
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
