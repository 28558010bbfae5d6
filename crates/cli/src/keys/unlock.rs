//! Unlocks the store: decides whom to ask, lets one process ask for all, and keeps the result for the next command.

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use super::{BackendOrigin, KeyStore};
use crate::ask::passphrase::{Interaction, PassphraseAsker, Patience};
use crate::ask::waiting::{Wanted, leave_failure, wait_for_lock};
use crate::env_names;
use crate::errors::{Failure, FailureKind};
#[cfg(feature = "plugins")]
use crate::store::asker::PluginMessage;
use crate::store::asker::{Asker, OwnPrompt, PassphraseError, PassphraseFor};
use crate::store::sealed::CacheKey;
use crate::store::unlocked::HeldIn;
use crate::store::{Item, ItemId, ItemInfo, Status, StoreError, StoreKind};
use crate::sys::files::{check_creator, make_private_directory};
use crate::sys::keyring::KeyringError;

impl KeyStore {
    /// Unlocks the store. Never creates one.
    pub(super) fn unlock(&mut self, interaction: Interaction) -> Result<(), Failure> {
        if self.opened.as_ref().is_none_or(|opened| opened.store.status() == Status::Empty) {
            return Err(no_store_yet());
        }
        self.unlock_what_is_there(interaction)
    }

    /// Unlocks the store, and creates it if there is none: for commands that store a key.
    pub(super) fn unlock_or_create(&mut self) -> Result<(), Failure> {
        self.unlock_what_is_there(Interaction::Allowed)
    }

    fn unlock_what_is_there(&mut self, interaction: Interaction) -> Result<(), Failure> {
        loop {
            let status = self.opened()?.store.status();
            if matches!(status, Status::Unavailable(_)) {
                // No answer would help; the error of the backend says what does.
                let result = self.opened()?.store.unlock(&mut Unasked::default());
                return result.map_err(|error| self.failure_of(&error));
            }
            if status == Status::Ready || self.unlock_without_question(&status)? {
                return Ok(());
            }
            // A caller that must not ask must not wait for another process's question either.
            if interaction == Interaction::Never && self.passphrase.is_none() {
                let kind = self.opened()?.store.kind();
                return Err(self.failure_of(&StoreError::Locked(kind, PassphraseError::CannotAsk)));
            }
            if self.world.environment.text(env_names::UNLOCKING).is_some() {
                return Err(Failure::new(
                    FailureKind::Usage,
                    "`passphrase_command` runs hatbox, which needs the passphrase itself",
                )
                .hint("use a command that does not read from hatbox's store"));
            }
            self.check_owner()?;
            match self.unlock_by_asking(interaction)? {
                Asked::Unlocked => return Ok(()),
                Asked::AnsweredElsewhere => self.world.output.note("answered on another terminal"),
            }
        }
    }

    /// Tries to unlock without a question: the kernel keyring may hold the identity, or the desktop may have unlocked
    /// its store.
    fn unlock_without_question(&mut self, status: &Status) -> Result<bool, Failure> {
        if *status != Status::Locked {
            return Ok(false);
        }
        let mut asker = Unasked::default();
        match self.opened()?.store.unlock(&mut asker) {
            Ok(()) => {
                for warning in asker.warnings {
                    self.world.output.warn(&warning);
                }
                Ok(true)
            }
            // No passphrase makes this the user's store.
            Err(error @ (StoreError::Untrusted { .. } | StoreError::Missing { .. })) => {
                Err(self.failure_of(&error))
            }
            Err(_) => Ok(false),
        }
    }

    /// Asks for the passphrase. One process at a time asks and runs scrypt; the others then find the identity in the
    /// kernel keyring.
    fn unlock_by_asking(&mut self, interaction: Interaction) -> Result<Asked, Failure> {
        let directory = self.opened()?.place.state.clone();
        make_private_directory(&directory)?;
        let timeout = self.settings.prompt_timeout();
        let wanted = Wanted {
            path: &directory.join("unlock.lock"),
            patience: timeout * 3,
            held_for: "the passphrase of the store",
            seal: None,
            taken_from: None,
        };
        let held = wait_for_lock(&self.world, &wanted)?;
        let source = self.passphrase.as_ref();
        let patience = Patience { timeout, is_over: &|| !held.is_current() };
        let mut asker = PassphraseAsker::new(&self.world, source, interaction, patience);
        let Some(opened) = &mut self.opened else { return Ok(Asked::AnsweredElsewhere) };
        // A backend that the first write picks is announced after it was written to.
        let is_new = opened.store.status() == Status::Empty && opened.origin != BackendOrigin::FirstWrite;
        let result = opened.store.unlock(&mut asker);
        let read = asker.read;
        match result {
            Ok(()) => {}
            Err(StoreError::Locked(_, PassphraseError::AnsweredElsewhere)) => {
                return Ok(Asked::AnsweredElsewhere);
            }
            Err(error) => {
                let mut failure = self.failure_of(&error);
                // Another process may have a better source of the passphrase.
                failure.is_shared = source.is_none() && failure.kind != FailureKind::NeedsPerson
                    || matches!(error, StoreError::Locked(_, PassphraseError::TimedOut));
                leave_failure(&held, &failure, None);
                return Err(failure);
            }
        }
        drop(held);
        if read.is_some() {
            self.passphrase = read;
        }
        if is_new {
            self.note_where_keys_are();
        }
        Ok(Asked::Unlocked)
    }

    /// Checks before anything is asked that root does not create a store in another user's directory.
    fn check_owner(&mut self) -> Result<(), Failure> {
        let directory = self.opened()?.place.directory.clone();
        if directory.exists() {
            return Ok(());
        }
        Ok(check_creator(&directory)?)
    }

    /// Returns the cache key if it is held. Touches no backend.
    pub(super) fn cache_key_at_hand(&mut self) -> Option<CacheKey> {
        if self.cache_key.is_none() {
            self.cache_key = match self.opened.as_ref()?.place.unlocked.cache_key() {
                Ok(key) => Some(key),
                Err(KeyringError::Denied | KeyringError::Full) => self.cache_key_in_box(),
                Err(KeyringError::Absent | KeyringError::Unknown) => None,
            };
        }
        self.cache_key.clone()
    }

    /// Returns the cache key if it is held and no question is needed.
    pub(crate) fn cache_key_if_held(&mut self) -> Option<CacheKey> {
        self.cache_key_at_hand()
    }

    /// Without a kernel keyring: opens the box that seals the cache key under the passphrase, if the passphrase is at
    /// hand.
    fn cache_key_in_box(&mut self) -> Option<CacheKey> {
        let unlocked = self.opened.as_ref()?.place.unlocked.clone();
        let passphrase = unlocked.has_box().then(|| self.passphrase_at_hand())??;
        unlocked.cache_key_by(&passphrase)
    }

    /// Returns the passphrase if it can be had without asking the user. Its source is asked only once: a descriptor can
    /// be read once, and a command takes time.
    fn passphrase_at_hand(&mut self) -> Option<SecretString> {
        if self.world.environment.text(env_names::UNLOCKING).is_some() {
            return None;
        }
        let source = self.passphrase.as_ref()?;
        let patience = Patience { timeout: self.settings.prompt_timeout(), is_over: &|| false };
        let mut asker = PassphraseAsker::new(&self.world, Some(source), Interaction::Never, patience);
        // A missing passphrase is reported when it is needed.
        let text = asker.passphrase(PassphraseFor::Opening { attempt: 1 }).ok()?;
        self.passphrase = asker.read;
        Some(text)
    }

    /// Returns the cache key, from the kernel keyring or else from the store.
    pub(super) fn cache_key(&mut self, interaction: Interaction) -> Result<CacheKey, Failure> {
        if let Some(key) = self.cache_key_at_hand() {
            return Ok(key);
        }
        self.unlock(interaction)?;
        let key = self.load_or_create_cache_key()?;
        self.hold_cache_key(&key)?;
        Ok(self.cache_key.insert(key).clone())
    }

    fn is_boxed(&self, passphrase: &SecretString, key: &CacheKey) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.place.unlocked.hold_cache_key_by(passphrase, key))
    }

    fn hold_cache_key(&mut self, key: &CacheKey) -> Result<(), Failure> {
        match self.opened()?.place.unlocked.hold_cache_key(key) {
            Ok(HeldIn::Keyring) => {}
            Ok(HeldIn::RuntimeDirectory) => self.world.output.warn(
                "the unlocked store is held in a file of XDG_RUNTIME_DIR, which all your processes can read",
            ),
            Err(error) => {
                let is_boxed = matches!(error, KeyringError::Denied | KeyringError::Full)
                    && self.passphrase_at_hand().is_some_and(|passphrase| self.is_boxed(&passphrase, key));
                if !is_boxed {
                    self.note_no_keyring(error);
                }
            }
        }
        Ok(())
    }

    /// Returns the cache key of the open store, which may differ from the held one.
    pub(super) fn true_cache_key(&mut self, held: &CacheKey) -> Result<CacheKey, Failure> {
        let key = self.load_or_create_cache_key()?;
        if key.expose() != held.expose() {
            self.opened()?.place.unlocked.forget_cache_key();
            self.cache_key = None;
            self.hold_cache_key(&key)?;
        }
        Ok(self.cache_key.insert(key).clone())
    }

    fn load_or_create_cache_key(&mut self) -> Result<CacheKey, Failure> {
        if let Some(key) = self.load_cache_key()? {
            return Ok(key);
        }
        let directory = self.opened()?.place.state.clone();
        make_private_directory(&directory)?;
        let _held = self.hold_store(&directory)?;
        // Another process may have created it first.
        if let Some(key) = self.load_cache_key()? {
            return Ok(key);
        }
        let key = CacheKey::generate()?;
        let info = ItemInfo { id: ItemId::cache_key(), created: self.world.clock.now(), access_key_id: None };
        let item = Item { info, secret: Zeroizing::new(key.expose().to_vec()) };
        let written = self.opened()?.store.write(&item);
        written.map_err(|error| self.failure_of(&error))?;
        Ok(key)
    }

    /// Loads the cache key; `None` if there is none or it is damaged. The index and the cached sessions can be
    /// recreated without it, but the record of an unfinished rotation cannot.
    fn load_cache_key(&mut self) -> Result<Option<CacheKey>, Failure> {
        match self.opened()?.store.read(&ItemId::cache_key()) {
            Ok(item) => Ok(CacheKey::of_bytes(&item.secret)),
            Err(StoreError::Absent) => Ok(None),
            Err(error @ StoreError::Broken { .. }) => {
                self.world.output.warn(&format!("{error}; it held the cache key, which is created again"));
                #[cfg(feature = "iam")]
                if crate::store::rotations::has_records(&self.world.dirs.rotations()) {
                    self.world.output.warn(
                        "the records of unfinished rotations cannot be read without it: look for access keys that you \
                         do not know in IAM",
                    );
                }
                Ok(None)
            }
            Err(error) => Err(self.failure_of(&error)),
        }
    }

    fn note_no_keyring(&mut self, error: KeyringError) {
        // Only the `file` backend has a passphrase that could be held.
        let is_asked_for = self.opened.as_ref().is_some_and(|opened| opened.store.kind() == StoreKind::File);
        if error == KeyringError::Unknown && !is_asked_for {
            return;
        }
        if !std::mem::replace(&mut self.has_said_no_keyring, true) {
            let why = match error {
                KeyringError::Full => "your kernel keyring is full",
                KeyringError::Absent | KeyringError::Denied => "the kernel keyring cannot be used here",
                KeyringError::Unknown => "this system holds nothing between commands",
            };
            let is_file = self.chosen().is_some_and(|(kind, _)| kind == StoreKind::File);
            let hint = if is_file && error != KeyringError::Unknown {
                "; to avoid that, set `unlock_cache = \"runtime-dir\"` in hatbox's settings"
            } else {
                ""
            };
            self.world.output.note(&format!("{why}: each command unlocks the store again{hint}"));
        }
    }
}

pub(super) fn no_store_yet() -> Failure {
    Failure::new(FailureKind::Failed, "there is no store yet").hint("hatbox add PROFILE")
}

/// Answers no question, and keeps the backend's warnings.
#[derive(Default)]
struct Unasked {
    warnings: Vec<String>,
}

impl Asker for Unasked {
    fn passphrase(&mut self, _: PassphraseFor) -> Result<SecretString, PassphraseError> {
        Err(PassphraseError::CannotAsk)
    }

    fn may_prompt(&mut self, _: OwnPrompt) -> Result<(), PassphraseError> {
        Err(PassphraseError::CannotAsk)
    }

    #[cfg(feature = "plugins")]
    fn plugin(&mut self, _: &PluginMessage) -> Result<Option<SecretString>, PassphraseError> {
        Err(PassphraseError::CannotAsk)
    }

    fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }
}

/// The result of asking.
enum Asked {
    Unlocked,
    AnsweredElsewhere,
}
