//! A new identity for the whole store: every item is sealed again, every wrap made again.
//!
//! ```text
//! STORE/rekey.new/      being written; of no effect, and removed by the next one
//! STORE/rekey.ready/    complete: from here on the new identity counts, and whoever opens the store next
//!                       finishes what is left to do
//! STORE/items.old/      the items under the old identity, on their way out
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::wraps::{self, NewWrap};
use super::{Item, item};
use crate::sys::files::{FileError, Keep, make_private_directory, sync_directory, write_atomic};

const ITEMS: &str = "items";
const OLD_ITEMS: &str = "items.old";

fn ready(store: &Path) -> PathBuf {
    store.join("rekey.ready")
}

/// Whether a rekeying is to be finished.
pub(super) fn is_unfinished(store: &Path) -> bool {
    ready(store).exists()
}

/// Writes the store anew beside itself, under `identity`, and makes it the one that counts. The store's lock
/// is held.
pub(super) fn write(
    store: &Path,
    identity: &Identity,
    new_wraps: &[NewWrap],
    items: &[Item],
) -> Result<(), FileError> {
    let new = store.join("rekey.new");
    remove_all(&new)?;
    make_private_directory(&new)?;
    make_private_directory(&new.join(ITEMS))?;
    for wrap in new_wraps {
        wraps::add(&new, identity, wrap)?;
    }
    for item in items {
        let name = identity.opaque_name(&item.info.id);
        let path = new.join(ITEMS).join(&name);
        let sealed = identity
            .encrypt(&item::render_item(identity, &name, item))
            .ok_or_else(|| std::io::Error::other("an item could not be encrypted"))
            .map_err(FileError::io("write", &path))?;
        write_atomic(&path, &sealed, Keep::Nothing)?;
    }
    rename(&new, &ready(store))?;
    sync_directory(store)?;
    finish(store)
}

/// Puts what is ready in its place. Each step may have been done already. The store's lock is held.
pub(super) fn finish(store: &Path) -> Result<(), FileError> {
    let ready = ready(store);
    let (items, old) = (store.join(ITEMS), store.join(OLD_ITEMS));
    if ready.join(ITEMS).exists() {
        if items.exists() && !old.exists() {
            rename(&items, &old)?;
        }
        rename(&ready.join(ITEMS), &items)?;
    }
    // The list goes last: while it is here, it says which wraps stay.
    if let Some((list, files)) = wraps::listed_files(&ready) {
        for (file, _) in &files {
            let from = ready.join(file);
            if from.exists() {
                rename(&from, &store.join(file))?;
            }
        }
        wraps::keep_only(store, &files)?;
        if let Some(name) = list.file_name() {
            rename(&list, &store.join(name))?;
        }
    }
    sync_directory(store)?;
    remove_all(&old)?;
    remove_all(&ready)?;
    sync_directory(store)
}

fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::io("rename", from))
}

fn remove_all(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(FileError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
