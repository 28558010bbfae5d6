//! One store for several plans, possibly in several threads, so that it is unlocked once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::KeyStore;

/// A store that several owners use in turn.
#[derive(Debug, Clone)]
pub(crate) struct SharedStore(Arc<Mutex<KeyStore>>);

impl SharedStore {
    pub(crate) fn new(store: KeyStore) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// Locks the store for this thread. Drop the guard before a call to AWS, and before a question that does not unlock
    /// it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, KeyStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
