//! The `keychain` backend: generic passwords in the macOS login keychain.
//!
//! Service `hatbox`, account `access-key:jan`; the password is the item as text (see `item_text`). macOS shows its own
//! prompt if the keychain is locked, or if another program wrote the item.

use security_framework::base::Error;
use security_framework::item::{ItemClass, ItemSearchOptions, Limit};
use security_framework::os::macos::keychain::SecKeychain;
use security_framework::passwords::{
    PasswordOptions, delete_generic_password, generic_password, set_generic_password_options,
};
use zeroize::Zeroizing;

use super::asker::{Asker, OwnPrompt};
use super::item_text::{ItemTextError, parse_any_item, parse_item, render_item};
use super::os_code::{Meaning, meaning_of_os_status};
use super::{Item, ItemId, Listed, Status, Store, StoreError, StoreKind};

/// The passwords of one service.
#[derive(Debug)]
pub(crate) struct KeychainStore {
    service: String,
    is_open: bool,
}

impl KeychainStore {
    /// Returns the user's store.
    pub(crate) fn open() -> Self {
        Self::of_service("hatbox")
    }

    pub(super) fn of_service(service: &str) -> Self {
        Self { service: service.to_owned(), is_open: false }
    }

    /// Lists the accounts, without secrets and without a prompt.
    fn accounts(&self) -> Result<Vec<String>, Error> {
        let found = ItemSearchOptions::new()
            .class(ItemClass::generic_password())
            .service(&self.service)
            .load_attributes(true)
            .limit(Limit::All)
            .search();
        match found {
            Ok(found) => Ok(found
                .iter()
                .filter_map(|item| item.simplify_dict())
                .filter_map(|mut attributes| attributes.remove("acct"))
                .collect()),
            Err(error) if meaning_of_os_status(error.code()) == Meaning::Absent => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn read_text(&self, account: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        generic_password(PasswordOptions::new_generic_password(&self.service, account)).map(Zeroizing::new)
    }
}

fn account_of(id: &ItemId) -> String {
    format!("{}:{}", id.kind.as_str(), id.profile)
}

fn error_of(error: Error, account: &str) -> StoreError {
    let said = error.message().unwrap_or_else(|| format!("OSStatus {}", error.code()));
    meaning_of_os_status(error.code()).error(StoreKind::Keychain, &format!("`{account}`"), said)
}

fn broken(account: &str, problem: &str) -> StoreError {
    StoreError::Broken { kind: StoreKind::Keychain, what: shown(account), problem: problem.to_owned() }
}

fn shown(account: &str) -> String {
    format!("`{account}`")
}

impl Store for KeychainStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Keychain
    }

    fn status(&self) -> Status {
        if self.is_open {
            return Status::Ready;
        }
        // Prevents windows meanwhile. If this fails, the search still shows none.
        let _without_windows = SecKeychain::disable_user_interaction();
        let unavailable = |error: Error| {
            Status::Unavailable(error.message().unwrap_or_else(|| format!("OSStatus {}", error.code())))
        };
        let accounts = match self.accounts() {
            Ok(accounts) => accounts,
            Err(error) => return unavailable(error),
        };
        let Some(first) = accounts.first() else { return Status::Empty };
        match self.read_text(first) {
            Ok(_) => Status::Ready,
            Err(error) => match meaning_of_os_status(error.code()) {
                Meaning::Refused => Status::Locked,
                Meaning::Unavailable => unavailable(error),
                // Deleted meanwhile, or damaged: other items may be readable.
                Meaning::Absent | Meaning::Broken => Status::Ready,
            },
        }
    }

    fn unlock(&mut self, asker: &mut dyn Asker) -> Result<(), StoreError> {
        if self.status() == Status::Locked {
            asker
                .may_prompt(OwnPrompt::Desktop)
                .map_err(|why| StoreError::Locked(StoreKind::Keychain, why))?;
            SecKeychain::default()
                .and_then(|mut keychain| keychain.unlock(None))
                .map_err(|error| error_of(error, &self.service))?;
        }
        match self.accounts() {
            Ok(_) => {
                self.is_open = true;
                Ok(())
            }
            Err(error) => Err(error_of(error, &self.service)),
        }
    }

    /// Forgets only what this process knows: other programs use the keychain too.
    fn lock(&mut self) {
        self.is_open = false;
    }

    fn list(&self) -> Result<Listed, StoreError> {
        let accounts = self.accounts().map_err(|error| error_of(error, &self.service))?;
        let (mut items, mut problems) = (Vec::new(), Vec::new());
        for account in accounts {
            let text = match self.read_text(&account).map_err(|error| error_of(error, &account)) {
                Ok(text) => text,
                Err(StoreError::Absent) => continue,
                Err(error @ StoreError::Broken { .. }) => {
                    problems.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let text = std::str::from_utf8(&text).map_err(|_| ItemTextError::Damaged("it is not text"));
            let item = text.and_then(parse_any_item);
            match item {
                Ok(item) if account_of(&item.info.id) == account => items.push(item.info),
                Ok(_) => problems.push(broken(&account, "it belongs to another item")),
                Err(problem) => match problem.into_store_error(StoreKind::Keychain, shown(&account)) {
                    newer @ StoreError::Newer { .. } => return Err(newer),
                    damaged => problems.push(damaged),
                },
            }
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((items, problems))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        let account = account_of(id);
        let text = self.read_text(&account).map_err(|error| error_of(error, &account))?;
        let text = std::str::from_utf8(&text).map_err(|_| broken(&account, "it is not text"))?;
        parse_item(id, text).map_err(|problem| problem.into_store_error(StoreKind::Keychain, shown(&account)))
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        let account = account_of(&item.info.id);
        let mut options = PasswordOptions::new_generic_password(&self.service, &account);
        options.set_label(&format!("hatbox ({})", item.info.id.profile));
        set_generic_password_options(render_item(item).as_bytes(), options)
            .map_err(|error| error_of(error, &account))
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        let account = account_of(id);
        delete_generic_password(&self.service, &account).map_err(|error| error_of(error, &account))
    }

    /// The keychain has no change counter.
    fn generation(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::check_contract;

    #[test]
    #[ignore = "writes into the login keychain, which may ask by a window"]
    fn the_keychain_store_keeps_the_contract() {
        let mut store = KeychainStore::of_service(&format!("hatbox-test-{}", std::process::id()));
        assert_eq!(store.status(), Status::Empty);
        check_contract(&mut store);
        for info in store.list().unwrap().0 {
            store.delete(&info.id).unwrap();
        }
    }
}
