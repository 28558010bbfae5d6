//! A clock that all processes share and that cannot be set: the time since boot.
#![expect(unsafe_code, reason = "std's clock has no number that another process knows")]

use windows_sys::Win32::System::SystemInformation::GetTickCount64;

/// Nanoseconds since boot, including the time asleep, in steps of about 15 ms.
pub(crate) fn now() -> u128 {
    // SAFETY: the call takes no arguments and cannot fail.
    u128::from(unsafe { GetTickCount64() }) * 1_000_000
}
