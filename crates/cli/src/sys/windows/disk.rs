//! What is below a directory: whether it keeps what is deleted, and when a change in it is safe.

use std::io;
use std::path::Path;
use std::time::Duration;

/// How often a file that another program holds is tried again, and after how long.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Whether files in `directory` are in memory alone. Windows has no such directories.
pub(crate) fn is_in_memory(_directory: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Makes changes of the names in `directory` last. NTFS keeps a journal of them, and offers nothing more.
pub(crate) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Deletes a file that others have open: its name is free at once.
///
/// Where the system or the disk does not know that (before Windows 10, on FAT), the name of a deleted file goes
/// with its last handle: so it gets another one first.
pub(crate) fn remove_open(path: &Path) -> io::Result<()> {
    let aside = path.with_extension(format!("{}.gone", std::process::id()));
    std::fs::rename(path, &aside)?;
    std::fs::remove_file(&aside)
}

/// Puts the file `new` in the place of `path`.
///
/// A virus scanner or an indexer that looks at either of them makes that fail for a moment.
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
