//! Files and directories that only the user can access: read, appended to, created and checked.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::FileError;
use crate::sys::access;

/// Reads a private file of at most `limit` bytes. Does not follow a symlink.
pub(crate) fn read_private(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let shown = || path.display().to_string();
    let file = access::open_private(path).map_err(|error| {
        if access::is_link_refused(&error) {
            FileError::Kind(shown())
        } else {
            FileError::io("read", path)(error)
        }
    })?;
    let about = file.metadata().map_err(FileError::io("read", path))?;
    if !about.is_file() {
        return Err(FileError::Kind(shown()));
    }
    access::check_file(path, &file, &about)?;
    if about.len() > limit {
        return Err(FileError::Size { path: shown(), limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    file.take(limit).read_to_end(&mut bytes).map_err(FileError::io("read", path))?;
    Ok(bytes)
}

/// Whether to create a missing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creation {
    IfAbsent,
    Never,
}

/// Appends `line` to a private file with a single write, which does not mix with writes of other processes. Creates the
/// file and its directory if needed. Returns the length of the file in bytes.
pub(crate) fn append_private(path: &Path, line: &[u8]) -> Result<u64, FileError> {
    let opened = match access::open_to_append(path, Creation::Never) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_private_directory(&parent(path))?;
            check_creator(path)?;
            access::open_to_append(path, Creation::IfAbsent)
        }
        opened => opened,
    };
    let mut file = opened.map_err(|error| {
        if access::is_link_refused(&error) {
            FileError::Kind(path.display().to_string())
        } else {
            FileError::io("open", path)(error)
        }
    })?;
    let about = file.metadata().map_err(FileError::io("open", path))?;
    if !about.is_file() {
        return Err(FileError::Kind(path.display().to_string()));
    }
    access::check_file(path, &file, &about)?;
    let written = loop {
        match file.write(line) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => break written.map_err(FileError::io("write", path))?,
        }
    };
    // A second write for the rest could end up after a line of another process.
    if written < line.len() {
        return Err(FileError::io("write", path)(io::ErrorKind::StorageFull.into()));
    }
    Ok(about.len() + written as u64)
}

/// Whose access to a file to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// Others' permission to write.
    Writers,
    /// All permissions of others.
    Everyone,
}

/// Checks, without reading it, that a file or directory is as private as [`read_private`] and
/// [`make_private_directory`] require. A missing one passes.
pub(crate) fn check_private(path: &Path) -> Result<(), FileError> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) if about.is_symlink() => fs::metadata(path).map_err(FileError::io("open", path)),
        Ok(about) if about.is_file() => return check_private_file(path),
        other => other.map_err(FileError::io("read", path)),
    };
    match about {
        // A symlink to a directory is followed, one to a file is not.
        Ok(about) if about.is_dir() => Ok(access::check_directory(path, &about)?),
        Ok(_) => Err(FileError::Kind(path.display().to_string())),
        Err(FileError::Absent(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn check_private_file(path: &Path) -> Result<(), FileError> {
    let file = access::open_private(path).map_err(FileError::io("read", path))?;
    let about = file.metadata().map_err(FileError::io("read", path))?;
    Ok(access::check_file(path, &file, &about)?)
}

/// Creates a private directory with its parents, or checks that the existing one is private.
pub(crate) fn make_private_directory(path: &Path) -> Result<(), FileError> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => return Ok(access::check_directory(path, &about)?),
        Ok(about) if about.is_symlink() => {
            // The user may link the store to another place: the target must be private.
            let about = fs::metadata(path).map_err(FileError::io("read", path))?;
            return Ok(access::check_directory(path, &about)?);
        }
        Ok(_) => return Err(FileError::Kind(path.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(FileError::io("open", path)(error)),
    }
    check_creator(path)?;
    access::create_directory(path).map_err(FileError::io("create", path))?;
    let about = fs::metadata(path).map_err(FileError::io("read", path))?;
    Ok(access::check_directory(path, &about)?)
}

/// Prevents root from creating something in another user's directory, such as by `sudo hatbox` with that user's HOME:
/// the user could neither read nor delete it. `path` is what is about to be created.
pub(crate) fn check_creator(path: &Path) -> Result<(), FileError> {
    let mut directory = parent(path);
    while !directory.exists() {
        match directory.parent() {
            Some(above) if !above.as_os_str().is_empty() => directory = above.to_owned(),
            _ => return Ok(()),
        }
    }
    match access::owner_unlike_root(&directory) {
        Some(owner) => Err(FileError::OtherUsers { directory: directory.display().to_string(), owner }),
        None => Ok(()),
    }
}

pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Keep, write_atomic};
    use super::*;

    #[test]
    fn a_file_that_is_too_large_or_not_there_is_kept_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_atomic(&path, b"12345", Keep::Nothing).unwrap();
        assert_eq!(read_private(&path, 5).unwrap(), b"12345");
        assert!(matches!(read_private(&path, 4), Err(FileError::Size { .. })));
        assert!(matches!(read_private(&dir.path().join("none"), 4), Err(FileError::Absent(_))));
    }
}
