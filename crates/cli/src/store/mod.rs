//! Where secrets are stored: one trait, one module per backend, and the sealed files that go with them.
//!
//! | what | where |
//! |---|---|
//! | access keys, TOTP seeds, the cache key | a backend: [`Store`] |
//! | which profile has which access key | [`index`], sealed under the cache key |
//! | rotations of access keys in progress | [`rotations`], sealed under the cache key |
//! | temporary credentials | [`sessions`], sealed under the cache key |
//! | tokens and registrations of Identity Center | [`sign_ins`], sealed under the cache key |
//! | the unlocked state, for a limited time | [`unlocked`], in the kernel keyring |

use std::fmt::Debug;

pub(crate) mod asker;
pub(crate) mod backups;
pub(crate) mod command;
mod error;
#[cfg(feature = "file")]
pub(crate) mod file;
pub(crate) mod index;
mod item;
pub(crate) mod item_name;
pub(crate) mod item_text;
#[cfg(all(target_os = "macos", feature = "keychain"))]
mod keychain;
mod kind;
#[cfg(test)]
mod memory;
pub(crate) mod open;
#[cfg(any(test, windows, all(target_os = "macos", feature = "keychain")))]
mod os_code;
pub(crate) mod pass;
pub(crate) mod passphrase_box;
pub(crate) mod programs;
#[cfg(feature = "iam")]
pub(crate) mod rotations;
pub(crate) mod sealed;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub(crate) mod secret_service;
pub(crate) mod sessions;
pub(crate) mod sign_ins;
pub(crate) mod unlocked;
#[cfg(windows)]
mod wincred;

#[cfg(test)]
mod contract;

#[cfg(all(any(test, fuzzing), feature = "file"))]
pub(crate) use command::accepts_answer;
#[cfg(all(any(test, fuzzing), feature = "file"))]
pub(crate) use file::{accepts_item, accepts_manifest};

pub(crate) use error::{Distrust, StoreError, cause};
pub(crate) use item::{Item, ItemId, ItemInfo, ItemKind};
pub(crate) use kind::StoreKind;

use asker::Asker;

/// Whether a backend can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// It can be used without a prompt.
    Ready,
    /// It can be used after [`Store::unlock`].
    Locked,
    /// There is no store yet: the first write creates it.
    Empty,
    /// It cannot be used on this machine or at the moment, for this reason.
    Unavailable(String),
}

/// The items of a store, and the errors of those that are damaged.
pub(crate) type Listed = (Vec<ItemInfo>, Vec<StoreError>);

/// Separates the items from the broken ones, and sorts them. Skips items that were deleted meanwhile.
fn sort_out(found: impl Iterator<Item = Result<ItemInfo, StoreError>>) -> Result<Listed, StoreError> {
    let (mut items, mut broken) = (Vec::new(), Vec::new());
    for info in found {
        match info {
            Ok(info) => items.push(info),
            Err(StoreError::Absent) => {}
            Err(error @ StoreError::Broken { .. }) => broken.push(error),
            Err(error) => return Err(error),
        }
    }
    items.sort_by(|a: &ItemInfo, b| a.id.cmp(&b.id));
    Ok((items, broken))
}

/// A place for secrets. Its methods block. Several processes may use it at once.
pub(crate) trait Store: Debug + Send {
    /// Which backend this is.
    fn kind(&self) -> StoreKind;

    /// Returns whether it can be used now. Never prompts.
    fn status(&self) -> Status;

    /// Makes it usable, and prompts if necessary. Creates an empty store if there is none.
    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError>;

    /// Forgets what `unlock` learned.
    fn lock(&mut self);

    /// Lists all items, without their secrets. Damaged items are reported in addition to the others.
    fn list(&self) -> Result<Listed, StoreError>;

    /// Reads one item.
    fn read(&self, id: &ItemId) -> Result<Item, StoreError>;

    /// Writes an item, replacing an item with the same id.
    fn write(&self, item: &Item) -> Result<(), StoreError>;

    /// Writes an item like [`Store::write`], but never over one that a newer version of hatbox wrote. Not every backend
    /// notices that by itself.
    fn replace(&self, item: &Item) -> Result<(), StoreError> {
        match self.read(&item.info.id) {
            Err(newer @ StoreError::Newer { .. }) => Err(newer),
            // A damaged item is replaced. If the store is locked or gone, the write says so too.
            _ => self.write(item),
        }
    }

    /// Deletes an item.
    fn delete(&self, id: &ItemId) -> Result<(), StoreError>;

    /// Returns a value that changes whenever an item does. It is cheap, never prompts and uses no bus. An index of
    /// another generation is stale. Returns `None` if the backend has no such value: then the index is trusted, and
    /// built again if it names an item that does not exist.
    fn generation(&self) -> Option<u64>;
}
