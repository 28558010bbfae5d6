//! Sealed backups of files that contained plain-text keys, kept beside the store.

use zeroize::Zeroizing;

use super::KeyStore;
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::store::backups::Backups;

impl KeyStore {
    pub(super) fn backups(&mut self) -> Result<Backups, Failure> {
        Ok(Backups::in_directory(&self.opened()?.place.directory.join("backups")))
    }

    /// Saves a sealed copy of `bytes` and returns the name that [`Self::load_backup`] finds it by.
    pub(crate) fn save_backup(&mut self, what: &str, bytes: &[u8]) -> Result<String, Failure> {
        let key = self.cache_key(Interaction::Allowed)?;
        let backups = self.backups()?;
        let taken = backups.names();
        let mut name = format!("{what}-{}", self.world.clock.now().strftime("%Y%m%dT%H%M%SZ"));
        while taken.contains(&name) {
            name.push('b');
        }
        backups.save(&key, &name, bytes)?;
        Ok(name)
    }

    /// Lists the names of the backups. Asks no question.
    pub(crate) fn backup_names(&mut self) -> Result<Vec<String>, Failure> {
        if self.is_empty() { Ok(Vec::new()) } else { Ok(self.backups()?.names()) }
    }

    /// Opens the backup with this name.
    pub(crate) fn load_backup(&mut self, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let key = self.cache_key(Interaction::Allowed)?;
        let loaded = self.backups()?.load(&key, name)?;
        loaded.ok_or_else(|| {
            Failure::new(FailureKind::Usage, format!("this store has no backup `{name}`"))
                .hint("hatbox import credentials --list-backups")
        })
    }
}
