//! Opens a backend by its kind: the one place that knows all of them.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "file")]
use super::file::FileStore;
use super::programs::Programs;
use super::unlocked::Unlocked;
use super::{Store, StoreError, StoreKind, cause};

/// What a backend is given. Nothing of it is read or made before the backend needs it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The locks of the backend; of the `file` backend also its items. Absolute.
    pub(crate) directory: PathBuf,
    /// What this machine knows of the backend: the index; of the `file` backend also the pin. Absolute.
    pub(crate) state: PathBuf,
    /// The fingerprint that the identity of the `file` backend must have.
    #[cfg_attr(not(feature = "file"), expect(dead_code, reason = "for the `file` backend"))]
    pub(crate) identity: Option<String>,
    /// What is held of it in the kernel keyring.
    pub(crate) unlocked: Unlocked,
    /// How long a person may take to answer a prompt of the backend's own.
    #[cfg_attr(
        not(any(feature = "file", all(target_os = "linux", feature = "secret-service"))),
        expect(dead_code, reason = "only backends that ask by themselves")
    )]
    pub(crate) patience: Duration,
    /// What the backends get that are programs; `None` for the others.
    pub(crate) programs: Option<Programs>,
}

/// An open backend. The encrypted files are known by their type, for what only they have: wraps, a new identity, trust.
#[derive(Debug)]
pub(crate) enum Backend {
    /// The backend `file`.
    #[cfg(feature = "file")]
    File(Box<FileStore>),
    /// Another.
    Other(Box<dyn Store>),
}

impl Deref for Backend {
    type Target = dyn Store;

    fn deref(&self) -> &(dyn Store + 'static) {
        match self {
            #[cfg(feature = "file")]
            Self::File(store) => &**store,
            Self::Other(store) => &**store,
        }
    }
}

impl DerefMut for Backend {
    fn deref_mut(&mut self) -> &mut (dyn Store + 'static) {
        match self {
            #[cfg(feature = "file")]
            Self::File(store) => &mut **store,
            Self::Other(store) => &mut **store,
        }
    }
}

/// Opens a backend; touches nothing yet.
///
/// # Errors
/// [`StoreError::Unavailable`] when this build does not have it.
pub(crate) fn open_store(kind: StoreKind, place: &Place) -> Result<Backend, StoreError> {
    let programs = || {
        place.programs.as_ref().ok_or_else(|| StoreError::Unavailable {
            kind,
            source: cause("it is not known which program it is"),
            hint: None,
        })
    };
    let store: Box<dyn Store> = match kind {
        #[cfg(all(target_os = "linux", feature = "secret-service"))]
        StoreKind::SecretService => Box::new(super::secret_service::SecretServiceStore::open(place.patience)),
        #[cfg(feature = "file")]
        StoreKind::File => {
            let store = FileStore::open(
                &place.directory,
                &place.state,
                place.identity.clone(),
                place.unlocked.clone(),
                place.patience,
            );
            return Ok(Backend::File(Box::new(store)));
        }
        #[cfg(all(target_os = "macos", feature = "keychain"))]
        StoreKind::Keychain => Box::new(super::keychain::KeychainStore::open()),
        #[cfg(windows)]
        StoreKind::Wincred => Box::new(super::wincred::WincredStore::open()),
        StoreKind::Command => Box::new(super::command::CommandStore::open(programs()?)),
        StoreKind::Pass => Box::new(super::pass::PassStore::open_pass(programs()?)),
        StoreKind::Passage => Box::new(super::pass::PassStore::open_passage(programs()?)),
        _ => {
            let built: Vec<_> = StoreKind::ALL.into_iter().filter(|kind| kind.is_built()).collect();
            let names: Vec<_> = built.iter().map(|kind| format!("`{kind}`")).collect();
            return Err(StoreError::Unavailable {
                kind,
                source: cause("this build of hatbox does not have it"),
                hint: Some(format!("it has {}", names.join(", "))),
            });
        }
    };
    Ok(Backend::Other(store))
}
