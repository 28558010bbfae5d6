//! The unlocked state between processes: identity and cache key, for a while, in the kernel keyring.
//!
//! Where that cannot be used and the settings say `unlock_cache = "runtime-dir"`, in memory-backed files of
//! `XDG_RUNTIME_DIR`. Either saves questions; neither is a boundary against the user's own processes.

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

/// Entries of one store directory.
#[derive(Debug, Clone)]
pub(crate) struct Unlocked {
    prefix: String,
    timeout: Duration,
    origin: TimeoutOrigin,
    /// How long an entry lives at most, however often it is used.
    max: Duration,
    /// Where the files go, when the settings ask for them.
    runtime: Option<PathBuf>,
    /// Where boxes under a passphrase may go.
    box_places: Vec<PathBuf>,
}

/// Why entries live as long as they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeoutOrigin {
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

/// What an entry ends with: how many seconds it lives after its last use, and when it ends whatever happens, in
/// seconds of the clock that runs since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    timeout: Duration,
    end: Duration,
}

/// The name of a box under a passphrase.
const BOX: &str = "box";

/// 4 bytes and 8 bytes, big-endian.
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

    /// How long it lives from now on when it is used now; nothing when it is over.
    fn left(self) -> Duration {
        self.timeout.min(self.end.saturating_sub(since_start()))
    }
}

/// What the names of all entries of this user begin with.
fn prefix_of_user() -> String {
    format!("hatbox:{}:", user())
}

/// Drops what is held of any store of this user; `runtime` is the directory for files of this login.
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
    /// The entries of the store that `place` is a name for, which live for `timeout` after their last use, and for `max`
    /// at most.
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

    /// The same, with boxes under a passphrase in the first of these directories that will do.
    pub(crate) fn with_box_places(self, box_places: Vec<PathBuf>) -> Self {
        Self { box_places, ..self }
    }

    /// The same, with files below this directory where the keyring cannot be used.
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
            // At worst it ends when it would have.
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

    /// The cache key, when it is held.
    pub(crate) fn cache_key(&self) -> Result<CacheKey, KeyringError> {
        let key = CacheKey::of_bytes(&self.read("cache-key")?).ok_or(KeyringError::Absent)?;
        if self.origin == TimeoutOrigin::Flag {
            // What is asked for is asked for both.
            self.identity().ok();
        }
        Ok(key)
    }

    /// Holds the cache key.
    pub(crate) fn hold_cache_key(&self, key: &CacheKey) -> Result<HeldIn, KeyringError> {
        self.write("cache-key", key.expose())
    }

    /// Whether there may be a box, which a passphrase would open.
    pub(crate) fn has_box(&self) -> bool {
        self.box_places.iter().any(|directory| directory.join(self.name(BOX)).exists())
    }

    /// The cache key in a box under this passphrase.
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

    /// Puts the cache key into a box under this passphrase. Tells whether it could.
    pub(crate) fn hold_cache_key_by(&self, passphrase: &SecretString, key: &CacheKey) -> bool {
        let Some(content) = passphrase_box::seal(key, passphrase) else { return false };
        let life = self.new_life();
        let value = [&content[..], &life.to_bytes()].concat();
        let write =
            |directory: &PathBuf| runtime_file::write(directory, &self.name(BOX), &value, life.left());
        // The directory of a login is made by the login alone: other programs behave otherwise where it is.
        let is_there = |directory: &&PathBuf| directory.parent().is_some_and(std::path::Path::is_dir);
        self.box_places.iter().filter(is_there).any(|directory| write(directory).is_ok())
    }

    fn remove_box(&self) {
        for directory in &self.box_places {
            // Where there is none, there is nothing to do.
            runtime_file::forget(directory, &self.name(BOX)).ok();
        }
    }

    /// The store's identity, when it is held.
    pub(crate) fn identity(&self) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        self.read("identity")
    }

    /// Holds the store's identity.
    pub(crate) fn hold_identity(&self, identity: &[u8]) -> Result<HeldIn, KeyringError> {
        self.write("identity", identity)
    }

    /// Drops the cache key, wherever it is.
    pub(crate) fn forget_cache_key(&self) {
        self.remove_box();
        // What stays is not the store's, and opens nothing of it.
        self.remove("cache-key").ok();
    }

    /// Drops the box, which a passphrase of before would open.
    pub(crate) fn forget_box(&self) {
        self.remove_box();
    }

    /// Drops both, wherever they are.
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
