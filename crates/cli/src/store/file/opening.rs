//! Opening a store: which wraps are tried, and whether the result is the store that was used before.

use super::identity::Identity;
use super::manifest::{Claimed, Files, Manifest};
use super::names::{WrapKind, WrapName};
use super::pin::Pin;
use super::wraps::{self, FoundWrap, OpenError};
use super::{FileStore, ask_for, locked, not_opened, recovery, rekey, unavailable};
use crate::store::asker::{Asker, PassphraseError, PassphraseFor};
use crate::store::{Distrust, Store, StoreError};
use crate::sys::files::{FileError, make_private_directory};

/// How many passphrases may be tried.
const TRIES: u32 = 3;

impl FileStore {
    pub(super) fn create(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        let passphrase = ask_for(asker, PassphraseFor::Creating)?;
        make_private_directory(&self.directory).map_err(unavailable)?;
        make_private_directory(&self.items()).map_err(unavailable)?;
        let held = self.hold_for_change()?;
        if self.has_manifest() {
            // Another process created the store meanwhile. Open that one, as a new one would lose its keys.
            drop(held);
            return self.unlock(asker);
        }
        let identity = Identity::generate();
        let wrap =
            wraps::wrap_by_passphrase(&identity, WrapName::passphrase(), &passphrase).map_err(not_opened)?;
        wrap.write(&self.directory, 1).map_err(unavailable)?;
        let manifest = Manifest { counter: 1, wraps: wrap.files(1), items: Files::new() };
        let pin = Pin::of(&self.directory, &identity, &manifest);
        self.save_pin(&pin.clone().before_the_first_manifest(), asker);
        manifest.save_new(&self.directory, &identity).map_err(unavailable)?;
        self.save_pin(&pin, asker);
        self.note_seen(&manifest, &identity);
        self.identity = Some(identity);
        Ok(())
    }

    /// Uses a plugin if there is one and the user may be asked to touch a key; otherwise a passphrase.
    pub(super) fn open_by_any_wrap(
        &mut self,
        claimed: &Claimed,
        pin: Option<&Pin>,
        asker: &mut dyn Asker,
    ) -> Result<(), StoreError> {
        let (found, problems) = self.load_wraps(claimed)?;
        for problem in problems {
            asker.warn(&not_opened(problem).to_string());
        }
        // Security: the manifest is not verified yet, and a plugin is a program whose input comes from the wrap. So
        // only plugins that were listed when the store was last used are run.
        let is_known = |wrap: &FoundWrap| match pin {
            Some(pin) => wrap.files().iter().all(|(file, digest)| pin.plugins.get(file) == Some(digest)),
            None => self.wanted.is_some(),
        };
        let (plugins, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|wrap| wrap.name.kind() == WrapKind::Plugin);
        let (plugins, unknown): (Vec<_>, Vec<_>) = plugins.into_iter().partition(is_known);
        if found.is_empty() && plugins.is_empty() {
            return Err(self.untrusted(Distrust::NotPinned));
        }
        for wrap in &unknown {
            let name = wrap.name.as_str();
            asker.warn(&format!(
                "the wrap `{name}` is not used until a passphrase has opened the store here once"
            ));
        }
        #[cfg(feature = "plugins")]
        if let Some(identity) = self.open_with_plugin(&plugins, found.is_empty(), asker)? {
            return self.admit(claimed, pin, identity, asker);
        }
        let (identity, _) = open_with_passphrase(&found, asker)?;
        self.admit(claimed, pin, identity, asker)
    }

    /// Loads the wraps whose files are as the manifest lists them. A store that no wrap opens is not used, as keys
    /// written to it would be lost.
    fn load_wraps(&self, claimed: &Claimed) -> Result<(Vec<FoundWrap>, Vec<OpenError>), StoreError> {
        let (found, mut problems) = wraps::load_wraps(&self.directory, claimed.wraps());
        let is_newer = |problem: &OpenError| matches!(problem, OpenError::File(FileError::Newer(_)));
        if let Some(newer) = problems.iter().position(is_newer) {
            return Err(not_opened(problems.swap_remove(newer)));
        }
        if !found.is_empty() {
            return Ok((found, problems));
        }
        Err(match problems.pop() {
            Some(problem) => not_opened(problem),
            None => self.missing("no `identity.*.age` is there to open it"),
        })
    }

    /// Accepts the identity from a wrap, if it is the store's and the store is the pinned one.
    fn admit(
        &mut self,
        claimed: &Claimed,
        pin: Option<&Pin>,
        identity: Identity,
        asker: &mut dyn Asker,
    ) -> Result<(), StoreError> {
        let found = identity.fingerprint();
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| **wanted != found) {
            return Err(self.untrusted(Distrust::OtherIdentity { pinned: wanted.clone(), found }));
        }
        let is_rekeyed = pin.is_some_and(|pin| pin.rekeying_to.as_ref() == Some(&found));
        if let Some(pin) = pin.filter(|pin| pin.identity != found && !is_rekeyed) {
            return Err(self.untrusted(Distrust::OtherIdentity { pinned: pin.identity.clone(), found }));
        }
        let manifest = claimed.verify(&identity).ok_or_else(|| self.untrusted(Distrust::Changed))?;
        if let Some(pin) = pin {
            self.check_newer((pin.counter, pin.manifest.clone()), manifest, &identity)?;
        }
        let newest = Pin::of(&self.directory, &identity, manifest);
        match pin {
            Some(pin) if pin.rekeying_to.is_some() => {
                let _held = self.hold_for_change()?;
                if self.pin.load().map_err(unavailable)?.as_ref() != Some(pin) {
                    // The rekeying was not interrupted: another process has just finished it, so the next attempt finds
                    // its identity.
                    return Err(locked(PassphraseError::AnsweredElsewhere));
                }
                rekey::clean_up(&self.directory, manifest, is_rekeyed);
                self.save_pin(&newest, asker);
            }
            Some(pin) if manifest.counter == pin.counter => {}
            Some(_) => self.raise_pin(&newest, asker)?,
            None => {
                let place = self.directory.display();
                asker.warn(&format!(
                    "`{place}` is used here for the first time; its identity `{found}` is pinned from now on"
                ));
                self.save_pin(&newest, asker);
            }
        }
        for file in wraps::foreign_files(&self.directory, &manifest.wraps) {
            asker.warn(&format!(
                "`{}` is not part of the store, and is not used: delete it unless you know what it is",
                self.directory.join(file).display()
            ));
        }
        self.note_seen(manifest, &identity);
        self.identity = Some(identity);
        Ok(())
    }

    /// Saves the pin. If it cannot be written, as in a container without a home directory, the store still works.
    fn save_pin(&self, pin: &Pin, asker: &mut dyn Asker) {
        if let Err(error) = self.pin.save(pin) {
            asker.warn(&format!("the state of the store is not pinned: {error}"));
        }
    }

    /// Updates the pin to a newer state, made on another machine or by a process that was killed.
    fn raise_pin(&self, newest: &Pin, asker: &mut dyn Asker) -> Result<(), StoreError> {
        // A read-only store, such as one mounted into a container, can still be opened.
        let Ok(_held) = self.hold_for_change() else { return Ok(()) };
        let pin = self.pin.load().map_err(unavailable)?;
        let is_behind = |pin: Pin| {
            pin.identity == newest.identity && pin.rekeying_to.is_none() && pin.counter < newest.counter
        };
        if pin.is_some_and(is_behind) {
            self.save_pin(newest, asker);
        }
        Ok(())
    }

    /// Opens the store with the identity that an earlier unlock left in the kernel keyring.
    pub(super) fn open_with_held(
        &mut self,
        claimed: &Claimed,
        pin: Option<&Pin>,
        asker: &mut dyn Asker,
    ) -> Result<bool, StoreError> {
        let Ok(held) = self.unlocked.identity() else { return Ok(false) };
        let Some(identity) = Identity::parse(&held) else { return Ok(false) };
        if claimed.verify(&identity).is_none() {
            // It may be from an earlier store here, or from before another process rekeyed the store. Otherwise the
            // store's files were changed, and its wraps are not tried.
            let is_pinned =
                pin.is_some_and(|pin| pin.identity == identity.fingerprint() && pin.rekeying_to.is_none());
            return if is_pinned { Err(self.untrusted(Distrust::Changed)) } else { Ok(false) };
        }
        self.load_wraps(claimed)?;
        self.admit(claimed, pin, identity, asker).map(|()| true)
    }

    pub(super) fn hold(&self) {
        if let Some(identity) = &self.identity {
            // Without a kernel keyring each process asks again; `world` warns about that.
            self.unlocked.hold_identity(identity.expose()).ok();
        }
    }
}

/// Opens one of the wraps that use a passphrase.
pub(super) fn open_with_passphrase<'w>(
    found: &'w [FoundWrap],
    asker: &mut dyn Asker,
) -> Result<(Identity, &'w FoundWrap), StoreError> {
    for attempt in 1..=TRIES {
        let typed = ask_for(asker, PassphraseFor::Opening { attempt })?;
        let (kind, passphrase) = match recovery::read(&typed) {
            Some(meant) => (WrapKind::Recovery, meant),
            None => (WrapKind::Passphrase, typed),
        };
        let mut problem = None;
        for wrap in found.iter().filter(|wrap| wrap.name.kind() == kind) {
            match wrap.open_by_passphrase(&passphrase) {
                Ok(identity) => return Ok((identity, wrap)),
                Err(OpenError::WrongPassphrase) => {}
                Err(error) => problem = Some(error),
            }
        }
        // Another passphrase does not help if the wrap is damaged.
        if let Some(problem) = problem {
            return Err(not_opened(problem));
        }
    }
    Err(locked(PassphraseError::Wrong))
}
