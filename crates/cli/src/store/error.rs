//! What goes wrong with a store: absent, locked or refused, unavailable, not trusted, or broken.

use std::error::Error;
use std::path::PathBuf;

use super::asker::PassphraseError;
use super::kind::StoreKind;

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
    /// Something in it has a format that this version does not know. It is neither used nor written over.
    #[error("{what} in the {kind} store was written by a newer version of hatbox")]
    Newer {
        /// Which store.
        kind: StoreKind,
        /// The item or file, by name.
        what: String,
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
        "it differs from the store that was used last (change {counter} of each): both are copies of the \
         same store"
    )]
    Forked {
        /// Both have this counter.
        counter: u64,
    },
    /// An older state of the store was put back.
    #[error("it is older (change {found}) than the store that was used last (change {pinned})")]
    RolledBack {
        /// The newest counter that was seen.
        pinned: u64,
        /// The counter that was found.
        found: u64,
    },
}

/// A text as the cause of an error.
pub(crate) fn cause(text: impl Into<String>) -> Box<dyn Error + Send + Sync> {
    Box::from(text.into())
}
