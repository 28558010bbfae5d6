//! A clock that all processes share and nobody sets: time since the machine started.

use rustix::time::{ClockId, clock_gettime};

/// Of Linux's clocks only this one goes on while the machine sleeps.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// macOS's goes on while the machine sleeps (clock_gettime(3)).
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Nanoseconds since the machine started, sleep included.
pub(crate) fn now() -> u128 {
    let now = clock_gettime(CLOCK);
    u128::from(now.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(now.tv_nsec.unsigned_abs())
}
