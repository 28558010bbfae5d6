//! `hatbox store trust`: examines a store that is not trusted, and accepts it if the user says so.

use super::identity::Identity;
use super::manifest::{Claimed, Files, MANIFEST, Manifest, ManifestError, digest_of};
use super::names::ItemFile;
use super::names::{WrapKind, WrapPart};
use super::opening::open_with_passphrase;
use super::pin::Pin;
use super::state::{ITEM_LIMIT, broken_item, read_sealed};
use super::wraps::{self, FoundWrap};
use super::{FileStore, changed_meanwhile, locked, unavailable};
use crate::store::asker::{Asker, PassphraseError};
use crate::store::{ItemInfo, StoreError};
use crate::sys::files::read_private;

/// What was found at the path of a store.
#[derive(Debug)]
pub(crate) enum StoreState {
    /// There is no store, and there was none before.
    None,
    /// There is no store, but one was used here before.
    Gone,
    /// There is a store.
    There(Box<Examined>),
}

/// An examined store, which can be accepted.
#[derive(Debug)]
pub(crate) struct Examined {
    identity: Identity,
    manifest: Manifest,
    /// The fingerprint of its identity.
    pub(crate) fingerprint: String,
    /// The pinned fingerprint.
    pub(crate) pinned: Option<String>,
    /// The items that would be part of the store.
    pub(crate) items: Vec<ItemInfo>,
    /// The files that would be left out: name and reason.
    pub(crate) left_out: Vec<(String, String)>,
    /// The manifest and the pin when it was examined.
    seen: (Option<String>, Option<Pin>),
    /// Whether exactly this state is trusted already.
    pub(crate) is_trusted: bool,
}

impl FileStore {
    /// Opens the store whether or not it is trusted, and changes nothing.
    pub(crate) fn examine(&self, asker: &mut dyn Asker) -> Result<StoreState, StoreError> {
        let claimed = match Claimed::load(&self.directory) {
            Ok(claimed) => claimed,
            Err(ManifestError::Form) => None,
            Err(ManifestError::File(error)) => return Err(unavailable(error)),
        };
        let pin = self.pin.load().map_err(unavailable)?;
        let found = wraps::load_unlisted_wraps(&self.directory).map_err(unavailable)?;
        if found.is_empty() {
            let is_known = pin.is_some() || self.why_missing().is_some();
            return Ok(if is_known { StoreState::Gone } else { StoreState::None });
        }
        let seen = (self.digest_of_manifest(), pin.clone());
        let (identity, opened) = self.open_unlisted(&found, asker)?;
        let verified = claimed.as_ref().and_then(|claimed| claimed.verify(&identity));
        let mut left_out = Vec::new();
        let (items, infos) = self.adopt_items(&identity, &mut left_out)?;
        let wraps = self.adopt_wraps(opened, verified, &mut left_out);
        let newest = items.keys().filter_map(|file| Some(ItemFile::parse(file)?.counter)).max();
        let newest = newest.max(verified.map(|manifest| manifest.counter)).unwrap_or_default();
        let fingerprint = identity.fingerprint();
        let is_trusted = pin.as_ref().is_some_and(|pin| {
            pin.identity == fingerprint
                && verified.is_some_and(|manifest| {
                    manifest.counter >= pin.counter && manifest.items == items && manifest.wraps == wraps
                })
        });
        let counter = newest.max(pin.as_ref().map_or(0, |pin| pin.counter)) + 1;
        Ok(StoreState::There(Box::new(Examined {
            manifest: Manifest { counter, wraps, items },
            pinned: pin.map(|pin| pin.identity),
            items: infos,
            identity,
            fingerprint,
            left_out,
            seen,
            is_trusted,
        })))
    }

    /// Accepts the examined store from now on. The caller holds the store's lock.
    pub(crate) fn accept(&mut self, examined: Examined) -> Result<(), StoreError> {
        let Examined { identity, manifest, seen, .. } = examined;
        let _held = self.hold_for_change()?;
        if seen != (self.digest_of_manifest(), self.pin.load().map_err(unavailable)?) {
            // The store changed while the user was asked: what was added would be lost.
            return Err(changed_meanwhile());
        }
        manifest.save(&self.directory, &identity).map_err(unavailable)?;
        self.pin.save(&Pin::of(&self.directory, &identity, &manifest)).map_err(unavailable)?;
        self.unlocked.forget().ok();
        self.note_seen(&manifest, &identity);
        self.identity = Some(identity);
        self.hold();
        Ok(())
    }

    fn digest_of_manifest(&self) -> Option<String> {
        let bytes = std::fs::read(self.directory.join(MANIFEST)).ok()?;
        Some(digest_of(&bytes))
    }

    /// Forgets a store that is gone: the next `hatbox add` creates a new one.
    pub(crate) fn forget(&mut self) -> Result<(), StoreError> {
        self.unlocked.forget().ok();
        self.pin.remove().map_err(unavailable)
    }

    fn open_unlisted<'w>(
        &self,
        found: &'w [FoundWrap],
        asker: &mut dyn Asker,
    ) -> Result<(Identity, &'w FoundWrap), StoreError> {
        if found.iter().all(|wrap| wrap.name.kind() == WrapKind::Plugin) {
            return self.open_unlisted_by_plugin(found, asker);
        }
        open_with_passphrase(found, asker)
    }

    #[cfg(feature = "plugins")]
    fn open_unlisted_by_plugin<'w>(
        &self,
        found: &'w [FoundWrap],
        asker: &mut dyn Asker,
    ) -> Result<(Identity, &'w FoundWrap), StoreError> {
        let mut said = None;
        for wrap in found {
            match self.unwrap_by_plugin(wrap, asker) {
                Ok(identity) => return Ok((identity, wrap)),
                Err(error) => said = Some(error),
            }
        }
        Err(said.unwrap_or_else(|| locked(PassphraseError::CannotAsk)))
    }

    #[cfg(not(feature = "plugins"))]
    #[expect(clippy::unused_self, reason = "it has a use for it where there are plugins")]
    fn open_unlisted_by_plugin<'w>(
        &self,
        _: &'w [FoundWrap],
        _: &mut dyn Asker,
    ) -> Result<(Identity, &'w FoundWrap), StoreError> {
        Err(locked(PassphraseError::CannotAsk))
    }

    /// Finds the items that this identity wrote, the newest version of each.
    fn adopt_items(
        &self,
        identity: &Identity,
        left_out: &mut Vec<(String, String)>,
    ) -> Result<(Files, Vec<ItemInfo>), StoreError> {
        let mut newest = std::collections::BTreeMap::<String, (u64, String, String, ItemInfo)>::new();
        let entries = std::fs::read_dir(self.items()).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        files.retain(|file| !file.starts_with('.'));
        files.sort();
        for file in files {
            let Some(about) = ItemFile::parse(&file) else {
                left_out.push((file, "it is not named as an item".to_owned()));
                continue;
            };
            let path = self.items().join(&file);
            let item = match read_private(&path, ITEM_LIMIT) {
                Ok(sealed) => {
                    read_sealed(identity, &file, &path, &sealed).map(|item| (digest_of(&sealed), item.info))
                }
                Err(error) => Err(broken_item(&file, error.to_string())),
            };
            match item {
                // If it were left out, it would be lost.
                Err(newer @ StoreError::Newer { .. }) => return Err(newer),
                Err(StoreError::Broken { problem, .. }) => left_out.push((file, problem)),
                Err(error) => left_out.push((file, error.to_string())),
                Ok((digest, info)) => {
                    let (name, counter) = (about.name.to_owned(), about.counter);
                    let older = match newest.get(&name) {
                        Some((other, ..)) if *other > counter => Some(file),
                        _ => newest.insert(name, (counter, file, digest, info)).map(|(_, file, ..)| file),
                    };
                    left_out.extend(older.map(|file| (file, "there is a newer version".to_owned())));
                }
            }
        }
        let mut infos: Vec<_> = newest.values().map(|(_, _, _, info)| info.clone()).collect();
        infos.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((newest.into_values().map(|(_, file, digest, _)| (file, digest)).collect(), infos))
    }

    /// Finds the wraps that the store's own manifest lists and whose files match, and the wrap that opened the store.
    fn adopt_wraps(
        &self,
        opened: &FoundWrap,
        verified: Option<&Manifest>,
        left_out: &mut Vec<(String, String)>,
    ) -> Files {
        let mut adopted = opened.files().clone();
        if let Some(manifest) = verified {
            for wrap in wraps::load_wraps(&self.directory, &manifest.wraps).0 {
                if wrap.name != opened.name {
                    adopted.extend(wrap.files().clone());
                }
            }
        }
        for (file, about) in wraps::files_in(&self.directory) {
            if !adopted.contains_key(&file) && about.part == WrapPart::Sealed {
                left_out.push((file, "nothing shows that hatbox made it".to_owned()));
            }
        }
        adopted
    }
}
