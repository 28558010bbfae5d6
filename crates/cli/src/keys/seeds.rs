//! TOTP seeds in the store: one per profile, with the serial number of its MFA device.

use hatbox_core::totp::TotpSeed;
use hatbox_types::name::{MfaSerial, ProfileName};
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

use super::{KeyStore, StoreRequest};
use crate::ask::passphrase::Interaction;
use crate::errors::{Failure, FailureKind};
use crate::store::{Item, ItemId, ItemInfo, StoreError, StoreKind};
use crate::world::World;

/// The setting that names another backend for seeds.
pub(super) const SEED_BACKEND: &str = "`seed_backend`";

/// A seed as it is stored.
#[derive(Debug)]
pub(crate) struct StoredSeed {
    /// The profile that it is stored for.
    pub(crate) profile: ProfileName,
    /// The device whose codes it makes.
    pub(crate) serial: MfaSerial,
    pub(crate) seed: TotpSeed,
}

impl StoredSeed {
    fn of_item(item: &Item) -> Option<Self> {
        let text = std::str::from_utf8(&item.secret).ok()?;
        let (serial, seed) = text.split_once(' ')?;
        Some(Self {
            profile: item.info.id.profile.clone(),
            serial: MfaSerial::parse(serial).ok()?,
            seed: TotpSeed::parse(seed).ok()?,
        })
    }

    /// ```text
    /// arn:aws:iam::111122223333:mfa/jan GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
    /// ```
    fn secret(&self) -> Zeroizing<Vec<u8>> {
        let (serial, seed) = (self.serial.as_str(), self.seed.base32().expose());
        let mut text = Zeroizing::new(Vec::with_capacity(serial.len() + 1 + seed.len()));
        text.extend_from_slice(serial.as_bytes());
        text.push(b' ');
        text.extend_from_slice(seed.as_bytes());
        text
    }
}

impl KeyStore {
    /// Opens the store of the seeds: that of `seed_backend`, if it differs from this one. Returns `None` if it is this
    /// store.
    fn open_seed_store(&self) -> Result<Option<Self>, Failure> {
        let Some(kind) = self.settings.seed_backend else { return Ok(None) };
        if self.chosen().is_some_and(|(chosen, _)| chosen == kind) {
            return Ok(None);
        }
        let request = StoreRequest {
            kind: Some((kind, SEED_BACKEND)),
            file_dir: self.file_dir.clone(),
            passphrase: self.passphrase.clone(),
            unlock_for: self.unlock_for,
        };
        Self::open_requested(&self.world, request).map(Some)
    }

    /// Does `work` with the store that has the seeds.
    fn with_seed_store<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.open_seed_store()? {
            Some(mut other) => work(&mut other),
            None => work(self),
        }
    }

    /// Finds the seed for a device. Looks at the profiles in `wanted` first, which are likely to have it.
    ///
    /// # Errors
    /// If there are seeds, but the store cannot be unlocked, or the seed is damaged.
    pub(crate) fn find_seed(
        &mut self,
        serial: &MfaSerial,
        wanted: &[&ProfileName],
    ) -> Result<Option<StoredSeed>, Failure> {
        self.with_seed_store(|store| {
            let mut profiles = store.index(Interaction::Allowed)?.seeds;
            profiles.sort_by_key(|profile| !wanted.contains(&profile));
            for profile in profiles {
                let found = store.read_seed_here(&profile)?;
                if found.as_ref().is_some_and(|found| found.serial == *serial) {
                    return Ok(found);
                }
            }
            Ok(None)
        })
    }

    /// Reads the seed stored for `profile`.
    pub(crate) fn read_seed(&mut self, profile: &ProfileName) -> Result<Option<StoredSeed>, Failure> {
        self.with_seed_store(|store| {
            if !store.index(Interaction::Allowed)?.seeds.contains(profile) {
                return Ok(None);
            }
            store.read_seed_here(profile)
        })
    }

    fn read_seed_here(&mut self, profile: &ProfileName) -> Result<Option<StoredSeed>, Failure> {
        self.unlock(Interaction::Allowed)?;
        let item = match self.opened()?.store.read(&ItemId::totp_seed(profile)) {
            Ok(item) => item,
            Err(StoreError::Absent) => {
                // Something other than hatbox deleted the item; the index must not list it again.
                self.drop_index();
                return Ok(None);
            }
            Err(error) => return Err(self.failure_of(&error)),
        };
        let name = quote_word(profile.as_str());
        StoredSeed::of_item(&item).map(Some).ok_or_else(|| {
            Failure::new(FailureKind::Failed, format!("the TOTP seed of profile `{profile}` is damaged"))
                .hint(format!("hatbox mfa remove-seed {name}"))
        })
    }

    /// Stores a seed, replacing an earlier one of its profile. Returns the backend.
    pub(crate) fn save_seed(&mut self, stored: &StoredSeed) -> Result<Option<StoreKind>, Failure> {
        self.with_seed_store(|store| {
            store.unlock_or_create()?;
            let info = ItemInfo {
                id: ItemId::totp_seed(&stored.profile),
                created: store.world.clock.now(),
                access_key_id: None,
            };
            let item = Item { info, secret: stored.secret() };
            store.change(|backend| backend.replace(&item), |index| index.put(&item.info))?;
            Ok(store.chosen().map(|(kind, _)| kind))
        })
    }

    /// Deletes the seed of `profile`. Returns whether there was one.
    pub(crate) fn delete_seed(&mut self, profile: &ProfileName) -> Result<bool, Failure> {
        self.with_seed_store(|store| {
            if !store.index(Interaction::Allowed)?.seeds.contains(profile) {
                return Ok(false);
            }
            store.unlock(Interaction::Allowed)?;
            let id = ItemId::totp_seed(profile);
            let delete = |result| match result {
                Err(StoreError::Absent) => Ok(()),
                result => result,
            };
            store.change(|backend| delete(backend.delete(&id)), |index| index.take_off(&id))?;
            Ok(true)
        })
    }

    /// Lists the profiles with a stored seed; `None` if the user would have to unlock the store.
    pub(crate) fn seeds_if_known(&mut self) -> Result<Option<Vec<ProfileName>>, Failure> {
        self.with_seed_store(|store| Ok(store.index_if_known()?.map(|index| index.seeds)))
    }
}

/// Warns about the risk of a stored seed, each time one is stored.
pub(crate) fn warn_of_seed(world: &World, is_beside_the_keys: bool) {
    world.output.warn(
        "with a stored seed, whoever can use this store needs no other device: hatbox makes the MFA codes",
    );
    if is_beside_the_keys {
        world.output.hint(
            "the seed is beside the access key; `seed_backend` in hatbox's settings keeps seeds in another backend",
        );
    }
}
