//! The index as commands use it: kept true by every change, rebuilt where it is missing or stale.

use std::path::Path;
use std::time::Duration;

use super::{KeyStore, unless_locked};
use crate::ask::passphrase::Interaction;
use crate::ask::waiting::{Wanted, wait_for_lock};
use crate::errors::Failure;
use crate::store::index::{Index, load_index, save_index};
use crate::store::sealed::CacheKey;
use crate::store::{Store, StoreError};
use crate::sys::files::make_private_directory;
use crate::sys::lock::Lock;

/// A change takes milliseconds; whoever holds the store for longer is stuck.
const STORE_PATIENCE: Duration = Duration::from_secs(20);

impl KeyStore {
    /// The index, rebuilt where it is missing or stale.
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

    /// The index as it was saved, unless the store has changed since.
    fn load_true_index(&mut self, key: &CacheKey) -> Result<Option<Index>, Failure> {
        let opened = self.opened()?;
        let loaded = load_index(&opened.index_path(), key)?;
        Ok(loaded.filter(|index| opened.store.generation().is_none_or(|now| now == index.generation)))
    }

    /// The index; `None` where a person would have to unlock the store.
    pub(crate) fn index_if_known(&mut self) -> Result<Option<Index>, Failure> {
        unless_locked(self.index(Interaction::Never))
    }

    /// How many access keys are stored; `None` where a person would have to unlock the store.
    pub(crate) fn count_if_known(&mut self) -> Result<Option<usize>, Failure> {
        let index = self.unlock(Interaction::Never).and_then(|()| self.index(Interaction::Never));
        unless_locked(index.map(|index| index.keys.len()))
    }

    fn rebuild_index(&mut self, key: &CacheKey, interaction: Interaction) -> Result<Index, Failure> {
        self.unlock(interaction)?;
        // What was held may be the key of before the store was given a new identity: what the store has counts.
        let key = &self.true_cache_key(key)?;
        let directory = self.opened()?.place.state.clone();
        let _held = self.hold_store(&directory)?;
        // Its writer may just have finished.
        if let Ok(Some(index)) = self.load_true_index(key) {
            return Ok(index);
        }
        self.world.output.debug(|| "rebuilding the index".to_owned());
        self.make_index(key)
    }

    /// Makes the index from the store. The store's lock is held.
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

    /// An index that cannot be saved, on a full disk or one that may not be written to, costs the next command
    /// the time to rebuild it, and is no reason to keep this one from the keys.
    fn save_or_warn(&self, path: &Path, key: &CacheKey, index: &Index) {
        let saved = path.parent().map_or(Ok(()), make_private_directory);
        if let Err(error) = saved.and_then(|()| save_index(path, key, index)) {
            self.world.output.warn(&format!("the index of the store is not saved: {error}"));
        }
    }

    /// Drops an index that promised what is not there.
    pub(super) fn drop_index(&mut self) {
        if let Some(opened) = &self.opened {
            // At worst the same message comes again.
            crate::sys::files::remove(&opened.index_path()).ok();
        }
    }

    /// The store's lock. Taking it over does no harm: an item is replaced whole, and an index that misses
    /// one is of an older generation, or gone.
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

    /// Changes the store under its lock: the index goes first and comes last, so that a kill in between
    /// leaves none, and never one that lies. `note` does to the index what `work` did to the store; where that
    /// is not known, the index is rebuilt.
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
