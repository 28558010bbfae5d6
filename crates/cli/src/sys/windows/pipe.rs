//! Checks whether another program has written to a pipe.
#![expect(unsafe_code, reason = "std has no way to look into a pipe without reading it")]

use std::io;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::ERROR_BROKEN_PIPE;
use windows_sys::Win32::System::Pipes::PeekNamedPipe;

/// Whether there is something to read now, or the pipe has ended.
pub(super) fn has_output(pipe: &impl AsRawHandle) -> io::Result<bool> {
    let mut available = 0;
    // SAFETY: the handle is open while `pipe` is borrowed. Three of the four output pointers are null, which is
    // allowed, and the last one outlives the call.
    let done = unsafe {
        PeekNamedPipe(
            pipe.as_raw_handle(),
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
            &raw mut available,
            std::ptr::null_mut(),
        )
    };
    if done != 0 {
        return Ok(available > 0);
    }
    let error = io::Error::last_os_error();
    // The pipe has ended, which the next read returns.
    if error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed()) { Ok(true) } else { Err(error) }
}
