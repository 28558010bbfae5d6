//! Small secrets in memory-backed files for a limited time: used without a kernel keyring, if the user enables it.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::boot_clock;
use super::files::{FileError, Keep, make_private_directory, read_private, remove, write_atomic};
use super::platform::disk;

const LIMIT: u64 = 1024;

/// Reads an entry that has not expired. Restarts its timeout, which `timeout_of` finds in the value, once half of it
/// has passed.
pub(crate) fn read(
    directory: &Path,
    name: &str,
    timeout_of: impl FnOnce(&[u8]) -> Duration,
) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(read_private(&directory.join(name), LIMIT).ok()?);
    let (end, value) = bytes.split_at_checked(16)?;
    let end = u128::from_be_bytes(end.try_into().ok()?);
    let timeout = timeout_of(value);
    let left = end.checked_sub(boot_clock::now()).filter(|left| *left > 0 && *left <= timeout.as_nanos());
    let Some(left) = left else {
        remove(&directory.join(name)).ok();
        return None;
    };
    let value = Zeroizing::new(value.to_vec());
    if left < timeout.as_nanos() / 2 {
        // If this fails, the user is only asked earlier than necessary.
        write(directory, name, &value, timeout).ok();
    }
    Some(value)
}

/// Writes an entry that expires after `timeout`.
///
/// # Errors
/// If the directory is not private, or not in memory: a disk may keep deleted data.
pub(crate) fn write(directory: &Path, name: &str, value: &[u8], timeout: Duration) -> Result<(), FileError> {
    make_private_directory(directory)?;
    if !disk::is_in_memory(directory).map_err(FileError::io("read", directory))? {
        return Err(FileError::NotInMemory(directory.display().to_string()));
    }
    let end = boot_clock::now() + timeout.as_nanos();
    let bytes = Zeroizing::new([&end.to_be_bytes()[..], value].concat());
    write_atomic(&directory.join(name), &bytes, Keep::Nothing)
}

/// Deletes an entry.
pub(crate) fn forget(directory: &Path, name: &str) -> Result<bool, FileError> {
    remove(&directory.join(name))
}

/// Deletes all entries whose names begin with `prefix`.
pub(crate) fn forget_all(directory: &Path, prefix: &str) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix)) {
            // It may have been deleted meanwhile.
            remove(&entry.path()).ok();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_by_itself_and_a_disk_is_refused() {
        let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
            println!("skipped: there is no /dev/shm");
            return;
        };
        let place = dir.path().join("hatbox");
        let soon = Duration::from_millis(50);
        write(&place, "a", b"value", Duration::from_mins(1)).unwrap();
        assert_eq!(&*read(&place, "a", |_| Duration::from_mins(1)).unwrap(), b"value");
        write(&place, "a", b"value", soon).unwrap();
        std::thread::sleep(soon * 2);
        assert!(read(&place, "a", |_| soon).is_none());
        assert!(!place.join("a").exists(), "what has ended is deleted");
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        assert!(matches!(write(&disk.path().join("x"), "a", b"x", soon), Err(FileError::NotInMemory(_))));
    }
}
