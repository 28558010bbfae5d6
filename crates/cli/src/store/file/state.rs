//! The state of a store: reads what its manifest lists, rejects older states, and commits changes.

use std::cmp::Ordering;
use std::path::Path;

use zeroize::Zeroizing;

use super::identity::Identity;
use super::item::ItemError;
use super::manifest::{Claimed, Manifest, ManifestError, digest_of};
use super::names::ItemFile;
use super::pin::Pin;
use super::{FileStore, changed_meanwhile, item, unavailable};
use crate::store::{Distrust, Item, StoreError, StoreKind};
use crate::sys::files::{FileError, read_private};
use crate::sys::format_version::is_newer_age;
use crate::sys::lock::{self, Lock};

/// How often a read is retried if a writer was active meanwhile.
const READS: u32 = 5;
pub(super) const ITEM_LIMIT: u64 = 1 << 20;

impl FileStore {
    pub(super) fn claimed(&self) -> Result<Option<Claimed>, StoreError> {
        match Claimed::load(&self.directory) {
            Ok(claimed) => Ok(claimed),
            Err(ManifestError::File(error)) => Err(unavailable(error)),
            Err(ManifestError::Form) => Err(self.untrusted(Distrust::Changed)),
        }
    }

    /// Loads the current manifest. Rejects one that is older than the newest that this process has read.
    pub(super) fn manifest(&self) -> Result<Manifest, StoreError> {
        let claimed = self.claimed()?.ok_or_else(|| self.missing("its `manifest.json` is gone"))?;
        let identity = self.identity()?;
        let Some(manifest) = claimed.verify(identity) else {
            let pin = self.pin.load().map_err(unavailable)?;
            let is_rekeyed = pin.is_some_and(|pin| pin.identity != identity.fingerprint());
            return Err(if is_rekeyed { changed_meanwhile() } else { self.untrusted(Distrust::Changed) });
        };
        self.check_newer(self.seen.borrow().clone(), manifest, identity)?;
        self.note_seen(manifest, identity);
        Ok(manifest.clone())
    }

    /// Rejects a manifest that is older than the known one, or that was made from the same earlier state.
    pub(super) fn check_newer(
        &self,
        (counter, seal): (u64, String),
        manifest: &Manifest,
        identity: &Identity,
    ) -> Result<(), StoreError> {
        let found = manifest.counter;
        match found.cmp(&counter) {
            Ordering::Less => Err(self.untrusted(Distrust::RolledBack { pinned: counter, found })),
            Ordering::Equal if found > 0 && manifest.seal(identity) != seal => {
                Err(self.untrusted(Distrust::Forked { counter }))
            }
            Ordering::Equal | Ordering::Greater => Ok(()),
        }
    }

    pub(super) fn note_seen(&self, manifest: &Manifest, identity: &Identity) {
        self.seen.replace((manifest.counter, manifest.seal(identity)));
    }

    /// Takes the lock for a change: two writers at once would each commit a manifest without the other's item. It is
    /// never held while the user is asked, so there is no reason to take it over. The lock file is not read, as others
    /// may be able to write to it.
    pub(super) fn hold_for_change(&self) -> Result<Lock, StoreError> {
        lock::hold(&self.directory.join("lock")).map_err(unavailable)
    }

    /// Commits `change` to a manifest as the store's new state. The files that it adds exist already, and the caller
    /// holds the lock of [`Self::hold_for_change`].
    pub(super) fn commit(
        &self,
        mut manifest: Manifest,
        change: impl FnOnce(&mut Manifest),
    ) -> Result<Manifest, StoreError> {
        change(&mut manifest);
        manifest.counter += 1;
        let identity = self.identity()?;
        manifest.save(&self.directory, identity).map_err(unavailable)?;
        self.note_seen(&manifest, identity);
        // Opening the store reports it if the pin cannot be written.
        self.pin.save(&Pin::of(&self.directory, identity, &manifest)).ok();
        Ok(manifest)
    }

    pub(super) fn read_listed(&self, manifest: &Manifest, name: &str) -> Result<Item, StoreError> {
        let (file, digest) = manifest.item(name).ok_or(StoreError::Absent)?;
        read_item(self.identity()?, file, digest, &self.items().join(file))
    }

    /// Reads with the current manifest, and retries if a writer has replaced it meanwhile.
    pub(super) fn read_steadily<T>(
        &self,
        mut read: impl FnMut(&Manifest) -> Result<T, StoreError>,
        is_whole: impl Fn(&T) -> bool,
    ) -> Result<T, StoreError> {
        let mut manifest = self.manifest()?;
        let mut reads = 1;
        loop {
            let result = read(&manifest);
            if reads == READS || result.as_ref().is_ok_and(&is_whole) {
                return result;
            }
            let now = self.manifest()?;
            if now.counter == manifest.counter {
                return result;
            }
            (manifest, reads) = (now, reads + 1);
        }
    }

    /// Deletes the files of an item except the listed one, if any. Ignores errors, as unlisted files are never read.
    pub(super) fn sweep_item(&self, name: &str, listed: Option<&str>) {
        let Ok(entries) = std::fs::read_dir(self.items()) else { return };
        for file in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let is_of_it = ItemFile::parse(&file).is_some_and(|about| about.name == name);
            if is_of_it && listed != Some(&file) {
                std::fs::remove_file(self.items().join(file)).ok();
            }
        }
    }
}

pub(super) fn read_item(
    identity: &Identity,
    name: &str,
    digest: &str,
    path: &Path,
) -> Result<Item, StoreError> {
    let sealed = read_private(path, ITEM_LIMIT).map_err(|error| match error {
        FileError::Absent(_) => broken_item(name, "its file is missing".to_owned()),
        other => match other.hint() {
            Some(hint) => broken_item(name, format!("{other}; run: {hint}")),
            None => broken_item(name, other.to_string()),
        },
    })?;
    let item = read_sealed(identity, name, path, &sealed)?;
    if digest_of(&sealed) != digest {
        return Err(broken_item(name, "it is not the version that hatbox wrote last".to_owned()));
    }
    Ok(item)
}

/// Reads the item in a file, whether or not the manifest lists it.
pub(super) fn read_sealed(
    identity: &Identity,
    name: &str,
    path: &Path,
    sealed: &[u8],
) -> Result<Item, StoreError> {
    let newer = || StoreError::Newer { kind: StoreKind::File, what: format!("`{}`", path.display()) };
    if is_newer_age(sealed) {
        return Err(newer());
    }
    let plain: Zeroizing<Vec<u8>> = identity.decrypt(sealed).map_err(|problem| broken_item(name, problem))?;
    item::parse_item(identity, name, &plain).map_err(|problem| match problem {
        ItemError::Newer => newer(),
        ItemError::Form | ItemError::Foreign => broken_item(name, problem.to_string()),
    })
}

pub(super) fn broken_item(name: &str, problem: String) -> StoreError {
    StoreError::Broken { kind: StoreKind::File, what: format!("item `{name}`"), problem }
}
