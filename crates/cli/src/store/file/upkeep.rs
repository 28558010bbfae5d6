//! Maintenance of a `file` store: adding and removing wraps, and rekeying.

use hatbox_types::secret::SecretString;

use super::identity::Identity;
use super::manifest::Manifest;
use super::names::{WrapFile, WrapKind, WrapName, WrapPart};
use super::pin::Pin;
#[cfg(feature = "plugins")]
use super::plugin::{self, PluginError, PluginIdentity};
use super::wraps::{self, FoundWrap, NewWrap};
use super::{FileStore, ItemKind, ask_for, changed_meanwhile, not_opened, recovery, rekey, unavailable};
use crate::store::asker::{Asker, PassphraseFor};
#[cfg(feature = "plugins")]
use crate::store::asker::{OwnPrompt, PassphraseError};
use crate::store::{Store, StoreError, StoreKind, cause};

/// A wrap as `hatbox store wrap list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrapInfo {
    pub(crate) name: WrapName,
    /// The file name in the store's directory.
    pub(crate) file: String,
    /// Whether hatbox wrote it and uses it; `None` while the store is locked.
    pub(crate) is_ours: Option<bool>,
    /// The plugin, if it is a plugin's wrap.
    pub(crate) plugin: Option<String>,
}

impl FileStore {
    /// Lists the existing wraps, without asking for anything.
    pub(crate) fn wraps(&self) -> Result<Vec<WrapInfo>, StoreError> {
        // Only wraps that match the manifest can open the store.
        let ours = match &self.identity {
            Some(_) => Some(wraps::load_wraps(&self.directory, &self.manifest()?.wraps).0),
            None => None,
        };
        let sealed = wraps::files_in(&self.directory).into_iter();
        let sealed = sealed.filter(|(_, about)| about.part == WrapPart::Sealed);
        Ok(sealed
            .map(|(file, about)| WrapInfo {
                is_ours: ours.as_ref().map(|ours| ours.iter().any(|wrap| wrap.files().contains_key(&file))),
                plugin: self.plugin_of(&about),
                name: about.name,
                file,
            })
            .collect())
    }

    /// Writes the passphrase wrap, replacing an earlier one. The caller holds the store's lock.
    pub(crate) fn add_passphrase(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        let passphrase = ask_for(asker, PassphraseFor::Changing)?;
        let wrap = wraps::wrap_by_passphrase(self.identity()?, WrapName::passphrase(), &passphrase);
        self.add_wrap(&wrap.map_err(not_opened)?)
    }

    /// Generates a recovery passphrase and writes its wrap. The caller holds the store's lock.
    pub(crate) fn add_recovery(&mut self) -> Result<SecretString, StoreError> {
        let (passphrase, wrap) = recovery_wrap(self.identity()?)?;
        self.add_wrap(&wrap)?;
        Ok(passphrase)
    }

    fn add_wrap(&self, wrap: &NewWrap) -> Result<(), StoreError> {
        let _held = self.hold_for_change()?;
        let manifest = self.manifest()?;
        let counter = manifest.counter + 1;
        let manifest = self.commit(manifest, |manifest| manifest.wraps.extend(wrap.files(counter)))?;
        wrap.write(&self.directory, counter).map_err(unavailable)?;
        if wrap.name.kind() == WrapKind::Passphrase {
            self.unlocked.forget_box();
        }
        self.remove_wraps(manifest, &wrap.name, Some(counter))
    }

    /// Deletes the files of the wrap of this name, except those with this counter, and removes them from the manifest.
    ///
    /// A wrap is listed before it is written, and deleted before it is unlisted. If hatbox is killed in between, the
    /// manifest lists a missing file, which is harmless; an unlisted wrap never exists.
    fn remove_wraps(&self, manifest: Manifest, name: &WrapName, but: Option<u64>) -> Result<(), StoreError> {
        wraps::remove_wraps(&self.directory, name, but).map_err(unavailable)?;
        self.commit(manifest, |manifest| {
            manifest.wraps.retain(|file, _| {
                WrapFile::parse(file).is_none_or(|about| about.name != *name || Some(about.counter) == but)
            });
        })?;
        Ok(())
    }

    /// Removes a wrap. The caller holds the store's lock.
    pub(crate) fn remove_wrap(&mut self, name: &WrapName) -> Result<(), StoreError> {
        let _held = self.hold_for_change()?;
        self.remove_wraps(self.manifest()?, name, None)
    }

    /// Gives the store a new identity: reseals every item except the cache key, makes every wrap again, and forgets the
    /// old identity. The cache key is left out because everything that it opens can be obtained again. The caller holds
    /// the store's lock.
    ///
    /// Returns the new recovery passphrase, if the store had one.
    ///
    /// # Errors
    /// Also if an item is damaged, as it would be lost. Nothing has changed then.
    pub(crate) fn rekey(&mut self, asker: &mut dyn Asker) -> Result<Option<SecretString>, StoreError> {
        if self.wanted.is_some() {
            return Err(unusable(
                "`store_identity` in the settings names the identity: remove that line first".to_owned(),
            ));
        }
        let manifest = self.manifest()?;
        let (infos, broken) = self.list()?;
        if let Some(error) = broken.into_iter().next() {
            return Err(error);
        }
        let kept = infos.into_iter().filter(|info| info.id.kind != ItemKind::CacheKey);
        let items = kept.map(|info| self.read(&info.id)).collect::<Result<Vec<_>, _>>()?;
        let (old, problems) = wraps::load_wraps(&self.directory, &manifest.wraps);
        if let Some(problem) = problems.into_iter().next() {
            return Err(not_opened(problem));
        }
        let new = Identity::generate();
        let (mut new_wraps, mut recovery) = (Vec::new(), None);
        for wrap in old {
            new_wraps.push(match wrap.name.kind() {
                WrapKind::Passphrase => {
                    let passphrase = ask_for(asker, PassphraseFor::Changing)?;
                    wraps::wrap_by_passphrase(&new, wrap.name, &passphrase).map_err(not_opened)?
                }
                WrapKind::Recovery => {
                    let (passphrase, wrap) = recovery_wrap(&new)?;
                    recovery = Some(passphrase);
                    wrap
                }
                WrapKind::Plugin => self.wrap_by_same_plugin(&new, wrap, asker)?,
            });
        }
        let _held = self.hold_for_change()?;
        if self.manifest()? != manifest {
            // The store changed while the user was asked: what was added would be lost.
            return Err(changed_meanwhile());
        }
        let pin = Pin::of(&self.directory, self.identity()?, &manifest);
        let written = rekey::write(&self.directory, (&self.pin, pin), &new, &new_wraps, &items);
        self.note_seen(&written.map_err(unavailable)?, &new);
        // Without a kernel keyring there is nothing to forget.
        self.unlocked.forget().ok();
        self.identity = Some(new);
        self.hold();
        Ok(recovery)
    }
}

fn recovery_wrap(identity: &Identity) -> Result<(SecretString, NewWrap), StoreError> {
    let passphrase = recovery::generate().map_err(|error| unusable(error.to_string()))?;
    let wrap = wraps::wrap_by_passphrase(identity, WrapName::recovery(), &passphrase).map_err(not_opened)?;
    Ok((passphrase, wrap))
}

fn unusable(why: String) -> StoreError {
    StoreError::Unavailable { kind: StoreKind::File, source: cause(why), hint: None }
}

#[cfg(feature = "plugins")]
impl FileStore {
    fn plugin_of(&self, about: &WrapFile) -> Option<String> {
        let file = WrapFile { part: WrapPart::Plugin, ..about.clone() }.to_string();
        let text = wraps::read_file(&self.directory, &file).ok()?;
        Some(PluginIdentity::parse(std::str::from_utf8(&text).ok()?).ok()?.plugin().to_owned())
    }

    /// Writes the wrap of an age plugin. The caller holds the store's lock.
    pub(crate) fn add_plugin(
        &mut self,
        name: WrapName,
        identity: &PluginIdentity,
        asker: &mut dyn Asker,
    ) -> Result<(), StoreError> {
        let wrap =
            plugin::wrap(self.identity()?, name, identity, asker, self.patience).map_err(not_wrapped)?;
        self.add_wrap(&wrap)
    }

    fn wrap_by_same_plugin(
        &self,
        new: &Identity,
        old: FoundWrap,
        asker: &mut dyn Asker,
    ) -> Result<NewWrap, StoreError> {
        let text = old.plugin.unwrap_or_default();
        let identity = PluginIdentity::parse(&text).map_err(not_wrapped)?;
        plugin::wrap(new, old.name, &identity, asker, self.patience).map_err(not_wrapped)
    }

    /// Opens one wrap with its plugin.
    pub(super) fn unwrap_by_plugin(
        &self,
        wrap: &FoundWrap,
        asker: &mut dyn Asker,
    ) -> Result<Identity, StoreError> {
        asker.may_prompt(OwnPrompt::PluginAlone).map_err(super::locked)?;
        let text = wrap.plugin.as_deref().unwrap_or_default();
        let plain = PluginIdentity::parse(text)
            .and_then(|identity| plugin::unwrap(&identity, wrap.sealed().to_vec(), asker, self.patience))
            .map_err(not_wrapped)?;
        wrap.parse_identity(&plain).map_err(not_opened)
    }

    /// Tries the plugin wraps one after another. Returns `None` if none of them opened the store.
    pub(super) fn open_with_plugin(
        &mut self,
        plugins: &[FoundWrap],
        is_only_way: bool,
        asker: &mut dyn Asker,
    ) -> Result<Option<Identity>, StoreError> {
        let prompt = if is_only_way { OwnPrompt::PluginAlone } else { OwnPrompt::PluginOrPassphrase };
        let say = |asker: &mut dyn Asker, wrap: &FoundWrap, error: &PluginError| {
            asker.warn(&format!("the wrap `{}` was not used: {error}", wrap.name.as_str()));
        };
        let mut failed = None;
        for wrap in plugins {
            if let Some((before, error)) = failed.take() {
                say(asker, before, &error);
            }
            if let Err(error) = asker.may_prompt(prompt) {
                return if is_only_way { Err(super::locked(error)) } else { Ok(None) };
            }
            let opened = PluginIdentity::parse(wrap.plugin.as_deref().unwrap_or_default())
                .and_then(|identity| plugin::unwrap(&identity, wrap.sealed().to_vec(), asker, self.patience));
            match opened {
                Ok(plain) => return wrap.parse_identity(&plain).map(Some).map_err(not_opened),
                Err(PluginError::Person(error)) => return Err(super::locked(error)),
                Err(error) => failed = Some((wrap, error)),
            }
        }
        match failed {
            Some((_, error)) if is_only_way => {
                Err(super::locked(PassphraseError::Refused { what: error.to_string() }))
            }
            Some((wrap, error)) => {
                say(asker, wrap, &error);
                Ok(None)
            }
            None => Ok(None),
        }
    }
}

#[cfg(feature = "plugins")]
fn not_wrapped(error: PluginError) -> StoreError {
    match error {
        PluginError::Person(error) => super::locked(error),
        error => unusable(error.to_string()),
    }
}

#[cfg(not(feature = "plugins"))]
impl FileStore {
    #[expect(clippy::unused_self, reason = "it has a use for it where there are plugins")]
    fn plugin_of(&self, _: &WrapFile) -> Option<String> {
        None
    }

    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        reason = "it has a use for both with plugins"
    )]
    fn wrap_by_same_plugin(
        &self,
        _: &Identity,
        old: FoundWrap,
        _: &mut dyn Asker,
    ) -> Result<NewWrap, StoreError> {
        let name = old.name.as_str();
        Err(unusable(format!("the wrap `{name}` is a plugin's, and this build of hatbox has no plugins")))
    }
}
