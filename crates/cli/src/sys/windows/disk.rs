//! The file system of a directory: whether it is in memory, and how to make changes durable.

use std::io;
use std::path::Path;
use std::time::Duration;

/// How often to retry if another program has the file open, and the pause.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Whether files in `directory` are only in memory. Windows has no such file systems.
pub(crate) fn is_in_memory(_directory: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Makes changes of the directory's entries durable. Does nothing: NTFS journals them, and has no such call.
pub(crate) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Deletes a file that others may have open. Its name can be reused at once.
///
/// If the system or file system does not support that (before Windows 10, FAT), the name is freed only with the last
/// handle, so the file is renamed first.
pub(crate) fn remove_open(path: &Path) -> io::Result<()> {
    let aside = path.with_extension(format!("{}.gone", std::process::id()));
    std::fs::rename(path, &aside)?;
    std::fs::remove_file(&aside)
}

/// Replaces `path` with the file `new`.
///
/// This can fail for a moment while a virus scanner or indexer has one of the files open.
pub(crate) fn replace(new: &Path, path: &Path) -> io::Result<()> {
    let mut tries = 1;
    loop {
        match std::fs::rename(new, path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && tries < TRIES => {
                std::thread::sleep(PAUSE);
                tries += 1;
            }
            result => return result,
        }
    }
}
