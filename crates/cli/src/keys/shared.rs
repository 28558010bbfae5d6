//! One store for several plans, which may be carried out in several threads: it is unlocked once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::KeyStore;

/// A store that several owners use, one at a time.
#[derive(Debug, Clone)]
pub(crate) struct SharedStore(Arc<Mutex<KeyStore>>);

impl SharedStore {
    pub(crate) fn new(store: KeyStore) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// The store. It is to be let go before a call to AWS or a question that does not unlock it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, KeyStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
