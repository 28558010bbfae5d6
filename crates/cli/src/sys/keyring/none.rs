//! Systems without a kernel keyring, where nothing is kept between processes.

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use super::KeyringError;

pub(crate) fn read(
    _description: &str,
    _timeout_of: impl FnOnce(&[u8]) -> Duration,
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    Err(KeyringError::Unknown)
}

pub(crate) fn write(_description: &str, _value: &[u8], _timeout: Duration) -> Result<(), KeyringError> {
    Err(KeyringError::Unknown)
}

/// # Errors
/// Always: there is no keyring to replace.
pub(crate) fn join_new_session() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn remove_all(_prefix: &str) -> Result<(), KeyringError> {
    Err(KeyringError::Unknown)
}

pub(crate) fn remove(_description: &str) -> Result<(), KeyringError> {
    Err(KeyringError::Unknown)
}
