//! Stores of other programs, as `hatbox import` reads them. Nothing here writes to one, but to delete what was
//! imported.

mod aws_vault;
#[cfg(any(test, fuzzing))]
pub(crate) mod jwe;
#[cfg(not(any(test, fuzzing)))]
mod jwe;

#[cfg(all(target_os = "macos", feature = "keychain"))]
pub(crate) use aws_vault::KeychainVault;
#[cfg(feature = "pass")]
pub(crate) use aws_vault::PassVault;
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub(crate) use aws_vault::SecretServiceVault;
#[cfg(all(windows, feature = "wincred"))]
pub(crate) use aws_vault::WincredVault;
pub(crate) use aws_vault::{FileVault, FoundKey, ReadError, Vault, VaultError};
