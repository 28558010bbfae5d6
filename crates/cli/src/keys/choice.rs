//! Chooses the backend of the secrets: named by a flag, variable or the settings, found on disk, or picked by the first
//! write.

use std::path::{Path, PathBuf};

use super::KeyStore;
use super::seeds::SEED_BACKEND;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::settings_edit::{Earlier, save_backend};
use crate::store::asker::PassphraseError;
use crate::store::open::{Backend, Place, open_store};
use crate::store::passphrase_box;
use crate::store::programs::{PassSettings, Programs};
use crate::store::unlocked::{TimeoutOrigin, Unlocked};
use crate::store::{Status, StoreKind};
use crate::sys::access::user;
use crate::sys::files::{FileError, make_private_directory};
use crate::sys::process_group::terminal_name;
use crate::world::dirs::digest_of_place;
use crate::world::settings::UnlockCache;

/// The backend of this run, and the directory beside it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Backend,
    pub(crate) place: Place,
    pub(crate) origin: BackendOrigin,
}

impl Opened {
    pub(super) fn index_path(&self) -> PathBuf {
        self.place.state.join("index")
    }
}

/// Why this backend is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackendOrigin {
    /// The flag or variable of this name says so.
    Named(&'static str),
    /// The settings file.
    Settings,
    /// Nothing names a backend, but there is a `file` store in the default place.
    Found,
    /// Nothing names a backend, and the first write has just picked this one.
    FirstWrite,
}

impl KeyStore {
    /// Returns the backend that is named or found, without checking whether it works: a chosen backend is never
    /// replaced by another, and using it gives an error if it does not work.
    pub(super) fn named_kind(
        &self,
        said: Option<(StoreKind, &'static str)>,
    ) -> Result<Option<(StoreKind, BackendOrigin)>, Failure> {
        if let Some((kind, origin)) = said {
            return Ok(Some((kind, BackendOrigin::Named(origin))));
        }
        if let Some(kind) = self.settings.backend {
            return Ok(Some((kind, BackendOrigin::Settings)));
        }
        let is_found = StoreKind::File.is_built()
            && self.open_backend(StoreKind::File, BackendOrigin::Found)?.store.status() != Status::Empty;
        Ok(is_found.then_some((StoreKind::File, BackendOrigin::Found)))
    }

    /// Opens a backend without touching it yet.
    pub(super) fn open_backend(&self, kind: StoreKind, origin: BackendOrigin) -> Result<Opened, Failure> {
        let directory = self.directory_of(kind)?;
        let runtime = match self.settings.unlock_cache {
            UnlockCache::Keyring => None,
            UnlockCache::RuntimeDir => self.world.dirs.runtime().map(Path::to_owned),
        };
        let (timeout, timeout_origin) = match self.unlock_for {
            Some(timeout) => (timeout, TimeoutOrigin::Flag),
            None => (self.settings.unlock_timeout(), TimeoutOrigin::Settings),
        };
        let max = self.settings.unlock_max();
        let unlocked = Unlocked::of_store(&digest_of_place(&directory), timeout, timeout_origin, max)
            .with_runtime_directory(runtime)
            .with_box_places(passphrase_box::places(self.world.dirs.runtime(), user()));
        let (state, identity) = match kind {
            StoreKind::File => (
                self.world.dirs.state_of_store(&directory),
                self.file_dir.is_none().then(|| self.settings.store_identity.clone()).flatten(),
            ),
            _ => (directory.clone(), None),
        };
        let place = Place {
            directory,
            state,
            identity,
            unlocked,
            patience: self.settings.prompt_timeout(),
            programs: self.programs_of(kind)?,
        };
        let store = open_store(kind, &place).map_err(|error| {
            let mut failure = self.failure_of(&error);
            failure.kind = FailureKind::Usage;
            match origin {
                BackendOrigin::Named(origin) => failure.hint(format!("{origin} names it")),
                BackendOrigin::Settings => {
                    failure.at(self.world.dirs.shown(&self.world.dirs.settings_file()))
                }
                BackendOrigin::Found | BackendOrigin::FirstWrite => failure,
            }
        })?;
        Ok(Opened { store, place, origin })
    }

    /// Returns how to run the program of a backend: with the user's environment, without anything that opens stores.
    /// `None` for backends that are not programs, which spares every command the work.
    fn programs_of(&self, kind: StoreKind) -> Result<Option<Programs>, Failure> {
        if !kind.is_program() {
            return Ok(None);
        }
        let dirs = &self.world.dirs;
        let settings = &self.settings;
        let path = |name: &str, path: &Option<PathBuf>| match path {
            None => Ok(None),
            Some(path) => dirs.expand(path).map(Some).ok_or_else(|| {
                Failure::new(
                    FailureKind::Usage,
                    format!("`{name}` must be an absolute path, or begin with `~/`"),
                )
                .at(dirs.shown(&dirs.settings_file()))
            }),
        };
        let mut programs = self.programs();
        programs.pass = PassSettings {
            directory: path("pass_dir", &settings.pass_dir)?,
            program: path("pass_command", &settings.pass_command)?,
        };
        programs.passage = PassSettings {
            directory: path("passage_dir", &settings.passage_dir)?,
            program: path("passage_command", &settings.passage_command)?,
        };
        programs.prefix.clone_from(&settings.pass_prefix);
        programs.command.clone_from(&settings.store_command);
        Ok(Some(programs))
    }

    /// Returns how to run the programs that keep secrets, regardless of the settings for hatbox's own backends.
    pub(crate) fn programs(&self) -> Programs {
        let mut environment = self.world.environment.of_store_programs();
        if self.world.environment.raw("GPG_TTY").is_none()
            && let Some(terminal) = terminal_name()
        {
            environment.push(("GPG_TTY".into(), terminal));
        }
        Programs {
            environment,
            home: self.world.dirs.home().to_owned(),
            is_inside: self.world.environment.text(env_names::UNLOCKING).is_some(),
            patience: self.settings.prompt_timeout(),
            pass: PassSettings::default(),
            passage: PassSettings::default(),
            prefix: None,
            command: None,
        }
    }

    fn directory_of(&self, kind: StoreKind) -> Result<PathBuf, Failure> {
        let dirs = &self.world.dirs;
        if kind != StoreKind::File {
            return Ok(dirs.beside(kind.as_str()));
        }
        if let Some(directory) = &self.file_dir {
            return Ok(directory.clone());
        }
        match &self.settings.file_dir {
            None => Ok(dirs.store()),
            Some(directory) => dirs.expand(directory).ok_or_else(|| {
                Failure::new(FailureKind::Usage, "`file_dir` must be an absolute path, or begin with `~/`")
                    .at(dirs.shown(&dirs.settings_file()))
            }),
        }
    }

    /// Opens the backend of this run. If none is named or found, this is the first write, which picks the first backend
    /// that works.
    pub(super) fn opened(&mut self) -> Result<&mut Opened, Failure> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => self.choose_backend()?,
        };
        Ok(self.opened.insert(opened))
    }

    /// Returns the backend and why it is used. `None` if none is named and there is no store yet.
    pub(crate) fn chosen(&self) -> Option<(StoreKind, BackendOrigin)> {
        self.opened.as_ref().map(|opened| (opened.store.kind(), opened.origin))
    }

    /// Whether the backend works now.
    pub(crate) fn status(&self) -> Status {
        self.opened.as_ref().map_or(Status::Empty, |opened| opened.store.status())
    }

    /// The directory beside the backend; for `file`, the store itself.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.opened.as_ref().map(|opened| opened.place.directory.as_path())
    }

    fn choose_backend(&self) -> Result<Opened, Failure> {
        let mut reasons = Vec::new();
        for kind in StoreKind::BY_ITSELF.into_iter().filter(|kind| kind.is_built()) {
            let opened = self.open_backend(kind, BackendOrigin::FirstWrite)?;
            match opened.store.status() {
                Status::Unavailable(why) => reasons.push(format!("`{kind}` cannot be used here: {why}")),
                Status::Locked | Status::Empty
                    if kind == StoreKind::SecretService && !self.world.environment.has_desktop() =>
                {
                    let why = PassphraseError::NoDesktop;
                    reasons.push(format!("`{kind}` cannot be used here: {why}"));
                }
                Status::Ready | Status::Locked | Status::Empty => {
                    for reason in reasons {
                        self.world.output.note(&reason);
                    }
                    return Ok(opened);
                }
            }
        }
        let failure = Failure::new(FailureKind::Failed, "no backend can keep a secret on this machine");
        Err(reasons.into_iter().fold(failure, |mut failure, reason| {
            failure.causes.push(reason);
            failure
        }))
    }

    pub(super) fn note_where_keys_are(&self) {
        let Some(opened) = &self.opened else { return };
        let kind = opened.store.kind();
        self.world.output.note(&match kind {
            StoreKind::File => {
                let shown = self.world.dirs.shown(&opened.place.directory);
                format!("keys are kept encrypted in {shown} (backend `{kind}`)")
            }
            _ => format!("keys are kept in the backend `{kind}`"),
        });
    }

    /// Records the backend picked by the first write, so that only it is used from now on.
    pub(super) fn record_choice(&mut self) {
        let Some(opened) = &mut self.opened else { return };
        if opened.origin == BackendOrigin::FirstWrite {
            opened.origin = BackendOrigin::Found;
            self.note_where_keys_are();
        }
        let Some(opened) = &self.opened else { return };
        // The backend of the seeds is not a choice for the keys.
        if self.settings.backend.is_some() || opened.origin == BackendOrigin::Named(SEED_BACKEND) {
            return;
        }
        if let Err(error) = self.save_choice(opened.store.kind(), Earlier::Stays) {
            self.world.output.warn(&format!("the choice of backend is not recorded: {error}"));
        }
    }

    /// Records that this backend is used from now on.
    pub(crate) fn record_use(&mut self) -> Result<(), Failure> {
        let kind = self.opened()?.store.kind();
        Ok(self.save_choice(kind, Earlier::IsReplaced)?)
    }

    fn save_choice(&self, kind: StoreKind, earlier: Earlier) -> Result<(), FileError> {
        let lock = self.world.dirs.locks().join("settings.lock");
        make_private_directory(&self.world.dirs.locks())?;
        let _held = crate::sys::lock::hold(&lock)?;
        save_backend(&self.world.dirs.settings_file(), kind, earlier)
    }
}
