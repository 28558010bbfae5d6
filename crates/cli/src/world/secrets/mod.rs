//! The store as commands use it: opened when first needed, unlocked once, its index kept true.

mod index;
mod unlock;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_core::name::ProfileName;
use hatbox_core::secret::{AccessKey, SecretString};
use zeroize::Zeroizing;

use super::World;
use super::passphrase::Asking;
use super::settings::{Settings, UnlockCache, load_settings};
use crate::report::{Failure, FailureKind};
use crate::request::{PassphraseSource, StoreRequest};
use crate::store::file::FileStore;
use crate::store::sealed::CacheKey;
use crate::store::sessions::Sessions;
use crate::store::unlocked::Unlocked;
use crate::store::{Item, ItemId, ItemInfo, PassphraseError, Status, Store, StoreError};
use crate::sys::descriptor;
use crate::sys::files::FileError;
use crate::sys::keyring::KeyringError;

/// The store of this run, with what has been learned of it so far.
#[derive(Debug)]
pub(crate) struct Secrets<'w> {
    world: &'w World,
    directory: PathBuf,
    settings: Settings,
    store: FileStore,
    unlocked: Unlocked,
    passphrase: Option<PassphraseSource>,
    cache_key: Option<CacheKey>,
    has_said_no_keyring: bool,
}

/// Whether there is an answer without asking.
#[derive(Debug)]
pub(crate) enum Known<T> {
    /// Yes.
    Yes(T),
    /// The store is locked, and nobody was to be asked.
    Locked,
}

impl<'w> Secrets<'w> {
    /// Finds the store; opens, reads and asks nothing yet.
    pub(crate) fn open(world: &'w World, request: StoreRequest) -> Result<Self, Failure> {
        if let Some(PassphraseSource::Descriptor(number)) = request.passphrase {
            descriptor::close_on_exec(number).map_err(|error| {
                Failure::new(
                    FailureKind::Usage,
                    format!("descriptor {number} for the passphrase is not open"),
                )
                .caused_by(&error)
            })?;
        }
        let mut settings = load_settings(&world.dirs.settings_file())?;
        settings.backend = request.kind.or(settings.backend);
        let directory = match request.file_dir {
            Some(directory) => directory,
            None => match &settings.file_dir {
                Some(directory) => world.dirs.expand(directory).ok_or_else(|| {
                    Failure::new(
                        FailureKind::Usage,
                        "`file_dir` must be an absolute path, or begin with `~/`",
                    )
                    .at(world.dirs.shown(&world.dirs.settings_file()))
                })?,
                None => world.dirs.store(),
            },
        };
        let runtime = match settings.unlock_cache {
            UnlockCache::Keyring => None,
            UnlockCache::RuntimeDir => world.dirs.runtime().map(Path::to_owned),
        };
        let unlocked =
            Unlocked::of_directory(&directory, settings.unlock_timeout()).with_runtime_directory(runtime);
        let passphrase =
            request.passphrase.or_else(|| settings.passphrase_command.clone().map(PassphraseSource::Command));
        let store = FileStore::open(&directory, unlocked.clone());
        Ok(Self {
            world,
            directory,
            settings,
            store,
            unlocked,
            passphrase,
            cache_key: None,
            has_said_no_keyring: false,
        })
    }

    /// How long a person is waited for.
    pub(crate) fn prompt_timeout(&self) -> Duration {
        self.settings.prompt_timeout()
    }

    /// The access key stored for `profile`.
    pub(crate) fn read_key(&mut self, profile: &ProfileName) -> Result<AccessKey, Failure> {
        self.unlock(Asking::Person)?;
        let item = self.store.read(&ItemId::access_key(profile)).map_err(|error| match error {
            StoreError::Absent => {
                Failure::new(FailureKind::Failed, format!("no access key is stored for profile `{profile}`"))
                    .hint(format!("hatbox add {profile}"))
            }
            other => self.failure_of(&other),
        })?;
        let damaged =
            || Failure::new(FailureKind::Failed, format!("the access key of profile `{profile}` is damaged"));
        let secret = std::str::from_utf8(&item.secret).map_err(|_| damaged())?;
        let id = item.info.access_key_id.ok_or_else(damaged)?;
        Ok(AccessKey { id, secret: SecretString::new(secret.to_owned()) })
    }

    /// Stores an access key for `profile`, in the place of an earlier one.
    pub(crate) fn save_key(&mut self, profile: &ProfileName, key: &AccessKey) -> Result<(), Failure> {
        self.unlock(Asking::Person)?;
        let info = ItemInfo {
            id: ItemId::access_key(profile),
            created: self.world.clock.now(),
            access_key_id: Some(key.id.clone()),
        };
        let item = Item { info, secret: Zeroizing::new(key.secret.expose().as_bytes().to_vec()) };
        self.change(|store| store.write(&item))
    }

    /// Deletes the access key of `profile`.
    pub(crate) fn delete_key(&mut self, profile: &ProfileName) -> Result<(), Failure> {
        self.unlock(Asking::Person)?;
        let id = ItemId::access_key(profile);
        self.change(|store| store.delete(&id))
    }

    /// The cached sessions.
    pub(crate) fn sessions(&mut self, asking: Asking) -> Result<Sessions, Failure> {
        let key = self.cache_key(asking)?;
        Ok(Sessions::open(&self.world.dirs.sessions(), key))
    }

    /// The cached sessions, where they can be had without asking a person, and without making a store.
    pub(crate) fn sessions_if_known(&mut self) -> Result<Known<Sessions>, Failure> {
        if self.store.status() == Status::Empty {
            return Ok(Known::Locked);
        }
        match self.sessions(Asking::AtHand) {
            Ok(sessions) => Ok(Known::Yes(sessions)),
            Err(failure) if failure.kind == FailureKind::NeedsPerson => Ok(Known::Locked),
            Err(failure) => Err(failure),
        }
    }

    /// Whether there is a store at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.store.status() == Status::Empty
    }

    /// Drops the unlocked state, here and in the kernel keyring.
    pub(crate) fn lock(&mut self) -> Result<(), KeyringError> {
        self.store.lock();
        self.cache_key = None;
        self.unlocked.forget()
    }

    fn failure_of(&self, error: &StoreError) -> Failure {
        let kind = match error {
            StoreError::Locked(_, PassphraseError::NoWay | PassphraseError::TimedOut) => {
                FailureKind::NeedsPerson
            }
            StoreError::Locked(_, PassphraseError::Cancelled) => FailureKind::Cancelled,
            StoreError::Locked(_, PassphraseError::Empty(_)) => FailureKind::Usage,
            _ => FailureKind::Failed,
        };
        let failure = Failure::of_error(kind, error);
        match error {
            StoreError::Locked(_, PassphraseError::NoWay) => failure
                .hint("run it on a terminal, pass --passphrase-fd N, or set `passphrase_command` in hatbox's settings"),
            StoreError::Locked(_, PassphraseError::Wrong) if self.passphrase.is_none() => failure
                .hint("the passphrase is the one chosen when the store was made; nobody can recover it"),
            StoreError::Unavailable { source, .. } => match source.way_out() {
                Some(way_out) => failure.hint(way_out),
                None => failure,
            },
            StoreError::Broken { .. } => failure.hint("the other items still work; `hatbox add` writes this one anew"),
            _ => failure,
        }
    }
}

pub(crate) fn file_failure(error: &FileError) -> Failure {
    let failure = Failure::of_error(FailureKind::Failed, error);
    match error.way_out() {
        Some(way_out) => failure.hint(way_out),
        None => failure,
    }
}
