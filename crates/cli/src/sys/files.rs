//! Files that must not be lost, read by others, or be someone else's.
//!
//! Every write is: a new file beside the target, fsync, rename, fsync of the directory. A kill at any
//! moment leaves the old file or the new one. Only caches are written without the fsyncs: a kill leaves the
//! same, a power cut may leave a damaged file, which counts as none.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::access::{self, NotPrivate};
use super::platform::disk;

/// Why a private file or directory is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It is not there.
    #[error("there is no file `{0}`")]
    Absent(String),
    /// It is not the user's alone.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// This process is root's, and what it would make there would be root's in another user's directory.
    #[error("you are root, and `{directory}` belongs to uid {owner}: hatbox creates nothing there")]
    OtherUsers {
        /// The directory that is there already.
        directory: String,
        /// Whose it is.
        owner: u32,
    },
    /// It is a link, a device, ...
    #[error("`{0}` is not a regular file")]
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
    /// It was changed by another process meanwhile.
    #[error("`{0}` was changed meanwhile")]
    Changed(String),
    /// It is a directory where a file is to be written.
    #[error("`{0}` is a directory, not a file")]
    Directory(String),
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

    /// The command that fixes it, where there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotPrivate(why) => Some(why.hint()),
            Self::OtherUsers { owner, .. } => Some(format!("sudo -u '#{owner}' hatbox ...")),
            _ => None,
        }
    }
}

/// Reads a file that is the user's alone, and no link; at most `limit` bytes.
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

/// Whether a file is made where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creation {
    IfAbsent,
    Never,
}

/// Appends `line` to a file of the user's alone, by one write, so that it does not mix with those of other processes.
/// Makes the file, and its directory, where there is none. Returns the length of the file.
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
    // The rest by another write might end up behind another's line.
    if written < line.len() {
        return Err(FileError::io("write", path)(io::ErrorKind::StorageFull.into()));
    }
    Ok(about.len() + written as u64)
}

/// Whom a file is closed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// Others who could write to it.
    Writers,
    /// All others.
    Everyone,
}

/// Checks that a file or a directory is one that [`read_private`] and [`make_private_directory`] take, without
/// reading it. One that is not there is.
pub(crate) fn check_private(path: &Path) -> Result<(), FileError> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) if about.is_symlink() => fs::metadata(path).map_err(FileError::io("open", path)),
        Ok(about) if about.is_file() => return check_private_file(path),
        other => other.map_err(FileError::io("read", path)),
    };
    match about {
        // A link to a directory is followed, one to a file never.
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

/// Makes a directory and its parents, the user's alone, or checks that the one that is there is so.
pub(crate) fn make_private_directory(path: &Path) -> Result<(), FileError> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => return Ok(access::check_directory(path, &about)?),
        Ok(about) if about.is_symlink() => {
            // The user may keep the store elsewhere; what counts is the directory that it leads to.
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

/// Refuses that root creates something in another user's directory, who could then neither read nor delete it: as
/// `sudo hatbox` with the user's HOME would. `path` is what is about to be created.
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

/// What a file that is about to be replaced keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing: the new file is the user's alone.
    Nothing,
    /// The mode of the old file, and a symbolic link stays one: the file that it leads to is replaced.
    ModeAndLink,
}

/// What a new file outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlives {
    /// Also a power cut: the disk is waited for.
    PowerCut,
    /// The process.
    Process,
}

/// Replaces `path` by a file with `bytes`, atomically and durably.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8], keep: Keep) -> Result<(), FileError> {
    write_through(path, bytes, keep, Outlives::PowerCut, replace)
}

/// Replaces `path` by a file of the user's alone with `bytes`, atomically, without waiting for the disk: for what can
/// be obtained again, and whose reader takes a damaged file for none.
pub(crate) fn write_cache(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_through(path, bytes, Keep::Nothing, Outlives::Process, replace)
}

fn replace(temporary: &Path, target: &Path) -> Result<(), FileError> {
    disk::replace(temporary, target).map_err(FileError::io("replace", target))
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

/// Makes the file `path` with `bytes`, whole or not at all.
///
/// # Errors
/// [`FileError::Exists`] when it is there.
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

/// Writes a new file beside the target, and lets `place` put it there.
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

/// Where a path leads to, also when there is nothing yet.
pub(crate) fn follow_links(path: &Path) -> Result<PathBuf, FileError> {
    // As many as Linux follows (path_resolution(7)).
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
        if is_temporary(&name) && is_old {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Whether a name is of the form that [`write_through`] makes: `.NAME.<16 hex digits>.tmp`.
fn is_temporary(name: &str) -> bool {
    let number = name
        .strip_prefix('.')
        .and_then(|rest| rest.strip_suffix(".tmp"))
        .and_then(|rest| rest.rsplit_once('.'));
    number
        .is_some_and(|(_, number)| number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Flushes a directory: what was renamed into it or removed from it stays so.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), FileError> {
    disk::sync_directory(directory).map_err(FileError::io("write", directory))
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
    fn a_file_that_is_too_large_or_not_there_is_kept_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_atomic(&path, b"12345", Keep::Nothing).unwrap();
        assert_eq!(read_private(&path, 5).unwrap(), b"12345");
        assert!(matches!(read_private(&path, 4), Err(FileError::Size { .. })));
        assert!(matches!(read_private(&dir.path().join("none"), 4), Err(FileError::Absent(_))));
    }

    /// Windows of the kind that the tests run on replaces no file that someone has open.
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
