//! aws-vault's stores, for `hatbox import`. The only change made to them is to delete imported items.
//!
//! Each store keeps items under names:
//!
//! | item's name | what it is |
//! | item's name | meaning |
//! | `<profile>` | a long-lived access key, the only kind that is imported |
//! | `<type>,<profile>,<mfa serial>,<expiry>` | a session |
//! | `session,...`, `<profile> session (...)` | a session of an older aws-vault |
//! | `oidc:<start url>` | a token of Identity Center |
//!
//! | store | form of an item |
//! |---|---|
//! | `file`, `secret-service`, `pass`, `passage` | JSON with the name (`Key`) and the key in base64 (`Data`) |
//! | `keychain`, `wincred` | the key: JSON from the AWS SDK for Go |

use std::fmt;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::{AccessKey, SecretString};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod jwe;
#[cfg(not(any(test, fuzzing)))]
mod jwe;
#[cfg(all(target_os = "macos", feature = "keychain"))]
mod keychain;
mod pass;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
mod secret_service;
#[cfg(windows)]
mod wincred;

pub(crate) use file::FileVault;
#[cfg(all(target_os = "macos", feature = "keychain"))]
pub(crate) use keychain::KeychainVault;
pub(crate) use pass::PassVault;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub(crate) use secret_service::SecretServiceVault;
#[cfg(windows)]
pub(crate) use wincred::WincredVault;

/// One of aws-vault's stores, for reading.
pub(crate) enum Vault {
    /// Encrypted files.
    File(FileVault),
    /// A collection of the desktop's keyring.
    #[cfg(all(target_os = "linux", feature = "secret-service"))]
    SecretService(SecretServiceVault),
    /// Entries of `pass` or `passage`.
    Pass(Box<PassVault>),
    /// A macOS keychain.
    #[cfg(all(target_os = "macos", feature = "keychain"))]
    Keychain(KeychainVault),
    /// Windows's Credential Manager.
    #[cfg(windows)]
    Wincred(WincredVault),
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// It does not exist on this machine.
    #[error("{0}")]
    Absent(String),
    /// The user was asked and declined.
    #[cfg(all(target_os = "linux", feature = "secret-service"))]
    #[error("{0}")]
    Refused(String),
    /// Any other reason.
    #[error("{0}")]
    Failed(String),
}

impl VaultError {
    fn of_io(error: &io::Error, path: &Path) -> Self {
        let said = format!("{}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent(said),
            _ => Self::Failed(said),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Returns the profiles with a long-lived key, sorted, as far as names show it.
    ///
    /// # Errors
    /// If the store does not exist on this machine, or cannot be read.
    pub(crate) fn profiles(&self) -> Result<Vec<ProfileName>, VaultError> {
        let mut profiles = match self {
            Self::File(vault) => {
                vault.profiles().map_err(|error| VaultError::of_io(&error, vault.directory()))?
            }
            #[cfg(all(target_os = "linux", feature = "secret-service"))]
            Self::SecretService(vault) => vault.profiles()?,
            Self::Pass(vault) => vault.profiles()?,
            #[cfg(all(target_os = "macos", feature = "keychain"))]
            Self::Keychain(vault) => vault.profiles()?,
            #[cfg(windows)]
            Self::Wincred(vault) => vault.profiles()?,
        };
        profiles.sort();
        profiles.dedup();
        Ok(profiles)
    }

    /// Reads the key of a profile. `passphrase` opens encrypted files; the other stores ask for theirs.
    ///
    /// # Errors
    /// If it cannot be opened, or is not a key.
    pub(crate) fn read(
        &self,
        profile: &ProfileName,
        passphrase: Option<&SecretString>,
    ) -> Result<FoundKey, ReadError> {
        match self {
            Self::File(vault) => vault.read(profile, passphrase.ok_or(ReadError::WrongPassphrase)?),
            #[cfg(all(target_os = "linux", feature = "secret-service"))]
            Self::SecretService(vault) => vault.read(profile),
            Self::Pass(vault) => vault.read(profile),
            #[cfg(all(target_os = "macos", feature = "keychain"))]
            Self::Keychain(vault) => vault.read(profile),
            #[cfg(windows)]
            Self::Wincred(vault) => vault.read(profile),
        }
    }

    /// Deletes the key of a profile.
    ///
    /// # Errors
    /// A description of the problem.
    pub(crate) fn delete(&self, profile: &ProfileName) -> Result<(), String> {
        match self {
            Self::File(vault) => vault.delete(profile).map_err(|error| error.to_string()),
            #[cfg(all(target_os = "linux", feature = "secret-service"))]
            Self::SecretService(vault) => vault.delete(profile),
            Self::Pass(vault) => vault.delete(profile),
            #[cfg(all(target_os = "macos", feature = "keychain"))]
            Self::Keychain(vault) => vault.delete(profile),
            #[cfg(windows)]
            Self::Wincred(vault) => vault.delete(profile),
        }
    }

    /// Describes where the key of a profile is.
    pub(crate) fn place_of(&self, profile: &ProfileName) -> String {
        match self {
            Self::File(vault) => format!("`{}`", vault.path_of(profile).display()),
            #[cfg(all(target_os = "linux", feature = "secret-service"))]
            Self::SecretService(_) => format!("the keyring's item `{profile}`"),
            Self::Pass(vault) => format!("`{}`", vault.entry_of(profile)),
            #[cfg(all(target_os = "macos", feature = "keychain"))]
            Self::Keychain(_) => format!("the keychain's item `{profile}`"),
            #[cfg(windows)]
            Self::Wincred(_) => format!("the credential `{profile}`"),
        }
    }
}

/// The content of an item.
#[derive(Debug)]
pub(crate) enum FoundKey {
    Key(AccessKey),
    /// A key with a session token, which expires and is not imported.
    Temporary,
}

/// Why an item contains no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    #[error("it cannot be read")]
    Io(#[source] io::Error),
    #[error("{0}")]
    Form(&'static str),
    #[error("it cannot be read: {0}")]
    Reported(String),
}

#[derive(Deserialize)]
struct ItemText {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Data")]
    data: String,
}

#[derive(Deserialize)]
struct KeyText {
    #[serde(rename = "AccessKeyID")]
    id: String,
    #[serde(rename = "SecretAccessKey")]
    secret: String,
    #[serde(rename = "SessionToken", default)]
    token: String,
}

impl Drop for ItemText {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

impl Drop for KeyText {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.token.zeroize();
    }
}

/// Whether an item with this name is a long-lived key.
fn is_key(name: &str) -> bool {
    let is_session = name.split(',').count() == 4
        || name.starts_with("session,")
        || name.starts_with("oidc:")
        || (name.ends_with(')') && name.contains(" session ("));
    !is_session && !name.starts_with('.')
}

/// Returns the profile of an item's name; `None` if the item is not a long-lived key.
fn profile_of(name: &str) -> Option<ProfileName> {
    if is_key(name) { ProfileName::parse(name).ok() } else { None }
}

/// Parses an item of a store that keeps the name in the item.
fn parse_item(profile: &ProfileName, plain: &[u8]) -> Result<FoundKey, &'static str> {
    let item: ItemText = serde_json::from_slice(plain).map_err(|_| "it holds no item of aws-vault's")?;
    if item.key != profile.as_str() {
        return Err("it holds the key of another profile");
    }
    let data = STANDARD.decode(&item.data).map(Zeroizing::new).map_err(|_| "its key is not base64")?;
    parse_key(&data)
}

/// Parses the key.
fn parse_key(data: &[u8]) -> Result<FoundKey, &'static str> {
    let key: KeyText = serde_json::from_slice(data).map_err(|_| "it holds no access key")?;
    if !key.token.is_empty() {
        return Ok(FoundKey::Temporary);
    }
    AccessKey::parse(&key.id, &key.secret).map(FoundKey::Key).map_err(|_| "its access key is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_lived_keys_count_as_keys() {
        for name in ["jan", "team/dev", "a,b", "50%", "my prof"] {
            assert!(is_key(name), "{name}");
        }
        for name in [
            "sts.GetSessionToken,amFu,YXJu,1600000000",
            "sso.GetRoleCredentials,amFu,,1600000000",
            "session,amFu,,1600000000",
            "jan session (61646d696e)",
            "oidc:https://corp.awsapps.com/start",
            ".hidden",
        ] {
            assert!(!is_key(name), "{name}");
        }
    }

    #[test]
    fn an_item_is_the_profile_s_own_and_holds_a_key_or_is_refused() {
        let item = |key: &str, data: &str| {
            serde_json::json!({ "Key": key, "Data": STANDARD.encode(data), "Label": "x" }).to_string()
        };
        let jan = ProfileName::parse("jan").unwrap();
        let good = r#"{"AccessKeyID":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"s","SessionToken":"","CanExpire":false}"#;
        let Ok(FoundKey::Key(key)) = parse_item(&jan, item("jan", good).as_bytes()) else {
            panic!("it is a key")
        };
        assert_eq!((key.id.as_str(), key.secret.expose()), ("AKIAIOSFODNN7EXAMPLE", "s"));
        let temporary = good.replace("\"SessionToken\":\"\"", "\"SessionToken\":\"t\"");
        assert!(matches!(parse_item(&jan, item("jan", &temporary).as_bytes()), Ok(FoundKey::Temporary)));
        for text in [
            item("other", good),
            item("jan", "{}"),
            item("jan", &good.replace("\"s\"", "\"\"")),
            item("jan", &good.replace("AKIAIOSFODNN7EXAMPLE", "no id")),
            "{\"Key\":\"jan\",\"Data\":\"*\"}".to_owned(),
            "[]".to_owned(),
        ] {
            assert!(parse_item(&jan, text.as_bytes()).is_err(), "{text}");
        }
    }
}
