//! The unlocked state between processes: identity and cache key, for a while, in the kernel keyring.
//!
//! Where that cannot be used and the settings say `unlock_cache = "runtime-dir"`, in memory-backed files of
//! `XDG_RUNTIME_DIR`. Either saves questions; neither is a boundary against the user's own processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::sealed::CacheKey;
use crate::sys::access::user;
use crate::sys::keyring::{self, KeyringError};
use crate::sys::runtime_file;

/// Entries of one store directory.
#[derive(Debug, Clone)]
pub(crate) struct Unlocked {
    prefix: String,
    timeout: Duration,
    said_by: TimeoutSaidBy,
    /// Where the files go, when the settings ask for them.
    runtime: Option<PathBuf>,
}

/// Why entries live as long as they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeoutSaidBy {
    /// The settings: an entry that is there keeps the timeout that it was written with.
    Settings,
    /// The flag of this run: it holds from now on.
    Flag,
}

/// Where an entry was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldIn {
    Keyring,
    RuntimeDirectory,
}

/// An entry ends with its timeout in seconds, so that whoever uses it next renews it for as long.
const TIMEOUT_BYTES: usize = 4;

fn timeout_of(entry: &[u8]) -> Duration {
    let seconds = entry.last_chunk::<TIMEOUT_BYTES>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    Duration::from_secs(seconds.into())
}

impl Unlocked {
    /// The entries of the store at `directory` (absolute), which live for `timeout` after their last use.
    pub(crate) fn of_directory(directory: &Path, timeout: Duration, said_by: TimeoutSaidBy) -> Self {
        let digest = Sha256::digest(directory.as_os_str().as_encoded_bytes());
        let digest: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self { prefix: format!("hatbox:{}:{digest}", user()), timeout, said_by, runtime: None }
    }

    /// The same, with files below this directory where the keyring cannot be used.
    pub(crate) fn with_runtime_directory(self, directory: Option<PathBuf>) -> Self {
        Self { runtime: directory, ..self }
    }

    fn read(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let mut held = match (keyring::read(&self.name(what), timeout_of), &self.runtime) {
            (Err(KeyringError::Denied | KeyringError::Full), Some(directory)) => {
                runtime_file::read(directory, &self.name(what), timeout_of).ok_or(KeyringError::Absent)
            }
            (result, _) => result,
        }?;
        let held_for = timeout_of(&held);
        let length = held.len().checked_sub(TIMEOUT_BYTES).ok_or(KeyringError::Absent)?;
        held.truncate(length);
        if self.said_by == TimeoutSaidBy::Flag && held_for.as_secs() != self.timeout.as_secs() {
            // At worst it ends when it would have.
            self.write(what, &held).ok();
        }
        Ok(held)
    }

    fn write(&self, what: &str, value: &[u8]) -> Result<HeldIn, KeyringError> {
        let seconds = u32::try_from(self.timeout.as_secs()).unwrap_or(u32::MAX).to_be_bytes();
        let value = Zeroizing::new([value, &seconds].concat());
        match (keyring::write(&self.name(what), &value, self.timeout), &self.runtime) {
            (Err(error @ (KeyringError::Denied | KeyringError::Full)), Some(directory)) => {
                runtime_file::write(directory, &self.name(what), &value, self.timeout)
                    .map(|()| HeldIn::RuntimeDirectory)
                    .map_err(|_| error)
            }
            (result, _) => result.map(|()| HeldIn::Keyring),
        }
    }

    fn name(&self, what: &str) -> String {
        format!("{}:{what}", self.prefix)
    }

    /// The cache key, when it is held.
    pub(crate) fn cache_key(&self) -> Result<CacheKey, KeyringError> {
        CacheKey::of_bytes(&self.read("cache-key")?).ok_or(KeyringError::Absent)
    }

    /// Holds the cache key.
    pub(crate) fn hold_cache_key(&self, key: &CacheKey) -> Result<HeldIn, KeyringError> {
        self.write("cache-key", key.expose())
    }

    /// The store's identity, when it is held.
    pub(crate) fn identity(&self) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        self.read("identity")
    }

    /// Holds the store's identity.
    pub(crate) fn hold_identity(&self, identity: &[u8]) -> Result<HeldIn, KeyringError> {
        self.write("identity", identity)
    }

    /// Drops both, wherever they are.
    pub(crate) fn forget(&self) -> Result<(), KeyringError> {
        let results = ["cache-key", "identity"].map(|what| {
            if let Some(directory) = &self.runtime {
                runtime_file::forget(directory, &self.name(what)).ok();
            }
            keyring::remove(&self.name(what))
        });
        results.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }
}
