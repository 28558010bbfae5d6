//! Locks on files, without affecting reading and writing.
//!
//! On Windows, locked bytes cannot be read by others, but waiters must be able to read the note in a lock file. So the
//! lock covers one byte far beyond the end of any note.
#![expect(unsafe_code, reason = "std locks the whole file, and does not tell files apart by number")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES, GetFileInformationByHandle, LOCK_FILE_FLAGS, LOCKFILE_EXCLUSIVE_LOCK,
    LOCKFILE_FAIL_IMMEDIATELY, LockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

/// The upper half of the locked byte's offset.
const FAR: u32 = 0x4000_0000;

/// Tries to lock the file. Returns whether that succeeded.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match lock_byte(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY) {
        Ok(()) => Ok(true),
        Err(error) => {
            let is_held = [ERROR_LOCK_VIOLATION, ERROR_IO_PENDING].map(u32::cast_signed).map(Some);
            if is_held.contains(&error.raw_os_error()) { Ok(false) } else { Err(error) }
        }
    }
}

/// Locks the file, waiting as long as needed.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    lock_byte(file, LOCKFILE_EXCLUSIVE_LOCK)
}

fn lock_byte(file: &File, flags: LOCK_FILE_FLAGS) -> io::Result<()> {
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.OffsetHigh = FAR;
    // SAFETY: the handle is open while `file` is borrowed. It was opened for synchronous use, so the call returns only
    // when it is done with `place`.
    let done = unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &raw mut place) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Identifies a file on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    volume: u32,
    index: (u32, u32),
}

impl Identity {
    /// Identifies an open file.
    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        let mut about = BY_HANDLE_FILE_INFORMATION::default();
        // SAFETY: the handle is open while `file` is borrowed, and `about` outlives the call.
        let done = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { volume: about.dwVolumeSerialNumber, index: (about.nFileIndexHigh, about.nFileIndexLow) })
    }

    /// Identifies the file at a path.
    pub(crate) fn at_path(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .access_mode(FILE_READ_ATTRIBUTES)
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
            .open(path)?;
        Self::of_file(&file)
    }
}

/// Whether a process is stopped. Windows has nothing like Ctrl-Z.
pub(crate) fn is_process_stopped(_pid: u32) -> bool {
    false
}
