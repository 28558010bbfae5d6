//! A clock that all processes share and that cannot be set: the time since boot.
#![expect(
    unsafe_code,
    reason = "rustix finds the vDSO by itself, which costs a warm start and cannot run under valgrind"
)]

/// The only clock of Linux that includes the time asleep.
#[cfg(target_os = "linux")]
const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
/// On macOS, this clock includes the time asleep (clock_gettime(3)).
#[cfg(not(target_os = "linux"))]
const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// Nanoseconds since boot, including the time asleep.
pub(crate) fn now() -> u128 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to one timespec. It fails only for unknown clocks, and then leaves 0.
    unsafe {
        libc::clock_gettime(CLOCK, &raw mut now);
    }
    u128::from(now.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(now.tv_nsec.unsigned_abs())
}
