//! A `file` store that hatbox does not trust: shown, and used as it is once the user agrees.

use super::KeyStore;
use crate::ask::passphrase::{Interaction, PassphraseAsker, Patience};
use crate::errors::Failure;
use crate::store::file::{Examined, StoreState};
use crate::sys::files::make_private_directory;

impl KeyStore {
    /// Reports what is in the place of the store, without changing anything.
    pub(crate) fn examine(&mut self) -> Result<StoreState, Failure> {
        let (world, source) = (self.world.clone(), self.passphrase.take());
        let patience = Patience { timeout: self.settings.prompt_timeout(), is_over: &|| false };
        let mut asker = PassphraseAsker::new(&world, source.as_ref(), Interaction::Allowed, patience);
        let result = self.file_store().map(|store| store.examine(&mut asker));
        self.passphrase = source;
        result?.map_err(|error| self.failure_of(&error))
    }

    /// Uses the examined store from now on.
    pub(crate) fn accept(&mut self, examined: Examined) -> Result<(), Failure> {
        let directory = self.opened()?.place.state.clone();
        make_private_directory(&directory)?;
        let _held = self.hold_store(&directory)?;
        self.cache_key = None;
        self.drop_index();
        let accepted = self.file_store()?.accept(examined);
        accepted.map_err(|error| self.failure_of(&error))
    }

    /// Forgets a store that no longer exists.
    pub(crate) fn forget_store(&mut self) -> Result<(), Failure> {
        self.cache_key = None;
        self.drop_index();
        let forgotten = self.file_store()?.forget();
        forgotten.map_err(|error| self.failure_of(&error))
    }
}
