//! A clock that all processes share and no one sets: time since the machine started.
#![expect(unsafe_code, reason = "std's clock has no number that another process knows")]

use windows_sys::Win32::System::SystemInformation::GetTickCount64;

/// Nanoseconds since the machine started, sleep included. It moves on by about 15 ms at a time.
pub(crate) fn now() -> u128 {
    // SAFETY: it takes nothing and cannot fail.
    u128::from(unsafe { GetTickCount64() }) * 1_000_000
}
