//! Loads `~/.aws/config` and `~/.aws/credentials`, edits them, and renders places in them.

use std::path::{Path, PathBuf};

use hatbox_core::config::Config;
use hatbox_core::config::ConfigError;
use hatbox_core::config::Warning;
use hatbox_core::config::edit::{Change, EditError, edit_section, remove_section};
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::{FileKind, Origin, Place};
use hatbox_core::config::syntax::Document;
use hatbox_core::plan::explain::Paths;
use zeroize::Zeroizing;

use crate::errors::{Failure, FailureKind};
use crate::sys::access::Ownership;
use crate::sys::files::{FileError, Keep, make_private_directory, write_if_unchanged};
use crate::sys::lock;
use crate::world::World;
use crate::world::settings::check_may_name_a_command;

/// In bytes, more than any config has; the parser's limit is just below 4 GiB.
const SIZE_LIMIT: u64 = 16 << 20;
/// How often to retry an edit if another process changes the file.
const EDIT_TRIES: u32 = 10;

/// The two files as they were loaded.
#[derive(Debug)]
pub(crate) struct ConfigFiles {
    pub(crate) config: Config,
    config_path: PathBuf,
    config_shown: String,
    credentials_shown: String,
    config_ownership: Option<Ownership>,
    credentials_ownership: Option<Ownership>,
}

/// Loads both files; a missing one is empty.
pub(crate) fn load_config(world: &World) -> Result<ConfigFiles, Failure> {
    load_config_with(world, world.dirs.aws_credentials())
}

/// Loads both files, with another credentials file.
pub(crate) fn load_config_with(world: &World, credentials_path: &Path) -> Result<ConfigFiles, Failure> {
    let config = read_with_warning(world, world.dirs.aws_config())?;
    let credentials = read_with_warning(world, credentials_path)?;
    parse(world, config, (credentials_path, credentials))
}

/// Loads both files as far as possible: an unreadable file counts as empty, and its failure is returned. The caller
/// checks who else can write to the files.
pub(crate) fn load_readable_config(
    world: &World,
) -> Result<(ConfigFiles, Vec<(FileKind, Failure)>), Failure> {
    let mut failures = Vec::new();
    let mut load = |file, path| {
        read(world, path).unwrap_or_else(|failure| {
            failures.push((file, failure));
            Loaded::default()
        })
    };
    let config = load(FileKind::Config, world.dirs.aws_config());
    let credentials = load(FileKind::Credentials, world.dirs.aws_credentials());
    Ok((parse(world, config, (world.dirs.aws_credentials(), credentials))?, failures))
}

fn has_section(text: &[u8], kind: SectionKind, name: &str) -> bool {
    Document::parse(FileKind::Config, text.to_vec())
        .is_ok_and(|document| document.sections_named(kind, name).next().is_some())
}

/// A file as it was read; a missing one is empty and has no owner.
#[derive(Default)]
struct Loaded {
    text: Vec<u8>,
    /// Who can write to it.
    ownership: Option<Ownership>,
    /// Whether it is neither a pipe nor a device.
    is_regular: bool,
}

fn parse(
    world: &World,
    config_file: Loaded,
    (credentials_path, credentials): (&Path, Loaded),
) -> Result<ConfigFiles, Failure> {
    let config_path = world.dirs.aws_config();
    let config = Config::parse(config_file.text, credentials.text)
        .map_err(|error| Failure::of_error(FailureKind::Usage, &error).at(world.dirs.shown(config_path)))?;
    Ok(ConfigFiles {
        config,
        config_path: config_path.to_owned(),
        config_shown: world.dirs.shown(config_path),
        credentials_shown: world.dirs.shown(credentials_path),
        config_ownership: config_file.ownership,
        credentials_ownership: credentials.ownership,
    })
}

fn read_with_warning(world: &World, path: &Path) -> Result<Loaded, Failure> {
    let loaded = read(world, path)?;
    // Others who can write to the file can choose which role is assumed.
    if loaded.is_regular && loaded.ownership.is_some_and(Ownership::is_open_to_strangers) {
        world
            .output
            .warn(&format!("others can write to `{}`, and so choose what is done", world.dirs.shown(path)));
    }
    Ok(loaded)
}

/// Reads a file, and who can write to it, through the same descriptor.
fn read(world: &World, path: &Path) -> Result<Loaded, Failure> {
    use std::io::Read;
    let failure = |error: std::io::Error| {
        Failure::new(FailureKind::Failed, format!("could not read `{}`", world.dirs.shown(path)))
            .caused_by(&error)
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Loaded::default()),
        Err(error) => return Err(failure(error)),
    };
    let about = file.metadata().map_err(failure)?;
    let ownership = Some(Ownership::of(&file, &about));
    let too_large = || {
        let shown = world.dirs.shown(path);
        Failure::new(FailureKind::Usage, format!("`{shown}` is larger than {} MB", SIZE_LIMIT >> 20))
    };
    if about.len() > SIZE_LIMIT {
        return Err(too_large());
    }
    let mut text = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    // One byte more than allowed: devices and pipes have no size, and a truncated file must not go unnoticed.
    file.take(SIZE_LIMIT + 1).read_to_end(&mut text).map_err(failure)?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(too_large());
    }
    Ok(Loaded { text, ownership, is_regular: about.is_file() })
}

/// A credentials file as it was read. It can be changed only while its content is the same.
#[derive(Debug)]
pub(crate) struct CredentialsFile {
    path: PathBuf,
    shown: String,
    text: Zeroizing<Vec<u8>>,
}

/// Reads a file in the format of `~/.aws/credentials`; a missing file is empty.
pub(crate) fn load_credentials_file(world: &World, path: &Path) -> Result<CredentialsFile, Failure> {
    let text = read_with_warning(world, path)?.text;
    Ok(CredentialsFile { path: path.to_owned(), shown: world.dirs.shown(path), text: Zeroizing::new(text) })
}

impl CredentialsFile {
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path in messages.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Replaces the text of the file. Keeps its mode, and a symlink.
    ///
    /// # Errors
    /// If the file was changed by someone else, whose change must not be lost.
    pub(crate) fn replace(&mut self, text: &[u8]) -> Result<(), Failure> {
        write_if_unchanged(&self.path, &self.text, text, Keep::ModeAndLink).map_err(|error| {
            let is_changed = matches!(error, FileError::Changed(_));
            let failure = Failure::from(error);
            if is_changed {
                failure.hint("run the command again: what was stored is stored")
            } else {
                failure
            }
        })?;
        self.text = Zeroizing::new(text.to_vec());
        Ok(())
    }
}

impl ConfigFiles {
    /// The path of a file for display.
    pub(crate) fn shown(&self, file: FileKind) -> &str {
        match file {
            FileKind::Config => &self.config_shown,
            FileKind::Credentials => &self.credentials_shown,
        }
    }

    /// The paths of both files for display.
    pub(crate) fn paths(&self) -> Paths {
        Paths { config: self.config_shown.clone(), credentials: self.credentials_shown.clone() }
    }

    /// A place for display: `~/.aws/config:14`.
    pub(crate) fn shown_place(&self, place: Place) -> String {
        format!("{}:{}", self.shown(place.file), place.line)
    }

    /// Rejects a command in a file that others can write to.
    pub(crate) fn check_command_origin(&self, origin: &Origin) -> Result<(), Failure> {
        let Some(place) = origin.place() else { return Ok(()) };
        let ownership = match place.file {
            FileKind::Config => self.config_ownership,
            FileKind::Credentials => self.credentials_ownership,
        };
        match ownership {
            Some(ownership) => check_may_name_a_command(ownership, self.shown(place.file)),
            None => Ok(()),
        }
    }

    /// Converts a core error into a failure with its place and hints.
    pub(crate) fn failure_of(&self, error: &ConfigError) -> Failure {
        let mut failure = Failure::of_error(FailureKind::Usage, error);
        if let Some(place) = error.place() {
            failure = failure.at(self.shown_place(place));
        }
        error.hint().into_iter().fold(failure, Failure::hint)
    }

    /// Renders a warning as one line with its place.
    pub(crate) fn render_warning(&self, warning: &Warning) -> String {
        match warning.place() {
            Some(place) => format!("{}: {warning}", self.shown_place(place)),
            None => warning.to_string(),
        }
    }

    /// Changes one section of the config file and nothing else. Returns whether the section is new.
    pub(crate) fn save_section(
        &self,
        world: &World,
        kind: SectionKind,
        name: &str,
        changes: &[Change],
    ) -> Result<bool, Failure> {
        let mut is_new = false;
        self.change(world, |before| {
            is_new = !has_section(before, kind, name);
            edit_section(before, FileKind::Config, kind, name, changes)
                .map_err(|error| self.edit_failure(&error))
        })?;
        Ok(is_new)
    }

    /// Adds a section to the config file and changes nothing else.
    ///
    /// # Errors
    /// If the section exists already.
    pub(crate) fn add_section(
        &self,
        world: &World,
        kind: SectionKind,
        name: &str,
        changes: &[Change],
    ) -> Result<(), Failure> {
        self.change(world, |before| {
            if has_section(before, kind, name) {
                let problem = std::io::Error::other("another program added it in the meantime");
                return Err(Failure::new(
                    FailureKind::Failed,
                    format!("the section `{name}` already exists"),
                )
                .at(self.config_shown.clone())
                .caused_by(&problem));
            }
            edit_section(before, FileKind::Config, kind, name, changes)
                .map_err(|error| self.edit_failure(&error))
        })
    }

    /// Removes all sections of this kind and name from the config file and changes nothing else.
    pub(crate) fn remove_section(&self, world: &World, kind: SectionKind, name: &str) -> Result<(), Failure> {
        self.change(world, |before| {
            remove_section(before, FileKind::Config, kind, name)
                .map_err(|error| self.edit_failure(&error.into()))
        })
    }

    /// Replaces the text of the config file with what `edit` returns for the current text.
    ///
    /// Reads the file again, as minutes may have passed over a question, and other edits must not be lost. Calls `edit`
    /// again if another program changes the file in between.
    pub(crate) fn change(
        &self,
        world: &World,
        mut edit: impl FnMut(&[u8]) -> Result<Vec<u8>, Failure>,
    ) -> Result<(), Failure> {
        make_private_directory(&world.dirs.locks())?;
        let _held = lock::hold(&world.dirs.locks().join("aws-config.lock"))?;
        for _ in 0..EDIT_TRIES {
            let before = read(world, &self.config_path)?.text;
            let after = edit(&before)?;
            if after == before {
                return Ok(());
            }
            match self.write(&before, &after) {
                Err(FileError::Changed(_)) => {}
                result => return result.map_err(Failure::from),
            }
        }
        Err(Failure::new(FailureKind::Failed, format!("`{}` changes all the time", self.config_shown)))
    }

    fn edit_failure(&self, error: &EditError) -> Failure {
        let failure = Failure::of_error(FailureKind::Usage, error);
        match error {
            EditError::BadLine { place, .. } | EditError::Nested { place, .. } => {
                failure.at(self.shown_place(*place))
            }
            _ => failure.at(self.config_shown.clone()),
        }
    }

    fn write(&self, before: &[u8], text: &[u8]) -> Result<(), FileError> {
        if let Some(directory) = self.config_path.parent()
            && !directory.as_os_str().is_empty()
            && !directory.exists()
        {
            make_private_directory(directory)?;
        }
        write_if_unchanged(&self.config_path, before, text, Keep::ModeAndLink)
    }
}
