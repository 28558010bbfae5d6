//! Whole items out of one backend and into another: for `hatbox store migrate`.

use super::Secrets;
use crate::report::{Failure, FailureKind};
use crate::store::{Item, ItemId, ItemKind, StoreError};
use crate::sys::files::make_private_directory;
use crate::world::passphrase::Asking;

impl Secrets<'_> {
    /// All access keys with their secrets, and what is wrong with those that cannot be read.
    pub(crate) fn all_keys(&mut self) -> Result<(Vec<Item>, Vec<String>), Failure> {
        self.unlock(Asking::Person)?;
        let listed = self.opened()?.store.list();
        let (infos, broken) = listed.map_err(|error| self.failure_of(&error))?;
        let mut broken: Vec<_> = broken.iter().map(ToString::to_string).collect();
        let mut items = Vec::new();
        for info in infos.into_iter().filter(|info| info.id.kind == ItemKind::AccessKey) {
            match self.opened()?.store.read(&info.id) {
                Ok(item) => items.push(item),
                // Deleted since it was listed.
                Err(StoreError::Absent) => {}
                Err(error @ StoreError::Broken { .. }) => broken.push(error.to_string()),
                Err(error) => return Err(self.failure_of(&error)),
            }
        }
        Ok((items, broken))
    }

    /// Takes the other backend's cache key where this one has none: then cached sessions stay good.
    pub(crate) fn adopt_cache_key(&mut self, other: &mut Secrets<'_>) -> Result<(), Failure> {
        self.unlock(Asking::Person)?;
        let theirs = match other.opened()?.store.read(&ItemId::cache_key()) {
            Ok(item) => item,
            Err(StoreError::Absent | StoreError::Broken { .. }) => return Ok(()),
            Err(error) => return Err(other.failure_of(&error)),
        };
        let directory = self.opened()?.place.directory.clone();
        make_private_directory(&directory).map_err(|error| super::file_failure(&error))?;
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
    /// The first one that cannot be written, or does not come back as it was.
    pub(crate) fn save_items(&mut self, items: &[Item]) -> Result<(), Failure> {
        self.unlock(Asking::Person)?;
        let mut changed = None;
        let result = self.change(
            |store| {
                for item in items {
                    store.write(item)?;
                    let read = store.read(&item.info.id)?;
                    if read.secret != item.secret || read.info.access_key_id != item.info.access_key_id {
                        changed = Some(item.info.id.profile.clone());
                        return Err(StoreError::Absent);
                    }
                }
                Ok(())
            },
            |index| items.iter().for_each(|item| index.put(&item.info)),
        );
        match changed {
            None => result,
            Some(profile) => Err(Failure::new(
                FailureKind::Failed,
                format!("the access key of `{profile}` did not come back as it was written"),
            )
            .hint("the source still has it; nothing was deleted")),
        }
    }

    /// Deletes items; those that are not there are deleted already.
    pub(crate) fn delete_items(&mut self, ids: &[ItemId]) -> Result<(), Failure> {
        self.unlock(Asking::Person)?;
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
