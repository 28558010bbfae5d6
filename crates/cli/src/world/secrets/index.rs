//! The index as commands use it: kept true by every change, made anew where it is missing or stale.

use std::path::PathBuf;
use std::time::Duration;

use super::{Known, Secrets, file_failure};
use crate::report::{Failure, FailureKind};
use crate::store::file::FileStore;
use crate::store::index::{Index, load_index, save_index};
use crate::store::sealed::CacheKey;
use crate::store::{Status, Store, StoreError};
use crate::sys::lock::Lock;
use crate::world::passphrase::Asking;
use crate::world::waiting::wait_for_lock;

/// A change takes milliseconds; whoever holds the store for longer is stuck.
const STORE_PATIENCE: Duration = Duration::from_secs(20);

impl Secrets<'_> {
    fn index_path(&self) -> PathBuf {
        self.directory.join("index")
    }

    /// The index, made anew where it is missing or stale.
    pub(crate) fn index(&mut self, asking: Asking) -> Result<Index, Failure> {
        if self.store.status() == Status::Empty {
            return Ok(Index::default());
        }
        let key = self.cache_key(asking)?;
        let loaded = load_index(&self.index_path(), &key).map_err(|error| file_failure(&error))?;
        match loaded {
            Some(index) if index.generation == self.store.generation() => Ok(index),
            _ => self.rebuild_index(&key, asking),
        }
    }

    /// The index, where it can be had without asking a person.
    pub(crate) fn index_if_known(&mut self) -> Result<Known<Index>, Failure> {
        match self.index(Asking::AtHand) {
            Ok(index) => Ok(Known::Yes(index)),
            Err(failure) if failure.kind == FailureKind::NeedsPerson => Ok(Known::Locked),
            Err(failure) => Err(failure),
        }
    }

    fn rebuild_index(&mut self, key: &CacheKey, asking: Asking) -> Result<Index, Failure> {
        self.unlock(asking)?;
        let _held = self.hold_store()?;
        // Its writer may just have finished.
        if let Ok(Some(index)) = load_index(&self.index_path(), key)
            && index.generation == self.store.generation()
        {
            return Ok(index);
        }
        self.world.output.debug(|| "making the index anew".to_owned());
        self.make_index(key)
    }

    /// Makes the index from the store. The store's lock is held.
    fn make_index(&self, key: &CacheKey) -> Result<Index, Failure> {
        let generation = self.store.generation();
        let (items, broken) = self.store.list().map_err(|error| self.failure_of(&error))?;
        for error in broken {
            self.world.output.warn(&error.to_string());
        }
        let index = Index::of_items(generation, &items);
        save_index(&self.index_path(), key, &index).map_err(|error| file_failure(&error))?;
        Ok(index)
    }

    /// The store's lock. Taking it over does no harm: an item is replaced whole, and an index that misses
    /// one is of an older generation.
    pub(super) fn hold_store(&self) -> Result<Lock, Failure> {
        wait_for_lock(self.world, &self.directory.join("lock"), STORE_PATIENCE, "a change of the store")
    }

    /// Changes the store under its lock: the index goes first and comes last, so that a kill in between
    /// leaves none, and never one that lies.
    pub(super) fn change(
        &mut self,
        work: impl FnOnce(&FileStore) -> Result<(), StoreError>,
    ) -> Result<(), Failure> {
        let key = self.cache_key(Asking::Person)?;
        let _held = self.hold_store()?;
        crate::sys::files::remove(&self.index_path()).map_err(|error| file_failure(&error))?;
        let result = work(&self.store).map_err(|error| self.failure_of(&error));
        self.record_choice();
        self.make_index(&key)?;
        result
    }
}
