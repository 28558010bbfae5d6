//! Atomic writes: a file has its old content or its new one, never a part.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::FileError;
use super::private::{check_creator, parent};
use crate::sys::access;
use crate::sys::platform::disk;

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

/// Replaces `path` as [`write_atomic`] does, but only if it still contains `before`, which was read from it.
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
fn sync_directory(directory: &Path) -> Result<(), FileError> {
    disk::sync_directory(directory).map_err(FileError::io("write", directory))
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
    #[cfg(unix)]
    use super::super::read_private;
    use super::*;

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
