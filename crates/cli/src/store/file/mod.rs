//! The `file` backend: one age identity, wrapped by a passphrase, and one age file for each item.
//!
//! ```text
//! STORE/identity.passphrase.age   the identity, under scrypt (work factor 2^17)
//! STORE/wraps.json                which wraps there are, with a MAC
//! STORE/items/<opaque>.age        an item, to the identity, with a MAC inside
//! STORE/lock                      taken by writers
//! ```
//!
//! age does not say who wrote a file, so each item carries a MAC under a key derived from the identity;
//! writing therefore unlocks too. A file that was encrypted to the store's recipient by somebody else is
//! refused by name.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

mod identity;
mod item;

use super::unlocked::Unlocked;
use super::{
    AskPassphrase, Item, ItemId, ItemInfo, PassphraseError, PassphraseFor, Status, Store, StoreError,
    StoreKind,
};
use crate::sys::files::{
    FileError, Keep, make_private_directory, read_private, remove, sweep_temporary, write_atomic,
};
use identity::{Identity, OpenError};

/// How often a wrong passphrase may be corrected.
const TRIES: u32 = 3;
const ITEM_LIMIT: u64 = 1 << 20;

/// The store in one directory.
#[derive(Debug)]
pub(crate) struct FileStore {
    directory: PathBuf,
    unlocked: Unlocked,
    identity: Option<Identity>,
    warnings: Vec<String>,
}

impl FileStore {
    /// The store at `directory`, which need not be there yet.
    pub(crate) fn open(directory: &Path, unlocked: Unlocked) -> Self {
        Self { directory: directory.to_owned(), unlocked, identity: None, warnings: Vec::new() }
    }

    fn items(&self) -> PathBuf {
        self.directory.join("items")
    }

    fn identity(&self) -> Result<&Identity, StoreError> {
        self.identity.as_ref().ok_or(StoreError::Locked(StoreKind::File, PassphraseError::NoWay))
    }

    fn path_of(&self, id: &ItemId) -> Result<(String, PathBuf), StoreError> {
        let name = self.identity()?.opaque_name(id);
        let path = self.items().join(&name);
        Ok((name, path))
    }

    fn create(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        let passphrase = ask(PassphraseFor::Creating).map_err(locked)?;
        if passphrase.expose().is_empty() {
            return Err(locked(PassphraseError::Empty("its source".to_owned())));
        }
        let identity = Identity::generate();
        match identity.save(&self.directory, &passphrase) {
            Ok(()) => {
                self.identity = Some(identity);
                Ok(())
            }
            // Another process made the store meanwhile. Its keys must not be lost: this one opens it.
            Err(FileError::Exists(_)) => self.open_with_passphrase(ask),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn open_with_passphrase(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        for attempt in 1..=TRIES {
            let passphrase = ask(PassphraseFor::Opening { attempt }).map_err(locked)?;
            if passphrase.expose().is_empty() {
                return Err(locked(PassphraseError::Empty("its source".to_owned())));
            }
            match Identity::load(&self.directory, &passphrase) {
                Ok((identity, warnings)) => {
                    self.identity = Some(identity);
                    self.warnings = warnings;
                    return Ok(());
                }
                Err(OpenError::WrongPassphrase) => {}
                Err(OpenError::File(error)) => return Err(unavailable(error)),
                Err(OpenError::Damaged { file, problem }) => {
                    return Err(StoreError::Broken {
                        kind: StoreKind::File,
                        what: format!("`{file}`"),
                        problem,
                    });
                }
            }
        }
        Err(locked(PassphraseError::Wrong))
    }
}

fn locked(error: PassphraseError) -> StoreError {
    StoreError::Locked(StoreKind::File, error)
}

fn unavailable(source: FileError) -> StoreError {
    let way_out = source.way_out();
    StoreError::Unavailable { kind: StoreKind::File, source: Box::new(source), way_out }
}

impl Store for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn status(&self) -> Status {
        if self.identity.is_some() {
            Status::Ready
        } else if self.directory.join(identity::PASSPHRASE_WRAP).exists() {
            Status::Locked
        } else {
            Status::Empty
        }
    }

    fn unlock(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        if self.identity.is_some() {
            return Ok(());
        }
        make_private_directory(&self.directory).map_err(unavailable)?;
        make_private_directory(&self.items()).map_err(unavailable)?;
        if let Ok(held) = self.unlocked.identity()
            && let Some(identity) = Identity::parse(&held)
            && identity.is_of(&self.directory)
        {
            self.warnings = identity.check_wraps(&self.directory).map_err(unavailable)?;
            self.identity = Some(identity);
            return Ok(());
        }
        if self.directory.join(identity::PASSPHRASE_WRAP).exists() {
            self.open_with_passphrase(ask)?;
        } else {
            self.create(ask)?;
        }
        sweep_temporary(&self.directory);
        sweep_temporary(&self.items());
        if let Some(identity) = &self.identity {
            // Without a kernel keyring each process asks for itself; `world` tells the user so.
            self.unlocked.hold_identity(identity.expose()).ok();
        }
        Ok(())
    }

    fn lock(&mut self) {
        self.identity = None;
        // Without a kernel keyring nothing was ever held in it; `hatbox lock` says so.
        self.unlocked.forget().ok();
    }

    fn list(&self) -> Result<(Vec<ItemInfo>, Vec<StoreError>), StoreError> {
        let identity = self.identity()?;
        let directory = self.items();
        let entries =
            std::fs::read_dir(&directory).map_err(FileError::io("read", &directory)).map_err(unavailable)?;
        let (mut items, mut broken) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            match read_item(identity, &name, &entry.path()) {
                Ok(item) => items.push(item.info),
                Err(StoreError::Absent) => {}
                Err(error) => broken.push(error),
            }
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((items, broken))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        let (name, path) = self.path_of(id)?;
        read_item(self.identity()?, &name, &path)
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        let (name, path) = self.path_of(&item.info.id)?;
        let sealed =
            self.identity()?.encrypt(&item::render_item(self.identity()?, &name, item)).ok_or_else(|| {
                StoreError::Broken {
                    kind: StoreKind::File,
                    what: format!("the item of profile `{}`", item.info.id.profile),
                    problem: "it could not be encrypted".to_owned(),
                }
            })?;
        write_atomic(&path, &sealed, Keep::Nothing).map_err(unavailable)
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        let (_, path) = self.path_of(id)?;
        match remove(&path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Absent),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn generation(&self) -> Option<u64> {
        use std::os::unix::fs::MetadataExt;
        Some(std::fs::metadata(self.items()).map_or(0, |about| {
            let nanoseconds = i128::from(about.mtime()) * 1_000_000_000 + i128::from(about.mtime_nsec());
            u64::try_from(nanoseconds).unwrap_or(1)
        }))
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }
}

fn read_item(identity: &Identity, name: &str, path: &Path) -> Result<Item, StoreError> {
    let broken = |problem: String| StoreError::Broken {
        kind: StoreKind::File,
        what: format!("item `{name}`"),
        problem,
    };
    let sealed = read_private(path, ITEM_LIMIT).map_err(|error| match error {
        FileError::Absent(_) => StoreError::Absent,
        other => match other.way_out() {
            Some(way_out) => broken(format!("{other}; run: {way_out}")),
            None => broken(other.to_string()),
        },
    })?;
    let plain: Zeroizing<Vec<u8>> = identity.decrypt(&sealed).map_err(broken)?;
    item::parse_item(identity, name, &plain).map_err(|problem| broken(problem.to_string()))
}
