//! Waiting for what another program writes into a pipe.
#![expect(unsafe_code, reason = "std has no way to look into a pipe without reading it")]

use std::io;
use std::os::windows::io::AsRawHandle;
use std::process::ChildStdout;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::ERROR_BROKEN_PIPE;
use windows_sys::Win32::System::Pipes::PeekNamedPipe;

/// An anonymous pipe cannot be waited for, only looked at.
const LOOK: Duration = Duration::from_millis(2);

/// Waits until there is something to read, or the pipe's end; tells whether there is.
pub(crate) fn wait_readable(pipe: &ChildStdout, wait: Duration) -> io::Result<bool> {
    let end = Instant::now() + wait;
    loop {
        let mut available = 0;
        // SAFETY: the handle is open while `pipe` is borrowed; of the four places to write to, three are null,
        // which means that they are not asked for, and the last outlives the call.
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
        if done == 0 {
            let error = io::Error::last_os_error();
            // Its end: the read that follows says so.
            let is_end = error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed());
            return if is_end { Ok(true) } else { Err(error) };
        }
        if available > 0 {
            return Ok(true);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        std::thread::sleep(left.min(LOOK));
    }
}
