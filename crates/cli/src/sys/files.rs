//! Files that must not be lost, read by others, or be somebody else's.
//!
//! Every write is: a new file beside the target, fsync, rename, fsync of the directory. A kill at any
//! moment leaves the old file or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;

/// Why a private file or directory is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It is not there.
    #[error("there is no file `{0}`")]
    Absent(String),
    /// Group or others may read or write it.
    #[error("`{path}` has mode {mode:04o}: others may read or write it")]
    Mode {
        /// The path.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// It belongs to another user.
    #[error("`{path}` belongs to uid {owner}, not to you (uid {me})")]
    Owner {
        /// The path.
        path: String,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        me: u32,
    },
    /// It is a link, a device, ...
    #[error("`{0}` is no regular file")]
    Kind(String),
    /// It is larger than anything hatbox writes there.
    #[error("`{path}` has more than {limit} bytes")]
    Size {
        /// The path.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// It is there already, and must not be written over.
    #[error("there is a file `{0}` already")]
    Exists(String),
    /// It was changed by somebody else meanwhile.
    #[error("`{0}` was changed meanwhile")]
    Changed(String),
    /// It lies on a disk, and must not.
    #[error("`{0}` is not in memory (tmpfs)")]
    NotInMemory(String),
    /// The system refused.
    #[error("could not {verb} `{path}`")]
    Io {
        /// `read`, `write`, ...
        verb: &'static str,
        /// The path.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl FileError {
    pub(crate) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| match source.kind() {
            io::ErrorKind::NotFound if verb == "read" => Self::Absent(path),
            _ => Self::Io { verb, path, source },
        }
    }

    /// The command that mends it, where there is one.
    pub(crate) fn way_out(&self) -> Option<String> {
        match self {
            Self::Mode { path, wanted, .. } => Some(format!("chmod {wanted:o} '{path}'")),
            // Root in somebody's home directory must not be told to take that user's files.
            Self::Owner { me: 0, owner, .. } => Some(format!("sudo -u '#{owner}' hatbox ...")),
            Self::Owner { path, .. } => Some(format!("sudo chown \"$(id -u)\" '{path}'")),
            _ => None,
        }
    }
}

/// Reads a file that only its owner may read: 0600, ours, no link; at most `limit` bytes.
pub(crate) fn read_private(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let shown = || path.display().to_string();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default())
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => FileError::Kind(shown()),
            _ => FileError::io("read", path)(error),
        })?;
    let about = file.metadata().map_err(FileError::io("read", path))?;
    if !about.is_file() {
        return Err(FileError::Kind(shown()));
    }
    check_private(path, &about, 0o600)?;
    if about.len() > limit {
        return Err(FileError::Size { path: shown(), limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    file.take(limit).read_to_end(&mut bytes).map_err(FileError::io("read", path))?;
    Ok(bytes)
}

fn check_private(path: &Path, about: &fs::Metadata, wanted: u32) -> Result<(), FileError> {
    let (mode, owner, me) = (about.mode() & 0o7777, about.uid(), geteuid().as_raw());
    if owner != me {
        return Err(FileError::Owner { path: path.display().to_string(), owner, me });
    }
    if mode & 0o077 != 0 {
        return Err(FileError::Mode { path: path.display().to_string(), mode, wanted });
    }
    Ok(())
}

/// Makes a directory and its parents, 0700, or checks the one that is there: ours, and closed to others.
pub(crate) fn make_private_directory(path: &Path) -> Result<(), FileError> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => return check_private(path, &about, 0o700),
        Ok(about) if about.is_symlink() => {
            // The user may keep the store elsewhere; what counts is the directory that it leads to.
            let about = fs::metadata(path).map_err(FileError::io("read", path))?;
            return check_private(path, &about, 0o700);
        }
        Ok(_) => return Err(FileError::Kind(path.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(FileError::io("open", path)(error)),
    }
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path).map_err(FileError::io("create", path))?;
    let about = fs::metadata(path).map_err(FileError::io("read", path))?;
    check_private(path, &about, 0o700)
}

/// What a file that is about to be replaced keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing: the new file is 0600.
    Nothing,
    /// The mode of the old file, and a symbolic link stays one: the file that it leads to is replaced.
    ModeAndLink,
}

/// Replaces `path` by a file with `bytes`, atomically and durably.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8], keep: Keep) -> Result<(), FileError> {
    write_through(path, bytes, keep, |temporary, target| {
        fs::rename(temporary, target).map_err(FileError::io("replace", target))
    })
}

/// The same for a file that may have been changed since `before` was read from it: then it is not replaced.
///
/// # Errors
/// [`FileError::Changed`] when it no longer holds `before`.
pub(crate) fn write_if_unchanged(
    path: &Path,
    before: &[u8],
    bytes: &[u8],
    keep: Keep,
) -> Result<(), FileError> {
    write_through(path, bytes, keep, |temporary, target| {
        let now = match fs::read(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            now => now.map_err(FileError::io("open", target))?,
        };
        if now != before {
            return Err(FileError::Changed(target.display().to_string()));
        }
        fs::rename(temporary, target).map_err(FileError::io("replace", target))
    })
}

/// Makes the file `path` with `bytes`, whole or not at all.
///
/// # Errors
/// [`FileError::Exists`] when it is there.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_through(path, bytes, Keep::Nothing, |temporary, target| {
        let result = fs::hard_link(temporary, target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(target.display().to_string()),
            _ => FileError::io("create", target)(error),
        });
        fs::remove_file(temporary).ok();
        result
    })
}

/// Writes a new file beside the target, and lets `place` put it there.
fn write_through(
    path: &Path,
    bytes: &[u8],
    keep: Keep,
    place: impl FnOnce(&Path, &Path) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let target = match keep {
        Keep::Nothing => path.to_owned(),
        Keep::ModeAndLink => follow_links(path)?,
    };
    let old = match keep {
        Keep::Nothing => None,
        Keep::ModeAndLink => fs::metadata(&target).ok(),
    };
    let directory = parent(&target);
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.tmp", random_u64()));
    let temporary = directory.join(name);
    let result = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(FileError::io("create", &temporary))?;
        file.write_all(bytes).map_err(FileError::io("write", &temporary))?;
        if let Some(old) = old {
            if geteuid().is_root() {
                // Root in a user's home directory must leave the user's files the user's.
                std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))
                    .map_err(FileError::io("set the owner of", &temporary))?;
            }
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))
                .map_err(FileError::io("set the mode of", &temporary))?;
        }
        file.sync_all().map_err(FileError::io("write", &temporary))?;
        place(&temporary, &target)
    })();
    if result.is_err() {
        fs::remove_file(&temporary).ok();
    }
    result?;
    sync_directory(&directory)
}

/// Where a path leads to, also when there is nothing yet.
fn follow_links(path: &Path) -> Result<PathBuf, FileError> {
    // As many as Linux follows (path_resolution(7)).
    const LIMIT: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..LIMIT {
        match fs::read_link(&target) {
            Ok(next) => target = parent(&target).join(next),
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                return Ok(target);
            }
            Err(error) => return Err(FileError::io("open", &target)(error)),
        }
    }
    Err(FileError::Kind(path.display().to_string()))
}

/// Deletes `path`, durably. Tells whether it was there.
pub(crate) fn remove(path: &Path) -> Result<bool, FileError> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(&parent(path)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::io("delete", path)(error)),
    }
}

/// Deletes what killed writers left in `directory`: temporary files older than an hour.
pub(crate) fn sweep_temporary(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_old = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 3600));
        if name.starts_with('.') && name.ends_with(".tmp") && is_old {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Flushes a directory: what was renamed into it or removed from it stays so.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), FileError> {
    File::open(directory).and_then(|d| d.sync_all()).map_err(FileError::io("write", directory))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A number for names that must not meet; no secret.
fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the name may meet another, and then `create_new` refuses: an error, no loss.
    getrandom::getrandom(&mut bytes).ok();
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_refused_when_others_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_atomic(&path, b"x", Keep::Nothing).unwrap();
        assert_eq!(read_private(&path, 10).unwrap(), b"x");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&path, 10).unwrap_err();
        assert!(error.way_out().unwrap().starts_with("chmod 600 "), "{error}");
    }

    #[test]
    fn a_link_and_a_file_that_is_too_large_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("f"), dir.path().join("l"));
        write_atomic(&path, b"12345", Keep::Nothing).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(read_private(&link, 10), Err(FileError::Kind(_))));
        assert!(matches!(read_private(&path, 4), Err(FileError::Size { .. })));
        assert!(matches!(read_private(&dir.path().join("none"), 4), Err(FileError::Absent(_))));
    }

    #[test]
    fn replacing_keeps_mode_and_link_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("f"), dir.path().join("l"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink("f", &link).unwrap();
        write_atomic(&link, b"new", Keep::ModeAndLink).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file stays");
    }

    #[test]
    fn a_link_to_nothing_yet_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("l");
        std::os::unix::fs::symlink("f", &link).unwrap();
        write_atomic(&link, b"new", Keep::ModeAndLink).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(dir.path().join("f")).unwrap(), b"new");
    }

    #[test]
    fn a_new_file_never_replaces_one_and_a_changed_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_new(&path, b"first").unwrap();
        assert!(matches!(write_new(&path, b"second"), Err(FileError::Exists(_))));
        let changed = write_if_unchanged(&path, b"other", b"x", Keep::ModeAndLink);
        assert!(matches!(changed, Err(FileError::Changed(_))));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write_if_unchanged(&path, b"first", b"second", Keep::ModeAndLink).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_directory_open_to_others_is_refused_and_a_new_one_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a/b");
        make_private_directory(&made).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(make_private_directory(&made), Err(FileError::Mode { .. })));
    }
}
