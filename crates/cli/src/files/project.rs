//! `.hatbox.toml` in a project's directory: the profile that the project uses, if the user has allowed the file.
//!
//! Security: the file comes with the project, from anyone. It is not parsed until the user has allowed this content at
//! this path, for the role that its profile had at that time.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use hatbox_types::name::ProfileName;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::errors::{Failure, FailureKind};
use crate::sys::access::{Ownership, open_unblocked};
use crate::sys::files::{FileError, Keep, make_private_directory, read_private, write_atomic};
use crate::sys::format_version::is_newer_json;
use crate::sys::lock;
use crate::world::World;

/// The file name, the same in every project.
pub(crate) const PROJECT_FILE: &str = ".hatbox.toml";
/// Limit in bytes: the file has one line.
const LIMIT: u64 = 4096;
/// The version of the list of allowed files. The list does not state it, as it is the first.
const LIST_VERSION: u64 = 1;
/// Limit in bytes of the list of allowed files.
const LIST_LIMIT: u64 = 4 << 20;

/// A project's file as read.
#[derive(Debug)]
pub(crate) struct ProjectFile {
    path: PathBuf,
    shown: String,
    text: String,
}

/// The allowed content of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    profile: String,
}

/// What the user has allowed, by path.
#[derive(Debug, Default, Serialize, Deserialize)]
struct AllowedList {
    files: BTreeMap<String, Allowed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Allowed {
    sha256: String,
    /// The role of the profile when the file was allowed.
    role: Option<String>,
}

/// Whether the user has allowed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Allowed, with this profile.
    Allowed(ProfileName),
    /// Never allowed.
    New,
    /// Allowed with a different content.
    Changed,
    /// Allowed when its profile had a different role.
    OtherRole,
    /// Allowed, but the current role of its profile is not known.
    UnknownRole,
}

/// Finds a project's file, from `directory` up to the home directory or the root of the repository, whichever comes
/// first. Outside of both, searches only `directory`.
///
/// # Errors
/// If the file belongs to another user, anyone can write to it, or it cannot be read.
pub(crate) fn find_project_file(world: &World, directory: &Path) -> Result<Option<ProjectFile>, Failure> {
    let is_end = |directory: &Path| {
        directory == world.dirs.home() || directory.join(".git").symlink_metadata().is_ok()
    };
    let above = directory.ancestors().position(is_end).unwrap_or(0);
    for directory in directory.ancestors().take(above + 1) {
        if let Some(file) = read(world, &directory.join(PROJECT_FILE))? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn read(world: &World, path: &Path) -> Result<Option<ProjectFile>, Failure> {
    let shown = world.dirs.shown(path);
    let failure = |error: std::io::Error| {
        Failure::new(FailureKind::Failed, format!("could not read `{shown}`")).caused_by(&error)
    };
    let file = match open_unblocked(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(error)),
    };
    let about = file.metadata().map_err(failure)?;
    if !about.is_file() {
        return Err(failure(std::io::Error::other("it is not a regular file")));
    }
    // Write access for a group is fine: what a member changes must be allowed again.
    if Ownership::of(&file, &about).is_open_to_strangers() {
        let error = format!("`{shown}` belongs to another user, or anyone can write to it");
        return Err(Failure::new(FailureKind::Refused, error));
    }
    let mut text = String::new();
    file.take(LIMIT + 1).read_to_string(&mut text).map_err(failure)?;
    if text.len() as u64 > LIMIT {
        return Err(failure(std::io::Error::other(format!("it is larger than {LIMIT} bytes"))));
    }
    Ok(Some(ProjectFile { path: path.to_owned(), shown, text }))
}

impl ProjectFile {
    /// The path as shown in messages.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The directory that the file is in.
    pub(crate) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// The whole content, as read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Parses the profile that the file names.
    pub(crate) fn parse(&self) -> Result<ProfileName, Failure> {
        let on_disk: OnDisk = toml::from_str(&self.text).map_err(|error| {
            let before = error.span().and_then(|span| self.text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            let failure =
                Failure::new(FailureKind::Usage, format!("invalid project file: {}", error.message()))
                    .at(format!("{}:{line}", self.shown))
                    .hint("it may contain one line: `profile = \"NAME\"`");
            if toml::from_str::<toml::Table>(&self.text).is_ok() {
                failure.hint("if a newer version of hatbox reads this key, update hatbox")
            } else {
                failure
            }
        })?;
        ProfileName::parse(&on_disk.profile).map_err(|error| {
            let name = on_disk.profile.escape_debug();
            Failure::new(FailureKind::Usage, format!("invalid profile name `{name}`: {error}"))
                .at(self.shown.clone())
        })
    }

    /// Returns whether the user has allowed the file. `role_of` returns the current role of a profile.
    pub(crate) fn permission(
        &self,
        world: &World,
        role_of: impl FnOnce(&ProfileName) -> Result<Option<String>, Failure>,
    ) -> Result<Permission, Failure> {
        let Some(allowed) = load(world)?.files.remove(&self.key()?) else { return Ok(Permission::New) };
        if allowed.sha256 != self.digest() {
            return Ok(Permission::Changed);
        }
        let profile = self.parse()?;
        Ok(match role_of(&profile) {
            Ok(role) if role == allowed.role => Permission::Allowed(profile),
            Ok(_) => Permission::OtherRole,
            Err(_) => Permission::UnknownRole,
        })
    }

    /// Allows the content as read, for the current role of its profile.
    pub(crate) fn allow(&self, world: &World, role: Option<String>) -> Result<(), Failure> {
        let (key, allowed) = (self.key()?, Allowed { sha256: self.digest(), role });
        change(world, |list| drop(list.files.insert(key, allowed)))
    }

    /// Revokes the permission. Returns whether there was one.
    pub(crate) fn revoke(&self, world: &World) -> Result<bool, Failure> {
        let key = self.key()?;
        let mut was_allowed = false;
        change(world, |list| was_allowed = list.files.remove(&key).is_some())?;
        Ok(was_allowed)
    }

    fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.text.as_bytes()))
    }

    fn key(&self) -> Result<String, Failure> {
        self.path.to_str().map(str::to_owned).ok_or_else(|| {
            Failure::new(FailureKind::Usage, format!("invalid path `{}`: expected UTF-8", self.shown))
        })
    }
}

fn load(world: &World) -> Result<AllowedList, Failure> {
    let path = world.dirs.allowed_projects();
    let bytes = match read_private(&path, LIST_LIMIT) {
        Ok(bytes) => bytes,
        Err(FileError::Absent(_)) => return Ok(AllowedList::default()),
        Err(error) => return Err(error.into()),
    };
    if is_newer_json(&bytes, LIST_VERSION) {
        return Err(FileError::newer(&path).into());
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(FailureKind::Failed, "could not read the list of allowed project files")
            .at(world.dirs.shown(&path))
            .caused_by(&error)
            .hint("delete the file, and run `hatbox allow` again in each project")
    })
}

fn change(world: &World, edit: impl FnOnce(&mut AllowedList)) -> Result<(), Failure> {
    make_private_directory(&world.dirs.locks())?;
    let _held = lock::hold(&world.dirs.locks().join("allowed-projects.lock"))?;
    let mut list = load(world)?;
    edit(&mut list);
    let path = world.dirs.allowed_projects();
    if let Some(directory) = path.parent() {
        make_private_directory(directory)?;
    }
    let text =
        serde_json::to_vec_pretty(&list).map_err(|error| Failure::of_error(FailureKind::Failed, &error))?;
    Ok(write_atomic(&path, &text, Keep::Nothing)?)
}
