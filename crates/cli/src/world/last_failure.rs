//! Why obtaining credentials failed last, one file for each profile: what `hatbox why` reads.
//!
//! The files are the user's own (0600), in the cache directory. No secret, MFA code or external id is in them.

use std::path::{Path, PathBuf};

use hatbox_core::name::ProfileName;
use hatbox_core::text::printable;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::World;
use crate::report::{Failure, FailureKind};
use crate::sys::files::{FileError, Keep, make_private_directory, read_private, write_atomic};

const VERSION: u64 = 1;
/// Far more than any failure.
const SIZE_LIMIT: u64 = 8 << 20;

/// A failure that is on record.
#[derive(Debug)]
pub(crate) struct LastFailure {
    /// When, in milliseconds since 1970: commands fail faster than once in a second.
    pub(crate) at_millis: i64,
    pub(crate) profile: String,
    pub(crate) failure: Failure,
}

/// Remembers why the credentials of `profile` were not obtained. What a person cancelled is no failure.
pub(crate) fn save_last_failure(world: &World, profile: &ProfileName, failure: &Failure) {
    if matches!(failure.kind, FailureKind::Cancelled | FailureKind::ReaderGone) {
        return;
    }
    let directory = world.dirs.failures();
    let text = render(world.clock.now().as_millisecond(), profile.as_str(), failure);
    let saved = make_private_directory(&directory)
        .and_then(|()| write_atomic(&path_of(&directory, profile.as_str()), text.as_bytes(), Keep::Nothing));
    if let Err(error) = saved {
        // The failure itself is told in any case.
        world.output.debug(|| format!("the failure is not recorded for `hatbox why`: {error}"));
    }
}

/// Loads the failure of `profile`, else the latest of all; `None` when none is on record.
pub(crate) fn load_last_failure(
    world: &World,
    profile: Option<&ProfileName>,
) -> Result<Option<LastFailure>, FileError> {
    let directory = world.dirs.failures();
    if let Some(profile) = profile {
        return load(&path_of(&directory, profile.as_str()));
    }
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::io("read", &directory)(error)),
    };
    let paths = entries.flatten().map(|entry| entry.path());
    // One that cannot be read, or is of another version, is as good as none.
    let all = paths.filter(|path| is_record(path)).filter_map(|path| load(&path).ok().flatten());
    Ok(all.max_by_key(|last| last.at_millis))
}

fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn load(path: &Path) -> Result<Option<LastFailure>, FileError> {
    match read_private(path, SIZE_LIMIT) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(FileError::Absent(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn path_of(directory: &Path, profile: &str) -> PathBuf {
    let digest = Sha256::digest(profile.as_bytes());
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    directory.join(format!("{name}.json"))
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
        for bytes in [&b""[..], b"{}", b"\xff", b"{\"version\":1,\"at_millis\":1}"] {
            assert!(parse(bytes).is_none());
        }
    }
}
