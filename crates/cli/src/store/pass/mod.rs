//! The backends `pass` and `passage`: two programs with the same verbs, one file each for an item.
//!
//! ```text
//! STORE/hatbox/access-key/NAME.gpg    (passage: .age) an item, as one line of JSON
//! STORE/hatbox/cache-key/default.gpg
//! STORE/hatbox/.../NAME.new.gpg       a write that was cut off; the next one writes over it
//! ```
//!
//! Names are those of [`item_name`](super::item_name). They are found by walking the directory, secrets only
//! by the program: `show`, `insert --multiline --force`, `mv --force`, `rm --force`; text goes by stdin and
//! stdout. An item is never written over while it is the only one: `insert` ends an old file before it has a
//! new one. The new one comes beside it first, and then takes its place.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

mod complaint;

use self::complaint::{Complaint, parse_complaint};
use super::item_name::{parse_name, render_name};
use super::item_text::{parse_item, render_item};
use super::programs::{PassSettings, Programs};
use super::{
    AskPassphrase, Item, ItemId, ItemInfo, PassphraseError, PassphraseFor, Status, Store, StoreError,
    StoreKind, cause,
};
use crate::sys::program::Person;

/// The longest name has 18 directories.
const DEPTH: usize = 24;

/// How the two programs differ.
#[derive(Debug, Clone, Copy)]
struct Flavour {
    kind: StoreKind,
    program: &'static str,
    extension: &'static str,
    directory_variable: &'static str,
    /// Below the home directory.
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

/// A directory of items in the store of one of the programs.
#[derive(Debug)]
pub(crate) struct PassStore {
    flavour: Flavour,
    programs: Programs,
    settings: PassSettings,
    /// The program's store.
    directory: PathBuf,
    prefix: String,
    is_open: bool,
    person: Person,
}

impl PassStore {
    /// The items of hatbox in the store of `pass`.
    pub(crate) fn open_pass(programs: &Programs) -> Self {
        Self::open(PASS, programs, programs.pass.clone())
    }

    /// The items of hatbox in the store of `passage`.
    pub(crate) fn open_passage(programs: &Programs) -> Self {
        Self::open(PASSAGE, programs, programs.passage.clone())
    }

    fn open(flavour: Flavour, programs: &Programs, settings: PassSettings) -> Self {
        let directory = settings
            .directory
            .clone()
            .or_else(|| programs.variable(flavour.directory_variable).map(PathBuf::from))
            .unwrap_or_else(|| programs.home.join(flavour.usual_directory));
        let prefix = programs.prefix.clone().unwrap_or_else(|| "hatbox".to_owned());
        let programs = programs.clone();
        Self { flavour, programs, settings, directory, prefix, is_open: false, person: Person::IsNotAsked }
    }

    fn program(&self) -> Option<PathBuf> {
        match &self.settings.program {
            Some(path) => Some(path.clone()),
            None => self.programs.find(self.flavour.program),
        }
    }

    /// Why it cannot be used, and what to run.
    fn obstacle(&self) -> Option<(String, String)> {
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
                let way_out = format!("age-keygen -o {}", shown(&identities));
                (!identities.exists())
                    .then(|| (format!("passage has no identity at {}", shown(&identities)), way_out))
            }
            _ => (!self.directory.join(".gpg-id").exists()).then(|| {
                (
                    format!("there is no password store at {}", shown(&self.directory)),
                    "pass init GPG-ID".to_owned(),
                )
            }),
        }
    }

    fn check_usable(&self) -> Result<(), StoreError> {
        match self.obstacle() {
            None => Ok(()),
            Some((why, way_out)) => Err(self.unavailable(why, Some(way_out))),
        }
    }

    fn unavailable(&self, why: String, way_out: Option<String>) -> StoreError {
        StoreError::Unavailable { kind: self.flavour.kind, source: cause(why), way_out }
    }

    /// The items' names as the program takes them.
    fn entry(&self, id: &ItemId) -> String {
        format!("{}/{}", self.prefix, render_name(id))
    }

    fn file_of(&self, entry: &str) -> PathBuf {
        self.directory.join(format!("{entry}.{}", self.flavour.extension))
    }

    /// All items, with the files that they are in.
    fn files(&self) -> Vec<(ItemId, PathBuf)> {
        let mut found = Vec::new();
        walk(&self.directory.join(&self.prefix), "", DEPTH, &mut |name, path| {
            let extension = Path::new(name).extension();
            if extension == Some(OsStr::new(self.flavour.extension))
                && let Some((stem, _)) = name.rsplit_once('.')
                && let Some(id) = parse_name(stem)
            {
                found.push((id, path.to_owned()));
            }
        });
        found.sort();
        found
    }

    fn run(
        &self,
        arguments: &[&str],
        input: Zeroizing<Vec<u8>>,
        person: Person,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let program = self.program().ok_or_else(|| Failed::Program(self.unavailable_now()))?;
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        let mut extra = vec![
            // What they say is looked at.
            ("LC_ALL", OsString::from("C")),
            (self.flavour.directory_variable, self.directory.clone().into_os_string()),
        ];
        if self.flavour.kind == StoreKind::Pass {
            let mut options =
                self.programs.variable("PASSWORD_STORE_GPG_OPTS").unwrap_or_default().to_owned();
            // Status lines tell what went wrong in any version of GnuPG.
            options.push(" --status-fd 2");
            if person == Person::IsNotAsked {
                options.push(" --pinentry-mode error");
            }
            extra.push(("PASSWORD_STORE_GPG_OPTS", options));
        }
        let ended = self.programs.run(&program, &arguments, &extra, input, person).map_err(|error| {
            let name = self.flavour.program;
            Failed::Program(self.unavailable(format!("`{name}` gave nothing: {}", with_cause(&error)), None))
        })?;
        if ended.status.success() {
            Ok(ended.output)
        } else {
            Err(Failed::Says(parse_complaint(&ended.errors)))
        }
    }

    fn unavailable_now(&self) -> StoreError {
        match self.obstacle() {
            Some((why, way_out)) => self.unavailable(why, Some(way_out)),
            None => self.unavailable(format!("there is no program `{}`", self.flavour.program), None),
        }
    }

    /// What the program says about an item, as an error.
    fn error_of(&self, id: &ItemId, failed: Failed) -> StoreError {
        let (kind, program) = (self.flavour.kind, self.flavour.program);
        match failed {
            Failed::Program(error) => error,
            Failed::Says(Complaint::Absent) => StoreError::Absent,
            Failed::Says(Complaint::Locked) if self.person == Person::IsNotAsked => {
                StoreError::Locked(kind, PassphraseError::NoWay)
            }
            Failed::Says(Complaint::Locked) => {
                let what = format!("`{program}` did not get the passphrase");
                StoreError::Locked(kind, PassphraseError::Refused { what })
            }
            Failed::Says(Complaint::Broken) => self.broken(id, "it cannot be decrypted"),
            Failed::Says(Complaint::NoKey) => self.unavailable(
                format!("the key that opens `{}` is not here", self.entry(id)),
                match kind {
                    StoreKind::Pass => Some("gpg --list-secret-keys".to_owned()),
                    _ => None,
                },
            ),
            Failed::Says(Complaint::NoRecipient(whom)) => self.unavailable(
                format!(
                    "GnuPG cannot encrypt to `{whom}`, which `{}` names",
                    shown(&self.directory.join(".gpg-id"))
                ),
                Some("pass init GPG-ID".to_owned()),
            ),
            Failed::Says(Complaint::Other(line)) => {
                self.unavailable(format!("`{program}` says: {line}"), None)
            }
        }
    }

    fn broken(&self, id: &ItemId, problem: &str) -> StoreError {
        StoreError::Broken {
            kind: self.flavour.kind,
            what: format!("item `{}`", self.entry(id)),
            problem: problem.to_owned(),
        }
    }

    fn show(&self, id: &ItemId, person: Person) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let entry = self.entry(id);
        // A name that is no file may be a directory, which the program lists with success.
        if !self.file_of(&entry).is_file() {
            return Err(Failed::Says(Complaint::Absent));
        }
        self.run(&["show", &entry], Zeroizing::default(), person)
    }

    /// Whether an item can be decrypted.
    fn probe(&self, id: &ItemId, person: Person) -> Result<(), Failed> {
        match self.show(id, person) {
            // A damaged item says nothing about the others, and one that went away is none.
            Ok(_) | Err(Failed::Says(Complaint::Broken | Complaint::Absent)) => Ok(()),
            Err(failed) => Err(failed),
        }
    }
}

/// Why the program did not do it.
enum Failed {
    /// It did not come to that.
    Program(StoreError),
    /// What it complains about.
    Says(Complaint),
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Calls `found` with each regular file, and its name below the start.
fn walk(directory: &Path, above: &str, depth: usize, found: &mut dyn FnMut(&str, &Path)) {
    // What is not there, or not ours to read, holds nothing of ours.
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

impl Store for PassStore {
    fn kind(&self) -> StoreKind {
        self.flavour.kind
    }

    fn status(&self) -> Status {
        match self.obstacle() {
            Some((why, way_out)) => Status::Unavailable(format!("{why}: {way_out}")),
            None if self.is_open => Status::Ready,
            None if self.files().is_empty() => Status::Empty,
            None => Status::Locked,
        }
    }

    fn unlock(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        self.check_usable()?;
        if self.is_open {
            return Ok(());
        }
        match self.files().pop() {
            // Writing needs no secret key, but what comes after it may.
            None if ask(PassphraseFor::OwnPrompt).is_ok() => self.person = Person::MayBeAsked,
            None => {}
            Some((id, _)) => match self.probe(&id, Person::IsNotAsked) {
                Ok(()) => {}
                Err(Failed::Says(Complaint::Locked)) => {
                    ask(PassphraseFor::OwnPrompt)
                        .map_err(|error| StoreError::Locked(self.flavour.kind, error))?;
                    self.person = Person::MayBeAsked;
                    self.probe(&id, Person::MayBeAsked).map_err(|failed| self.error_of(&id, failed))?;
                }
                Err(failed) => return Err(self.error_of(&id, failed)),
            },
        }
        self.is_open = true;
        Ok(())
    }

    fn lock(&mut self) {
        // What gpg-agent holds is not hatbox's, and others of the user's programs use it.
        self.is_open = false;
        self.person = Person::IsNotAsked;
    }

    fn list(&self) -> Result<(Vec<ItemInfo>, Vec<StoreError>), StoreError> {
        self.check_usable()?;
        let (mut items, mut broken) = (Vec::new(), Vec::new());
        for (id, _) in self.files() {
            match self.read(&id) {
                Ok(item) => items.push(item.info),
                Err(StoreError::Absent) => {}
                Err(error @ StoreError::Broken { .. }) => broken.push(error),
                Err(error) => return Err(error),
            }
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((items, broken))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        self.check_usable()?;
        let text = self.show(id, self.person).map_err(|failed| self.error_of(id, failed))?;
        let text = std::str::from_utf8(&text).map_err(|_| self.broken(id, "it is not what hatbox wrote"))?;
        parse_item(id, text).map_err(|problem| self.broken(id, problem))
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        self.check_usable()?;
        let id = &item.info.id;
        let (entry, text) = (self.entry(id), render_item(item));
        let new = format!("{entry}.new");
        let is_new = !self.file_of(&entry).exists();
        let target = if is_new { &entry } else { &new };
        let input = Zeroizing::new(text.as_bytes().to_vec());
        let mut result =
            self.run(&["insert", "--multiline", "--force", target], input, self.person).map(drop);
        if !is_new && result.is_ok() {
            result = self.run(&["mv", "--force", &new, &entry], Zeroizing::default(), self.person).map(drop);
        }
        if result.is_err() {
            // What was not written whole is no item, nor is the rest of it.
            std::fs::remove_file(self.file_of(target)).ok();
        }
        result.map_err(|failed| self.error_of(id, failed))
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        self.check_usable()?;
        let entry = self.entry(id);
        if !self.file_of(&entry).is_file() {
            return Err(StoreError::Absent);
        }
        let result = self.run(&["rm", "--force", &entry], Zeroizing::default(), self.person);
        result.map(drop).map_err(|failed| self.error_of(id, failed))
    }

    fn generation(&self) -> Option<u64> {
        let mut digest = DefaultHasher::new();
        for (id, path) in self.files() {
            id.hash(&mut digest);
            let about = std::fs::metadata(path).ok();
            about.map(|about| (about.len(), about.modified().ok())).hash(&mut digest);
        }
        Some(digest.finish())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
