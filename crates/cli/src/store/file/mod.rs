//! The `file` backend: one age identity, wrapped in one or more ways, and one age file for each item.
//!
//! ```text
//! STORE/identity.*.age            the identity, wrapped: see [`wraps`]
//! STORE/wraps.json                which wraps there are, with a MAC
//! STORE/items/<opaque>.age        an item, to the identity, with a MAC inside
//! STORE/lock                      taken by writers
//! ```
//!
//! age does not say who wrote a file, so each item carries a MAC under a key derived from the identity;
//! writing therefore unlocks too. A file that was encrypted to the store's recipient by somebody else is
//! refused by name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_core::secret::SecretString;
use zeroize::Zeroizing;

mod identity;
mod item;
#[cfg(feature = "plugins")]
mod plugin;
mod recovery;
mod rekey;
mod upkeep;
mod wraps;

use super::unlocked::Unlocked;
use super::{
    AskPassphrase, Item, ItemId, ItemKind, Listed, PassphraseError, PassphraseFor, Status, Store, StoreError,
    StoreKind,
};
use crate::sys::files::{
    FileError, Keep, make_private_directory, read_private, remove, sweep_temporary, write_atomic,
};
use crate::sys::lock;
use identity::Identity;
#[cfg(feature = "plugins")]
pub(crate) use plugin::PluginIdentity;
pub(crate) use upkeep::WrapInfo;
use wraps::OpenError;
pub(crate) use wraps::{WrapKind, WrapName};

/// How often a wrong passphrase may be corrected.
const TRIES: u32 = 3;
const ITEM_LIMIT: u64 = 1 << 20;

/// The store in one directory.
#[derive(Debug)]
pub(crate) struct FileStore {
    directory: PathBuf,
    unlocked: Unlocked,
    /// How long a person may take to do what an age plugin wants.
    #[cfg_attr(not(feature = "plugins"), expect(dead_code, reason = "only plugins are waited for"))]
    patience: Duration,
    identity: Option<Identity>,
    warnings: Vec<String>,
}

impl FileStore {
    /// The store at `directory`, which need not be there yet.
    pub(crate) fn open(directory: &Path, unlocked: Unlocked, patience: Duration) -> Self {
        Self { directory: directory.to_owned(), unlocked, patience, identity: None, warnings: Vec::new() }
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
        let passphrase = ask_for(ask, PassphraseFor::Creating)?;
        let identity = Identity::generate();
        let wrap =
            wraps::wrap_by_passphrase(&identity, WrapName::passphrase(), &passphrase).map_err(unavailable)?;
        match wraps::create(&self.directory, &identity, &wrap) {
            Ok(()) => {
                self.identity = Some(identity);
                Ok(())
            }
            // Another process made the store meanwhile. Its keys must not be lost: this one opens it.
            Err(FileError::Exists(_)) => self.open_with_passphrase(ask),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// By a plugin, where there is one and a person may be asked to touch it; else by a passphrase.
    fn open_by_any_wrap(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        #[cfg(feature = "plugins")]
        if self.open_with_plugin(ask)? {
            return Ok(());
        }
        self.open_with_passphrase(ask)
    }

    fn open_with_passphrase(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        for attempt in 1..=TRIES {
            let typed = ask_for(ask, PassphraseFor::Opening { attempt })?;
            let (name, passphrase) = match recovery::read(&typed) {
                Some(meant) => (WrapName::recovery(), meant),
                None => (WrapName::passphrase(), typed),
            };
            match wraps::open_by_passphrase(&self.directory, &name, &passphrase) {
                Ok(identity) => return self.opened_by(&name, identity),
                // There is no wrap that such a passphrase could open.
                Err(OpenError::WrongPassphrase | OpenError::File(FileError::Absent(_))) => {}
                Err(error) => return Err(not_opened(error)),
            }
        }
        Err(locked(PassphraseError::Wrong))
    }

    fn opened_by(&mut self, name: &WrapName, identity: Identity) -> Result<(), StoreError> {
        wraps::list_if_missing(&self.directory, &identity, name).map_err(unavailable)?;
        self.warnings.extend(wraps::check(&self.directory, &identity).map_err(unavailable)?);
        self.identity = Some(identity);
        Ok(())
    }

    /// Finishes a rekeying that a kill cut off.
    fn finish_rekeying(&self) -> Result<(), StoreError> {
        if !rekey::is_unfinished(&self.directory) {
            return Ok(());
        }
        let _held = lock::hold(&self.directory.join("lock")).map_err(unavailable)?;
        // Its own process may have been about to.
        if rekey::is_unfinished(&self.directory) {
            rekey::finish(&self.directory).map_err(unavailable)
        } else {
            Ok(())
        }
    }
}

/// A passphrase that is not empty, whatever its source.
fn ask_for(ask: &mut AskPassphrase<'_>, what: PassphraseFor) -> Result<SecretString, StoreError> {
    let passphrase = ask(what).map_err(locked)?;
    if passphrase.expose().is_empty() {
        return Err(locked(PassphraseError::Empty("its source".to_owned())));
    }
    Ok(passphrase)
}

fn not_opened(error: OpenError) -> StoreError {
    match error {
        OpenError::WrongPassphrase => locked(PassphraseError::Wrong),
        OpenError::File(error) => unavailable(error),
        OpenError::Damaged { file, problem } => {
            StoreError::Broken { kind: StoreKind::File, what: format!("`{file}`"), problem }
        }
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
        } else if wraps::has_wraps(&self.directory) {
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
        self.finish_rekeying()?;
        make_private_directory(&self.items()).map_err(unavailable)?;
        if let Ok(held) = self.unlocked.identity()
            && let Some(identity) = Identity::parse(&held)
            && wraps::is_of(&self.directory, &identity)
        {
            self.warnings.extend(wraps::check(&self.directory, &identity).map_err(unavailable)?);
            self.identity = Some(identity);
            return Ok(());
        }
        if wraps::has_wraps(&self.directory) {
            self.open_by_any_wrap(ask)?;
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

    fn list(&self) -> Result<Listed, StoreError> {
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
        let changed = std::fs::metadata(self.items()).and_then(|about| about.modified());
        Some(changed.map_or(0, |at| {
            let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(1)
        }))
    }

    fn as_file(&mut self) -> Option<&mut FileStore> {
        Some(self)
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
