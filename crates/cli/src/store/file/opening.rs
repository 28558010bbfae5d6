//! Opening a store: which wraps are tried, and whether what they give is the store that was used before.

use super::identity::Identity;
use super::manifest::{Claimed, Files, Manifest};
use super::pin::Pin;
use super::wraps::{self, FoundWrap, OpenError, WrapKind, WrapName};
use super::{FileStore, ask_for, locked, not_opened, recovery, rekey, unavailable};
use crate::store::{AskPassphrase, Distrust, PassphraseError, PassphraseFor, Store, StoreError};
use crate::sys::files::make_private_directory;
use crate::sys::lock;

/// How often a wrong passphrase may be corrected.
const TRIES: u32 = 3;

/// By what the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenedBy {
    /// The identity was held since an earlier unlock.
    Held,
    Passphrase,
    /// A plugin encrypts to a public key: another person can make a wrap that it opens.
    #[cfg(feature = "plugins")]
    Plugin,
}

impl OpenedBy {
    fn proves_nothing(self) -> bool {
        match self {
            Self::Held | Self::Passphrase => false,
            #[cfg(feature = "plugins")]
            Self::Plugin => true,
        }
    }
}

impl FileStore {
    pub(super) fn create(&mut self, ask: &mut AskPassphrase<'_>) -> Result<(), StoreError> {
        let passphrase = ask_for(ask, PassphraseFor::Creating)?;
        make_private_directory(&self.directory).map_err(unavailable)?;
        make_private_directory(&self.items()).map_err(unavailable)?;
        let held = lock::hold(&self.directory.join("lock")).map_err(unavailable)?;
        if self.has_manifest() {
            // Another process made the store meanwhile. Its keys must not be lost: this one opens it.
            drop(held);
            return self.unlock(ask);
        }
        let identity = Identity::generate();
        let wrap =
            wraps::wrap_by_passphrase(&identity, WrapName::passphrase(), &passphrase).map_err(not_opened)?;
        wrap.write(&self.directory, 1).map_err(unavailable)?;
        let manifest = Manifest { counter: 1, wraps: wrap.files(1), items: Files::new() };
        // Of no change yet: a kill before the manifest is there leaves no store that could be missed.
        self.save_pin(0, identity.fingerprint());
        manifest.save_new(&self.directory, &identity).map_err(unavailable)?;
        self.save_pin(1, identity.fingerprint());
        self.seen.set(1);
        self.identity = Some(identity);
        Ok(())
    }

    /// By a plugin, where there is one and a person may be asked to touch it; else by a passphrase.
    pub(super) fn open_by_any_wrap(
        &mut self,
        claimed: &Claimed,
        pin: Option<&Pin>,
        ask: &mut AskPassphrase<'_>,
    ) -> Result<(), StoreError> {
        let (found, mut problems) = wraps::load_wraps(&self.directory, claimed.wraps());
        if found.is_empty() {
            return Err(match problems.pop() {
                Some(problem) => not_opened(problem),
                None => self.untrusted(Distrust::Changed),
            });
        }
        self.warn(problems.into_iter().map(|problem| not_opened(problem).to_string()));
        #[cfg(feature = "plugins")]
        if let Some(identity) = self.open_with_plugin(&found, ask)? {
            return self.admit(claimed, pin, identity, OpenedBy::Plugin);
        }
        let (identity, _) = open_with_passphrase(&found, ask)?;
        self.admit(claimed, pin, identity, OpenedBy::Passphrase)
    }

    /// Takes the identity that a wrap gave, when it is the store's and the store is the one that is pinned.
    fn admit(
        &mut self,
        claimed: &Claimed,
        pin: Option<&Pin>,
        identity: Identity,
        by: OpenedBy,
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
        let counter = manifest.counter;
        match pin {
            Some(pin) if counter < pin.counter => {
                return Err(self.untrusted(Distrust::RolledBack { pinned: pin.counter, found: counter }));
            }
            Some(pin) if pin.rekeying_to.is_some() => {
                let _held = lock::hold(&self.directory.join("lock")).map_err(unavailable)?;
                if self.pin.load().map_err(unavailable)?.as_ref() != Some(pin) {
                    // It was not cut off: another process has just finished it. The next look finds its identity.
                    return Err(locked(PassphraseError::AnsweredElsewhere));
                }
                rekey::clean_up(&self.directory, manifest, is_rekeyed);
                self.save_pin(counter, found);
            }
            Some(pin) if counter == pin.counter => {}
            Some(_) => self.raise_pin(counter, found)?,
            None if by.proves_nothing() && self.wanted.is_none() => {
                return Err(self.untrusted(Distrust::NotPinned { found }));
            }
            None => {
                let place = self.directory.display();
                self.warn([format!(
                    "`{place}` is used here for the first time; its identity `{found}` is pinned from now on"
                )]);
                self.save_pin(counter, found);
            }
        }
        self.warn(wraps::foreign_files(&self.directory, &manifest.wraps).into_iter().map(|file| {
            format!(
                "`{}` is not part of the store, and is not used: delete it unless you know what it is",
                self.directory.join(file).display()
            )
        }));
        self.seen.set(counter);
        self.identity = Some(identity);
        Ok(())
    }

    pub(super) fn warn(&self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.borrow_mut().extend(warnings);
    }

    /// Where the pin cannot be written, as in a container without a home, the store works all the same.
    pub(super) fn save_pin(&self, counter: u64, identity: String) {
        if let Err(error) = self.pin.save(&Pin::new(&self.directory, identity, counter)) {
            self.warn([format!("the state of the store is not pinned: {error}")]);
        }
    }

    /// Pins a counter that another machine, or a process that was killed, has brought further. A writer that is at work
    /// now does so itself.
    fn raise_pin(&self, counter: u64, identity: String) -> Result<(), StoreError> {
        let path = self.directory.join("lock");
        let Ok(_held) = lock::wait(&path, |_| Err(())).map_err(unavailable)? else { return Ok(()) };
        let pin = self.pin.load().map_err(unavailable)?;
        if pin
            .is_some_and(|pin| pin.identity == identity && pin.rekeying_to.is_none() && pin.counter < counter)
        {
            self.save_pin(counter, identity);
        }
        Ok(())
    }

    /// Opens the store by what an earlier unlock left in the kernel keyring.
    pub(super) fn open_with_held(
        &mut self,
        claimed: &Claimed,
        pin: Option<&Pin>,
    ) -> Result<bool, StoreError> {
        let Ok(held) = self.unlocked.identity() else { return Ok(false) };
        let Some(identity) = Identity::parse(&held) else { return Ok(false) };
        if claimed.verify(&identity).is_none() {
            // It is that of an earlier store here, or of before a rekeying that another process has finished; or else
            // the store's files were changed, and no wrap of theirs is tried.
            let is_pinned =
                pin.is_some_and(|pin| pin.identity == identity.fingerprint() && pin.rekeying_to.is_none());
            return if is_pinned { Err(self.untrusted(Distrust::Changed)) } else { Ok(false) };
        }
        self.admit(claimed, pin, identity, OpenedBy::Held).map(|()| true)
    }

    pub(super) fn hold(&self) {
        if let Some(identity) = &self.identity {
            // Without a kernel keyring each process asks for itself; `world` tells the user so.
            self.unlocked.hold_identity(identity.expose()).ok();
        }
    }
}

/// Opens one of the wraps that a passphrase opens.
pub(super) fn open_with_passphrase<'w>(
    found: &'w [FoundWrap],
    ask: &mut AskPassphrase<'_>,
) -> Result<(Identity, &'w FoundWrap), StoreError> {
    for attempt in 1..=TRIES {
        let typed = ask_for(ask, PassphraseFor::Opening { attempt })?;
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
        // Another passphrase does not make it whole.
        if let Some(problem) = problem {
            return Err(not_opened(problem));
        }
    }
    Err(locked(PassphraseError::Wrong))
}
