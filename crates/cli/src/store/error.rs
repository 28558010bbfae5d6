//! Store errors: absent, locked or refused, unavailable, not trusted, or broken.

use std::error::Error;
use std::path::PathBuf;

use super::asker::PassphraseError;
use super::kind::StoreKind;

/// A store error. Only [`StoreError::Absent`] may mean "try the next way".
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is no such item.
    #[error("there is no such item in the store")]
    Absent,
    /// The store is locked, and unlocking was refused or is not possible.
    #[error("the {0} store is locked")]
    Locked(StoreKind, #[source] PassphraseError),
    /// The backend cannot be used on this machine, or not at the moment.
    #[error("the {kind} store cannot be used")]
    Unavailable {
        /// Which backend.
        kind: StoreKind,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
        /// What the user can run or set.
        hint: Option<String>,
    },
    /// It is not the store that was used before, or not its newest state, so it is not used.
    #[error("the store at `{}` is not trusted", place.display())]
    Untrusted {
        /// The path of the store.
        place: PathBuf,
        /// Why.
        #[source]
        why: Distrust,
    },
    /// A store was used here before, and now all or part of it is missing.
    #[error("the store at `{}` is missing: {why}", place.display())]
    Missing {
        /// The path of the store.
        place: PathBuf,
        /// What is missing.
        why: &'static str,
    },
    /// Part of it has a format that this version does not know. It is neither used nor overwritten.
    #[error("{what} in the {kind} store was written by a newer version of hatbox")]
    Newer {
        /// Which store.
        kind: StoreKind,
        /// The name of the item or file.
        what: String,
    },
    /// Part of it is not what hatbox wrote. Other items still work.
    #[error("{what} in the {kind} store is damaged: {problem}")]
    Broken {
        /// Which store.
        kind: StoreKind,
        /// The name of the item or file.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why a store is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Distrust {
    /// Its identity is not the one that was pinned at an earlier use.
    #[error("its identity is `{found}`, and `{pinned}` was used here before")]
    OtherIdentity {
        /// The pinned fingerprint.
        pinned: String,
        /// The fingerprint of the identity in the wrap.
        found: String,
    },
    /// It was opened in a way that an attacker can also set up, and no earlier use proves that it is the user's.
    #[error("it was not used on this machine before, and a plugin alone does not prove that it is yours")]
    NotPinned,
    /// The manifest was not written by hatbox with the store's identity.
    #[error("its `manifest.json` was changed by something other than hatbox")]
    Changed,
    /// Two states were made from the same earlier one: this one, and the one that was used last.
    #[error(
        "it differs from the store that was used last (change {counter} of each): both are copies of the \
         same store"
    )]
    Forked {
        /// The counter, which is the same in both.
        counter: u64,
    },
    /// An older state of the store was restored.
    #[error("it is older (change {found}) than the store that was used last (change {pinned})")]
    RolledBack {
        /// The newest known counter.
        pinned: u64,
        /// The counter in the store.
        found: u64,
    },
}

/// Makes a text the cause of an error.
pub(crate) fn cause(text: impl Into<String>) -> Box<dyn Error + Send + Sync> {
    Box::from(text.into())
}
