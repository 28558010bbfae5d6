//! Opens a backend by its kind. Only this module knows all backends.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "file")]
use super::file::FileStore;
use super::programs::Programs;
use super::unlocked::Unlocked;
use super::{Store, StoreError, StoreKind, cause};

/// The parameters of a backend. Nothing is read or created before the backend needs it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The locks of the backend, and the items of the `file` backend. Absolute.
    pub(crate) directory: PathBuf,
    /// What this machine knows about the backend: the index, and the pin of the `file` backend. Absolute.
    pub(crate) state: PathBuf,
    /// The fingerprint that the identity of the `file` backend must have.
    #[cfg_attr(not(feature = "file"), expect(dead_code, reason = "for the `file` backend"))]
    pub(crate) identity: Option<String>,
    /// What the kernel keyring holds of it.
    pub(crate) unlocked: Unlocked,
    /// How long the user may take to answer the backend's own prompt.
    #[cfg_attr(
        not(any(feature = "file", all(target_os = "linux", feature = "secret-service"))),
        expect(dead_code, reason = "only backends that ask by themselves")
    )]
    pub(crate) patience: Duration,
    /// The parameters of backends that are external programs; `None` for the others.
    pub(crate) programs: Option<Programs>,
}

/// An open backend. The `file` backend has its own variant, for operations that only it has: wraps, rekeying, trust.
#[derive(Debug)]
pub(crate) enum Backend {
    /// The `file` backend.
    #[cfg(feature = "file")]
    File(Box<FileStore>),
    /// Any other backend.
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

/// Opens a backend, without reading or creating anything yet.
///
/// # Errors
/// [`StoreError::Unavailable`] if this build does not include it.
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
