//! Rekeying: gives the store a new identity, reseals every item and makes every wrap again.
//!
//! New files are written next to the old ones, the pin records which identity comes next, and the new manifest, signed
//! by the new identity, commits everything at once. If hatbox is killed, the next process that opens the store learns
//! from the pin which of the two is valid, and deletes the files of the other. Since the pin is outside the store's
//! directory, files in the directory cannot start or finish a rekeying.

use std::fs;
use std::path::Path;

use super::identity::Identity;
use super::manifest::{Files, Manifest, digest_of};
use super::names::ItemFile;
use super::pin::{Pin, PinPlace};
use super::wraps::{self, NewWrap};
use super::{ITEMS, Item, item};
use crate::sys::files::{FileError, Keep, write_atomic};

/// Writes the store again under `identity` and commits it. The caller holds the store's lock.
pub(super) fn write(
    store: &Path,
    (place, pin): (&PinPlace, Pin),
    identity: &Identity,
    new_wraps: &[NewWrap],
    items: &[Item],
) -> Result<Manifest, FileError> {
    let counter = pin.counter + 1;
    place.save(&pin.rekeying_to(identity.fingerprint()))?;
    let mut manifest = Manifest { counter, wraps: Files::new(), items: Files::new() };
    for wrap in new_wraps {
        wrap.write(store, counter)?;
        manifest.wraps.extend(wrap.files(counter));
    }
    for item in items {
        let (file, digest) = write_item(store, identity, item, counter)?;
        manifest.items.insert(file, digest);
    }
    manifest.save(store, identity)?;
    sweep(store, &manifest, |file_counter| file_counter < counter);
    place.save(&Pin::of(store, identity, &manifest))?;
    Ok(manifest)
}

/// Deletes what an interrupted rekeying left behind: the old files if it was committed, otherwise the new ones.
/// `manifest` is the valid one. The caller holds the store's lock.
pub(super) fn clean_up(store: &Path, manifest: &Manifest, is_committed: bool) {
    if is_committed {
        sweep(store, manifest, |counter| counter < manifest.counter);
    } else {
        sweep(store, manifest, |counter| counter == manifest.counter + 1);
    }
}

/// Deletes files that `manifest` does not list and whose counter matches `is_swept`. Ignores errors, as unlisted files
/// are never read.
fn sweep(store: &Path, manifest: &Manifest, is_swept: impl Fn(u64) -> bool) {
    for (file, about) in wraps::files_in(store) {
        if is_swept(about.counter) && !manifest.wraps.contains_key(&file) {
            fs::remove_file(store.join(file)).ok();
        }
    }
    let Ok(entries) = fs::read_dir(store.join(ITEMS)) else { return };
    for file in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let is_old = ItemFile::parse(&file).is_some_and(|about| is_swept(about.counter));
        if is_old && !manifest.items.contains_key(&file) {
            fs::remove_file(store.join(ITEMS).join(file)).ok();
        }
    }
}

/// Writes an item's file, and returns its entry for a manifest with this counter.
pub(super) fn write_item(
    store: &Path,
    identity: &Identity,
    item: &Item,
    counter: u64,
) -> Result<(String, String), FileError> {
    let name = identity.opaque_name(&item.info.id);
    let file = ItemFile { name: &name, counter }.to_string();
    let path = store.join(ITEMS).join(&file);
    let sealed = identity
        .encrypt(&item::render_item(identity, &file, item))
        .ok_or_else(|| std::io::Error::other("an item could not be encrypted"))
        .map_err(FileError::io("write", &path))?;
    write_atomic(&path, &sealed, Keep::Nothing)?;
    Ok((file, digest_of(&sealed)))
}
