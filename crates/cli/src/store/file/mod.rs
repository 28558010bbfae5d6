//! The `file` backend: one age identity, wrapped in one or more ways, and one age file per item.
//!
//! ```text
//! STORE/identity.NAME.N.age       the identity, wrapped: see [`wraps`]
//! STORE/manifest.json             which files are the store, with a MAC and a counter: see [`manifest`]
//! STORE/items/OPAQUE.N.age        an item, to the identity, with a MAC inside
//! STORE/lock                      taken by writers
//! STATE/pin.json                  which identity and which counter to expect: see [`pin`]
//! ```
//!
//! age does not authenticate the writer of a file, so each item contains a MAC under a key derived from the identity.
//! Writing therefore needs the store unlocked too. A file that another program encrypted to the store's recipient is
//! rejected, and the error names it. Nothing in the directory is used before the manifest has been verified, and the
//! manifest is only trusted if its identity is the one pinned outside the directory.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::secret::SecretString;

mod identity;
mod item;
mod manifest;
mod names;
mod opening;
mod pin;
#[cfg(feature = "plugins")]
mod plugin;
mod recovery;
mod rekey;
mod state;
mod trust;
mod upkeep;
mod wraps;

use super::asker::{Asker, PassphraseError, PassphraseFor};
use super::unlocked::Unlocked;
use super::{Distrust, Item, ItemId, ItemKind, Listed, Status, Store, StoreError, StoreKind};
use crate::sys::files::{FileError, make_private_directory, sweep_temporary};
use identity::Identity;
use manifest::MANIFEST;
use names::ItemFile;
pub(crate) use names::{WrapKind, WrapName};
use pin::PinPlace;
#[cfg(feature = "plugins")]
pub(crate) use plugin::PluginIdentity;
use state::read_item;
pub(crate) use trust::{Examined, StoreState};
pub(crate) use upkeep::WrapInfo;
use wraps::OpenError;

const ITEMS: &str = "items";

/// The store in one directory.
#[derive(Debug)]
pub(crate) struct FileStore {
    directory: PathBuf,
    pin: PinPlace,
    /// The fingerprint that the settings require.
    wanted: Option<String>,
    unlocked: Unlocked,
    /// How long the user may take to do what an age plugin asks.
    #[cfg_attr(not(feature = "plugins"), expect(dead_code, reason = "only plugins are waited for"))]
    patience: Duration,
    identity: Option<Identity>,
    /// Counter and MAC of the newest manifest that this process has read.
    seen: RefCell<(u64, String)>,
}

impl FileStore {
    /// Returns the store at `directory`, which need not exist yet. `state` holds what is known from earlier uses.
    pub(crate) fn open(
        directory: &Path,
        state: &Path,
        wanted: Option<String>,
        unlocked: Unlocked,
        patience: Duration,
    ) -> Self {
        Self {
            directory: directory.to_owned(),
            pin: PinPlace::in_directory(state),
            wanted,
            unlocked,
            patience,
            identity: None,
            seen: RefCell::default(),
        }
    }

    fn items(&self) -> PathBuf {
        self.directory.join(ITEMS)
    }

    fn identity(&self) -> Result<&Identity, StoreError> {
        self.identity.as_ref().ok_or(StoreError::Locked(StoreKind::File, PassphraseError::CannotAsk))
    }

    fn has_manifest(&self) -> bool {
        std::fs::symlink_metadata(self.directory.join(MANIFEST)).is_ok()
    }

    /// Returns what is missing of a store that was used before; `None` if it is complete or was never used.
    fn why_missing(&self) -> Option<&'static str> {
        if self.has_manifest() {
            // Links are not followed, as they may lead out of the store.
            let is_there = std::fs::symlink_metadata(self.items()).is_ok_and(|about| about.is_dir());
            return (!is_there).then_some("its directory `items` is gone");
        }
        let has_items = std::fs::read_dir(self.items()).is_ok_and(|mut entries| entries.next().is_some());
        match (has_items, self.pin.is_of_a_store()) {
            (true, _) => Some("it has items, and no `manifest.json`"),
            (false, true) if self.directory.exists() => Some("its files are gone"),
            (false, true) => Some("its directory is gone"),
            (false, false) => None,
        }
    }

    fn missing(&self, why: &'static str) -> StoreError {
        StoreError::Missing { place: self.directory.clone(), why }
    }

    fn untrusted(&self, why: Distrust) -> StoreError {
        StoreError::Untrusted { place: self.directory.clone(), why }
    }
}

/// Asks for a passphrase, and rejects an empty one.
fn ask_for(asker: &mut dyn Asker, what: PassphraseFor) -> Result<SecretString, StoreError> {
    let passphrase = asker.passphrase(what).map_err(locked)?;
    if passphrase.expose().is_empty() {
        return Err(locked(PassphraseError::Empty("the prompt".to_owned())));
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
        OpenError::Memory { megabytes } => StoreError::Unavailable {
            kind: StoreKind::File,
            source: super::cause(format!(
                "opening it needs {megabytes} MB of memory, and there is not enough"
            )),
            hint: Some("raise the memory limit: `ulimit -v unlimited`, or that of the container".to_owned()),
        },
    }
}

fn changed_meanwhile() -> StoreError {
    StoreError::Unavailable {
        kind: StoreKind::File,
        source: super::cause("another hatbox process changed it in the meantime"),
        hint: Some("run the command again".to_owned()),
    }
}

fn locked(error: PassphraseError) -> StoreError {
    StoreError::Locked(StoreKind::File, error)
}

fn unavailable(source: FileError) -> StoreError {
    let hint = source.hint();
    StoreError::Unavailable { kind: StoreKind::File, source: Box::new(source), hint }
}

impl Store for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn status(&self) -> Status {
        if self.identity.is_some() {
            Status::Ready
        } else if let Some(why) = self.why_missing() {
            Status::Unavailable(self.missing(why).to_string())
        } else if self.has_manifest() {
            Status::Locked
        } else {
            // A wrap alone is left if hatbox was killed while it created the store.
            Status::Empty
        }
    }

    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        if self.identity.is_some() {
            return Ok(());
        }
        if let Some(why) = self.why_missing() {
            return Err(self.missing(why));
        }
        // Read the pin first: a writer updates the manifest before the pin, so this pin is never ahead of the manifest.
        let pin = self.pin.load().map_err(unavailable)?;
        let Some(claimed) = self.claimed()? else {
            self.create(asker)?;
            self.hold();
            return Ok(());
        };
        make_private_directory(&self.directory).map_err(unavailable)?;
        make_private_directory(&self.items()).map_err(unavailable)?;
        let is_any_there = claimed.items().keys().any(|file| self.items().join(file).exists());
        if !claimed.items().is_empty() && !is_any_there {
            return Err(self.missing("its items are gone"));
        }
        if self.open_with_held(&claimed, pin.as_ref(), asker)? {
            return Ok(());
        }
        self.open_by_any_wrap(&claimed, pin.as_ref(), asker)?;
        sweep_temporary(&self.directory);
        sweep_temporary(&self.items());
        self.hold();
        Ok(())
    }

    fn lock(&mut self) {
        self.identity = None;
        // Without a kernel keyring there is nothing to forget; `hatbox lock` reports that.
        self.unlocked.forget().ok();
    }

    fn list(&self) -> Result<Listed, StoreError> {
        let identity = self.identity()?;
        self.read_steadily(
            |manifest| {
                let (mut items, mut broken) = (Vec::new(), Vec::new());
                for (file, digest) in &manifest.items {
                    match read_item(identity, file, digest, &self.items().join(file)) {
                        Ok(item) => items.push(item.info),
                        Err(newer @ StoreError::Newer { .. }) => return Err(newer),
                        Err(error) => broken.push(error),
                    }
                }
                items.sort_by(|a, b| a.id.cmp(&b.id));
                Ok((items, broken))
            },
            |(_, broken)| broken.is_empty(),
        )
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        let name = self.identity()?.opaque_name(id);
        self.read_steadily(|manifest| self.read_listed(manifest, &name), |_| true)
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        let identity = self.identity()?;
        let name = identity.opaque_name(&item.info.id);
        let _held = self.hold_for_change()?;
        let manifest = self.manifest()?;
        if let Err(newer @ StoreError::Newer { .. }) = self.read_listed(&manifest, &name) {
            return Err(newer);
        }
        let (file, digest) =
            rekey::write_item(&self.directory, identity, item, manifest.counter + 1).map_err(unavailable)?;
        let written = file.clone();
        self.commit(manifest, |manifest| {
            manifest.items.retain(|file, _| ItemFile::parse(file).is_none_or(|about| about.name != name));
            manifest.items.insert(file, digest);
        })?;
        self.sweep_item(&name, Some(&written));
        Ok(())
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        let name = self.identity()?.opaque_name(id);
        let _held = self.hold_for_change()?;
        let manifest = self.manifest()?;
        if manifest.item(&name).is_none() {
            return Err(StoreError::Absent);
        }
        self.commit(manifest, |manifest| {
            manifest.items.retain(|file, _| ItemFile::parse(file).is_none_or(|about| about.name != name));
        })?;
        self.sweep_item(&name, None);
        Ok(())
    }

    fn generation(&self) -> Option<u64> {
        let changed = std::fs::metadata(self.items()).and_then(|about| about.modified());
        Some(changed.map_or(0, |at| {
            let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(1)
        }))
    }
}

/// Returns whether an item's content has the form that hatbox writes, for `crate::fuzzing`. Does not check the MAC.
#[cfg(any(test, fuzzing))]
pub(crate) fn accepts_item(bytes: &[u8]) -> bool {
    let identity = Identity::generate();
    !matches!(item::parse_item(&identity, "name", bytes), Err(item::ItemError::Form))
}

/// Returns whether a manifest has the form that hatbox writes, for `crate::fuzzing`. Does not check the MAC.
#[cfg(any(test, fuzzing))]
pub(crate) fn accepts_manifest(bytes: &[u8]) -> bool {
    manifest::Claimed::parse(bytes).is_some()
}
