//! The index as commands use it: updated by every change, and rebuilt when it is missing or stale.

use std::path::Path;
use std::time::Duration;

use super::{KeyStore, unless_locked};
use crate::ask::passphrase::Interaction;
use crate::ask::waiting::{Wanted, wait_for_lock};
use crate::errors::Failure;
use crate::store::index::{Index, load_index, save_index};
use crate::store::sealed::CacheKey;
use crate::store::{Status, Store, StoreError};
use crate::sys::files::make_private_directory;
use crate::sys::lock::Lock;

/// A change takes milliseconds; a process that holds the lock for longer is stuck.
const STORE_PATIENCE: Duration = Duration::from_secs(20);

impl KeyStore {
    /// Returns the index, rebuilt if it is missing or stale.
    pub(crate) fn index(&mut self, interaction: Interaction) -> Result<Index, Failure> {
        if self.is_empty() {
            return Ok(Index::default());
        }
        let key = self.cache_key(interaction)?;
        match self.load_true_index(&key)? {
            Some(index) => Ok(index),
            None => self.rebuild_index(&key, interaction),
        }
    }

    /// Loads the saved index, if it is of the store's current generation.
    fn load_true_index(&mut self, key: &CacheKey) -> Result<Option<Index>, Failure> {
        let opened = self.opened()?;
        let loaded = load_index(&opened.index_path(), key)?;
        Ok(loaded.filter(|index| opened.store.generation().is_none_or(|now| now == index.generation)))
    }

    /// Returns the index; `None` if the user would have to unlock the store.
    pub(crate) fn index_if_known(&mut self) -> Result<Option<Index>, Failure> {
        unless_locked(self.index(Interaction::Never))
    }

    /// Counts the stored access keys; `None` if the user would have to unlock the store.
    pub(crate) fn count_if_known(&mut self) -> Result<Option<usize>, Failure> {
        let index = self.unlock(Interaction::Never).and_then(|()| self.index(Interaction::Never));
        unless_locked(index.map(|index| index.keys.len()))
    }

    fn rebuild_index(&mut self, key: &CacheKey, interaction: Interaction) -> Result<Index, Failure> {
        if self.opened()?.store.status() == Status::Empty {
            // The keyring still holds what unlocked a store that is deleted, its pin included.
            self.lock().ok();
            return Ok(Index::default());
        }
        self.unlock(interaction)?;
        // The held key may be from before the store got a new identity, so ask the store.
        let key = &self.true_cache_key(key)?;
        let directory = self.opened()?.place.state.clone();
        let _held = self.hold_store(&directory)?;
        // The process that held the lock may just have written it.
        if let Ok(Some(index)) = self.load_true_index(key) {
            return Ok(index);
        }
        self.world.output.debug(|| "rebuilding the index".to_owned());
        self.make_index(key)
    }

    /// Builds the index from the store. The caller holds the store's lock.
    fn make_index(&mut self, key: &CacheKey) -> Result<Index, Failure> {
        let opened = self.opened()?;
        let generation = opened.store.generation().unwrap_or_default();
        let (items, broken) = match opened.store.list() {
            Ok(listed) => listed,
            Err(error) => return Err(self.failure_of(&error)),
        };
        let path = opened.index_path();
        for error in broken {
            self.world.output.warn(&error.to_string());
        }
        let index = Index::of_items(generation, &items);
        self.save_or_warn(&path, key, &index);
        Ok(index)
    }

    /// Saves the index. If that fails, as on a full disk, the next command has to rebuild it, but this one can still
    /// use the keys.
    fn save_or_warn(&self, path: &Path, key: &CacheKey, index: &Index) {
        let saved = path.parent().map_or(Ok(()), make_private_directory);
        if let Err(error) = saved.and_then(|()| save_index(path, key, index)) {
            self.world.output.warn(&format!("the index of the store is not saved: {error}"));
        }
    }

    /// Deletes an index that lists an item that the store does not have.
    pub(super) fn drop_index(&mut self) {
        if let Some(opened) = &self.opened {
            // If this fails, the next command reports the same error.
            crate::sys::files::remove(&opened.index_path()).ok();
        }
    }

    /// Takes the store's lock. Taking it over is safe: items are replaced as a whole, and an index that misses one is
    /// of an older generation or gone.
    pub(super) fn hold_store(&self, directory: &Path) -> Result<Lock, Failure> {
        let wanted = Wanted {
            path: &directory.join("lock"),
            patience: STORE_PATIENCE,
            held_for: "a change of the store",
            seal: None,
            taken_from: None,
        };
        wait_for_lock(&self.world, &wanted)
    }

    /// Changes the store under its lock. The index is deleted first and written last, so a kill in between leaves no
    /// index instead of a wrong one. `note` applies to the index what `work` did to the store; if that is unknown, the
    /// index is rebuilt.
    pub(super) fn change(
        &mut self,
        work: impl FnOnce(&dyn Store) -> Result<(), StoreError>,
        note: impl FnOnce(&mut Index),
    ) -> Result<(), Failure> {
        let key = self.cache_key(Interaction::Allowed)?;
        let opened = self.opened()?;
        let (directory, index) = (opened.place.state.clone(), opened.index_path());
        let _held = self.hold_store(&directory)?;
        let before = self.load_true_index(&key)?;
        if before.is_none() {
            // Before anything is written: the store may hold what a newer version of hatbox wrote.
            let listed = self.opened()?.store.list().map(drop);
            if let Err(error @ StoreError::Newer { .. }) = listed {
                return Err(self.failure_of(&error));
            }
        }
        crate::sys::files::remove(&index)?;
        let result = work(&*self.opened()?.store);
        let result = result.map_err(|error| self.failure_of(&error));
        self.record_choice();
        match before {
            Some(mut followed) if result.is_ok() => {
                note(&mut followed);
                followed.generation = self.opened()?.store.generation().unwrap_or_default();
                self.save_or_warn(&index, &key, &followed);
            }
            _ => {
                self.make_index(&key)?;
            }
        }
        result
    }
}
