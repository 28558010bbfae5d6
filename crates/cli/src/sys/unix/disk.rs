//! What is below a directory: whether it keeps what is deleted, and when a change in it is safe.

use std::fs::File;
use std::io;
use std::path::Path;

/// Whether files in `directory` are in memory alone: a disk would keep what is deleted.
#[cfg(target_os = "linux")]
pub(crate) fn is_in_memory(directory: &Path) -> io::Result<bool> {
    /// statfs(2): TMPFS_MAGIC.
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    Ok(rustix::fs::statfs(directory)?.f_type == TMPFS)
}

/// macOS has no such directories.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_in_memory(_directory: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Makes changes of the names in `directory` last.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Deletes a file that others have open: its name is free at once.
pub(crate) fn remove_open(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Puts the file `new` in the place of `path`.
pub(crate) fn replace(new: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(new, path)
}
