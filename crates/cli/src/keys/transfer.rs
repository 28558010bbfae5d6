//! Copies whole items into and out of a backend, for `hatbox store migrate` and `hatbox import`.

use std::cell::RefCell;

use super::{KeyStore, Replacing};
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::store::{Item, ItemId, ItemKind, Store, StoreError};
use crate::sys::files::make_private_directory;

/// What copying keys into a backend would do, or has done.
#[derive(Debug, Default)]
pub(crate) struct Transfer {
    /// The keys and seeds to copy.
    pub(crate) copied: Vec<Item>,
    /// Those of `copied` that replace a different item.
    pub(crate) replaced: Vec<ItemId>,
    /// Those that are there already, with the same content.
    pub(crate) already_there: Vec<ItemId>,
}

impl Transfer {
    /// Renders a line for each key, beginning with `verb`: `copied`, `would copy`. `to` names the target, with a
    /// leading blank.
    pub(crate) fn render(&self, verb: &str, to: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for item in &self.copied {
            let id = &item.info.id;
            let what = if self.replaced.contains(id) { " (replaces another)" } else { "" };
            lines.push(format!("{verb} {id}{to}{what}"));
        }
        lines.extend(self.already_there.iter().map(|id| format!("{id} is there already")));
        if lines.is_empty() {
            lines.push("no keys to import".to_owned());
        }
        lines
    }
}

impl KeyStore {
    /// Plans how to copy these keys into this store.
    ///
    /// # Errors
    /// If a profile has another key here that must not be replaced.
    pub(crate) fn plan_transfer(
        &mut self,
        items: Vec<Item>,
        may_replace: Replacing,
        hint: &str,
    ) -> Result<Transfer, Failure> {
        let mut transfer = Transfer::default();
        let there = if self.is_empty() { Vec::new() } else { self.all_items()?.0 };
        for item in items {
            let id = item.info.id.clone();
            match there.iter().find(|other| other.info.id == item.info.id) {
                None => transfer.copied.push(item),
                Some(other)
                    if other.secret == item.secret && other.info.access_key_id == item.info.access_key_id =>
                {
                    transfer.already_there.push(id);
                }
                Some(_) => {
                    transfer.replaced.push(id);
                    transfer.copied.push(item);
                }
            }
        }
        if transfer.replaced.is_empty() || may_replace == Replacing::Allowed {
            return Ok(transfer);
        }
        let names = |kind| {
            let of_kind = transfer.replaced.iter().filter(|id| id.kind == kind);
            of_kind.map(|id| format!("`{}`", id.profile)).collect::<Vec<_>>().join(", ")
        };
        let (keys, seeds) = (names(ItemKind::AccessKey), names(ItemKind::TotpSeed));
        let (what, names) = if keys.is_empty() { ("TOTP seed", seeds) } else { ("access key", keys) };
        Err(Failure::new(FailureKind::Refused, format!("another {what} is stored already for {names}"))
            .hint(hint))
    }

    /// Reads all access keys and TOTP seeds with their secrets, and returns an error text for each that cannot be read.
    pub(crate) fn all_items(&mut self) -> Result<(Vec<Item>, Vec<String>), Failure> {
        self.unlock(Interaction::Allowed)?;
        let listed = self.opened()?.store.list();
        let (infos, broken) = listed.map_err(|error| self.failure_of(&error))?;
        let mut broken: Vec<_> = broken.iter().map(ToString::to_string).collect();
        let mut items = Vec::new();
        for info in infos.into_iter().filter(|info| info.id.kind != ItemKind::CacheKey) {
            match self.opened()?.store.read(&info.id) {
                Ok(item) => items.push(item),
                // It was deleted after the list was made.
                Err(StoreError::Absent) => {}
                Err(error @ StoreError::Broken { .. }) => broken.push(error.to_string()),
                Err(error) => return Err(self.failure_of(&error)),
            }
        }
        Ok((items, broken))
    }

    /// Takes over the cache key of the other backend if this one has none, which keeps cached sessions valid.
    pub(crate) fn adopt_cache_key(&mut self, other: &mut KeyStore) -> Result<(), Failure> {
        self.unlock_or_create()?;
        let theirs = match other.opened()?.store.read(&ItemId::cache_key()) {
            Ok(item) => item,
            Err(StoreError::Absent | StoreError::Broken { .. }) => return Ok(()),
            Err(error) => return Err(other.failure_of(&error)),
        };
        let directory = self.opened()?.place.state.clone();
        make_private_directory(&directory)?;
        let _held = self.hold_store(&directory)?;
        let store = &self.opened()?.store;
        let result = match store.read(&ItemId::cache_key()) {
            Err(StoreError::Absent) => store.write(&theirs),
            other => other.map(drop),
        };
        result.map_err(|error| self.failure_of(&error))
    }

    /// Writes items, and reads each back before the next one.
    ///
    /// # Errors
    /// For the first item that cannot be written or reads back differently.
    pub(crate) fn save_items(&mut self, items: &[Item]) -> Result<(), Failure> {
        let _held = self.hold_keys()?;
        self.write_back(|_| Ok(items.to_vec()))
            .map_err(|failure| failure.hint("the source still has it; nothing was deleted"))
    }

    /// Writes the items that `choose` makes from the store's contents, under the store's lock, and reads each back.
    pub(super) fn write_back(
        &mut self,
        choose: impl FnOnce(&dyn Store) -> Result<Vec<Item>, StoreError>,
    ) -> Result<(), Failure> {
        self.unlock_or_create()?;
        let mut changed = None;
        let written = RefCell::new(Vec::new());
        let result = self.change(
            |store| {
                for item in choose(store)? {
                    store.replace(&item)?;
                    let read = store.read(&item.info.id)?;
                    if read.secret != item.secret || read.info.access_key_id != item.info.access_key_id {
                        changed = Some(item.info.id.clone());
                        return Err(StoreError::Absent);
                    }
                    written.borrow_mut().push(item.info);
                }
                Ok(())
            },
            |index| written.borrow().iter().for_each(|info| index.put(info)),
        );
        match changed {
            None => result,
            Some(id) => {
                Err(Failure::new(FailureKind::Failed, format!("{id} did not come back as it was written")))
            }
        }
    }

    /// Deletes items. Ignores those that do not exist.
    pub(crate) fn delete_items(&mut self, ids: &[ItemId]) -> Result<(), Failure> {
        self.unlock(Interaction::Allowed)?;
        let _held = self.hold_keys()?;
        self.change(
            |store| {
                for id in ids {
                    match store.delete(id) {
                        Ok(()) | Err(StoreError::Absent) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            },
            |index| ids.iter().for_each(|id| index.take_off(id)),
        )
    }
}
