//! Where secrets rest. One trait, one module for each backend, and the sealed files around them.
//!
//! | what | where |
//! |---|---|
//! | access keys, TOTP seeds, the cache key | a backend: [`Store`] |
//! | which profile has which access key | [`index`], sealed under the cache key |
//! | temporary credentials | [`sessions`], sealed under the cache key |
//! | the unlocked state, for a while | [`unlocked`], in the kernel keyring |

use std::error::Error;
use std::fmt::Debug;
use std::path::PathBuf;

use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::SecretString;
use jiff::Timestamp;
use zeroize::Zeroizing;

pub(crate) mod backups;
pub(crate) mod command;
#[cfg(feature = "file")]
pub(crate) mod file;
pub(crate) mod index;
pub(crate) mod item_name;
pub(crate) mod item_text;
#[cfg(all(target_os = "macos", feature = "keychain"))]
mod keychain;
mod kind;
#[cfg(test)]
mod memory;
pub(crate) mod open;
#[cfg(any(test, windows, all(target_os = "macos", feature = "keychain")))]
mod os_code;
pub(crate) mod pass;
pub(crate) mod passphrase_box;
pub(crate) mod programs;
pub(crate) mod sealed;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub(crate) mod secret_service;
pub(crate) mod sessions;
pub(crate) mod unlocked;
#[cfg(windows)]
mod wincred;

#[cfg(test)]
mod contract;

#[cfg(all(any(test, fuzzing), feature = "file"))]
pub(crate) use command::accepts_answer;
#[cfg(all(any(test, fuzzing), feature = "file"))]
pub(crate) use file::{accepts_item, accepts_manifest};

pub(crate) use kind::StoreKind;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ItemKind {
    /// A long-lived access key: its secret half, as text. The id is in [`ItemInfo`].
    AccessKey,
    /// The 32 bytes that seal index and sessions. Its profile is `default`, and means nothing.
    CacheKey,
}

impl ItemKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access-key",
            Self::CacheKey => "cache-key",
        }
    }
}

/// The name of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemId {
    pub(crate) kind: ItemKind,
    pub(crate) profile: ProfileName,
}

impl ItemId {
    pub(crate) fn access_key(profile: &ProfileName) -> Self {
        Self { kind: ItemKind::AccessKey, profile: profile.clone() }
    }

    pub(crate) fn cache_key() -> Self {
        Self { kind: ItemKind::CacheKey, profile: ProfileName::default_profile() }
    }
}

/// What is known of an item without showing its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemInfo {
    pub(crate) id: ItemId,
    /// When it was written.
    pub(crate) created: Timestamp,
    /// Of an access key: its id.
    pub(crate) access_key_id: Option<AccessKeyId>,
}

/// An item's secret and what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) info: ItemInfo,
    pub(crate) secret: Zeroizing<Vec<u8>>,
}

/// Whether a backend can be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// Yes, without a question.
    Ready,
    /// After [`Store::unlock`].
    Locked,
    /// There is nothing yet: the first write creates it.
    Empty,
    /// Not on this machine, or not at this moment: why, in words.
    Unavailable(String),
}

/// What a store asks of a person, or of what stands in for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PassphraseFor {
    /// Opening what is there. `attempt` is 1 the first time.
    Opening {
        /// Which try this is.
        attempt: u32,
    },
    /// Creating: a person is asked twice.
    Creating,
    /// A new one for a store that is there: a person is asked twice.
    Changing,
    /// An age plugin is to be used, or has something to say.
    #[cfg(feature = "plugins")]
    Plugin(PluginAsks),
    /// Nothing, but leave to let the backend ask a person by a prompt of its own: GnuPG's pinentry. The answer
    /// is not used.
    OwnPrompt,
    /// The same, by a window of the desktop.
    DesktopPrompt,
}

/// What an age plugin wants. Its texts are printable.
#[cfg(feature = "plugins")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PluginAsks {
    /// Leave to use one: there is also a passphrase.
    MayBeUsed,
    /// Leave to use one: there is no other way.
    MustBeUsed,
    /// No answer; something for the person to read: `touch your key`.
    Nothing { plugin: String, text: String },
    /// A line that may be seen.
    Line { plugin: String, text: String },
    /// A secret: a PIN.
    Secret { plugin: String, text: String },
}

/// Why no passphrase could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    /// Nobody can be asked now.
    #[error("the store is locked, and there is no way to ask for its passphrase")]
    NoWay,
    /// The desktop's keyring is locked, and there is no desktop on which a person could be asked.
    #[error("it is locked, and there is no desktop to ask for its password")]
    NoDesktop,
    /// The person pressed Ctrl-C.
    #[error("cancelled")]
    Cancelled,
    /// Nobody answered in time.
    #[error("nobody gave the passphrase in time")]
    TimedOut,
    /// Another process took the question over.
    #[error("answered elsewhere")]
    AnsweredElsewhere,
    /// Its source failed: the command, the descriptor, ...
    #[error("{what}")]
    Source {
        /// What happened, in words; never the passphrase.
        what: String,
    },
    /// It is empty.
    #[error("the passphrase from {0} is empty")]
    Empty(String),
    /// There is no more to try.
    #[error("the passphrase is wrong")]
    Wrong,
    /// The backend asked by a prompt of its own, and was refused.
    #[error("{what}")]
    Refused {
        /// What happened, in words.
        what: String,
    },
}

/// Gives the passphrase. Asked again after a wrong one, until it answers with an error.
pub(crate) type AskPassphrase<'a> = dyn FnMut(PassphraseFor) -> Result<SecretString, PassphraseError> + 'a;

/// What went wrong. Only [`StoreError::Absent`] may mean "try the next way".
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is no such item.
    #[error("there is no such item in the store")]
    Absent,
    /// Locked, and unlocking was refused or not possible.
    #[error("the {0} store is locked")]
    Locked(StoreKind, #[source] PassphraseError),
    /// The backend cannot be used on this machine or at this moment.
    #[error("the {kind} store cannot be used")]
    Unavailable {
        /// Which.
        kind: StoreKind,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
        /// What the user can run or set.
        hint: Option<String>,
    },
    /// It is not the store that was used before, or not its newest state: it is not believed.
    #[error("the store at `{}` is not trusted", place.display())]
    Untrusted {
        /// Where it is.
        place: PathBuf,
        /// Why.
        #[source]
        why: Distrust,
    },
    /// There was a store, and now there is none, or a part of one.
    #[error("the store at `{}` is missing: {why}", place.display())]
    Missing {
        /// Where it was.
        place: PathBuf,
        /// What of it is not there.
        why: &'static str,
    },
    /// Something in it is not what hatbox wrote. The others still work.
    #[error("{what} in the {kind} store is damaged: {problem}")]
    Broken {
        /// Which store.
        kind: StoreKind,
        /// The item or file, by name.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why a store is not believed to be the user's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Distrust {
    /// Another identity than the one that was pinned at an earlier use.
    #[error("its identity is `{found}`, and `{pinned}` was used here before")]
    OtherIdentity {
        /// The fingerprint that is pinned.
        pinned: String,
        /// The one that a wrap gave.
        found: String,
    },
    /// It was opened by what another person can make, and no earlier use says whose it is.
    #[error("it was not used on this machine before, and a plugin alone does not prove that it is yours")]
    NotPinned,
    /// The manifest is not what hatbox wrote with the store's identity.
    #[error("its `manifest.json` was changed by something other than hatbox")]
    Changed,
    /// A state that was made beside the one that was used last, from the same one before.
    #[error(
        "it is another state (change {counter}) than the one that was used last: both came from the same one"
    )]
    Forked {
        /// Both have this counter.
        counter: u64,
    },
    /// An older state of the store was put back.
    #[error("it is an older state (change {found}) than the one that was used last (change {pinned})")]
    RolledBack {
        /// The newest counter that was seen.
        pinned: u64,
        /// The counter that was found.
        found: u64,
    },
}

/// What a store lists: the items, and what is wrong with those that are damaged.
pub(crate) type Listed = (Vec<ItemInfo>, Vec<StoreError>);

/// A place for secrets. Blocking; safe to use from several processes at once.
pub(crate) trait Store: Debug + Send {
    /// Which backend this is.
    fn kind(&self) -> StoreKind;

    /// Whether it can be used now. Asks nobody.
    fn status(&self) -> Status;

    /// Makes it usable, asking where it must. Creates an empty store where there is none.
    fn unlock(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError>;

    /// Forgets what `unlock` learned.
    fn lock(&mut self);

    /// All items, without their secrets. A damaged one is reported beside the others, not instead of them.
    fn list(&self) -> Result<Listed, StoreError>;

    /// One item.
    fn read(&self, id: &ItemId) -> Result<Item, StoreError>;

    /// Writes an item, in the place of one of the same id.
    fn write(&self, item: &Item) -> Result<(), StoreError>;

    /// Deletes an item.
    fn delete(&self, id: &ItemId) -> Result<(), StoreError>;

    /// A value that changes whenever an item does; cheap, asks nobody, touches no bus. An index made at
    /// another value is stale. `None` where the backend has none: then the index is taken as it is, and made
    /// anew when it names an item that is not there.
    fn generation(&self) -> Option<u64>;

    /// The `file` backend, for what only that one has.
    #[cfg(feature = "file")]
    fn as_file(&mut self) -> Option<&mut file::FileStore> {
        None
    }

    /// What `unlock` found that the user should know; each is told once.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A text as the cause of an error.
pub(crate) fn cause(text: impl Into<String>) -> Box<dyn Error + Send + Sync> {
    Box::from(text.into())
}
