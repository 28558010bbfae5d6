//! `pass` or `passage` as a program: finds it, checks what it needs, runs it, and lists the files of its store.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use hatbox_types::text::shell::quote_path;
use zeroize::Zeroizing;

use super::complaint::{Complaint, parse_complaint};
use crate::store::programs::{PassSettings, Programs};
use crate::store::{StoreError, StoreKind, cause};
use crate::sys::program::Person;

/// Limit in directories: the longest name has 18.
const DEPTH: usize = 24;

/// The differences between the two programs.
#[derive(Debug, Clone, Copy)]
struct Flavour {
    kind: StoreKind,
    program: &'static str,
    extension: &'static str,
    directory_variable: &'static str,
    /// Relative to the home directory.
    usual_directory: &'static str,
}

const PASS: Flavour = Flavour {
    kind: StoreKind::Pass,
    program: "pass",
    extension: "gpg",
    directory_variable: "PASSWORD_STORE_DIR",
    usual_directory: ".password-store",
};

const PASSAGE: Flavour = Flavour {
    kind: StoreKind::Passage,
    program: "passage",
    extension: "age",
    directory_variable: "PASSAGE_DIR",
    usual_directory: ".passage/store",
};

/// One of the two programs and its store.
#[derive(Debug)]
pub(crate) struct PassProgram {
    flavour: Flavour,
    programs: Programs,
    settings: PassSettings,
    /// The directory of the program's store.
    directory: PathBuf,
}

impl PassProgram {
    /// Returns `pass` with its store.
    pub(crate) fn pass(programs: &Programs) -> Self {
        Self::open(PASS, programs, programs.pass.clone())
    }

    /// Returns `passage` with its store.
    pub(crate) fn passage(programs: &Programs) -> Self {
        Self::open(PASSAGE, programs, programs.passage.clone())
    }

    fn open(flavour: Flavour, programs: &Programs, settings: PassSettings) -> Self {
        let directory = settings
            .directory
            .clone()
            .or_else(|| programs.variable(flavour.directory_variable).map(PathBuf::from))
            .unwrap_or_else(|| programs.home.join(flavour.usual_directory));
        Self { flavour, programs: programs.clone(), settings, directory }
    }

    /// Returns the backend that uses it.
    pub(super) fn kind(&self) -> StoreKind {
        self.flavour.kind
    }

    pub(crate) fn name(&self) -> &'static str {
        self.flavour.program
    }

    /// The directory of its store.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn program(&self) -> Option<PathBuf> {
        match &self.settings.program {
            Some(path) => Some(path.clone()),
            None => self.programs.find(self.flavour.program),
        }
    }

    /// Returns why it cannot be used, and the command that helps.
    pub(crate) fn obstacle(&self) -> Option<(String, String)> {
        let Flavour { program, .. } = self.flavour;
        if self.program().is_none() {
            let setting = format!("set `{program}_command` in hatbox's settings");
            return Some((
                format!("there is no program `{program}` in PATH"),
                format!("install it, or {setting}"),
            ));
        }
        match self.flavour.kind {
            StoreKind::Passage => {
                let identities = match self.programs.variable("PASSAGE_IDENTITIES_FILE") {
                    Some(path) => PathBuf::from(path),
                    None => self.programs.home.join(".passage/identities"),
                };
                let hint = format!("run `age-keygen -o {}`", quote_path(&identities.to_string_lossy()));
                (!identities.exists())
                    .then(|| (format!("passage has no identity at {}", self.shown(&identities)), hint))
            }
            _ => (!self.directory.join(".gpg-id").exists()).then(|| {
                (
                    format!("there is no password store at {}", self.shown(&self.directory)),
                    "run `pass init GPG-ID`".to_owned(),
                )
            }),
        }
    }

    pub(crate) fn check_usable(&self) -> Result<(), StoreError> {
        match self.obstacle() {
            None => Ok(()),
            Some((why, hint)) => Err(self.unavailable(why, Some(hint))),
        }
    }

    /// Returns a path for messages, in backticks and with `~` for the home directory.
    pub(super) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.programs.home) {
            Ok(below) if self.programs.home.parent().is_some() => format!("`~/{}`", below.display()),
            _ => format!("`{}`", path.display()),
        }
    }

    pub(super) fn unavailable(&self, why: String, hint: Option<String>) -> StoreError {
        StoreError::Unavailable { kind: self.flavour.kind, source: cause(why), hint }
    }

    /// Returns the file of an entry.
    pub(crate) fn file_of(&self, entry: &str) -> PathBuf {
        self.directory.join(format!("{entry}.{}", self.flavour.extension))
    }

    /// Lists the entries below a directory of the store: their names relative to it, and their files.
    pub(crate) fn entries_below(&self, prefix: &str) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        walk(&self.directory.join(prefix), "", DEPTH, &mut |name, path| {
            if Path::new(name).extension() == Some(OsStr::new(self.flavour.extension))
                && let Some((stem, _)) = name.rsplit_once('.')
            {
                found.push((stem.to_owned(), path.to_owned()));
            }
        });
        found
    }

    /// Runs it with these arguments and this stdin. Returns its stdout.
    pub(crate) fn run(
        &self,
        arguments: &[&str],
        input: Zeroizing<Vec<u8>>,
        person: Person,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let program = self.program().ok_or_else(|| Failed::Program(self.unavailable_now()))?;
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        let mut extra = vec![
            // Their messages are parsed.
            ("LC_ALL", OsString::from("C")),
            (self.flavour.directory_variable, self.directory.clone().into_os_string()),
        ];
        if self.flavour.kind == StoreKind::Pass {
            let mut options =
                self.programs.variable("PASSWORD_STORE_GPG_OPTS").unwrap_or_default().to_owned();
            // Status lines are the same in all versions of GnuPG.
            options.push(" --status-fd 2");
            if person == Person::IsNotAsked {
                options.push(" --pinentry-mode error");
            }
            extra.push(("PASSWORD_STORE_GPG_OPTS", options));
        }
        let ended = self
            .programs
            .run(self.flavour.program, &program, &arguments, &extra, input, person)
            .map_err(|error| {
                let name = self.flavour.program;
                Failed::Program(
                    self.unavailable(format!("`{name}` returned nothing: {}", with_cause(&error)), None),
                )
            })?;
        if ended.status.success() {
            Ok(ended.output)
        } else {
            Err(Failed::Complaint(parse_complaint(&ended.errors)))
        }
    }

    fn unavailable_now(&self) -> StoreError {
        match self.obstacle() {
            Some((why, hint)) => self.unavailable(why, Some(hint)),
            None => self.unavailable(format!("there is no program `{}`", self.flavour.program), None),
        }
    }
}

/// Why the program failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It could not be run.
    Program(StoreError),
    /// It complained about this.
    Complaint(Complaint),
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Calls `found` with each regular file and its name relative to the start.
fn walk(directory: &Path, above: &str, depth: usize, found: &mut dyn FnMut(&str, &Path)) {
    // A directory that is missing or not readable has no items of the user.
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() && depth > 0 {
            walk(&entry.path(), &format!("{above}{name}/"), depth - 1, found);
        } else if kind.is_file() {
            found(&format!("{above}{name}"), &entry.path());
        }
    }
}
