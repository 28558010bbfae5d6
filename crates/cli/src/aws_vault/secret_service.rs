//! aws-vault's store `secret-service`: a separate collection, identified by the name in its object path. The attribute
//! `profile` of an item is its name.

use std::cell::OnceCell;
use std::time::Duration;

use hatbox_types::name::ProfileName;
use secret_service::EncryptionType;
use secret_service::blocking::{Collection, Item, SecretService};
use zbus::blocking::Connection;
use zeroize::Zeroizing;

use super::{FoundKey, ReadError, VaultError, parse_item, profile_of};
use crate::store::secret_service::{Failed, classify, connect, within};

/// A collection of the desktop's keyring.
pub(crate) struct SecretServiceVault {
    name: String,
    connection: Connection,
    service: OnceCell<SecretService<'static>>,
}

impl SecretServiceVault {
    /// Connects to the collection with this name, in aws-vault's notation. The collection need not exist.
    ///
    /// # Errors
    /// If there is no session bus.
    pub(crate) fn connect(name: &str) -> Result<Self, VaultError> {
        let connection = connect().map_err(|failed| error_of(&failed))?;
        Ok(Self { name: name.to_owned(), connection, service: OnceCell::new() })
    }

    fn service(&self) -> Result<&SecretService<'static>, VaultError> {
        if let Some(service) = self.service.get() {
            return Ok(service);
        }
        let service = SecretService::connect_with_existing(EncryptionType::Dh, self.connection.clone())
            .map_err(|error| error_of(&classify(&error)))?;
        Ok(self.service.get_or_init(|| service))
    }

    fn collection(&self) -> Result<Collection<'_>, VaultError> {
        find_collection(self.service()?, &self.name)
            .map_err(|error| error_of(&classify(&error)))?
            .ok_or_else(|| VaultError::Absent(format!("the keyring has no collection `{}`", self.name)))
    }

    /// Whether the user has to unlock the collection first.
    pub(crate) fn is_locked(&self) -> Result<bool, VaultError> {
        self.collection()?.is_locked().map_err(|error| error_of(&classify(&error)))
    }

    /// Lets the desktop ask for the collection's password, and waits this long for the answer.
    pub(crate) fn unlock(&self, patience: Duration) -> Result<(), VaultError> {
        let (connection, name) = (self.connection.clone(), self.name.clone());
        let answered = within(patience, move || {
            let service = SecretService::connect_with_existing(EncryptionType::Plain, connection)?;
            find_collection(&service, &name)?.ok_or(secret_service::Error::NoResult)?.unlock()
        });
        match answered {
            None => Err(VaultError::Refused(
                "the password prompt of the desktop was not answered in time".to_owned(),
            )),
            Some(Err(error)) => Err(error_of(&classify(&error))),
            // Without a desktop to show its prompt, a service may end it as if it had been answered.
            Some(Ok(())) if self.is_locked()? => Err(error_of(&Failed::Refused)),
            Some(Ok(())) => Ok(()),
        }
    }

    pub(super) fn profiles(&self) -> Result<Vec<ProfileName>, VaultError> {
        let collection = self.collection()?;
        let items = collection.get_all_items().map_err(|error| error_of(&classify(&error)))?;
        let mut profiles = Vec::new();
        for item in &items {
            let attributes = item.get_attributes().map_err(|error| error_of(&classify(&error)))?;
            profiles.extend(attributes.get("profile").and_then(|name| profile_of(name)));
        }
        Ok(profiles)
    }

    pub(super) fn read(&self, profile: &ProfileName) -> Result<FoundKey, ReadError> {
        let said = |error: String| ReadError::Reported(error);
        let collection = self.collection().map_err(|error| said(error.to_string()))?;
        let items = search(&collection, profile).map_err(said)?;
        let [item] = items.as_slice() else {
            return Err(ReadError::Form("there is not exactly one item of its name"));
        };
        let secret = item.get_secret().map_err(|error| said(classify(&error).to_string()))?;
        parse_item(profile, &Zeroizing::new(secret)).map_err(ReadError::Form)
    }

    pub(super) fn delete(&self, profile: &ProfileName) -> Result<(), String> {
        let collection = self.collection().map_err(|error| error.to_string())?;
        for item in search(&collection, profile)? {
            item.delete().map_err(|error| classify(&error).to_string())?;
        }
        Ok(())
    }
}

fn search<'a>(collection: &'a Collection<'_>, profile: &ProfileName) -> Result<Vec<Item<'a>>, String> {
    let attributes = [("profile", profile.as_str())].into();
    collection.search_items(attributes).map_err(|error| classify(&error).to_string())
}

/// Finds the collection whose object path ends in this name. Its label may differ, as the user can change it.
fn find_collection<'a>(
    service: &'a SecretService<'_>,
    name: &str,
) -> Result<Option<Collection<'a>>, secret_service::Error> {
    let collections = service.get_all_collections()?;
    Ok(collections.into_iter().find(|collection| {
        let last = collection.collection_path.as_str().rsplit('/').next();
        last.is_some_and(|last| decode(last) == name.as_bytes())
    }))
}

/// Decodes a part of an object path, in which `_` and two digits represent a byte that is not allowed there.
fn decode(part: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let coded = match after.split_at_checked(2) {
            Some((digits, after)) if *byte == b'_' => {
                let digits = std::str::from_utf8(digits).ok();
                digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(|byte| (byte, after))
            }
            _ => None,
        };
        let (byte, after) = coded.unwrap_or((*byte, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

fn error_of(failed: &Failed) -> VaultError {
    match failed {
        Failed::Absent | Failed::NoBus | Failed::NoService => VaultError::Absent(failed.to_string()),
        Failed::Locked | Failed::Refused => VaultError::Refused(failed.to_string()),
        Failed::Silent | Failed::Other(_) => VaultError::Failed(failed.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_object_paths_are_decoded() {
        assert_eq!(decode("awsvault"), b"awsvault");
        assert_eq!(decode("aws_2dvault_5f"), b"aws-vault_");
        assert_eq!(decode("a_zz_2"), b"a_zz_2");
        assert_eq!(decode("_ff"), [0xff]);
    }
}
