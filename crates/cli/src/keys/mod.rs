//! The store as commands use it: opened on first use, unlocked once, with an index that is kept current.

mod backups;
mod choice;
mod index;
pub(crate) mod request;
mod rotation_lock;
mod seeds;
mod shared;
mod transfer;
#[cfg(feature = "file")]
mod trust;
mod unlock;
#[cfg(feature = "file")]
mod wraps;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "iam")]
use hatbox_types::name::AccessKeyId;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::{AccessKey, SecretString};
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

pub(crate) use self::choice::BackendOrigin;
use self::choice::Opened;
pub(crate) use self::seeds::{StoredSeed, warn_of_seed};
pub(crate) use self::shared::SharedStore;
pub(crate) use self::transfer::Transfer;
#[cfg(feature = "file")]
pub(crate) use self::wraps::NewWrap;
use crate::args::GlobalArgs;
use crate::ask::passphrase::Interaction;
use crate::ask::passphrase::PassphraseSource;
use crate::errors::{Failure, FailureKind};
use crate::keys::request::{StoreRequest, resolve_store};
#[cfg(feature = "iam")]
use crate::store::ItemKind;
use crate::store::asker::PassphraseError;
#[cfg(feature = "iam")]
use crate::store::rotations::Rotations;
use crate::store::sealed::CacheKey;
use crate::store::sessions::Sessions;
use crate::store::{Distrust, Item, ItemId, ItemInfo, Status, StoreError, StoreKind};
use crate::sys::descriptor;
use crate::sys::files::UPDATE_HINT;
use crate::sys::keyring::KeyringError;
use crate::world::World;
use crate::world::settings::Settings;

/// The store of this run, with what is known of it so far.
#[derive(Debug)]
pub(crate) struct KeyStore {
    world: World,
    settings: Arc<Settings>,
    /// The directory of the `file` backend, if a flag or variable sets it.
    file_dir: Option<PathBuf>,
    /// `None` as long as nothing names or finds a backend: there is no store yet.
    opened: Option<Opened>,
    passphrase: Option<PassphraseSource>,
    unlock_for: Option<Duration>,
    cache_key: Option<CacheKey>,
    has_said_no_keyring: bool,
}

/// Whether an existing item of the same name may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replacing {
    Allowed,
    Refused,
}

impl From<bool> for Replacing {
    fn from(flag: bool) -> Self {
        if flag { Self::Allowed } else { Self::Refused }
    }
}

/// Turns the error of a locked store into `None`, for callers that must not ask.
fn unless_locked<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Err(failure) if failure.kind == FailureKind::NeedsPerson => Ok(None),
        result => result.map(Some),
    }
}

/// The passphrase that the settings give.
fn passphrase_of_settings(world: &World, settings: &Settings) -> Result<Option<PassphraseSource>, Failure> {
    if let Some(named) = &settings.passphrase_file {
        let path = world.dirs.expand(named).ok_or_else(|| {
            Failure::new(FailureKind::Usage, "`passphrase_file` must be an absolute path, or begin with `~/`")
                .at(world.dirs.shown(&world.dirs.settings_file()))
        })?;
        return Ok(Some(PassphraseSource::File { origin: "passphrase_file", path }));
    }
    Ok(settings.passphrase_command.clone().map(PassphraseSource::Command))
}

impl KeyStore {
    /// Finds the store that flags, environment and settings name. Opens, reads and asks nothing yet.
    pub(crate) fn open(world: &World, global: &GlobalArgs) -> Result<Self, Failure> {
        Self::open_requested(world, resolve_store(global, &world.environment)?)
    }

    /// Does the same for the backend that `origin` names, whatever else is named.
    pub(crate) fn open_kind(
        world: &World,
        global: &GlobalArgs,
        kind: StoreKind,
        origin: &'static str,
    ) -> Result<Self, Failure> {
        let request = resolve_store(global, &world.environment)?;
        Self::open_requested(world, StoreRequest { kind: Some((kind, origin)), ..request })
    }

    /// Does the same for a request that was resolved already.
    pub(crate) fn open_requested(world: &World, request: StoreRequest) -> Result<Self, Failure> {
        if let Some(PassphraseSource::Descriptor(number)) = request.passphrase {
            descriptor::close_on_exec(number).map_err(|error| {
                Failure::new(
                    FailureKind::Usage,
                    format!("descriptor {number} for the passphrase is not open"),
                )
                .caused_by(&error)
            })?;
        }
        let settings = world.settings()?.clone();
        let passphrase = match request.passphrase {
            Some(passphrase) => Some(passphrase),
            None => passphrase_of_settings(world, &settings)?,
        };
        let mut store = Self {
            world: world.clone(),
            settings,
            file_dir: request.file_dir,
            opened: None,
            passphrase,
            unlock_for: request.unlock_for,
            cache_key: None,
            has_said_no_keyring: false,
        };
        if let Some((kind, origin)) = store.named_kind(request.kind)? {
            store.opened = Some(store.open_backend(kind, origin)?);
        }
        Ok(store)
    }

    /// Why the kernel keyring holds nothing between commands; `None` if it does or could.
    pub(crate) fn why_nothing_is_held(&self) -> Option<KeyringError> {
        let error = self.opened.as_ref()?.place.unlocked.cache_key().err()?;
        (error != KeyringError::Absent).then_some(error)
    }

    /// Whether the store's passphrase can be had without asking the user.
    pub(crate) fn is_passphrase_at_hand(&self) -> bool {
        self.passphrase.is_some()
    }

    /// Reads the access key stored for `profile`.
    pub(crate) fn read_key(&mut self, profile: &ProfileName) -> Result<AccessKey, Failure> {
        self.unlock(Interaction::Allowed)?;
        let item = match self.opened()?.store.read(&ItemId::access_key(profile)) {
            Ok(item) => item,
            Err(StoreError::Absent) => {
                // Something other than hatbox deleted the item; the index must not list it again.
                self.drop_index();
                return Err(Failure::new(
                    FailureKind::Failed,
                    format!("no access key is stored for profile `{profile}`"),
                )
                .hint(format!("hatbox add {}", quote_word(profile.as_str()))));
            }
            Err(error) => return Err(self.failure_of(&error)),
        };
        let damaged =
            || Failure::new(FailureKind::Failed, format!("the access key of profile `{profile}` is damaged"));
        let secret = std::str::from_utf8(&item.secret).map_err(|_| damaged())?;
        let id = item.info.access_key_id.ok_or_else(damaged)?;
        Ok(AccessKey { id, secret: SecretString::new(secret.to_owned()) })
    }

    /// Stores an access key for `profile`, replacing an earlier one.
    pub(crate) fn save_key(&mut self, profile: &ProfileName, key: &AccessKey) -> Result<(), Failure> {
        self.unlock_or_create()?;
        let info = ItemInfo {
            id: ItemId::access_key(profile),
            created: self.world.clock.now(),
            access_key_id: Some(key.id.clone()),
        };
        let item = Item { info, secret: Zeroizing::new(key.secret.expose().as_bytes().to_vec()) };
        let _held = self.hold_keys()?;
        self.change(|store| store.replace(&item), |index| index.put(&item.info))
    }

    /// Replaces the key `old` by `new` in every profile that has it, and reads each back. Returns the profiles that now
    /// have `new`. If `profile` has neither key, nothing is written and it is not returned. The caller holds the
    /// rotation lock.
    #[cfg(feature = "iam")]
    pub(crate) fn replace_key(
        &mut self,
        profile: &ProfileName,
        old: &AccessKeyId,
        new: &AccessKey,
    ) -> Result<Vec<ProfileName>, Failure> {
        let created = self.world.clock.now();
        let item = |id: &ItemId| Item {
            info: ItemInfo { id: id.clone(), created, access_key_id: Some(new.id.clone()) },
            secret: Zeroizing::new(new.secret.expose().as_bytes().to_vec()),
        };
        let mut profiles = Vec::new();
        self.write_back(|store| {
            let (infos, _) = store.list()?;
            let of_key = |info: &&ItemInfo, key| {
                info.id.kind == ItemKind::AccessKey && info.access_key_id.as_ref() == Some(key)
            };
            let with_old: Vec<_> = infos.iter().filter(|info| of_key(info, old)).collect();
            let with_new = infos.iter().filter(|info| of_key(info, &new.id));
            let found: Vec<_> =
                with_old.iter().copied().chain(with_new).map(|info| info.id.profile.clone()).collect();
            if !found.contains(profile) {
                return Ok(Vec::new());
            }
            profiles = found;
            Ok(with_old.into_iter().map(|info| item(&info.id)).collect())
        })?;
        Ok(profiles)
    }

    /// The unfinished rotations of access keys.
    #[cfg(feature = "iam")]
    pub(crate) fn rotations(&mut self, interaction: Interaction) -> Result<Rotations, Failure> {
        let key = self.cache_key(interaction)?;
        Ok(Rotations::open(&self.world.dirs.rotations(), key))
    }

    /// Deletes the access key of `profile`.
    pub(crate) fn delete_key(&mut self, profile: &ProfileName) -> Result<(), Failure> {
        self.unlock(Interaction::Allowed)?;
        let id = ItemId::access_key(profile);
        let _held = self.hold_keys()?;
        self.change(|store| store.delete(&id), |index| index.take_off(&id))
    }

    /// Opens the cached sessions.
    pub(crate) fn sessions(&mut self, interaction: Interaction) -> Result<Sessions, Failure> {
        let key = self.cache_key(interaction)?;
        Ok(Sessions::open(&self.world.dirs.sessions(), key))
    }

    /// Does the same, and creates the store if there is none.
    pub(crate) fn sessions_or_create(&mut self) -> Result<Sessions, Failure> {
        if self.is_empty() {
            self.unlock_or_create()?;
            self.cache_key(Interaction::Allowed)?;
            self.record_choice();
        }
        self.sessions(Interaction::Allowed)
    }

    /// Opens the cached sessions; `None` if there is no store, or the user would have to unlock it.
    pub(crate) fn sessions_if_known(&mut self) -> Result<Option<Sessions>, Failure> {
        if self.is_empty() { Ok(None) } else { unless_locked(self.sessions(Interaction::Never)) }
    }

    /// Whether there is no store yet. A held cache key proves that there is one, without touching the backend.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.cache_key_at_hand().is_none()
            && self.opened.as_ref().is_none_or(|opened| opened.store.status() == Status::Empty)
    }

    /// Drops the unlocked state, in this process and in the kernel keyring.
    pub(crate) fn lock(&mut self) -> Result<(), KeyringError> {
        self.cache_key = None;
        match &mut self.opened {
            None => Ok(()),
            Some(opened) => {
                opened.store.lock();
                opened.place.unlocked.forget()
            }
        }
    }

    fn failure_of(&self, error: &StoreError) -> Failure {
        let kind = match error {
            StoreError::Locked(
                _,
                PassphraseError::CannotAsk | PassphraseError::NoDesktop | PassphraseError::TimedOut,
            ) => FailureKind::NeedsPerson,
            StoreError::Locked(_, PassphraseError::Cancelled | PassphraseError::Refused { .. }) => {
                FailureKind::Cancelled
            }
            StoreError::Locked(_, PassphraseError::Empty(_)) => FailureKind::Usage,
            StoreError::Untrusted { .. } | StoreError::Missing { .. } => FailureKind::Refused,
            _ => FailureKind::Failed,
        };
        let mut failure = Failure::of_error(kind, error);
        if let StoreError::Untrusted { place, .. } | StoreError::Missing { place, .. } = error {
            let (long, short) = (place.display().to_string(), self.world.dirs.shown(place));
            failure.error = failure.error.replacen(&long, &short, 1);
        }
        match error {
            StoreError::Locked(StoreKind::SecretService, PassphraseError::CannotAsk | PassphraseError::NoDesktop) => {
                failure.hint("unlock the keyring on the desktop, or with `gnome-keyring-daemon --unlock`")
            }
            StoreError::Locked(kind, PassphraseError::CannotAsk) if *kind != StoreKind::File => {
                failure.hint(format!("run it on a terminal, or unlock `{kind}` first"))
            }
            StoreError::Locked(_, PassphraseError::CannotAsk) => failure
                .hint("run it on a terminal, pass --passphrase-fd N, or set `passphrase_file` or `passphrase_command` in hatbox's settings"),
            StoreError::Locked(_, PassphraseError::Wrong) if self.passphrase.is_none() => failure
                .hint("the passphrase is the one chosen when the store was created; it cannot be recovered"),
            StoreError::Unavailable { hint: Some(hint), .. } => failure.hint(hint),
            StoreError::Newer { .. } => failure.hint(UPDATE_HINT),
            StoreError::Missing { .. } => failure
                .hint("mount the disk that it is on, or restore the directory from a backup")
                .hint("if it is lost for good, forget it: hatbox store trust"),
            StoreError::Untrusted { why: Distrust::OtherIdentity { .. }, .. } => failure
                .hint("if you did not replace the store yourself, restore it from a backup: this one may be another person's")
                .hint("to look at it and decide: hatbox store trust"),
            StoreError::Untrusted { why: Distrust::RolledBack { .. } | Distrust::Forked { .. }, .. } => failure
                .hint("if you did not restore it from a backup yourself, restore the newest one")
                .hint("to look at it and decide: hatbox store trust"),
            StoreError::Untrusted { .. } => failure.hint("to look at it and decide: hatbox store trust"),
            StoreError::Broken { what, .. } if what.contains("identity.") => {
                failure.hint("restore the file from a backup, or open the store another way and write it again: hatbox store wrap add")
            }
            StoreError::Broken { .. } => failure.hint("the other items still work; `hatbox add` writes this one again"),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_can_be_moved_to_another_thread() {
        fn assert_send<T: Send + 'static>() {}
        assert_send::<KeyStore>();
    }
}
