//! Files that must not be lost, be readable by other users, or belong to them.
//!
//! Every write creates a new file beside the target, then calls fsync, renames it, and calls fsync for the directory. A
//! kill at any moment leaves the old file or the new one. Caches are written without fsync: after a power failure, a
//! file may be damaged, and then counts as absent.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::access::{self, NotPrivate};
use super::platform::disk;

/// Why a file or directory was not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It does not exist.
    #[error("there is no file `{0}`")]
    Absent(String),
    /// Other users can access it.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// hatbox runs as root, and would create root's files in another user's directory.
    #[error("you are root, and `{directory}` belongs to uid {owner}: hatbox creates nothing there")]
    OtherUsers {
        /// The existing directory.
        directory: String,
        /// The uid of its owner.
        owner: u32,
    },
    /// It is a symlink, a device or another special file.
    #[error("`{0}` is not a regular file")]
    Kind(String),
    /// It is larger than any file that hatbox writes.
    #[error("`{path}` has more than {limit} bytes")]
    Size {
        /// The path.
        path: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// It exists already and must not be overwritten.
    #[error("there is a file `{0}` already")]
    Exists(String),
    /// Another process changed it in the meantime.
    #[error("`{0}` was changed meanwhile")]
    Changed(String),
    /// It is a directory, but a file is to be written.
    #[error("`{0}` is a directory, not a file")]
    Directory(String),
    /// It is on a disk, but must be in memory.
    #[error("`{0}` is not in memory (tmpfs)")]
    NotInMemory(String),
    /// The system returned an error.
    #[error("could not {verb} `{path}`")]
    Io {
        /// `read`, `write`, ...
        verb: &'static str,
        /// The path.
        path: String,
        /// The system's error.
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

    /// Returns the command that fixes the problem, if there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotPrivate(why) => Some(why.hint()),
            Self::OtherUsers { owner, .. } => Some(format!("sudo -u '#{owner}' hatbox ...")),
            _ => None,
        }
    }
}

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

/// What to keep of the file that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing: the new file is private.
    Nothing,
    /// The mode, and a symlink: the file that it points to is replaced.
    ModeAndLink,
}

/// What a new file must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlives {
    /// A power failure: wait for the disk.
    PowerCut,
    /// A kill of the process.
    Process,
}

/// Replaces `path` with a file containing `bytes`, atomically and durably.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8], keep: Keep) -> Result<(), FileError> {
    write_through(path, bytes, keep, Outlives::PowerCut, replace)
}

/// Replaces `path` with a private file containing `bytes`, atomically but without waiting for the disk: for data that
/// can be obtained again and whose reader treats a damaged file as missing.
pub(crate) fn write_cache(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_through(path, bytes, Keep::Nothing, Outlives::Process, replace)
}

fn replace(temporary: &Path, target: &Path) -> Result<(), FileError> {
    disk::replace(temporary, target).map_err(FileError::io("replace", target))
}

/// Does the same, but only if the file still contains `before`, which was read from it.
///
/// # Errors
/// [`FileError::Changed`] if the content differs.
pub(crate) fn write_if_unchanged(
    path: &Path,
    before: &[u8],
    bytes: &[u8],
    keep: Keep,
) -> Result<(), FileError> {
    write_through(path, bytes, keep, Outlives::PowerCut, |temporary, target| {
        let now = match fs::read(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            now => now.map_err(FileError::io("open", target))?,
        };
        if now != before {
            return Err(FileError::Changed(target.display().to_string()));
        }
        replace(temporary, target)
    })
}

/// Creates the file `path` with `bytes`, completely or not at all.
///
/// # Errors
/// [`FileError::Exists`] if the file exists.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_through(path, bytes, Keep::Nothing, Outlives::PowerCut, |temporary, target| {
        let result = fs::hard_link(temporary, target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(target.display().to_string()),
            _ => FileError::io("create", target)(error),
        });
        fs::remove_file(temporary).ok();
        result
    })
}

/// Writes a new file beside the target, and calls `place` to move it there.
fn write_through(
    path: &Path,
    bytes: &[u8],
    keep: Keep,
    outlives: Outlives,
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
    if old.is_none() && fs::symlink_metadata(&target).is_err() {
        check_creator(&target)?;
    }
    let directory = parent(&target);
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{:016x}.tmp", random_u64()));
    let temporary = directory.join(name);
    let result = (|| {
        let mut file = access::create_file(&temporary).map_err(FileError::io("create", &temporary))?;
        file.write_all(bytes).map_err(FileError::io("write", &temporary))?;
        if let Some(old) = old {
            access::keep(&file, &temporary, &target, &old)?;
        }
        if outlives == Outlives::PowerCut {
            file.sync_all().map_err(FileError::io("write", &temporary))?;
        }
        place(&temporary, &target)
    })();
    if result.is_err() {
        fs::remove_file(&temporary).ok();
    }
    result?;
    match outlives {
        Outlives::PowerCut => sync_directory(&directory),
        Outlives::Process => Ok(()),
    }
}

/// Follows symlinks to the final path, even if nothing exists there yet.
pub(crate) fn follow_links(path: &Path) -> Result<PathBuf, FileError> {
    // The limit of Linux (path_resolution(7)).
    const LIMIT: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..LIMIT {
        if !fs::symlink_metadata(&target).is_ok_and(|about| about.is_symlink()) {
            return Ok(target);
        }
        let next = fs::read_link(&target).map_err(FileError::io("open", &target))?;
        target = parent(&target).join(next);
    }
    Err(FileError::Kind(path.display().to_string()))
}

/// Deletes `path` durably. Returns whether it existed.
pub(crate) fn remove(path: &Path) -> Result<bool, FileError> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(&parent(path)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::io("delete", path)(error)),
    }
}

/// Deletes temporary files in `directory` that killed writers left over an hour ago.
pub(crate) fn sweep_temporary(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_old = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 3600));
        if is_temporary(&name) && is_old {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Whether a name has the form of [`write_through`]'s temporary files: `.NAME.<16 hex digits>.tmp`.
fn is_temporary(name: &str) -> bool {
    let number = name
        .strip_prefix('.')
        .and_then(|rest| rest.strip_suffix(".tmp"))
        .and_then(|rest| rest.rsplit_once('.'));
    number
        .is_some_and(|(_, number)| number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Flushes a directory, so that renames and deletions in it survive a power failure.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), FileError> {
    disk::sync_directory(directory).map_err(FileError::io("write", directory))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Returns a number for unique file names; not a secret.
fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    // Without random bytes, the name may exist already; then `create_new` fails, and nothing is lost.
    getrandom::getrandom(&mut bytes).ok();
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
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

    /// The Windows versions that run the tests cannot replace an open file.
    #[cfg(unix)]
    #[test]
    fn whoever_reads_while_it_is_written_reads_a_whole_file() {
        const READS: usize = 100_000;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let texts = [vec![b'a'; 700], vec![b'b'; 1300]];
        write_atomic(&path, &texts[0], Keep::Nothing).unwrap();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let writes = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut writes = 0;
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    write_atomic(&path, &texts[writes % 2], Keep::Nothing).unwrap();
                    writes += 1;
                }
                writes
            });
            let read = || {
                for _ in 0..READS / 4 {
                    let text = read_private(&path, 4096).unwrap();
                    assert!(texts.contains(&text), "torn: {} bytes", text.len());
                }
            };
            let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
            let results: Vec<_> = readers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(results.iter().all(Result::is_ok));
            writer.join().unwrap()
        });
        assert!(writes > 10, "only {writes} writes met the reads");
    }

    #[test]
    fn a_file_is_replaced_whole_and_removed_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        for keep in [Keep::Nothing, Keep::ModeAndLink] {
            write_atomic(&path, b"old and longer", keep).unwrap();
            write_atomic(&path, b"new", keep).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays");
        }
        write_cache(&path, b"newer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays");
        assert!(remove(&path).unwrap());
        assert!(!remove(&path).unwrap());
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
}
