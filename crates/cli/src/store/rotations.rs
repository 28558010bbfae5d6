//! Rotations of access keys in progress: one sealed file each, which records the step.
//!
//! | step | in the file | at AWS | in the store |
//! |---|---|---|---|
//! | creating | the user's keys before the call | the new key may exist | the old key |
//! | created | the new key with its secret | both keys work | the old key, or the new one already |
//! | stored | the id of the new key | both keys work | the new key |
//! | deactivated | the id of the new key | the old key is inactive, or deleted already | the new key |
//!
//! The file is written before the next step begins, so an interrupted rotation can be resumed at any point.

use std::path::{Path, PathBuf};

use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::{AccessKey, SecretString};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::sealed::{CacheKey, SealError};
use crate::sys::files::{
    FileError, Keep, make_private_directory, read_private, remove, sweep_temporary, write_atomic,
};
use crate::sys::format_version::is_newer_json;

const VERSION: u32 = 1;
/// Limit in bytes, far larger than any of them.
const LIMIT: u64 = 64 << 10;

/// One rotation.
#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    /// The profile that the key is stored for.
    pub(crate) profile: ProfileName,
    /// Other profiles that the same key is stored for.
    pub(crate) others: Vec<ProfileName>,
    /// The ARN of the user whose key it is.
    pub(crate) user: String,
    /// The key to replace.
    pub(crate) old: AccessKeyId,
    pub(crate) begun_at: Timestamp,
    pub(crate) step: RotationStep,
}

/// The last recorded step of a rotation.
#[derive(Debug, Clone)]
pub(crate) enum RotationStep {
    /// CreateAccessKey is about to be called, or was called and the answer is not known.
    Creating {
        /// The user's keys before the call; `None` if listing them is not allowed.
        before: Option<Vec<AccessKeyId>>,
        /// When they were listed, according to AWS's clock.
        listed_at: Option<Timestamp>,
    },
    /// The new key exists, and may not be in the store yet.
    Created(AccessKey),
    /// The new key is in the store.
    Stored(AccessKeyId),
    /// The old key is inactive.
    Deactivated(AccessKeyId),
}

impl Rotation {
    /// Returns all profiles that the key is stored for.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &ProfileName> {
        std::iter::once(&self.profile).chain(&self.others)
    }
}

impl RotationStep {
    /// Returns the new key's id, if it is known.
    pub(crate) fn new_id(&self) -> Option<&AccessKeyId> {
        match self {
            Self::Creating { .. } => None,
            Self::Created(key) => Some(&key.id),
            Self::Stored(id) | Self::Deactivated(id) => Some(id),
        }
    }

    /// Returns the name used in JSON.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Creating { .. } => "creating",
            Self::Created(_) => "created",
            Self::Stored(_) => "stored",
            Self::Deactivated(_) => "deactivated",
        }
    }
}

/// The form on disk.
#[derive(Serialize, Deserialize)]
struct OnDisk {
    version: u32,
    profile: String,
    others: Vec<String>,
    user: String,
    old: String,
    begun_at: i64,
    #[serde(flatten)]
    step: StepOnDisk,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
enum StepOnDisk {
    Creating { before: Option<Vec<String>>, listed_at: Option<i64> },
    Created { new: String, secret: String },
    Stored { new: String },
    Deactivated { new: String },
}

/// The rotations in one directory.
#[derive(Debug)]
pub(crate) struct Rotations {
    directory: PathBuf,
    key: CacheKey,
}

impl Rotations {
    pub(crate) fn open(directory: &Path, key: CacheKey) -> Self {
        Self { directory: directory.to_owned(), key }
    }

    /// Returns a file name that reveals nothing without the cache key.
    fn name(&self, profile: &ProfileName) -> String {
        // HMAC accepts keys of any length, so this cannot fail.
        let Ok(mut mac) = <Hmac<sha2::Sha256> as Mac>::new_from_slice(self.key.expose()) else {
            return String::new();
        };
        mac.update(b"hatbox rotation file\0");
        mac.update(profile.as_str().as_bytes());
        hex::encode(mac.finalize().into_bytes().get(..16).unwrap_or_default())
    }

    fn path(&self, profile: &ProfileName) -> PathBuf {
        self.directory.join(self.name(profile))
    }

    fn purpose(name: &str) -> String {
        format!("rotation {name}")
    }

    /// Loads the rotation of the key of `profile`.
    ///
    /// # Errors
    /// Also if its file is damaged, as it may contain the only copy of a secret.
    pub(crate) fn load(&self, profile: &ProfileName) -> Result<Option<Rotation>, FileError> {
        self.load_named(&self.name(profile))
    }

    fn load_named(&self, name: &str) -> Result<Option<Rotation>, FileError> {
        let path = self.directory.join(name);
        let sealed = match read_private(&path, LIMIT) {
            Ok(sealed) => sealed,
            Err(FileError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let damaged = || FileError::io("open", &path)(std::io::Error::other(SealError::Broken));
        let plain = self.key.open_file(&path, &Self::purpose(name), &sealed)?.ok_or_else(damaged)?;
        match parse_rotation(&plain) {
            None if is_newer_json(&plain, VERSION.into()) => Err(FileError::newer(&path)),
            parsed => parsed.map(Some).ok_or_else(damaged),
        }
    }

    /// Saves the rotation, atomically and durably.
    pub(crate) fn save(&self, rotation: &Rotation) -> Result<(), FileError> {
        make_private_directory(&self.directory)?;
        let name = self.name(&rotation.profile);
        let path = self.directory.join(&name);
        let io = |error: std::io::Error| FileError::io("write", &path)(error);
        let plain = render_rotation(rotation).map_err(|error| io(std::io::Error::other(error)))?;
        let sealed =
            self.key.seal(&Self::purpose(&name), &plain).map_err(|error| io(std::io::Error::other(error)))?;
        write_atomic(&path, &sealed, Keep::Nothing)
    }

    /// Deletes the rotation. Returns whether there was one.
    pub(crate) fn delete(&self, profile: &ProfileName) -> Result<bool, FileError> {
        let is_there = remove(&self.path(profile))?;
        sweep_temporary(&self.directory);
        Ok(is_there)
    }

    /// Lists the rotations that this key opens, by profile. Those of other stores are skipped.
    ///
    /// # Errors
    /// Also if a newer version of hatbox wrote one.
    pub(crate) fn list(&self) -> Result<Vec<Rotation>, FileError> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FileError::io("open", &self.directory)(error)),
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut found = Vec::new();
        for name in names.filter(|name| !name.starts_with('.')) {
            match self.load_named(&name) {
                Err(error @ FileError::Newer(_)) => return Err(error),
                loaded => found.extend(loaded.ok().flatten()),
            }
        }
        found.sort_by(|a, b| a.profile.cmp(&b.profile));
        Ok(found)
    }
}

/// Returns whether there are any rotations, of whichever store.
pub(crate) fn has_records(directory: &Path) -> bool {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
    names.into_iter().any(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
}

fn render_rotation(rotation: &Rotation) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let text = |id: &AccessKeyId| id.as_str().to_owned();
    let on_disk = OnDisk {
        version: VERSION,
        profile: rotation.profile.as_str().to_owned(),
        others: rotation.others.iter().map(|name| name.as_str().to_owned()).collect(),
        user: rotation.user.clone(),
        old: text(&rotation.old),
        begun_at: rotation.begun_at.as_second(),
        step: match &rotation.step {
            RotationStep::Creating { before, listed_at } => StepOnDisk::Creating {
                before: before.as_ref().map(|ids| ids.iter().map(text).collect()),
                listed_at: listed_at.map(Timestamp::as_second),
            },
            RotationStep::Created(key) => {
                StepOnDisk::Created { new: text(&key.id), secret: key.secret.expose().to_owned() }
            }
            RotationStep::Stored(id) => StepOnDisk::Stored { new: text(id) },
            RotationStep::Deactivated(id) => StepOnDisk::Deactivated { new: text(id) },
        },
    };
    serde_json::to_vec(&on_disk).map(Zeroizing::new)
}

fn parse_rotation(plain: &[u8]) -> Option<Rotation> {
    let on_disk: OnDisk = serde_json::from_slice(plain).ok()?;
    (on_disk.version == VERSION).then_some(())?;
    let profile = |name: &String| ProfileName::parse(name).ok();
    let id = |text: &String| AccessKeyId::parse(text).ok();
    let time = |seconds: i64| Timestamp::from_second(seconds).ok();
    Some(Rotation {
        profile: profile(&on_disk.profile)?,
        others: on_disk.others.iter().map(profile).collect::<Option<_>>()?,
        user: on_disk.user,
        old: id(&on_disk.old)?,
        begun_at: time(on_disk.begun_at)?,
        step: match on_disk.step {
            StepOnDisk::Creating { before, listed_at } => RotationStep::Creating {
                before: match before {
                    Some(ids) => Some(ids.iter().map(id).collect::<Option<_>>()?),
                    None => None,
                },
                listed_at: listed_at.and_then(time),
            },
            StepOnDisk::Created { new, secret } => {
                RotationStep::Created(AccessKey { id: id(&new)?, secret: SecretString::new(secret) })
            }
            StepOnDisk::Stored { new } => RotationStep::Stored(id(&new)?),
            StepOnDisk::Deactivated { new } => RotationStep::Deactivated(id(&new)?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AccessKeyId {
        AccessKeyId::parse(text).unwrap()
    }

    #[test]
    fn each_step_comes_back_as_it_was_saved_and_opens_with_its_key_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (key, other) = (CacheKey::generate().unwrap(), CacheKey::generate().unwrap());
        let rotations = Rotations::open(&dir.path().join("rotations"), key);
        let profile = ProfileName::parse("jan").unwrap();
        let shown = |rotation: &Rotation| render_rotation(rotation).unwrap();
        assert!(rotations.load(&profile).unwrap().is_none() && rotations.list().unwrap().is_empty());
        let (old, new) = (id("AKIAOOOOOOOOOOOOOOOO"), id("AKIANNNNNNNNNNNNNNNN"));
        let secret = SecretString::new("canary-secret".to_owned());
        for step in [
            RotationStep::Creating { before: None, listed_at: None },
            RotationStep::Creating {
                before: Some(vec![old.clone()]),
                listed_at: Some(Timestamp::from_second(5).unwrap()),
            },
            RotationStep::Created(AccessKey { id: new.clone(), secret }),
            RotationStep::Stored(new.clone()),
            RotationStep::Deactivated(new.clone()),
        ] {
            let rotation = Rotation {
                profile: profile.clone(),
                others: vec![ProfileName::parse("jan too").unwrap()],
                user: "arn:aws:iam::111122223333:user/jan".to_owned(),
                old: old.clone(),
                begun_at: Timestamp::from_second(1_700_000_000).unwrap(),
                step,
            };
            rotations.save(&rotation).unwrap();
            assert_eq!(shown(&rotations.load(&profile).unwrap().unwrap()), shown(&rotation));
            assert_eq!(rotations.list().unwrap().iter().map(shown).collect::<Vec<_>>(), [shown(&rotation)]);
            let sealed = std::fs::read(rotations.path(&profile)).unwrap();
            assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"));
        }
        let elsewhere = Rotations::open(&dir.path().join("rotations"), other);
        assert!(elsewhere.load(&profile).unwrap().is_none() && elsewhere.list().unwrap().is_empty());
        let name = rotations.name(&profile);
        let later = rotations.key.seal(&Rotations::purpose(&name), b"{\"version\":2}").unwrap();
        std::fs::write(rotations.path(&profile), later).unwrap();
        assert!(matches!(rotations.load(&profile), Err(FileError::Newer(_))));
        assert!(matches!(rotations.list(), Err(FileError::Newer(_))), "it may hold a secret");
        std::fs::write(rotations.path(&profile), b"damaged").unwrap();
        assert!(rotations.load(&profile).is_err(), "it may hold a secret: damaged is not absent");
        assert!(has_records(&rotations.directory));
        assert!(rotations.delete(&profile).unwrap() && !rotations.delete(&profile).unwrap());
        assert!(!has_records(&rotations.directory));
    }
}
