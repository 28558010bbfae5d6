//! Where secrets rest. One trait, one module for each backend, and the sealed files around them.
//!
//! | what | where |
//! |---|---|
//! | access keys, TOTP seeds, the cache key | a backend: [`Store`] |
//! | which profile has which access key | [`index`], sealed under the cache key |
//! | rotations of access keys that are under way | [`rotations`], sealed under the cache key |
//! | temporary credentials | [`sessions`], sealed under the cache key |
//! | tokens and registrations of Identity Center | [`sign_ins`], sealed under the cache key |
//! | the unlocked state, for a while | [`unlocked`], in the kernel keyring |

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

/// Whether a backend can be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// Yes, without a question.
    Ready,
    /// After [`Store::unlock`].
    Locked,
    /// There is nothing yet: the first write creates it.
    Empty,
    /// Not on this machine, or not at this moment: why, in words.
    Unavailable(String),
}

/// What a store lists: the items, and what is wrong with those that are damaged.
pub(crate) type Listed = (Vec<ItemInfo>, Vec<StoreError>);

/// Separates the items of a list from the broken ones, and sorts them. Skips those that were deleted meanwhile.
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

/// A place for secrets. Blocking; safe to use from several processes at once.
pub(crate) trait Store: Debug + Send {
    /// Which backend this is.
    fn kind(&self) -> StoreKind;

    /// Whether it can be used now. Asks no one.
    fn status(&self) -> Status;

    /// Makes it usable, asking where it must. Creates an empty store where there is none.
    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError>;

    /// Forgets what `unlock` learned.
    fn lock(&mut self);

    /// All items, without their secrets. A damaged one is reported beside the others, not instead of them.
    fn list(&self) -> Result<Listed, StoreError>;

    /// One item.
    fn read(&self, id: &ItemId) -> Result<Item, StoreError>;

    /// Writes an item, in the place of one of the same id.
    fn write(&self, item: &Item) -> Result<(), StoreError>;

    /// Deletes an item.
    fn delete(&self, id: &ItemId) -> Result<(), StoreError>;

    /// A value that changes whenever an item does; cheap, asks no one, touches no bus. An index made at
    /// another value is stale. `None` where the backend has none: then the index is taken as it is, and made
    /// again when it names an item that is not there.
    fn generation(&self) -> Option<u64>;
}
