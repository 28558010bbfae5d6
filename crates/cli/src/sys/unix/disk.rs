//! The file system of a directory: whether it is in memory, and how to make changes durable.

use std::fs::File;
use std::io;
use std::path::Path;

/// Whether files in `directory` are only in memory, as a disk may keep deleted data.
#[cfg(target_os = "linux")]
pub(crate) fn is_in_memory(directory: &Path) -> io::Result<bool> {
    /// TMPFS_MAGIC of statfs(2).
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    Ok(rustix::fs::statfs(directory)?.f_type == TMPFS)
}

/// macOS has no such file systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_in_memory(_directory: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Makes changes of the directory's entries durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Deletes a file that others may have open. Its name can be reused at once.
pub(crate) fn remove_open(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Replaces `path` with the file `new`.
pub(crate) fn replace(new: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(new, path)
}
