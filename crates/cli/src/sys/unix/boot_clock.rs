//! A clock that all processes share and no one sets: time since the machine started.
#![expect(
    unsafe_code,
    reason = "rustix finds the vDSO by itself, which costs a warm start and cannot run under valgrind"
)]

/// Of Linux's clocks only this one goes on while the machine sleeps.
#[cfg(target_os = "linux")]
const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
/// macOS's goes on while the machine sleeps (clock_gettime(3)).
#[cfg(not(target_os = "linux"))]
const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// Nanoseconds since the machine started, sleep included.
pub(crate) fn now() -> u128 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, for which there is room. It fails for unknown clocks only, and then leaves 0.
    unsafe {
        libc::clock_gettime(CLOCK, &raw mut now);
    }
    u128::from(now.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(now.tv_nsec.unsigned_abs())
}
