//! What can be done to a `file` store beside using it: wraps added and removed, a new identity.

use hatbox_core::secret::SecretString;

use super::identity::Identity;
#[cfg(feature = "plugins")]
use super::plugin::{self, PluginError, PluginIdentity};
use super::wraps::{self, NewWrap, WrapKind, WrapName};
use super::{FileStore, ItemKind, ask_for, recovery, rekey, unavailable};
use crate::store::{AskPassphrase, PassphraseFor, Store, StoreError, StoreKind, cause};
#[cfg(feature = "plugins")]
use crate::store::{PassphraseError, PluginAsks};

/// A wrap as `hatbox store wrap list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrapInfo {
    pub(crate) name: WrapName,
    /// Whether hatbox made it; `None` while the store is locked.
    pub(crate) is_ours: Option<bool>,
    /// Of a plugin's wrap: the plugin.
    pub(crate) plugin: Option<String>,
}

impl FileStore {
    /// The wraps that are there. Asks nobody.
    pub(crate) fn wraps(&self) -> Result<Vec<WrapInfo>, StoreError> {
        let ours = match &self.identity {
            Some(identity) => Some(wraps::trusted(&self.directory, identity).map_err(unavailable)?),
            None => None,
        };
        let describe = |name: WrapName| WrapInfo {
            is_ours: ours.as_ref().map(|ours| ours.contains(&name)),
            plugin: self.plugin_of(&name),
            name,
        };
        Ok(wraps::wraps_in(&self.directory).into_iter().map(describe).collect())
    }

    /// Writes the passphrase's wrap, in the place of an earlier one. The store's lock is held.
    pub(crate) fn add_passphrase(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        let passphrase = ask_for(ask, PassphraseFor::Changing)?;
        let wrap = wraps::wrap_by_passphrase(self.identity()?, WrapName::passphrase(), &passphrase);
        wraps::add(&self.directory, self.identity()?, &wrap.map_err(unavailable)?).map_err(unavailable)
    }

    /// Makes a recovery passphrase and writes its wrap. The store's lock is held.
    pub(crate) fn add_recovery(&mut self) -> Result<SecretString, StoreError> {
        let (passphrase, wrap) = recovery_wrap(self.identity()?)?;
        wraps::add(&self.directory, self.identity()?, &wrap).map_err(unavailable)?;
        Ok(passphrase)
    }

    /// Removes a wrap. The store's lock is held.
    pub(crate) fn remove_wrap(&mut self, name: &WrapName) -> Result<(), StoreError> {
        wraps::take_off(&self.directory, self.identity()?, name).map_err(unavailable)
    }

    /// Gives the store a new identity: seals every item but the cache key again, makes every wrap anew, and
    /// forgets the old identity. The cache key is left out: what it opens is made again. The store's lock is
    /// held.
    ///
    /// Returns the new recovery passphrase, where there was one.
    ///
    /// # Errors
    /// Also when an item is damaged: it would be lost. Nothing has changed then.
    pub(crate) fn rekey(&mut self, ask: &mut AskPassphrase<'_>) -> Result<Option<SecretString>, StoreError> {
        let (infos, broken) = self.list()?;
        if let Some(error) = broken.into_iter().next() {
            return Err(error);
        }
        let kept = infos.into_iter().filter(|info| info.id.kind != ItemKind::CacheKey);
        let items = kept.map(|info| self.read(&info.id)).collect::<Result<Vec<_>, _>>()?;
        let old = wraps::trusted(&self.directory, self.identity()?).map_err(unavailable)?;
        let new = Identity::generate();
        let (mut new_wraps, mut recovery) = (Vec::new(), None);
        for name in old {
            new_wraps.push(match name.kind() {
                WrapKind::Passphrase => {
                    let passphrase = ask_for(ask, PassphraseFor::Changing)?;
                    wraps::wrap_by_passphrase(&new, name, &passphrase).map_err(unavailable)?
                }
                WrapKind::Recovery => {
                    let (passphrase, wrap) = recovery_wrap(&new)?;
                    recovery = Some(passphrase);
                    wrap
                }
                WrapKind::Plugin => self.wrap_by_same_plugin(&new, name, ask)?,
            });
        }
        rekey::write(&self.directory, &new, &new_wraps, &items).map_err(unavailable)?;
        // Nothing was held where there is no kernel keyring.
        self.unlocked.forget().ok();
        self.unlocked.hold_identity(new.expose()).ok();
        self.identity = Some(new);
        Ok(recovery)
    }
}

fn recovery_wrap(identity: &Identity) -> Result<(SecretString, NewWrap), StoreError> {
    let passphrase = recovery::generate().map_err(|error| unusable(error.to_string()))?;
    let wrap = wraps::wrap_by_passphrase(identity, WrapName::recovery(), &passphrase).map_err(unavailable)?;
    Ok((passphrase, wrap))
}

fn unusable(why: String) -> StoreError {
    StoreError::Unavailable { kind: StoreKind::File, source: cause(why), way_out: None }
}

#[cfg(feature = "plugins")]
impl FileStore {
    fn plugin_of(&self, name: &WrapName) -> Option<String> {
        let (_, text) = wraps::read_plugin_wrap(&self.directory, name).ok()?;
        Some(PluginIdentity::parse(&text).ok()?.plugin().to_owned())
    }

    /// Writes the wrap of an age plugin. The store's lock is held.
    pub(crate) fn add_plugin(
        &mut self,
        name: WrapName,
        identity: &PluginIdentity,
        ask: &mut AskPassphrase<'_>,
    ) -> Result<(), StoreError> {
        let wrap = plugin::wrap(self.identity()?, name, identity, ask, self.patience).map_err(not_wrapped)?;
        wraps::add(&self.directory, self.identity()?, &wrap).map_err(unavailable)
    }

    fn wrap_by_same_plugin(
        &self,
        new: &Identity,
        name: WrapName,
        ask: &mut AskPassphrase<'_>,
    ) -> Result<NewWrap, StoreError> {
        let (_, text) = wraps::read_plugin_wrap(&self.directory, &name).map_err(super::not_opened)?;
        let identity = PluginIdentity::parse(&text).map_err(not_wrapped)?;
        plugin::wrap(new, name, &identity, ask, self.patience).map_err(not_wrapped)
    }

    /// Tries the plugins' wraps, one after the other. Tells whether one opened the store.
    pub(super) fn open_with_plugin(&mut self, ask: &mut AskPassphrase<'_>) -> Result<bool, StoreError> {
        let (plugins, others): (Vec<_>, Vec<_>) =
            wraps::wraps_in(&self.directory).into_iter().partition(|name| name.kind() == WrapKind::Plugin);
        let is_only_way = others.is_empty();
        let leave = if is_only_way { PluginAsks::MustBeUsed } else { PluginAsks::MayBeUsed };
        let mut said = None;
        for name in plugins {
            if let Err(error) = ask(PassphraseFor::Plugin(leave.clone())) {
                return if is_only_way { Err(super::locked(error)) } else { Ok(false) };
            }
            let (sealed, text) =
                wraps::read_plugin_wrap(&self.directory, &name).map_err(super::not_opened)?;
            let opened = PluginIdentity::parse(&text)
                .and_then(|identity| plugin::unwrap(&identity, sealed, ask, self.patience));
            match opened {
                Ok(plain) => {
                    let identity = wraps::parse_identity(&name, &plain).map_err(super::not_opened)?;
                    self.opened_by(&name, identity)?;
                    return Ok(true);
                }
                Err(PluginError::Person(error)) => return Err(super::locked(error)),
                Err(error) => {
                    self.warnings.push(format!("the wrap `{}` was not used: {error}", name.as_str()));
                    said = Some(error);
                }
            }
        }
        match said {
            Some(error) if is_only_way => {
                self.warnings.pop();
                Err(super::locked(PassphraseError::Refused { what: error.to_string() }))
            }
            _ => Ok(false),
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
    fn plugin_of(&self, _: &WrapName) -> Option<String> {
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
        name: WrapName,
        _: &mut AskPassphrase<'_>,
    ) -> Result<NewWrap, StoreError> {
        let name = name.as_str();
        Err(unusable(format!("the wrap `{name}` is a plugin's, and this build of hatbox has no plugins")))
    }
}
