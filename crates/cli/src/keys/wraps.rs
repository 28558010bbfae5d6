//! Commands that change the wraps and the identity of a `file` store.

use hatbox_types::secret::SecretString;
#[cfg(feature = "iam")]
use hatbox_types::text::shell::quote_word;

use super::unlock::no_store_yet;
use super::{KeyStore, Replacing};
use crate::ask::passphrase::{Interaction, PassphraseAsker, Patience, read_new_passphrase};
use crate::errors::{Failure, FailureKind};
use crate::store::StoreError;
#[cfg(feature = "plugins")]
use crate::store::asker::PluginMessage;
use crate::store::asker::{Asker, OwnPrompt, PassphraseError, PassphraseFor};
#[cfg(feature = "plugins")]
use crate::store::file::PluginIdentity;
use crate::store::file::{FileStore, WrapInfo, WrapName};
use crate::store::open::Backend;
#[cfg(feature = "iam")]
use crate::store::rotations::Rotations;
use crate::world::World;

/// What will open a new wrap.
#[derive(Clone, Copy)]
pub(crate) enum NewWrap<'a> {
    /// A passphrase, from the terminal or a descriptor.
    Passphrase { descriptor: Option<i32> },
    /// A generated recovery passphrase.
    Recovery,
    /// An age plugin.
    #[cfg(feature = "plugins")]
    Plugin(&'a PluginIdentity),
    #[cfg(not(feature = "plugins"))]
    #[expect(dead_code, reason = "it holds the lifetime")]
    Never(std::convert::Infallible, std::marker::PhantomData<&'a ()>),
}

/// The source of a new passphrase.
pub(super) enum NewPassphrase {
    /// This file descriptor.
    From(i32),
    /// The user.
    Asked,
    /// The source of the store's current passphrase, which stays the same.
    Same,
}

impl KeyStore {
    /// Lists the wraps. Says whether hatbox made them only if that can be known without asking the user.
    pub(crate) fn wraps_if_known(&mut self) -> Result<Vec<WrapInfo>, Failure> {
        self.require_file_store()?;
        match self.unlock(Interaction::Never) {
            Err(failure) if failure.kind != FailureKind::NeedsPerson => return Err(failure),
            _ => {}
        }
        let listed = self.file_store()?.wraps();
        listed.map_err(|error| self.failure_of(&error))
    }

    /// Adds a wrap. Returns the generated recovery passphrase, if the wrap has one.
    pub(crate) fn add_wrap(
        &mut self,
        name: &WrapName,
        wrap: NewWrap<'_>,
        replacing: Replacing,
    ) -> Result<Option<SecretString>, Failure> {
        let exists = self.wraps_of_open_store()?.iter().any(|wrap| wrap.name == *name);
        if exists && replacing == Replacing::Refused {
            return Err(Failure::new(
                FailureKind::Refused,
                format!("the store already has a wrap `{}`", name.as_str()),
            )
            .hint("add --replace to replace it"));
        }
        let new = match wrap {
            NewWrap::Passphrase { descriptor: Some(number) } => NewPassphrase::From(number),
            _ => NewPassphrase::Asked,
        };
        self.change_file_store(&new, |store, asker| match wrap {
            NewWrap::Passphrase { .. } => store.add_passphrase(asker).map(|()| None),
            NewWrap::Recovery => store.add_recovery().map(Some),
            #[cfg(feature = "plugins")]
            NewWrap::Plugin(identity) => store.add_plugin(name.clone(), identity, asker).map(|()| None),
            #[cfg(not(feature = "plugins"))]
            NewWrap::Never(never, _) => match never {},
        })
    }

    /// Removes a wrap.
    pub(crate) fn remove_wrap(&mut self, name: &WrapName) -> Result<(), Failure> {
        let wraps = self.wraps_of_open_store()?;
        if !wraps.iter().any(|wrap| wrap.name == *name) {
            let names: Vec<_> = wraps.iter().map(|wrap| format!("`{}`", wrap.name.as_str())).collect();
            return Err(Failure::new(
                FailureKind::Usage,
                format!("the store has no wrap `{}`, only {}", name.as_str(), names.join(", ")),
            ));
        }
        if !wraps.iter().any(|wrap| wrap.name != *name && wrap.is_ours == Some(true)) {
            return Err(Failure::new(
                FailureKind::Refused,
                format!(
                    "`{}` is the only wrap of the store: the store cannot be opened without it",
                    name.as_str()
                ),
            )
            .hint("hatbox store wrap add recovery"));
        }
        self.change_file_store(&NewPassphrase::Asked, |store, _| store.remove_wrap(name))
    }

    /// Gives the store a new identity. Returns the number of access keys, and the new recovery passphrase if the store
    /// has one.
    pub(crate) fn rekey(
        &mut self,
        descriptor: Option<i32>,
    ) -> Result<(usize, Option<SecretString>), Failure> {
        self.wraps_of_open_store()?;
        #[cfg(feature = "iam")]
        self.check_no_rotation()?;
        let count = self.index(Interaction::Allowed)?.keys.len();
        let new = match (descriptor, &self.passphrase) {
            (Some(number), _) => NewPassphrase::From(number),
            (None, None) => NewPassphrase::Asked,
            (None, Some(source)) => {
                self.world
                    .output
                    .note(&format!("the passphrase stays the one that {} gives", source.shown()));
                NewPassphrase::Same
            }
        };
        // They are sealed again after it.
        let key = self.cache_key(Interaction::Allowed)?;
        self.backups()?.check(&key)?;
        let recovery = self.change_file_store(&new, FileStore::rekey)?;
        // Everything sealed under the old cache key can be recreated, except the backups.
        let old = self.cache_key.take();
        self.drop_index();
        self.index(Interaction::Allowed)?;
        if let Some(old) = old {
            let new = self.cache_key(Interaction::Allowed)?;
            self.backups()?.reseal(&old, &new)?;
        }
        Ok((count, recovery))
    }

    /// Refuses while a rotation is unfinished: its record may hold the only copy of a new secret, and only the current
    /// cache key opens it.
    #[cfg(feature = "iam")]
    fn check_no_rotation(&mut self) -> Result<(), Failure> {
        let rotations = Rotations::open(&self.world.dirs.rotations(), self.cache_key(Interaction::Allowed)?);
        let Some(rotation) = rotations.list()?.into_iter().next() else { return Ok(()) };
        let profile = rotation.profile;
        Err(Failure::new(
            FailureKind::Refused,
            format!("the rotation of the access key of `{profile}` is not finished"),
        )
        .hint(format!("hatbox rotate {}", quote_word(profile.as_str()))))
    }

    fn wraps_of_open_store(&mut self) -> Result<Vec<WrapInfo>, Failure> {
        self.require_file_store()?;
        self.unlock(Interaction::Allowed)?;
        let listed = self.file_store()?.wraps();
        listed.map_err(|error| self.failure_of(&error))
    }

    fn require_file_store(&mut self) -> Result<(), Failure> {
        if self.is_empty() {
            return Err(no_store_yet());
        }
        self.file_store().map(drop)
    }

    pub(super) fn file_store(&mut self) -> Result<&mut FileStore, Failure> {
        match &mut self.opened()?.store {
            Backend::File(store) => Ok(store),
            Backend::Other(store) => Err(Failure::new(
                FailureKind::Usage,
                format!("the backend `{}` has no wraps: only `file` does", store.kind()),
            )
            .hint("hatbox --backend file store wrap list")),
        }
    }

    /// Changes the store under its lock.
    pub(super) fn change_file_store<T>(
        &mut self,
        new: &NewPassphrase,
        work: impl FnOnce(&mut FileStore, &mut dyn Asker) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        let directory = self.opened()?.place.state.clone();
        let _held = self.hold_store(&directory)?;
        let (world, source) = (self.world.clone(), self.passphrase.take());
        let timeout = self.settings.prompt_timeout();
        let asker = |source| {
            let patience = Patience { timeout, is_over: &|| false };
            PassphraseAsker::new(&world, source, Interaction::Allowed, patience)
        };
        let mut asker =
            ChangeAsker { world: &world, new, person: asker(None), source: asker(source.as_ref()) };
        let result = self.file_store().map(|store| work(store, &mut asker));
        self.passphrase = source;
        let result = result?;
        result.map_err(|error| self.failure_of(&error))
    }
}

/// Answers questions during a change: from the store's passphrase source, unless the new passphrase has another source.
struct ChangeAsker<'a> {
    world: &'a World,
    new: &'a NewPassphrase,
    person: PassphraseAsker<'a>,
    /// The source of the store's passphrase.
    source: PassphraseAsker<'a>,
}

impl Asker for ChangeAsker<'_> {
    fn passphrase(&mut self, what: PassphraseFor) -> Result<SecretString, PassphraseError> {
        match (what, self.new) {
            (PassphraseFor::Changing, NewPassphrase::From(number)) => {
                read_new_passphrase(self.world, *number)
            }
            (PassphraseFor::Changing, NewPassphrase::Same) => self.source.passphrase(what),
            _ => self.person.passphrase(what),
        }
    }

    fn may_prompt(&mut self, prompt: OwnPrompt) -> Result<(), PassphraseError> {
        self.person.may_prompt(prompt)
    }

    #[cfg(feature = "plugins")]
    fn plugin(&mut self, message: &PluginMessage) -> Result<Option<SecretString>, PassphraseError> {
        self.person.plugin(message)
    }

    fn warn(&mut self, text: &str) {
        self.person.warn(text);
    }
}
