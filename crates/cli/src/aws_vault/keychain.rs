//! aws-vault's store `keychain`: a separate keychain with generic passwords of the service `aws-vault`. macOS asks for
//! its password, and whether hatbox may read each item.

use std::path::PathBuf;

use hatbox_types::name::ProfileName;
use security_framework::base::Error;
use security_framework::item::{ItemClass, ItemSearchOptions, Limit};
use security_framework::os::macos::keychain::SecKeychain;
use zeroize::Zeroizing;

use super::{FoundKey, ReadError, VaultError, parse_key, profile_of};

const SERVICE: &str = "aws-vault";
/// errSecItemNotFound
const NOT_FOUND: i32 = -25300;

/// A keychain file.
#[derive(Debug)]
pub(crate) struct KeychainVault {
    path: PathBuf,
}

impl KeychainVault {
    pub(crate) fn open(path: PathBuf) -> Self {
        Self { path }
    }

    fn keychain(&self) -> Result<SecKeychain, String> {
        SecKeychain::open(&self.path).map_err(words)
    }

    pub(super) fn profiles(&self) -> Result<Vec<ProfileName>, VaultError> {
        if !self.path.exists() {
            return Err(VaultError::Absent(format!("there is no keychain {}", self.path.display())));
        }
        let keychain = self.keychain().map_err(VaultError::Failed)?;
        let found = ItemSearchOptions::new()
            .keychains(&[keychain])
            .class(ItemClass::generic_password())
            .service(SERVICE)
            .load_attributes(true)
            .limit(Limit::All)
            .search();
        match found {
            Ok(found) => Ok(found
                .iter()
                .filter_map(|item| item.simplify_dict())
                .filter_map(|attributes| attributes.get("acct").and_then(|name| profile_of(name)))
                .collect()),
            Err(error) if error.code() == NOT_FOUND => Ok(Vec::new()),
            Err(error) => Err(VaultError::Failed(words(error))),
        }
    }

    pub(super) fn read(&self, profile: &ProfileName) -> Result<FoundKey, ReadError> {
        let keychain = self.keychain().map_err(ReadError::Reported)?;
        let (password, _) = keychain
            .find_generic_password(SERVICE, profile.as_str())
            .map_err(|error| ReadError::Reported(words(error)))?;
        let data = Zeroizing::new(password.as_ref().to_vec());
        parse_key(&data).map_err(ReadError::Form)
    }

    pub(super) fn delete(&self, profile: &ProfileName) -> Result<(), String> {
        let (_, item) = self.keychain()?.find_generic_password(SERVICE, profile.as_str()).map_err(words)?;
        item.delete();
        match self.keychain()?.find_generic_password(SERVICE, profile.as_str()) {
            Err(error) if error.code() == NOT_FOUND => Ok(()),
            _ => Err("macOS did not delete it".to_owned()),
        }
    }
}

fn words(error: Error) -> String {
    error.message().unwrap_or_else(|| format!("OSStatus {}", error.code()))
}
