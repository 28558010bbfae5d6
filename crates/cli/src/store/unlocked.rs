//! The unlocked state between commands: identity and cache key, for a limited time, in the kernel keyring.
//!
//! If that cannot be used and the settings have `unlock_cache = "runtime-dir"`, they are in memory-backed files below
//! `XDG_RUNTIME_DIR`. Both only save prompts; neither protects against the user's own processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use super::passphrase_box;
use super::sealed::CacheKey;
use crate::sys::access::user;
use crate::sys::boot_clock;
use crate::sys::keyring::{self, KeyringError};
use crate::sys::runtime_file;

/// The entries of one store directory.
#[derive(Debug, Clone)]
pub(crate) struct Unlocked {
    prefix: String,
    timeout: Duration,
    origin: TimeoutOrigin,
    /// The maximum lifetime of an entry, however often it is used.
    max: Duration,
    /// The directory for files, if the settings allow them.
    runtime: Option<PathBuf>,
    /// The directories for boxes sealed under a passphrase.
    box_places: Vec<PathBuf>,
}

/// Where the timeout of entries comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeoutOrigin {
    /// The settings: an existing entry keeps the timeout that it was written with.
    Settings,
    /// A flag of this run: also applies to existing entries.
    Flag,
}

/// Where an entry was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldIn {
    Keyring,
    RuntimeDirectory,
}

/// The end of an entry: the timeout in seconds after its last use, and its latest end, in seconds since the machine was
/// started. Stored at the end of each entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    timeout: Duration,
    end: Duration,
}

/// The name of a box sealed under a passphrase.
const BOX: &str = "box";

/// The timeout in 4 bytes and the end in 8, big-endian.
const LIFE_BYTES: usize = 12;

impl Life {
    fn of_entry(entry: &[u8]) -> Option<Self> {
        let bytes = entry.last_chunk::<LIFE_BYTES>()?;
        let (timeout, end) = bytes.split_first_chunk::<4>()?;
        let timeout = Duration::from_secs(u32::from_be_bytes(*timeout).into());
        Some(Self { timeout, end: Duration::from_secs(u64::from_be_bytes(end.try_into().ok()?)) })
    }

    fn to_bytes(self) -> [u8; LIFE_BYTES] {
        let mut bytes = [0; LIFE_BYTES];
        let (timeout, end) = bytes.split_at_mut(4);
        timeout.copy_from_slice(&u32::try_from(self.timeout.as_secs()).unwrap_or(u32::MAX).to_be_bytes());
        end.copy_from_slice(&self.end.as_secs().to_be_bytes());
        bytes
    }

    /// Returns how much longer the entry lives if it is used now; zero if it has expired.
    fn left(self) -> Duration {
        self.timeout.min(self.end.saturating_sub(since_start()))
    }
}

/// Returns the prefix of the names of all entries of this user.
fn prefix_of_user() -> String {
    format!("hatbox:{}:", user())
}

/// Drops the entries of all stores of this user. `runtime` is the directory for files of this login.
pub(crate) fn forget_all(runtime: Option<&Path>) -> Result<(), KeyringError> {
    let prefix = prefix_of_user();
    for directory in passphrase_box::places(runtime, user()) {
        runtime_file::forget_all(&directory, &prefix);
    }
    keyring::remove_all(&prefix)
}

fn since_start() -> Duration {
    Duration::from_nanos(u64::try_from(boot_clock::now()).unwrap_or(u64::MAX))
}

fn left_of(entry: &[u8]) -> Duration {
    Life::of_entry(entry).map_or(Duration::ZERO, Life::left)
}

impl Unlocked {
    /// Returns the entries of the store named `place`, which expire `timeout` after their last use, and `max` after
    /// they were made.
    pub(crate) fn of_store(place: &str, timeout: Duration, origin: TimeoutOrigin, max: Duration) -> Self {
        Self {
            prefix: format!("{}{place}", prefix_of_user()),
            timeout: timeout.min(max),
            origin,
            max,
            runtime: None,
            box_places: Vec::new(),
        }
    }

    /// Adds boxes sealed under a passphrase, in the first of these directories that is usable.
    pub(crate) fn with_box_places(self, box_places: Vec<PathBuf>) -> Self {
        Self { box_places, ..self }
    }

    /// Adds files below this directory, for when the keyring cannot be used.
    pub(crate) fn with_runtime_directory(self, directory: Option<PathBuf>) -> Self {
        Self { runtime: directory, ..self }
    }

    fn read(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let mut held = match (keyring::read(&self.name(what), left_of), &self.runtime) {
            (Err(KeyringError::Denied | KeyringError::Full), Some(directory)) => {
                runtime_file::read(directory, &self.name(what), left_of).ok_or(KeyringError::Absent)
            }
            (result, _) => result,
        }?;
        let life = Life::of_entry(&held).ok_or(KeyringError::Absent)?;
        if life.left().is_zero() {
            self.remove(what).ok();
            return Err(KeyringError::Absent);
        }
        let length = held.len() - LIFE_BYTES;
        held.truncate(length);
        if self.origin == TimeoutOrigin::Flag && life.timeout.as_secs() != self.timeout.as_secs() {
            // If this fails, the entry keeps its earlier timeout.
            self.write_until(what, &held, Life { timeout: self.timeout, ..life }).ok();
        }
        Ok(held)
    }

    fn write(&self, what: &str, value: &[u8]) -> Result<HeldIn, KeyringError> {
        self.write_until(what, value, self.new_life())
    }

    fn new_life(&self) -> Life {
        Life { timeout: self.timeout, end: Duration::from_secs((since_start() + self.max).as_secs()) }
    }

    fn write_until(&self, what: &str, value: &[u8], life: Life) -> Result<HeldIn, KeyringError> {
        let value = Zeroizing::new([value, &life.to_bytes()].concat());
        match (keyring::write(&self.name(what), &value, life.left()), &self.runtime) {
            (Err(error @ (KeyringError::Denied | KeyringError::Full)), Some(directory)) => {
                runtime_file::write(directory, &self.name(what), &value, life.left())
                    .map(|()| HeldIn::RuntimeDirectory)
                    .map_err(|_| error)
            }
            (result, _) => result.map(|()| HeldIn::Keyring),
        }
    }

    fn remove(&self, what: &str) -> Result<(), KeyringError> {
        if let Some(directory) = &self.runtime {
            runtime_file::forget(directory, &self.name(what)).ok();
        }
        keyring::remove(&self.name(what))
    }

    fn name(&self, what: &str) -> String {
        format!("{}:{what}", self.prefix)
    }

    /// Returns the cache key, if it is held.
    pub(crate) fn cache_key(&self) -> Result<CacheKey, KeyringError> {
        let key = CacheKey::of_bytes(&self.read("cache-key")?).ok_or(KeyringError::Absent)?;
        if self.origin == TimeoutOrigin::Flag {
            // Reading the identity gives it the timeout of the flag too.
            self.identity().ok();
        }
        Ok(key)
    }

    /// Saves the cache key.
    pub(crate) fn hold_cache_key(&self, key: &CacheKey) -> Result<HeldIn, KeyringError> {
        self.write("cache-key", key.expose())
    }

    /// Returns whether there may be a box, which needs the passphrase.
    pub(crate) fn has_box(&self) -> bool {
        self.box_places.iter().any(|directory| directory.join(self.name(BOX)).exists())
    }

    /// Returns the cache key in a box sealed under this passphrase.
    pub(crate) fn cache_key_by(&self, passphrase: &SecretString) -> Option<CacheKey> {
        let read = |directory: &PathBuf| runtime_file::read(directory, &self.name(BOX), left_of);
        let mut held = self.box_places.iter().find_map(read)?;
        if left_of(&held).is_zero() {
            self.remove_box();
            return None;
        }
        let length = held.len().checked_sub(LIFE_BYTES)?;
        held.truncate(length);
        passphrase_box::open(&held, passphrase)
    }

    /// Saves the cache key in a box sealed under this passphrase. Returns whether that worked.
    pub(crate) fn hold_cache_key_by(&self, passphrase: &SecretString, key: &CacheKey) -> bool {
        let Some(content) = passphrase_box::seal(key, passphrase) else { return false };
        let life = self.new_life();
        let value = [&content[..], &life.to_bytes()].concat();
        let write =
            |directory: &PathBuf| runtime_file::write(directory, &self.name(BOX), &value, life.left());
        // Only the login may create its runtime directory: other programs behave differently if it exists.
        let is_there = |directory: &&PathBuf| directory.parent().is_some_and(std::path::Path::is_dir);
        self.box_places.iter().filter(is_there).any(|directory| write(directory).is_ok())
    }

    fn remove_box(&self) {
        for directory in &self.box_places {
            // It is not an error if there is none.
            runtime_file::forget(directory, &self.name(BOX)).ok();
        }
    }

    /// Returns the store's identity, if it is held.
    pub(crate) fn identity(&self) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        self.read("identity")
    }

    /// Saves the store's identity.
    pub(crate) fn hold_identity(&self, identity: &[u8]) -> Result<HeldIn, KeyringError> {
        self.write("identity", identity)
    }

    /// Drops the cache key, from the keyring, the files and the boxes.
    pub(crate) fn forget_cache_key(&self) {
        self.remove_box();
        // An entry that remains does not open the store.
        self.remove("cache-key").ok();
    }

    /// Drops the box, which the earlier passphrase would open.
    pub(crate) fn forget_box(&self) {
        self.remove_box();
    }

    /// Drops both, from the keyring, the files and the boxes.
    pub(crate) fn forget(&self) -> Result<(), KeyringError> {
        self.remove_box();
        let results = ["cache-key", "identity"].map(|what| self.remove(what));
        results.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lives_as_long_as_it_was_said_to_and_never_beyond_its_end() {
        let now = since_start();
        let secs = Duration::from_secs;
        for (timeout, end, left) in [
            (secs(900), now + secs(9000), secs(900)),
            (secs(900), now + secs(60), secs(60)),
            (secs(900), now.saturating_sub(secs(1)), Duration::ZERO),
        ] {
            let life = Life { timeout, end: secs(end.as_secs()) };
            let entry = [&b"key"[..], &life.to_bytes()].concat();
            assert_eq!(Life::of_entry(&entry), Some(life));
            assert!(left.saturating_sub(left_of(&entry)) <= secs(1), "{timeout:?} until {end:?}");
        }
        assert_eq!(left_of(b"short"), Duration::ZERO);
    }

    #[test]
    fn a_timeout_is_never_longer_than_the_most_that_is_allowed() {
        let hour = Duration::from_hours(1);
        let unlocked = Unlocked::of_store("x", hour * 8, TimeoutOrigin::Flag, hour);
        assert_eq!(unlocked.timeout, hour);
    }
}
