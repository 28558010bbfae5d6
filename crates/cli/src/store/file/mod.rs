//! The `file` backend: one age identity, wrapped in one or more ways, and one age file for each item.
//!
//! ```text
//! STORE/identity.NAME.N.age       the identity, wrapped: see [`wraps`]
//! STORE/manifest.json             which files are the store, with a MAC and a counter: see [`manifest`]
//! STORE/items/OPAQUE.N.age        an item, to the identity, with a MAC inside
//! STORE/lock                      taken by writers
//! STATE/pin.json                  which identity and which counter to expect: see [`pin`]
//! ```
//!
//! age does not say who wrote a file, so each item carries a MAC under a key derived from the identity;
//! writing therefore unlocks too. A file that another program encrypted to the store's recipient is refused by name.
//! Nothing that lies in the directory is acted on before the manifest has been verified, and the manifest is only
//! believed when its identity is the one that is pinned outside the directory.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

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
mod trust;
mod upkeep;
mod wraps;

use super::asker::{Asker, PassphraseError, PassphraseFor};
use super::unlocked::Unlocked;
use super::{Distrust, Item, ItemId, ItemKind, Listed, Status, Store, StoreError, StoreKind};
use crate::sys::files::{FileError, make_private_directory, read_private, sweep_temporary};
use crate::sys::lock::{self, Lock};
use identity::Identity;
use manifest::{Claimed, MANIFEST, Manifest, ManifestError, digest_of};
use names::ItemFile;
pub(crate) use names::{WrapKind, WrapName};
use pin::{Pin, PinPlace};
#[cfg(feature = "plugins")]
pub(crate) use plugin::PluginIdentity;
pub(crate) use trust::{Examined, StoreState};
pub(crate) use upkeep::WrapInfo;
use wraps::OpenError;

/// How often reading starts again when a writer was at work meanwhile.
const READS: u32 = 5;
const ITEM_LIMIT: u64 = 1 << 20;
const ITEMS: &str = "items";

/// The store in one directory.
#[derive(Debug)]
pub(crate) struct FileStore {
    directory: PathBuf,
    pin: PinPlace,
    /// The fingerprint that the settings want.
    wanted: Option<String>,
    unlocked: Unlocked,
    /// How long a person may take to do what an age plugin wants.
    #[cfg_attr(not(feature = "plugins"), expect(dead_code, reason = "only plugins are waited for"))]
    patience: Duration,
    identity: Option<Identity>,
    /// Counter and MAC of the newest manifest that this process has seen.
    seen: RefCell<(u64, String)>,
}

impl FileStore {
    /// The store at `directory`, which need not be there yet. What is known of it from before is in `state`.
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
        self.identity.as_ref().ok_or(StoreError::Locked(StoreKind::File, PassphraseError::NoWay))
    }

    fn has_manifest(&self) -> bool {
        std::fs::symlink_metadata(self.directory.join(MANIFEST)).is_ok()
    }

    /// Why there is no store, or not all of it, though there was one; `None` where all is there or there never was one.
    fn why_missing(&self) -> Option<&'static str> {
        if self.has_manifest() {
            // A link may lead out of the store.
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

    fn claimed(&self) -> Result<Option<Claimed>, StoreError> {
        match Claimed::load(&self.directory) {
            Ok(claimed) => Ok(claimed),
            Err(ManifestError::File(error)) => Err(unavailable(error)),
            Err(ManifestError::Form) => Err(self.untrusted(Distrust::Changed)),
        }
    }

    /// The manifest as it is now. Never one that is older than what this process has seen.
    fn manifest(&self) -> Result<Manifest, StoreError> {
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

    /// Refuses a manifest that is older than one that was seen, or that was made beside it.
    fn check_newer(
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

    fn note_seen(&self, manifest: &Manifest, identity: &Identity) {
        self.seen.replace((manifest.counter, manifest.seal(identity)));
    }

    /// Taken for every change, for as long as it takes and never while a person is asked, so no one has a reason to take
    /// it over: two writers at once would each commit a manifest that misses the other's item. Nothing is read from the
    /// file, which others may be able to write to.
    fn hold_for_change(&self) -> Result<Lock, StoreError> {
        lock::hold(&self.directory.join("lock")).map_err(unavailable)
    }

    /// Makes `change` to a manifest the store's new state. The files that it lists anew are there already;
    /// [`Self::hold_for_change`] is held.
    fn commit(
        &self,
        mut manifest: Manifest,
        change: impl FnOnce(&mut Manifest),
    ) -> Result<Manifest, StoreError> {
        change(&mut manifest);
        manifest.counter += 1;
        let identity = self.identity()?;
        manifest.save(&self.directory, identity).map_err(unavailable)?;
        self.note_seen(&manifest, identity);
        // Where the pin cannot be written, opening the store says so.
        self.pin.save(&Pin::of(&self.directory, identity, &manifest)).ok();
        Ok(manifest)
    }

    fn read_listed(&self, manifest: &Manifest, name: &str) -> Result<Item, StoreError> {
        let (file, digest) = manifest.item(name).ok_or(StoreError::Absent)?;
        read_item(self.identity()?, file, digest, &self.items().join(file))
    }

    /// Reads by the manifest; once more when a writer has replaced it meanwhile.
    fn read_steadily<T>(
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

    /// Deletes the other files of an item that the manifest has one file of, or none. What cannot be deleted is not
    /// read either.
    fn sweep_item(&self, name: &str, listed: Option<&str>) {
        let Ok(entries) = std::fs::read_dir(self.items()) else { return };
        for file in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let is_of_it = ItemFile::parse(&file).is_some_and(|about| about.name == name);
            if is_of_it && listed != Some(&file) {
                std::fs::remove_file(self.items().join(file)).ok();
            }
        }
    }
}

/// A passphrase that is not empty, whatever its source.
fn ask_for(asker: &mut dyn Asker, what: PassphraseFor) -> Result<SecretString, StoreError> {
    let passphrase = asker.passphrase(what).map_err(locked)?;
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
        OpenError::Memory { megabytes } => StoreError::Unavailable {
            kind: StoreKind::File,
            source: super::cause(format!(
                "opening it takes {megabytes} MB of memory, and there is not so much"
            )),
            hint: Some("raise the limit of memory: `ulimit -v unlimited`, or the container's".to_owned()),
        },
    }
}

fn changed_meanwhile() -> StoreError {
    StoreError::Unavailable {
        kind: StoreKind::File,
        source: super::cause("another hatbox changed it meanwhile"),
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
            // A wrap alone is what a kill left of a store that was being made.
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
        // Before the manifest: a writer moves the manifest first, so what is read now is never ahead of it.
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
        // Without a kernel keyring nothing was ever held in it; `hatbox lock` says so.
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

/// Whether an item's content is of the form that hatbox writes, for `crate::fuzzing`: its MAC is another matter.
#[cfg(any(test, fuzzing))]
pub(crate) fn accepts_item(bytes: &[u8]) -> bool {
    let identity = Identity::generate();
    !matches!(item::parse_item(&identity, "name", bytes), Err(item::ItemError::Form))
}

/// Whether a manifest is one, for `crate::fuzzing`: its MAC is another matter.
#[cfg(any(test, fuzzing))]
pub(crate) fn accepts_manifest(bytes: &[u8]) -> bool {
    manifest::Claimed::parse(bytes).is_some()
}

fn read_item(identity: &Identity, name: &str, digest: &str, path: &Path) -> Result<Item, StoreError> {
    let broken = |problem: String| StoreError::Broken {
        kind: StoreKind::File,
        what: format!("item `{name}`"),
        problem,
    };
    let sealed = read_private(path, ITEM_LIMIT).map_err(|error| match error {
        FileError::Absent(_) => broken("its file is missing".to_owned()),
        other => match other.hint() {
            Some(hint) => broken(format!("{other}; run: {hint}")),
            None => broken(other.to_string()),
        },
    })?;
    let plain: Zeroizing<Vec<u8>> = identity.decrypt(&sealed).map_err(broken)?;
    let item = item::parse_item(identity, name, &plain).map_err(|problem| broken(problem.to_string()))?;
    if digest_of(&sealed) != digest {
        return Err(broken("it is not the version that hatbox wrote last".to_owned()));
    }
    Ok(item)
}
