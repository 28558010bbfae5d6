//! Records why obtaining credentials failed last, in one file per profile. `hatbox why` reads them.
//!
//! The files are private (0600), in the cache directory, and sealed, as they name roles, devices and profiles. The key
//! is kept in the kernel keyring for a day; without a kernel keyring, the store's cache key is used. The files contain
//! no secret, MFA code or external ID.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::name::ProfileName;
use hatbox_types::text::printable;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::args::GlobalArgs;
use crate::errors::{Failure, FailureKind};
use crate::keys::KeyStore;
use crate::store::sealed::CacheKey;
use crate::store::unlocked::{TimeoutOrigin, Unlocked};
use crate::sys::files::{FileError, Keep, make_private_directory, read_private, write_atomic};
use crate::sys::format_version::is_newer_json;
use crate::sys::keyring::KeyringError;
use crate::world::World;

const PURPOSE: &str = "failure";
const DAY: Duration = Duration::from_hours(24);
const VERSION: u64 = 1;
/// In bytes, far more than any failure needs.
const SIZE_LIMIT: u64 = 8 << 20;

/// A recorded failure.
#[derive(Debug)]
pub(crate) struct LastFailure {
    /// In milliseconds since 1970: in whole seconds, two failures could have the same time.
    pub(crate) at_millis: i64,
    pub(crate) profile: String,
    pub(crate) failure: Failure,
}

/// Records why the credentials of `profile` were not obtained. A command that the user cancelled, or that does not
/// exist, is not recorded.
pub(crate) fn save_last_failure(
    world: &World,
    global: &GlobalArgs,
    profile: &ProfileName,
    failure: &Failure,
) {
    if matches!(
        failure.kind,
        FailureKind::Cancelled
            | FailureKind::ReaderGone
            | FailureKind::CommandNotFound
            | FailureKind::CommandNotExecutable
    ) {
        return;
    }
    // The user sees the failure itself in any case.
    let not_recorded = |why: &dyn Display| {
        world.output.debug(|| format!("the failure is not recorded for `hatbox why`: {why}"));
    };
    let Some(key) = record_key(world, global, Missing::IsMade) else {
        not_recorded(&"there is no key to seal it with");
        return;
    };
    let directory = world.dirs.failures();
    let path = path_of(&directory, profile.as_str());
    let text = render(world.clock.now().as_millisecond(), profile.as_str(), failure);
    let saved = make_private_directory(&directory).and_then(|()| {
        if let Err(newer @ FileError::Newer(_)) = load(&path, &key) {
            return Err(newer);
        }
        let sealed = key.seal(PURPOSE, text.as_bytes()).map_err(std::io::Error::other);
        write_atomic(&path, &sealed.map_err(FileError::io("write", &path))?, Keep::Nothing)
    });
    if let Err(error) = saved {
        not_recorded(&error);
    }
}

/// Whether to create a missing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    IsMade,
    StaysMissing,
}

/// Returns the key of the records, which the kernel keyring keeps for a day after its last use. Without a kernel
/// keyring, returns the cache key of the store, if it can be had without a question.
fn record_key(world: &World, global: &GlobalArgs, missing: Missing) -> Option<CacheKey> {
    let held = Unlocked::of_store("records", DAY, TimeoutOrigin::Settings, DAY * 30);
    match held.cache_key() {
        Ok(key) => return Some(key),
        Err(KeyringError::Absent) if missing == Missing::StaysMissing => return None,
        Err(KeyringError::Absent) => {
            let key = CacheKey::generate().ok()?;
            if held.hold_cache_key(&key).is_ok() {
                return Some(key);
            }
        }
        Err(KeyringError::Denied | KeyringError::Full | KeyringError::Unknown) => {}
    }
    KeyStore::open(world, global).ok()?.cache_key_if_held()
}

/// Loads the failure of `profile`, or the latest of all profiles. Returns `None` if none is recorded.
pub(crate) fn load_last_failure(
    world: &World,
    global: &GlobalArgs,
    profile: Option<&ProfileName>,
) -> Result<Option<LastFailure>, FileError> {
    let directory = world.dirs.failures();
    let Some(key) = record_key(world, global, Missing::StaysMissing) else { return Ok(None) };
    if let Some(profile) = profile {
        return load(&path_of(&directory, profile.as_str()), &key);
    }
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::io("read", &directory)(error)),
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut all = Vec::new();
    for path in paths.filter(|path| is_record(path)) {
        match load(&path, &key) {
            Err(newer @ FileError::Newer(_)) => return Err(newer),
            // Skip records that cannot be read.
            loaded => all.extend(loaded.ok().flatten()),
        }
    }
    Ok(all.into_iter().max_by_key(|last| last.at_millis))
}

fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sealed")
}

fn load(path: &Path, key: &CacheKey) -> Result<Option<LastFailure>, FileError> {
    let sealed = match read_private(path, SIZE_LIMIT) {
        Ok(sealed) => sealed,
        Err(FileError::Absent(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    // A record sealed under another key, such as one from before a reboot, counts as absent.
    let Some(plain) = key.open_file(path, PURPOSE, &sealed)? else { return Ok(None) };
    match parse(&plain) {
        None if is_newer_json(&plain, VERSION) => Err(FileError::newer(path)),
        parsed => Ok(parsed),
    }
}

fn path_of(directory: &Path, profile: &str) -> PathBuf {
    let digest = Sha256::digest(profile.as_bytes());
    directory.join(format!("{}.sealed", hex::encode(digest.get(..16).unwrap_or_default())))
}

fn render(at_millis: i64, profile: &str, failure: &Failure) -> String {
    let failure: Value = serde_json::from_str(&failure.render_json()).unwrap_or_default();
    format!(
        "{}\n",
        json!({ "version": VERSION, "at_millis": at_millis, "profile": profile, "failure": failure })
    )
}

fn parse(bytes: &[u8]) -> Option<LastFailure> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    if value.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return None;
    }
    Some(LastFailure {
        at_millis: value.get("at_millis")?.as_i64()?,
        profile: printable(value.get("profile")?.as_str()?).into_owned(),
        failure: Failure::parse_json(&value.get("failure")?.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_read_again_and_other_versions_are_none() {
        let failure = Failure::new(FailureKind::Failed, "no").hint("do this");
        let text = render(7, "prod", &failure);
        let back = parse(text.as_bytes()).unwrap();
        assert_eq!((back.at_millis, back.profile.as_str(), back.failure.error.as_str()), (7, "prod", "no"));
        assert!(parse(text.replace("\"version\":1", "\"version\":2").as_bytes()).is_none());
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("x.sealed"), CacheKey::generate().unwrap());
        let write = |sealed: &[u8]| write_atomic(&path, sealed, Keep::Nothing).unwrap();
        write(&key.seal(PURPOSE, b"{\"version\":2}").unwrap());
        assert!(matches!(load(&path, &key), Err(FileError::Newer(_))));
        write(b"no box");
        assert!(load(&path, &key).unwrap().is_none());
        for bytes in [&b""[..], b"{}", b"\xff", b"{\"version\":1,\"at_millis\":1}"] {
            assert!(parse(bytes).is_none());
        }
    }
}
